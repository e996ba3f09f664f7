"""Filters as data: conditions in groups, read strictly from JSON or a URL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.core.errors import BadQuery

MAX_CONDITIONS = 100
MAX_DEPTH = 6


@dataclass(frozen=True)
class Condition:
    """`field` `op` `value`; the value is text or a list of texts as it came, coerced by the compiler."""

    field: str
    op: str
    value: Any = ""


@dataclass(frozen=True)
class Group:
    """Conditions and groups of which all ("and") or any ("or") must hold. An empty group always holds."""

    op: str = "and"
    parts: tuple[Group | Condition, ...] = ()

    def conditions(self) -> Iterable[Condition]:
        """Every condition, in order."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions()


def from_json(text: str | dict[str, Any]) -> Group:
    """Read a filter; BadQuery says what is wrong with it."""
    try:
        data = json.loads(text) if isinstance(text, str) else text
    except RecursionError:
        raise BadQuery(_("The filter is nested too deep.")) from None
    except ValueError as error:
        raise BadQuery(_("The filter is not valid JSON: %(why)s", why=str(error)[:120])) from None
    group = _node(data, 0)
    group = group if isinstance(group, Group) else Group("and", (group,))
    if sum(1 for _c in group.conditions()) > MAX_CONDITIONS:
        raise BadQuery(_("A filter holds at most %(n)s conditions.", n=MAX_CONDITIONS))
    return group


def _node(data: Any, depth: int) -> Group | Condition:
    if depth > MAX_DEPTH:
        raise BadQuery(_("The filter is nested too deep."))
    if not isinstance(data, dict):
        raise BadQuery(_("A filter is an object with “and”, “or” or “field”."))
    for op in ("and", "or"):
        if op in data:
            if not isinstance(data[op], list) or len(data) != 1:
                raise BadQuery(_("“%(op)s” takes a list of conditions and stands alone.", op=op))
            return Group(op, tuple(_node(part, depth + 1) for part in data[op]))
    return _condition(data)


def _condition(data: dict[str, Any]) -> Condition:
    unknown = set(data) - {"field", "op", "value"}
    if unknown or not isinstance(data.get("field"), str) or not isinstance(data.get("op"), str):
        raise BadQuery(_("A condition has “field”, “op” and “value”."))
    value = data.get("value", "")
    plain = str | int | float | bool | None
    if not isinstance(value, plain) and not (isinstance(value, list) and all(isinstance(v, plain) for v in value)):
        raise BadQuery(_("The value of “%(field)s” is a text, a number or a list of them.", field=data["field"]))
    return Condition(data["field"], data["op"], value)


def from_url(terms: Iterable[str]) -> Group:
    """Read `field:op:value` terms, as in `?f=status:eq:new&f=owner:empty`."""
    parts = []
    for term in terms:
        field, _sep, rest = term.partition(":")
        op, _sep, value = rest.partition(":")
        if not field or not op:
            raise BadQuery(_("“%(term)s” is not a filter; write field:operator:value.", term=term[:80]))
        parts.append(Condition(field, op, value))
    if len(parts) > MAX_CONDITIONS:
        raise BadQuery(_("A filter holds at most %(n)s conditions.", n=MAX_CONDITIONS))
    return Group("and", tuple(parts))


def to_json(group: Group) -> dict[str, Any]:
    """The JSON form, as stored in saved lists and operations."""

    def node(part: Group | Condition) -> dict[str, Any]:
        if isinstance(part, Condition):
            return {"field": part.field, "op": part.op, "value": part.value}
        return {part.op: [node(child) for child in part.parts]}

    return node(group)
