"""Leases: which worker may work on an operation, by the database's clock and a fencing token (reliability.md).

A worker that was stopped past its lease and wakes up carries an old token: its next fenced update changes no row.
The lease only has to outlast the time between two transactions, because inside one the row is locked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app

from app.core.db import db
from app.core.operations.dbtime import database_now
from app.core.operations.models import Operation
from app.core.operations.states import WORKABLE, State

TABLE: Any = Operation.__table__
SECONDS = 15.0


class LeaseLost(Exception):
    """Another worker has the operation, or a person paused or cancelled it: stop and touch nothing."""


def seconds() -> float:
    """How long a lease runs."""
    return float(current_app.config.get("OPERATIONS_LEASE_SECONDS", SECONDS))


def due() -> Any:
    """The condition that an operation may be claimed now."""
    free = sa.or_(TABLE.c.lease_until.is_(None), TABLE.c.lease_until < database_now())
    started = sa.or_(TABLE.c.not_before.is_(None), TABLE.c.not_before <= database_now())
    return sa.and_(TABLE.c.state.in_(list(WORKABLE)), free, started)


@dataclass(frozen=True)
class Lease:
    """The right to work on one operation, as long as `token` is the one stored."""

    operation_id: int
    token: str

    def fence(self, *, keep: float | None = None, **values: Any) -> None:
        """Update the operation under the token and extend the lease by `keep` seconds, in the current transaction.

        As the first statement of a transaction it also locks the row. LeaseLost when the token is no longer valid.
        """
        values.setdefault("lease_until", database_now(seconds() if keep is None else keep))
        held = (
            (TABLE.c.id == self.operation_id) & (TABLE.c.lease_token == self.token) & (TABLE.c.state == State.RUNNING)
        )
        result: Any = db.session.execute(sa.update(TABLE).where(held).values(**values))
        if result.rowcount != 1:
            raise LeaseLost(self.operation_id)

    def give_back(self, **values: Any) -> None:
        """End the lease, in the current transaction."""
        self.fence(lease_token=None, lease_until=None, **values)


def claim(operation_id: int) -> Lease | None:
    """Take the operation if nobody holds it, and commit; None when it is held, not due, or has ended."""
    token = secrets.token_hex(16)
    taken = (
        sa.update(TABLE)
        .where(TABLE.c.id == operation_id, due())
        .values(
            lease_token=token,
            lease_until=database_now(seconds()),
            state=State.RUNNING,
            attempt=TABLE.c.attempt + 1,
            started_at=sa.func.coalesce(TABLE.c.started_at, database_now()),
        )
    )
    result: Any = db.session.execute(taken)
    db.session.commit()
    return Lease(operation_id, token) if result.rowcount == 1 else None


def unfinished() -> list[int]:
    """Ids of operations that could be worked on now and that nobody works on, oldest first."""
    return list(db.session.scalars(sa.select(TABLE.c.id).where(due()).order_by(TABLE.c.id).limit(1000)))
