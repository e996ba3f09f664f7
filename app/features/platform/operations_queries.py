"""Reading an operation's items, a page at a time (BLK-03). The caller has found the operation through the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from app.core.db import db
from app.core.operations.models import OperationItem
from app.core.operations.states import LIVE, ItemState
from app.core.security.scope import with_deleted
from app.kit import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.operations.models import Operation
    from app.kit.resource import Resource

ITEM: Any = OperationItem.__table__
SHOWN = ("id", "position", "entity", "row_id", "target_id", "title", "reason_code", "reason", "attempts")
LIVE_STATES = list(LIVE)


def items(operation_id: int, state: ItemState, reason: str, *, offset: int, limit: int) -> Sequence[Any]:
    """The items of one outcome in their order; `reason` is a reason code or empty for all."""
    columns = [
        ITEM.c[n]
        for n in ("id", "position", "entity", "row_id", "target_id", "title", "reason_code", "reason", "attempts")
    ]
    query = sa.select(*columns).where(_of(operation_id, state, reason))
    return db.session.execute(query.order_by(ITEM.c.position).offset(offset).limit(limit)).all()


def _of(operation_id: int, state: ItemState, reason: str) -> Any:
    clause = (ITEM.c.operation_id == operation_id) & (ITEM.c.state == state)
    return clause & (ITEM.c.reason_code == reason) if reason else clause


def reasons(operation_id: int, state: ItemState) -> list[tuple[str, int]]:
    """(reason code, rows) of one outcome, most frequent first."""
    count = sa.func.count()
    query = (
        sa.select(ITEM.c.reason_code, count)
        .where(ITEM.c.operation_id == operation_id, ITEM.c.state == state, ITEM.c.reason_code.is_not(None))
        .group_by(ITEM.c.reason_code)
        .order_by(count.desc(), ITEM.c.reason_code)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def resource_of(entity: str | None) -> Resource | None:
    """The resource whose table an item names."""
    return next((r for r in registry.resources() if r.model.__tablename__ == entity), None)


def rows_behind(listed: Sequence[Any]) -> dict[tuple[str, int], Any]:
    """{(entity, id): row} for the rows the actor may see, deleted ones included, in one query an entity."""
    wanted: dict[str, set[int]] = {}
    for item in listed:
        row_id = item.row_id or item.target_id
        if item.entity and row_id:
            wanted.setdefault(item.entity, set()).add(row_id)
    found: dict[tuple[str, int], Any] = {}
    for entity, ids in wanted.items():
        found |= {(entity, row.id): row for row in _rows(entity, ids)}
    return found


def _rows(entity: str, ids: set[int]) -> Sequence[Any]:
    resource = resource_of(entity)
    if resource is None:
        return []
    model = resource.model
    options = [joinedload(model.client)] if "client" in sa.inspect(model).relationships else []
    with with_deleted():
        return db.session.scalars(sa.select(model).where(model.id.in_(ids)).options(*options)).unique().all()


def running_of(user_id: int, limit: int) -> list[Operation]:
    """The user's own operations that have not ended, newest first, for the bell."""
    from app.core.operations.models import Operation

    query = sa.select(Operation).where(Operation.user_id == user_id, Operation.state.in_(LIVE_STATES))
    return list(db.session.scalars(query.order_by(Operation.id.desc()).limit(limit)))
