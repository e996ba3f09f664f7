"""Reading a plan and its result: pages of rows, and the refused rows as a file that can be corrected (CON-09)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.db import db
from app.core.errors import Missing
from app.core.operations.models import Operation
from app.core.operations.states import ItemState, Plan
from app.kit import registry
from app.kit.exporting import neutral
from app.kit.importing.coerce import as_text
from app.kit.importing.flow import rules_of, source_of
from app.kit.importing.handler import ITEM
from app.kit.importing.mapping import Rules, fields_of
from app.kit.importing.reader import text_of
from app.kit.importing.source import Source

AT_ONCE = 500


@dataclass(frozen=True)
class Where:
    """A column of the file: its letter and heading."""

    letter: str
    heading: str


class Columns:
    """Which column an error of a field belongs to."""

    def __init__(self, operation: Operation) -> None:
        rules, source = rules_of(operation), source_of(operation)
        columns = {column.index: column for column in source.columns}
        self._by_field = {
            name: Where(columns[index].letter, columns[index].name) for index, name in rules.columns.items()
        }

    def of(self, name: str) -> Where | None:
        """The column that fills a field; None for what concerns the whole row."""
        return self._by_field.get(name)

    def sentence(self, error: dict[str, Any]) -> str:
        """ "Column B “E-mail”: “x” is not an e-mail address"."""
        where = self.of(error["field"])
        if where is None:
            return str(error["message"])
        return _(
            "Column %(letter)s “%(heading)s”: %(message)s",
            letter=where.letter,
            heading=where.heading,
            message=error["message"],
        )


def _shown(plan: Plan | None) -> Any:
    """Rows under one tile: by the plan, and what the run refused under errors."""
    if plan is None:
        return sa.true()
    if plan is Plan.ERROR:
        return sa.or_(ITEM.c.plan == Plan.ERROR, ITEM.c.state == ItemState.FAILED)
    return sa.and_(ITEM.c.plan == plan, ITEM.c.state != ItemState.FAILED)


def page_of(operation_id: int, plan: Plan | None, search: str, offset: int, limit: int) -> tuple[list[Any], int]:
    """(rows of the plan in the file's order, how many there are)."""
    where = sa.and_(ITEM.c.operation_id == operation_id, _shown(plan))
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where = sa.and_(where, ITEM.c.title.ilike(pattern, escape="\\"))
    total = db.session.scalar(sa.select(sa.func.count()).select_from(ITEM).where(where)) or 0
    query = sa.select(ITEM).where(where).order_by(ITEM.c.position).offset(offset).limit(limit)
    return list(db.session.execute(query)), total


def errors_of(operation: Operation, limit: int) -> list[dict[str, Any]]:
    """The first refused rows: row, column, field, value, message."""
    columns = Columns(operation)
    found = []
    for item in islice(refused(operation.id), limit):
        for error in _errors(item):
            where = columns.of(error["field"])
            more = {"column": where.letter, "heading": where.heading} if where else {"column": None, "heading": None}
            found.append({"row": item.position, **more, **error})
    return found


def _errors(item: Any) -> list[dict[str, Any]]:
    if item.plan == Plan.ERROR:
        return list(item.payload["errors"])
    return [{"field": "", "message": item.reason or "", "value": ""}]


def refused(operation_id: int) -> Iterator[Any]:
    """Every refused row in the file's order, a few hundred at a time."""
    last = -1
    while True:
        more = (ITEM.c.operation_id == operation_id) & (ITEM.c.position > last) & (ITEM.c.state == ItemState.FAILED)
        found = list(db.session.execute(sa.select(ITEM).where(more).order_by(ITEM.c.position).limit(AT_ONCE)))
        yield from found
        if len(found) < AT_ONCE:
            return
        last = found[-1].position


def error_lines(operation: Operation) -> Iterator[str]:
    """The uploaded rows that were refused, as CSV with the reason in the last column; safe to open in a spreadsheet."""
    source, columns = source_of(operation), Columns(operation)
    yield "\ufeff" + _line([*(column.name for column in source.columns), _("Row"), _("Reason")])
    original = _Original(source)
    for item in refused(operation.id):
        reasons = " ".join(columns.sentence(error) for error in _errors(item))
        yield _line([*original.cells(item.position), str(item.position), reasons])


class _Original:
    """The cells of the file's rows, asked for in the file's order. Empty once the file is cleared away."""

    def __init__(self, source: Source) -> None:
        self._indexes = [column.index for column in source.columns]
        try:
            self._rows = iter(source.read())
        except Missing:
            self._rows = iter(())

    def cells(self, number: int) -> list[str]:
        row = next((row for row in self._rows if row.number == number), None)
        return [text_of(row.cells[index]) if row else "" for index in self._indexes]


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([neutral(cell) for cell in cells])
    return text.getvalue()


def sample(operation: Operation, rows: int = 500) -> list[list[Any]]:
    """The cells of the first rows, for checking a mapping."""
    return [row.cells for row in source_of(operation).read(0, rows)]


def key_text(rules: Rules, resource_name: str, values: dict[str, Any]) -> str:
    """What a row is recognised by, as the file says it."""
    resource = registry.get(resource_name)
    fields = fields_of(resource)
    names = resource.transfer.key if resource.transfer else ()
    found = (values.get(fields[name].key) for name in names if name in fields and rules.column_of(name) is not None)
    return next((as_text(value) for value in found if value), "")
