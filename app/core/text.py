"""What text a database can hold, and what a row's number may be: asked wherever text comes from outside."""

from __future__ import annotations

BIGGEST_ID = 2**31 - 1


def storable(text: str) -> bool:
    """False for NUL, which PostgreSQL refuses, and for half of a surrogate pair, which is no Unicode text (RFC 8259, 8.2)."""
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def storable_part(text: str) -> str:
    """`text` without what no database holds: for searches, which need not say so."""
    return text if storable(text) else "".join(c for c in text if storable(c))


def row_id(text: str) -> int | None:
    """A row's number as posted or in an address; None for anything else, digits of other scripts included."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
