"""Names that must be unique: the form in which two of them are the same, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any


def name_key(name: str) -> str:
    """`name` case folded, with runs of white space as one space. SQLite's own `lower` knows ASCII only."""
    return " ".join((name or "").casefold().split())


def key_of_row(context: Any) -> str:
    """Column default that derives `name_key` from `name`, for rows that Core inserts."""
    return name_key(context.get_current_parameters()["name"])
