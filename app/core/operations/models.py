"""Operations, their items and the outbox: the one kind of long work (architecture.md, "The second idea"; PLT-07, BLK-05).

SQL is the truth. Redis only carries the call "work on operation N".
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core import columns
from app.core.clock import utcnow
from app.core.mixins import Entity, OwnedByUser
from app.core.operations.states import Delivery, ItemState, Plan, State

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no letter is mistaken for another


def new_reference() -> str:
    """A public name such as op_7F3K9QX that tells nothing about how many operations there are."""
    return "op_" + "".join(secrets.choice(_LETTERS) for _ in range(7))


def _json() -> Any:
    return mapped_column(sa.JSON(none_as_null=True), nullable=True)


class Operation(Entity, OwnedByUser):
    """Anything done to many rows or taking more than a second. `user_id` is the actor it runs as.

    `cursor` is the last position dealt with; `attempt` counts claims since the last chunk that was committed;
    `worked_rows` and `worked_seconds` give the rate, pauses left out; `review` stops it once its items are planned.
    """

    __tablename__ = "operation"
    __audited__ = False  # its rows' changes are in the trail, with its id; it is its own record
    __see_all__ = ("can_reach_all", "operation")
    __table_args__ = (
        sa.Index("ix_operation_state_not_before", "state", "not_before"),
        sa.Index("ix_operation_user_created", "user_id", "created_at"),
    )

    reference: Mapped[str] = columns.text(16, nullable=False, unique=True, default=new_reference)
    kind: Mapped[str] = columns.text(64, nullable=False, index=True)
    name: Mapped[str] = columns.text(200, nullable=False)
    resource: Mapped[str] = columns.text(64, nullable=False, default="")
    client_id: Mapped[int | None] = mapped_column(
        sa.Integer, index=True
    )  # no foreign key: a record outlives its client
    state: Mapped[State] = columns.choice(State, nullable=False, default=State.DRAFT)
    settings: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)

    total: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    succeeded: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    failed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    skipped: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    worked_rows: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    worked_seconds: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)

    review: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    prepared_at: Mapped[datetime | None] = columns.moment()
    scheduled_for: Mapped[datetime | None] = columns.moment()
    not_before: Mapped[datetime | None] = columns.moment()
    batch_size: Mapped[int | None] = mapped_column(sa.Integer)
    batch_every: Mapped[int | None] = mapped_column(sa.Integer)  # seconds
    batch_left: Mapped[int | None] = mapped_column(sa.Integer)

    cursor: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=-1)
    lease_token: Mapped[str | None] = mapped_column(sa.String(32))
    lease_until: Mapped[datetime | None] = columns.moment()
    attempt: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    started_at: Mapped[datetime | None] = columns.moment()
    finished_at: Mapped[datetime | None] = columns.moment()
    error: Mapped[str] = columns.text(500, nullable=False, default="")
    undo_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operation.id", ondelete="SET NULL"), index=True)

    user: Mapped[Any] = relationship(User, foreign_keys="Operation.user_id")

    @property
    def done(self) -> int:
        """Rows dealt with, whatever the outcome."""
        return self.succeeded + self.failed + self.skipped

    @property
    def waiting(self) -> int:
        """Rows still to be dealt with."""
        return max(0, self.total - self.done)

    def __str__(self) -> str:
        return self.name


class OperationItem(Model):
    """One row of an operation: what is to be done with it, what became of it, and what undoes it.

    `entity` and `row_id` name the database row and are unique within the operation; an item that goes into another
    item's row (a merge) has `target_id` instead. `before` and `after` are images of the changed columns as JSON values.
    """

    __tablename__ = "operation_item"
    __table_args__ = (
        sa.UniqueConstraint("operation_id", "position"),
        sa.Index(
            "uq_operation_item_row",
            "operation_id",
            "entity",
            "row_id",
            unique=True,
            sqlite_where=sa.text("row_id IS NOT NULL"),
            postgresql_where=sa.text("row_id IS NOT NULL"),
        ),
        # Only rows with a reason are indexed by state: the many that just succeed cost no second index.
        sa.Index(
            "ix_operation_item_reason",
            "operation_id",
            "state",
            "reason_code",
            "position",
            sqlite_where=sa.text("reason_code IS NOT NULL"),
            postgresql_where=sa.text("reason_code IS NOT NULL"),
        ),
        sa.Index("ix_operation_item_entity_row", "entity", "row_id"),
    )

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    operation_id: Mapped[int] = mapped_column(sa.ForeignKey("operation.id", ondelete="CASCADE"), nullable=False)
    position: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    entity: Mapped[str | None] = mapped_column(sa.String(64))
    row_id: Mapped[int | None] = mapped_column(sa.Integer)
    target_id: Mapped[int | None] = mapped_column(sa.Integer)
    client_id: Mapped[int | None] = mapped_column(sa.Integer)
    title: Mapped[str | None] = mapped_column(sa.String(200))
    plan: Mapped[Plan | None] = columns.choice(Plan)
    payload: Mapped[Any] = _json()
    state: Mapped[ItemState] = columns.choice(ItemState, nullable=False, default=ItemState.PENDING)
    reason_code: Mapped[str | None] = mapped_column(sa.String(40))
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    before: Mapped[Any] = _json()
    after: Mapped[Any] = _json()
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)


class Outbox(Model):
    """A message that leaves for the outside, written with the change that causes it; once per `key`."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_state_not_before", "state", "not_before"),)

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), nullable=False, unique=True)
    kind: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    state: Mapped[Delivery] = columns.choice(Delivery, nullable=False, default=Delivery.PENDING)
    operation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operation.id", ondelete="SET NULL"), index=True)
    client_id: Mapped[int | None] = mapped_column(sa.Integer, index=True)
    user_id: Mapped[int | None] = mapped_column(sa.Integer)
    created_at: Mapped[datetime] = columns.moment(default=utcnow, nullable=False)
    not_before: Mapped[datetime | None] = columns.moment()
    lease_token: Mapped[str | None] = mapped_column(sa.String(32))
    lease_until: Mapped[datetime | None] = columns.moment()
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    sent_at: Mapped[datetime | None] = columns.moment()
    provider_reference: Mapped[str | None] = mapped_column(sa.String(200))
    error: Mapped[str | None] = mapped_column(sa.String(500))
