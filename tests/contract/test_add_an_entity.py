"""docs/add-an-entity.md, followed to the letter in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "add-an-entity.md"
MOST_LINES = 40


def blocks(language: str) -> list[tuple[str, str]]:
    """(argument, text) of each code block of a language, in order."""
    return re.findall(rf"^```{language}(?: file=(\S+))?\n(.*?)^```", PAGE.read_text(), re.S | re.M)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository as it stands, without what set-up made."""
    target = tmp_path / "steward"
    ignored = shutil.ignore_patterns(".git", ".venv", "node_modules", "var", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, target, ignore=ignored)
    return target


def run(command: str, folder: Path, home: Path) -> None:
    words = [sys.executable if word == "python" else word for word in command.replace('"', "").split()]
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "DATABASE_URL", "REDIS_URL", "STEWARD_"))
    }
    environment = {**kept, "STEWARD_HOME": str(home), "SAMPLE": "0", "LOG_LEVEL": "WARNING", "PYTHONPATH": str(folder)}
    extra = ["-n", "0", "-p", "no:cacheprovider", "-q"] if "pytest" in words else []
    done = subprocess.run([*words, *extra], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"


def test_the_page_costs_at_most_forty_lines() -> None:
    written = "".join(text for _file, text in blocks("python"))
    assert 0 < len([line for line in written.splitlines() if line.strip()]) <= MOST_LINES


def test_the_page_followed_to_the_letter_makes_an_entity_that_keeps_every_promise(copy: Path, tmp_path: Path) -> None:
    for file, text in blocks("python"):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        (copy / file).write_text(text)
    commands = [line for _file, text in blocks("sh") for line in text.splitlines()]
    assert any("pytest" in command for command in commands)
    for command in commands:
        run(command, copy, tmp_path / "home")
    assert list((copy / "migrations" / "versions").glob("*_suppliers.py"))
