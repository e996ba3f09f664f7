"""Soft deletion: a row and what belongs to it leave every list together and come back together (CON-17).

All rows of one deletion share `deletion_id`; restoring finds them by it, so that rows deleted earlier stay deleted.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core import audit, events
from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash
from app.core.mixins import SoftDeletes
from app.core.security.principal import Principal
from app.core.security.scope import with_deleted
from app.kit.fields import in_sentence, label_of, title_of


def delete(row: Any, *, cascade: tuple[str, ...], actor: Principal) -> str:
    """Mark `row` and the rows of its `cascade` relationships deleted; returns the deletion's id."""
    deletion_id = uuid4().hex
    row.deleted_at, row.deletion_id, row.deleted_by_id = utcnow(), deletion_id, actor.user_id
    db.session.flush()
    for name in cascade:
        _delete_children(row, name, deletion_id, actor)
    return deletion_id


def _children(row: Any, name: str) -> tuple[type[Any], Any]:
    """The child class of a relationship and its foreign key column."""
    relation = sa.inspect(type(row)).relationships[name]
    child = relation.mapper.class_
    return child, getattr(child, next(iter(relation.remote_side)).key)


def _delete_children(row: Any, name: str, deletion_id: str, actor: Principal) -> None:
    child, key = _children(row, name)
    values = {"deleted_at": row.deleted_at, "deletion_id": deletion_id, "deleted_by_id": actor.user_id}
    values["version"] = child.version + 1
    statement = sa.update(child).where(key == row.id).values(values).execution_options(synchronize_session=False)
    if db.session.execute(statement).rowcount:
        with with_deleted():
            _trail("delete", child, deletion_id, title_of(row))
        events.rows_deleted.send(child, deletion_id=deletion_id)


def restore(row: Any, *, cascade: tuple[str, ...]) -> None:
    """Bring `row` and what was deleted with it back. DomainError when what it belongs to is still deleted."""
    deletion_id = row.deletion_id
    _require_parents(row)
    row.deleted_at = row.deletion_id = row.deleted_by_id = None
    db.session.flush()
    for name in cascade:
        _restore_children(row, name, deletion_id)


def _parents(model: type[Any]) -> list[Any]:
    found = [r for r in sa.inspect(model).relationships if r.direction.name == "MANYTOONE"]
    return [r for r in found if issubclass(r.mapper.class_, SoftDeletes)]


def _require_parents(row: Any) -> None:
    for relation in _parents(type(row)):
        key = getattr(row, sa.inspect(type(row)).get_property_by_column(next(iter(relation.local_columns))).key)
        parent = relation.mapper.class_
        with db.session.no_autoflush:
            alive = key is None or db.session.scalar(sa.select(parent.id).where(parent.id == key))
        if not alive:
            what = in_sentence(label_of(relation.key))
            raise Clash(_("Its %(what)s is in the trash. Restore that first.", what=what))


def _restore_children(row: Any, name: str, deletion_id: str | None) -> None:
    """Children come back unless another parent of theirs is gone. The signal goes out between the two updates, when
    exactly the rows that came back are live and carry the id.
    """
    if deletion_id is None:
        return
    child, key = _children(row, name)
    quiet = {"synchronize_session": False}
    back = sa.update(child).where(key == row.id, child.deletion_id == deletion_id)
    for relation in _parents(child):
        local = sa.inspect(child).get_property_by_column(next(iter(relation.local_columns))).key
        column, parent = getattr(child, local), relation.mapper.class_.__table__
        alive = sa.select(parent.c.id).where(parent.c.deleted_at.is_(None))
        back = back.where(sa.or_(column.is_(None), column.in_(alive)))
    with with_deleted():
        count = db.session.execute(
            back.values(deleted_at=None, deleted_by_id=None, version=child.version + 1).execution_options(**quiet)
        ).rowcount
    if count:
        _trail("restore", child, deletion_id, title_of(row))
        events.rows_restoring.send(child, deletion_id=deletion_id)
        done = sa.update(child).where(child.deletion_id == deletion_id).values(deletion_id=None)
        db.session.execute(done.execution_options(**quiet))


def _trail(action: str, child: type[Any], deletion_id: str, reason: str) -> None:
    """One audit entry per row that went along, written in one statement from the rows themselves."""
    with audit.because(_("with %(what)s", what=reason)):
        common = audit.entry(action, child.__tablename__, 0)
    columns = audit.AuditEntry.__table__.c
    fixed = {k: sa.literal(v, columns[k].type) for k, v in common.items() if k not in ("entity_id", "client_id")}
    client = child.client_id if hasattr(child, "client_id") else sa.null()
    rows = sa.select(child.id.label("entity_id"), client.label("client_id"), *(v.label(k) for k, v in fixed.items()))
    # Said here, because the session's criteria do not reach a select inside an insert.
    back = child.deleted_at.is_(None) if action == "restore" else child.deleted_at.is_not(None)
    rows = rows.where(child.deletion_id == deletion_id, back)
    db.session.execute(sa.insert(audit.AuditEntry.__table__).from_select(["entity_id", "client_id", *fixed], rows))
