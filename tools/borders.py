"""What import-linter cannot say: nobody imports another feature's views, resources, jobs, actions, forms or manifest."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
FEATURES = ROOT / "app" / "features"
PRIVATE = {"views", "resources", "jobs", "actions", "forms", "manifest", "demo"}


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported; `from a import b` counts as a.b, because b may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def breaches(path: Path) -> Iterator[str]:
    """Each import in this file of another feature's private module."""
    own = path.relative_to(FEATURES).parts[0]
    for line, name in imported(ast.parse(path.read_text())):
        parts = name.split(".")
        if parts[:2] == ["app", "features"] and len(parts) > 3 and parts[2] != own and parts[3] in PRIVATE:
            yield f"{path.relative_to(ROOT)}:{line}: imports {'.'.join(parts[:4])}, which only {parts[2]} may"


def main() -> int:
    """Print all; 0 when there is none."""
    found = [line for path in sorted(FEATURES.rglob("*.py")) if path.parent != FEATURES for line in breaches(path)]
    print("\n".join(found) if found else "No feature reaches into another's rooms")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
