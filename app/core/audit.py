"""The audit trail (PLT-10): who changed what from what to what, when, from where, in the same transaction as the change.

ORM writes are recorded by a flush listener, whatever path they came by. Core statements over many rows call `record`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import has_request_context, request
from flask_appbuilder import Model
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.clock import utcnow
from app.core.columns import moment
from app.core.db import db
from app.core.logs import request_id
from app.core.mixins import Entity
from app.core.security.principal import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BOOKKEEPING = frozenset(
    {"id", "version", "created_at", "updated_at", "created_by_id", "updated_by_id", "deleted_by_id", "deletion_id"}
)
REDACTED = "(not recorded)"


class AuditEntry(Model):
    """One change of one row. `changes` = {column: [before, after]} as JSON values."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index("ix_audit_entry_entity_row", "entity", "entity_id", "id"),
        sa.Index("ix_audit_entry_client", "client_id", "id"),
    )

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = moment(nullable=False, index=True)
    user_id: Mapped[int | None] = mapped_column(sa.Integer, index=True)  # no foreign key: users go, the trail stays
    actor: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    action: Mapped[str] = mapped_column(sa.String(16), nullable=False)
    entity: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    entity_id: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    client_id: Mapped[int | None] = mapped_column(sa.Integer)
    title: Mapped[str] = mapped_column(sa.String(200), nullable=False, default="")
    changes: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    operation_id: Mapped[int | None] = mapped_column(sa.Integer, index=True)
    reason: Mapped[str] = mapped_column(sa.String(200), nullable=False, default="")
    request_id: Mapped[str] = mapped_column(sa.String(40), nullable=False, default="")
    address: Mapped[str] = mapped_column(sa.String(64), nullable=False, default="")


@dataclass(frozen=True)
class Cause:
    """Why rows change: the operation they change by and a reason in words."""

    operation_id: int | None = None
    reason: str = ""


_NO_CAUSE = Cause()
_cause: ContextVar[Cause] = ContextVar("cause", default=_NO_CAUSE)


@contextmanager
def because(reason: str = "", operation_id: int | None = None) -> Iterator[None]:
    """Note a reason with every audit entry written inside the block."""
    token = _cause.set(Cause(operation_id, reason))
    try:
        yield
    finally:
        _cause.reset(token)


def entry(action: str, entity: str, entity_id: int, **more: Any) -> dict[str, Any]:
    """One row for `record`: the change plus actor, cause, request and address. `more`: client_id, title, changes."""
    principal, cause = current(), _cause.get()
    return {
        "at": utcnow(),
        "user_id": principal.user_id if principal else None,
        "actor": principal.name if principal else "nobody",
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "client_id": more.get("client_id"),
        "title": (more.get("title") or "")[:200],
        "changes": more.get("changes") or {},
        "operation_id": cause.operation_id,
        "reason": cause.reason[:200],
        "request_id": request_id(),
        "address": (request.remote_addr or "") if has_request_context() else "",
    }


def record(rows: Iterable[dict[str, Any]], session: Session | None = None) -> None:
    """Write entries made by `entry` in one statement, inside the caller's transaction."""
    listed = list(rows)
    if listed:
        (session or db.session()).execute(sa.insert(AuditEntry.__table__), listed)


def plain(value: Any) -> Any:
    """A JSON value of a column's value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | bytes) else value


def entity_name(obj: Any) -> str:
    """The name an entity has in the trail: its table's."""
    return str(type(obj).__tablename__)


def _changes(obj: Any) -> dict[str, list[Any]]:
    """{column: [before, after]} of what this flush changes."""
    state, found = sa.inspect(obj), {}
    for attr in state.mapper.column_attrs:
        history = state.attrs[attr.key].history
        if attr.key in BOOKKEEPING or not history.has_changes():
            continue
        before = plain(history.deleted[0]) if history.deleted else None
        after = plain(history.added[0]) if history.added else None
        if before != after:
            hide = attr.key in obj.__audit_redact__
            found[attr.key] = [REDACTED, REDACTED] if hide else [before, after]
    return found


def _verb(obj: Any, session: Session, changes: dict[str, list[Any]]) -> str:
    if obj in session.new:
        return "create"
    if obj in session.deleted:
        return "erase"
    if "deleted_at" in changes:
        return "delete" if changes["deleted_at"][1] else "restore"
    return "update"


def _entry_of(obj: Any, session: Session) -> dict[str, Any] | None:
    changes = _changes(obj)
    verb = _verb(obj, session, changes)
    if verb == "update" and not changes:
        return None
    changes.pop("deleted_at", None)
    client = obj.id if entity_name(obj) == "client" else getattr(obj, "client_id", None)
    return entry(verb, entity_name(obj), obj.id, client_id=client, title=str(obj), changes=changes)


def _write_trail(session: Session, _context: Any) -> None:
    seen = [o for o in (*session.new, *session.dirty, *session.deleted) if isinstance(o, Entity) and o.__audited__]
    record(filter(None, (_entry_of(obj, session) for obj in seen)), session)


def _stamp(session: Session, _context: Any, _instances: Any) -> None:
    """Fill created/updated, when and by whom. FAB's AuditMixin fails outside a request; this does not."""
    principal = current()
    user_id = principal.user_id if principal else None
    for obj in session.new:
        if isinstance(obj, Entity):
            obj.created_by_id = obj.created_by_id or user_id
            obj.updated_by_id = user_id
    for obj in session.dirty:
        if isinstance(obj, Entity) and session.is_modified(obj):
            obj.updated_at, obj.updated_by_id = utcnow(), user_id


@event.listens_for(Entity, "mapper_configured", propagate=True)
def _remember_old_values(mapper: Any, _cls: type[Any]) -> None:
    """Load what a column held before it is set, also on a row that a commit has expired: the trail needs both sides."""
    for attribute in mapper.column_attrs:
        mapper.class_manager[attribute.key].impl.active_history = True


def install() -> None:
    """Attach the listeners to the application's session, once."""
    if not event.contains(db.session, "after_flush", _write_trail):
        event.listen(db.session, "before_flush", _stamp)
        event.listen(db.session, "after_flush", _write_trail)
