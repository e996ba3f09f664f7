"""Two people edited one record: compare before, theirs and yours field by field, and save a mix (PLT-21)."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from werkzeug.datastructures import MultiDict

from app.core.db import db
from app.core.text import row_id
from app.kit.cells import cell
from app.kit.fields import Field, field_of, user_name
from app.kit.pages import Conflict, ConflictRow
from app.kit.resource import Resource


def raw(field: Field, value: Any) -> str:
    """A value as a form posts it."""
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "y" if value else ""
    if field.kind == "datetime":
        return str(value.strftime("%Y-%m-%dT%H:%M"))
    return str(value)


def snapshot(resource: Resource, row: Any, names: list[str]) -> dict[str, str]:
    """Every form field of a row as posted text."""
    fields = [field_of(resource.model, name, resource.labels) for name in names]
    return {field.name: raw(field, getattr(row, field.key)) for field in fields}


def merged(resource: Resource, row: Any, names: list[str], posted: Any) -> MultiDict[str, str]:
    """What the chosen mix posts: the stored row, with the chosen side of each compared field."""
    data = snapshot(resource, row, names)
    for name in names:
        side = posted.get(f"choice_{name}")
        if side in ("theirs", "yours"):
            data[name] = posted.get(f"{side}_{name}", "")
    plain = {k: v for k, v in data.items() if v != ""}
    return MultiDict({**plain, "version": posted.get("version", ""), "before": posted.get("before", "")})


def conflict(resource: Resource, row: Any, names: list[str], posted: Any) -> Conflict:
    """The comparison. `posted["before"]` is what the form was opened with."""
    before, theirs = _before(posted), snapshot(resource, row, names)
    rows = []
    for name in names:
        yours, old = posted.get(name, ""), before.get(name, "")
        if yours == theirs[name] and old == yours:
            continue
        if yours == theirs[name]:
            continue
        rows.append(_row(resource, row, name, old, yours))
    return Conflict(who=_who(row), when=row.updated_at, rows=rows)


def _before(posted: Any) -> dict[str, str]:
    try:
        data = json.loads(posted.get("before", "") or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in data.items()} if isinstance(data, dict) else {}


def _row(resource: Resource, row: Any, name: str, old: str, yours: str) -> ConflictRow:
    field = field_of(resource.model, name, resource.labels)
    theirs = raw(field, getattr(row, field.key))
    return ConflictRow(
        name=name,
        label=str(field.label),
        before=shown(field, old),
        theirs=cell(field, row).text,
        yours=shown(field, yours),
        theirs_raw=theirs,
        yours_raw=yours,
        clash=old not in (theirs, yours),
    )


def shown(field: Field, text: str) -> str:
    """Posted text in words."""
    if field.target is not None and row_id(text) is not None:
        related = db.session.get(field.target, row_id(text))
        return str(user_name(related) if isinstance(related, User) else related or text)
    if field.enum:
        return str(next((getattr(m, "label", text) for m in field.enum if m.value == text), text))
    return text


def _who(row: Any) -> str:
    users = User.__table__.c
    query = sa.select(users.first_name, users.last_name).where(users.id == row.updated_by_id)
    found = db.session.execute(query).first()
    return " ".join(filter(None, found)) if found else "Steward"
