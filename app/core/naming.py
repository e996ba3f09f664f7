"""Names that must be unique: the form in which two of them are the same, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any

LONGEST = 400  # what the columns of keys hold


def name_key(name: str) -> str:
    """`name` case folded, with runs of white space as one space. SQLite's own `lower` knows ASCII only.

    At most LONGEST characters: folding may make three of one.
    """
    return " ".join((name or "").casefold().split())[:LONGEST]


def key_of_row(context: Any) -> str:
    """Column default that derives `name_key` from `name`, for rows that Core inserts."""
    return name_key(context.get_current_parameters()["name"])
