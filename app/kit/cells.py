"""From a row's value to the cell a template draws: text in the user's language and zone, where it leads, how it looks."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask_babel import format_date, format_datetime, format_decimal
from flask_babel import gettext as _

from app.core.db import db
from app.core.security.principal import current
from app.kit import codes, registry
from app.kit.fields import CODED, Field, field_of, in_sentence, title_of
from app.kit.pages import Cell
from app.kit.zones import relative

EMPTY = Cell("text", "")


def cell(field: Field, row: Any) -> Cell:
    """The cell of `field` in `row`; follows a dotted name along its relation."""
    if "." in field.name:
        first, rest = field.name.split(".", 1)
        parent = getattr(row, first)
        return cell(field_of(type(parent), rest), parent) if parent is not None else EMPTY
    if field.target is not None:
        return _relation(field, row)
    value = getattr(row, field.name)
    return EMPTY if value is None or value == "" else _by_kind(field, value, row)


def row_url(field: Field, row: Any) -> str:
    """The address of a row's page."""
    resource = registry.of_model(field.model)
    return f"{resource.url}/{row.id}" if resource and row is not None else ""


def _by_kind(field: Field, value: Any, row: Any = None) -> Cell:
    if field.kind == "choice":
        return Cell("badge", str(getattr(value, "label", value)), value.value, tone=getattr(value, "tone", ""))
    if field.kind == "image":
        return Cell("image", str(field.label), value, url=f"{row_url(field, row)}/picture/{field.name}")
    maker = _MAKERS.get(field.kind)
    if maker is not None:
        return maker(value)
    if field.kind in CODED:
        return Cell("text", codes.name_of(field.kind, str(value)), value)
    return Cell(
        field.kind if field.kind in _OWN_MACRO else "text", str(value), value, url=_link(field.kind, str(value))
    )


_OWN_MACRO = ("email", "phone", "url", "long")


def _link(kind: str, value: str) -> str:
    return {"email": f"mailto:{value}", "phone": f"tel:{value}", "url": value}.get(kind, "")


_MAKERS: dict[str, Any] = {
    "number": lambda v: Cell("number", format_decimal(v), v),
    "decimal": lambda v: Cell("number", format_decimal(v), v),
    "money": lambda v: Cell("number", format_decimal(v), v),
    "boolean": lambda v: Cell("boolean", _("Yes") if v else _("No"), v),
    "date": lambda v: Cell("date", format_date(v, "medium"), v),
    "datetime": lambda v: Cell("datetime", relative(v), v, hint=format_datetime(v, "d MMM y HH:mm z")),
    "json": lambda v: Cell("json", json.dumps(v, ensure_ascii=False, indent=2, default=str), v),
}


def _relation(field: Field, row: Any) -> Cell:
    related = getattr(row, field.name)
    key = getattr(row, field.key)
    if related is None:
        return EMPTY if key is None else Cell("deleted", _("Deleted %(what)s", what=in_sentence(field.label)))
    if field.kind == "person":
        return Cell("person", title_of(related), related.id)
    resource = registry.of_model(field.target) if field.target else None
    principal = current()
    seen = resource is not None and principal is not None and principal.can("see", resource.name)
    url = f"{resource.url}/{related.id}" if resource is not None and seen else ""
    return Cell("client" if field.name == "client" else "relation", title_of(related), related.id, url=url)


def words(field: Field, value: Any) -> str:
    """A stored or JSON value in words, for history and conflicts."""
    if value is None or value == "":
        return _("Empty")
    if field.target is not None:
        related = db.session.get(field.target, value)  # through the scope: a row out of sight stays a number
        return title_of(related) if related is not None else _("No. %(n)s", n=value)
    if field.kind == "choice":
        member = next((m for m in field.enum or () if value in (m, m.value)), None)
        return str(getattr(member, "label", value)) if member is not None else str(value)
    if field.kind == "datetime" and isinstance(value, str):
        return str(format_datetime(datetime.fromisoformat(value), "d MMM y HH:mm"))
    if field.kind in codes.KINDS:
        return codes.name_of(field.kind, str(value))
    return _by_kind(field, value).text if not isinstance(value, str) else str(value)
