"""Checking a service's values by what their fields mean, whoever calls it: form, API, import or command."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.core.errors import DomainError
from app.kit.fields import field_of
from app.kit.forms import clean


def checked(model: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` normalised, empty text as None where the column may be empty.

    Raises DomainError with a message per field for values that are no e-mail address, time zone, web address and so on.
    """
    result, problems = {}, {}
    for name, value in values.items():
        try:
            result[name] = _clean(model, name, value) if isinstance(value, str) else value
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise DomainError(fields=problems)
    return result


def _clean(model: Any, name: str, value: str) -> Any:
    if name not in _text_columns(model):
        return value
    return clean(field_of(model, name), value) or (None if _text_columns(model)[name] else "")


@cache
def _text_columns(model: Any) -> dict[str, bool]:
    """{attribute: may be empty} of the text columns; choices are no text."""
    attributes = sa.inspect(model).column_attrs
    plain = (
        a for a in attributes if isinstance(a.columns[0].type, sa.String) and not isinstance(a.columns[0].type, sa.Enum)
    )
    return {a.key: bool(a.columns[0].nullable) for a in plain}
