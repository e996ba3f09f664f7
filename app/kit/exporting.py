"""Export as filtered: streamed CSV of the columns a transfer declares, safe to open in a spreadsheet (CON-11, CLI-14)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa

from app.core.db import db
from app.kit.fields import Field, field_of, title_of
from app.kit.listing import eager
from app.kit.resource import Resource

CHUNK = 1000
# What makes a spreadsheet compute a cell instead of showing it, full-width forms included (reliability.md).
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def neutral(text: str) -> str:
    """`text` as a spreadsheet shows it and never computes it: with an apostrophe in front where it needs one."""
    return f"'{text}" if text.startswith(FORMULA) else text


def plain(text: str) -> str:
    """The inverse of `neutral`, for imports, so that what was exported comes back as it was."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def text_of(field: Field, row: Any) -> str:
    """A value as exported text: names for relations, codes for choices, ISO 8601 for times."""
    if field.target is not None:
        related = getattr(row, field.name)
        return "" if related is None else title_of(related)
    value = getattr(row, field.name)
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def header(resource: Resource) -> list[str]:
    """The exported columns' names, which an import of the same resource recognises."""
    return list(resource.transfer.columns) if resource.transfer else []


def rows(resource: Resource, clause: Any) -> Iterator[list[str]]:
    """Every row that matches, in order of its number; memory does not grow with their count."""
    fields = [field_of(resource.model, name) for name in header(resource)]
    model, last = resource.model, 0
    while True:
        query = sa.select(model).where(clause, model.id > last).order_by(model.id).limit(CHUNK)
        found = list(db.session.scalars(query.options(*eager(resource, header(resource)))).unique())
        for row in found:
            yield [neutral(text_of(field, row)) for field in fields]
        if len(found) < CHUNK:
            return
        last = found[-1].id
        db.session.expunge_all()


def csv_lines(resource: Resource, clause: Any) -> Iterator[str]:
    """The file in pieces; UTF-8 with a byte order mark, by which spreadsheets know it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(header(resource))
    for number, row in enumerate(rows(resource, clause), 1):
        writer.writerow(row)
        if number % CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
