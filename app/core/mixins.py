"""What every entity has: identity, times, version; and what most have: soft deletion, a client."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy import event
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.core import db as _db  # noqa: F401  (sets the naming convention before any table is declared)
from app.core.clock import utcnow
from app.core.columns import moment

USER_TABLE = "ab_user"


class Entity(Model):
    """Base of all our tables: id, created and updated (when, by whom), version (optimistic lock, PLT-21).

    The times and users are filled in before each flush from the acting principal. `__audited__ = False` leaves the
    audit trail out, `__audit_redact__` names columns whose values it must not hold.
    """

    __abstract__ = True
    __table_args__: Any = ()
    __audited__ = True
    __audit_redact__: frozenset[str] = frozenset()

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = moment(default=utcnow, nullable=False)
    updated_at: Mapped[datetime] = moment(default=utcnow, nullable=False)
    version: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="SET NULL"))

    @declared_attr
    def updated_by_id(cls) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="SET NULL"))

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        version: Any = cls.__dict__.get("version") or cls.version
        return {"version_id_col": getattr(version, "column", version)}


class SoftDeletes:
    """Deletion is a state: out of every query until restored; rows that went along share `deletion_id`."""

    deleted_at: Mapped[datetime | None] = moment()
    deletion_id: Mapped[str | None] = mapped_column(sa.String(32), index=True)

    @declared_attr
    def deleted_by_id(cls) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="SET NULL"))


@event.listens_for(Model, "instrument_class", propagate=True)
def _index_the_trash(_mapper: Any, cls: type[Any]) -> None:
    """Index deleted rows alone: a full index would tempt planners to find the live ones by it."""
    table = cls.__dict__.get("__table__")
    if table is not None and issubclass(cls, SoftDeletes):
        deleted = table.c.deleted_at.is_not(None)
        sa.Index(f"ix_{table.name}_deleted_at", table.c.deleted_at, sqlite_where=deleted, postgresql_where=deleted)


class ClientScoped:
    """Belongs to exactly one client; seen only by those who reach that client (PLT-04)."""

    @declared_attr
    def client_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("client.id"), nullable=False, index=True)

    @declared_attr
    def client(cls) -> Mapped[Any]:
        return relationship("Client", foreign_keys=f"{cls.__name__}.client_id")  # type: ignore[attr-defined]


class SelfScoped:
    """The client itself: its own id is what is granted."""

    @declared_attr
    def id(cls) -> Mapped[int]:  # the scope's criteria are built on this class, before any that has it
        return mapped_column(primary_key=True)


class OwnedByUser:
    """Belongs to one user, who alone sees it unless a permission says otherwise."""

    __see_all__: tuple[str, str] = ("can_reach_all", "-")

    @declared_attr
    def user_id(cls) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="CASCADE"), index=True)
