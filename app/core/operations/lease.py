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


# Statements of every chunk are built once: building one costs more than SQLite takes to run it.
_HELD = (
    (TABLE.c.id == sa.bindparam("held_id"))
    & (TABLE.c.lease_token == sa.bindparam("held_token"))
    & (TABLE.c.state == State.RUNNING)
)
_EXTEND = sa.update(TABLE).where(_HELD).values(lease_until=database_now(sa.bindparam("held_for", type_=sa.Float)))
_ADVANCE = _EXTEND.values(
    cursor=sa.bindparam("position"),
    attempt=0,
    batch_left=sa.bindparam("left"),
    worked_rows=TABLE.c.worked_rows + sa.bindparam("rows"),
    worked_seconds=TABLE.c.worked_seconds + sa.bindparam("spent"),
    **{name: TABLE.c[name] + sa.bindparam(f"more_{name}") for name in ("succeeded", "failed", "skipped")},
)


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
        """Extend the lease by `keep` seconds under the token, in the current transaction, and set `values`.

        As the first statement of a transaction it also locks the row. LeaseLost when the token is no longer valid.
        """
        self._update(_EXTEND.values(**values) if values else _EXTEND, keep)

    def advance(self, position: int, *, left: int | None, spent: float, rows: int, **counts: int) -> None:
        """Note a finished chunk: its last position, the rows left in the batch, seconds, rows, and rows by outcome."""
        more = {f"more_{name}": counts.get(name, 0) for name in ("succeeded", "failed", "skipped")}
        self._update(_ADVANCE, None, position=position, left=left, spent=spent, rows=rows, **more)

    def _update(self, statement: Any, keep: float | None, **parameters: Any) -> None:
        held = {"held_id": self.operation_id, "held_token": self.token, "held_for": seconds() if keep is None else keep}
        # On the connection: the operation is not the actor's to read here, and the session's hooks cost time.
        result = db.session.connection().execute(statement, held | parameters)
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
