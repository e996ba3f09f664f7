"""Every static check, one after the other; all run even when one fails. Exit code 1 when any did."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable]

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("formatting", [*PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."]),
    ("lint", [*PYTHON, "-m", "ruff", "check", "--quiet", "."]),
    ("types", [*PYTHON, "-m", "mypy"]),
    (
        "imports",
        [*PYTHON, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"],
    ),
    ("borders between features", [*PYTHON, "tools/borders.py"]),
    ("sizes", [*PYTHON, "tools/sizes.py"]),
    ("migrations", [*PYTHON, "tools/drift.py"]),
    ("declarations", [*PYTHON, "run.py", "check"]),
)


def passes(name: str, command: list[str], home: str) -> bool:
    """Run one check in an environment of its own; print its output when it fails."""
    began = time.monotonic()
    environment = {**os.environ, "STEWARD_HOME": home, "LOG_LEVEL": "WARNING", "DATABASE_URL": "", "REDIS_URL": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(f"{name:<26}{'ok' if done.returncode == 0 else 'FAILED':<8}{time.monotonic() - began:5.1f} s", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def main() -> int:
    """Run all; 0 when all pass."""
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as home:
        results = [passes(name, command, home) for name, command in CHECKS if not wanted or name in wanted]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
