"""A record's history: its audit entries in words (PLT-10)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.audit import AuditEntry
from app.core.db import db
from app.kit.cells import words
from app.kit.fields import field_of, label_of
from app.kit.pages import Change, HistoryEntry
from app.kit.resource import Resource

SHOWN = 100

VERBS = {
    "create": lambda: _("created this"),
    "update": lambda: _("changed this"),
    "delete": lambda: _("moved this to the trash"),
    "restore": lambda: _("restored this"),
    "erase": lambda: _("erased this"),
}


def history(resource: Resource, row: Any) -> list[HistoryEntry]:
    """The last 100 entries about a row the caller has loaded through its scope, newest first."""
    return entries_about(resource, resource.model.__tablename__, row.id)


def entries_about(resource: Resource, entity: str, pk: int) -> list[HistoryEntry]:
    """The same for a row that the trail knows by another name than its table's."""
    query = (
        sa.select(AuditEntry)
        .where(AuditEntry.entity == entity, AuditEntry.entity_id == pk)
        .order_by(AuditEntry.id.desc())
        .limit(SHOWN)
    )
    return [_entry(resource, found) for found in db.session.scalars(query)]


def _entry(resource: Resource, found: AuditEntry) -> HistoryEntry:
    changes = [] if found.action == "create" else [_change(resource, *item) for item in found.changes.items()]
    verb = VERBS[found.action]() if found.action in VERBS else found.action
    return HistoryEntry(who=found.actor, verb=verb, when=found.at, changes=changes, reason=found.reason)


def _change(resource: Resource, name: str, pair: list[Any]) -> Change:
    try:
        field = field_of(resource.model, name, resource.labels)
    except AttributeError:  # a column that has since been dropped
        return Change(str(label_of(name)), str(pair[0] or ""), str(pair[1] or ""))
    return Change(
        str(label_of(name.removesuffix("_id"), resource.labels)), words(field, pair[0]), words(field, pair[1])
    )
