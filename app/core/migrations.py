"""`run.py migration MESSAGE`: write the migration that the changed models need."""

from __future__ import annotations

import re
from pathlib import Path

import click
from flask import current_app
from flask_migrate import revision, upgrade


@click.command()
@click.argument("message")
def migration(message: str) -> None:
    """Write the next numbered migration from the difference between models and database. Read it before you commit it."""
    folder = Path(current_app.extensions["migrate"].directory)
    upgrade(directory=str(folder))
    revision(directory=str(folder), message=message, autogenerate=True, rev_id=next_number(folder / "versions"))


def next_number(versions: Path) -> str:
    """The number after the last one in the folder, four digits."""
    numbers = [int(found[1]) for path in versions.glob("*.py") if (found := re.match(r"(\d{4})_", path.name))]
    return f"{max(numbers, default=0) + 1:04}"
