"""Column helpers: a database type plus the meaning that forms, filters, lists, imports and the API read from `info`.

`info["kind"]` is one of the kinds in `kit/fields.py`; a plain `mapped_column` gets its kind from its type.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database (PLT-19). A naive value is refused with ValueError."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(**kw: Any) -> MappedColumn[Any]:
    """A point in time, UTC."""
    return mapped_column(UtcDateTime(), **kw)


def _text(kind: str, length: int, **kw: Any) -> MappedColumn[Any]:
    kw["info"] = {"kind": kind} | kw.get("info", {})
    return mapped_column(sa.String(length), **kw)


def text(length: int = 200, **kw: Any) -> MappedColumn[Any]:
    """One line of text, at most `length` characters."""
    return _text("text", length, **kw)


def long_text(**kw: Any) -> MappedColumn[Any]:
    """Text of several lines, at most 10,000 characters by the form."""
    kw["info"] = {"kind": "long", "max_length": 10_000} | kw.get("info", {})
    return mapped_column(sa.Text(), **kw)


def email(**kw: Any) -> MappedColumn[Any]:
    """An e-mail address, checked and normalised by email-validator (RFC 5321: 254 characters at most)."""
    return _text("email", 254, **kw)


def phone(**kw: Any) -> MappedColumn[Any]:
    """A phone number as typed; the E.164 form lives in a column beside it (domain.md)."""
    return _text("phone", 40, **kw)


def url(**kw: Any) -> MappedColumn[Any]:
    """An http or https address; other schemes are refused."""
    return _text("url", 500, **kw)


def image(**kw: Any) -> MappedColumn[Any]:
    """The name of a stored picture, see `core/storage`."""
    return _text("image", 64, **kw)


def time_zone(**kw: Any) -> MappedColumn[Any]:
    """An IANA time zone name such as Europe/London."""
    return _text("time_zone", 64, **kw)


def country(**kw: Any) -> MappedColumn[Any]:
    """An ISO 3166-1 alpha-2 code."""
    return _text("country", 2, **kw)


def language(**kw: Any) -> MappedColumn[Any]:
    """An ISO 639-1 code."""
    return _text("language", 8, **kw)


def currency(**kw: Any) -> MappedColumn[Any]:
    """An ISO 4217 code."""
    return _text("currency", 3, **kw)


def choice(enum: type[Enum], **kw: Any) -> MappedColumn[Any]:
    """One of an enum's values, stored as its value; labels come from `enum.label` (lazy text), tones from `enum.tone`."""
    kw["info"] = {"kind": "choice", "enum": enum} | kw.get("info", {})
    kind = sa.Enum(
        enum, native_enum=False, length=32, values_callable=lambda e: [m.value for m in e], validate_strings=True
    )
    return mapped_column(kind, **kw)
