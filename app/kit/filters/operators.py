"""The operators of the filter language: which kinds of field know them, how they read, what SQL they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from app.core.clock import utcnow
from app.kit.fields import Field
from app.kit.zones import user_zone

Sql = Any


@dataclass(frozen=True)
class Operator:
    """`arity`: 0 no value, 1 one, 2 two, -1 a list. `days` marks a value counted in days."""

    name: str
    label: Any
    sql: Callable[[Field, list[Any]], Sql]
    arity: int = 1
    days: bool = False
    raw: bool = False  # the value stays text whatever the field's kind
    kind: str = ""  # reads the value as this kind instead of the field's


def escape_like(text: str) -> str:
    """Make %, _ and \\ stand for themselves in LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _like(pattern: str) -> Callable[[Field, list[Any]], Sql]:
    return lambda f, v: f.column.ilike(pattern.replace("?", escape_like(str(v[0]))), escape="\\")


def _blank(field: Field, _values: list[Any]) -> Sql:
    if field.kind in ("text", "long", "email", "phone", "url"):
        return sa.or_(field.column.is_(None), field.column == "")
    return field.column.is_(None)


def _equals(field: Field, values: list[Any]) -> Sql:
    if field.kind in ("text", "email") and isinstance(values[0], str):
        return sa.func.lower(field.column) == values[0].lower()
    return field.column == values[0]


def _on(field: Field, values: list[Any]) -> Sql:
    """A day in the user's time zone."""
    day: date = values[0]
    start = datetime(day.year, day.month, day.day, tzinfo=user_zone())
    last = start.replace(hour=23, minute=59, second=59, microsecond=999_999)  # the year 9999 has no day after its last
    return field.column.between(start, last)


def _differs(field: Field, values: list[Any]) -> Sql:
    return sa.or_(field.column.is_(None), sa.not_(_equals(field, values)))


def _not_in(field: Field, values: list[Any]) -> Sql:
    return sa.or_(field.column.is_(None), field.column.not_in(values))


def _since(days: int) -> datetime:
    return utcnow() - timedelta(days=days)


OPERATORS: dict[str, Operator] = {
    op.name: op
    for op in (
        Operator("eq", _l("is"), _equals),
        Operator("neq", _l("is not"), _differs),
        Operator("in", _l("is any of"), lambda f, v: f.column.in_(v), arity=-1),
        Operator("notin", _l("is none of"), _not_in, arity=-1),
        Operator("contains", _l("contains"), _like("%?%"), raw=True),
        Operator("starts", _l("starts with"), _like("?%"), raw=True),
        Operator("on", _l("is on"), _on, kind="date"),
        Operator("gt", _l("over"), lambda f, v: f.column > v[0]),
        Operator("ge", _l("at least"), lambda f, v: f.column >= v[0]),
        Operator("lt", _l("below"), lambda f, v: f.column < v[0]),
        Operator("le", _l("at most"), lambda f, v: f.column <= v[0]),
        Operator("after", _l("after"), lambda f, v: f.column > v[0]),
        Operator("before", _l("before"), lambda f, v: f.column < v[0]),
        Operator("between", _l("between"), lambda f, v: f.column.between(v[0], v[1]), arity=2),
        Operator("last", _l("in the last days"), lambda f, v: f.column >= _since(v[0]), days=True),
        Operator("older", _l("over days ago"), lambda f, v: f.column < _since(v[0]), days=True),
        Operator("empty", _l("is empty"), _blank, arity=0),
        Operator("notempty", _l("is not empty"), lambda f, v: sa.not_(_blank(f, v)), arity=0),
    )
}

_TEXT = ("contains", "starts", "eq", "neq", "in", "empty", "notempty")
_NUMBER = ("eq", "neq", "gt", "ge", "lt", "le", "between", "empty", "notempty")
_CHOICE = ("eq", "neq", "in", "notin", "empty", "notempty")
_BY_KIND: dict[str, tuple[str, ...]] = {
    "text": _TEXT,
    "long": ("contains", "empty", "notempty"),
    "email": _TEXT,
    "phone": _TEXT,
    "url": _TEXT,
    "number": _NUMBER,
    "decimal": _NUMBER,
    "money": _NUMBER,
    "boolean": ("eq",),
    "date": ("eq", "after", "before", "between", "empty", "notempty"),
    "datetime": ("on", "after", "before", "between", "last", "older", "empty", "notempty"),
    "choice": _CHOICE,
    "relation": _CHOICE,
    "person": _CHOICE,
    "time_zone": _CHOICE,
    "country": _CHOICE,
    "language": _CHOICE,
    "currency": _CHOICE,
}


def operators_for(field: Field) -> list[Operator]:
    """What can be asked of a field, the most useful first."""
    return [OPERATORS[name] for name in _BY_KIND.get(field.kind, ())]
