"""Attribute values as JSON and back, by the model's columns: what plans and before-images are kept in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.core.audit import plain
from app.core.columns import UtcDateTime


def to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """{attribute: JSON value}."""
    return {name: plain(value) for name, value in values.items()}


def from_json(model: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `to_json`."""
    return {name: value_of(model, name, value) for name, value in values.items()}


def value_of(model: Any, name: str, value: Any) -> Any:
    """One value; anything that JSON can hold passes as it is."""
    if value is None:
        return None
    reader = _reader(model, name)
    return reader(value) if reader else value


@cache
def _reader(model: Any, name: str) -> Any:
    column = sa.inspect(model).column_attrs[name].columns[0]
    if isinstance(column.type, sa.Enum) and column.type.enum_class:
        return column.type.enum_class
    if isinstance(column.type, UtcDateTime | sa.DateTime):
        return datetime.fromisoformat
    if isinstance(column.type, sa.Date):
        return date.fromisoformat
    return Decimal if isinstance(column.type, sa.Numeric) else None
