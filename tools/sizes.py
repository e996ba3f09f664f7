"""The house's limits of size: files of at most 500 lines, functions of at most 60; prints each that is above."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
FOLDERS = ("app", "tests", "tools", "bench", "templates", "app/static")
ENDINGS = {".py", ".html", ".js", ".mjs", ".css"}


def files() -> Iterator[Path]:
    """Every file of ours that a person reads."""
    yield from ROOT.glob("*.py")
    found = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in ENDINGS}
    yield from sorted(path for path in found if "vendor" not in path.parts)


def excesses(path: Path) -> Iterator[str]:
    """Each limit that this file is above, as a sentence."""
    text = path.read_text()
    lines = text.count("\n")
    name = path.relative_to(ROOT)
    if lines > LONGEST_FILE:
        yield f"{name}: {lines} lines; {LONGEST_FILE} is the most"
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines; {LONGEST_FUNCTION} is the most"


def main() -> int:
    """Print all; 0 when there is none."""
    found = [line for path in files() for line in excesses(path)]
    print("\n".join(found) if found else "Sizes are within the limits")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
