"""What people do to operations: begin, confirm, pause, resume, cancel, retry.

Each is one guarded UPDATE in the caller's transaction.
The worker notices by its next fenced update, which finds another state or no lease: no flag, no waiting.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash
from app.core.events import after_commit
from app.core.operations import queue
from app.core.operations.handlers import handler_of, known_or_gone
from app.core.operations.models import Operation, OperationItem
from app.core.operations.outcome import announce
from app.core.operations.states import WORKABLE, ItemState, Plan, State

if TYPE_CHECKING:
    from app.core.security.principal import Principal

OPERATION: Any = Operation.__table__
ITEM: Any = OperationItem.__table__
_INSERT_AT_ONCE = 1000
_ITEM_DEFAULTS = {"state": ItemState.PENDING, "attempts": 0} | dict.fromkeys(
    (
        "entity",
        "row_id",
        "target_id",
        "client_id",
        "title",
        "plan",
        "payload",
        "reason_code",
        "reason",
        "before",
        "after",
    )
)


def create(
    kind: str,
    name: str,
    *,
    actor: Principal,
    resource: str = "",
    client_id: int | None = None,
    settings: dict[str, Any] | None = None,
    scheduled_for: datetime | None = None,
    batch_size: int | None = None,
    batch_every: int | None = None,
    undo_of_id: int | None = None,
) -> Operation:
    """A draft operation of a registered kind that will run as `actor`; add its items, then `submit` it.

    `batch_size` rows are done every `batch_every` seconds. LookupError for an unknown kind, ValueError for an actor
    that is no user: an operation outlives its process and must be able to find its actor again.
    """
    handler_of(kind)
    if actor.user_id is None:
        raise ValueError("an operation needs a user as its actor")
    operation = Operation(
        kind=kind, name=name[:200], resource=resource, client_id=client_id, settings=settings or {}, user_id=actor.user_id,
        scheduled_for=scheduled_for, batch_size=batch_size, batch_every=batch_every, undo_of_id=undo_of_id,
    )  # fmt: skip
    db.session.add(operation)
    db.session.flush()
    return operation


def add_items(operation: Operation, rows: Iterable[dict[str, Any]]) -> int:
    """Write items ({position, entity, row_id, title, plan, payload, state, reason_code, reason, …}); how many."""
    written, source = 0, iter(rows)
    while batch := list(islice(source, _INSERT_AT_ONCE)):
        insert_items(operation.id, batch)
        written += len(batch)
    return written


def insert_items(operation_id: int, rows: list[dict[str, Any]]) -> None:
    """One statement for one list of items."""
    if rows:
        filled = [_ITEM_DEFAULTS | row | {"operation_id": operation_id} for row in rows]
        db.session.execute(sa.insert(ITEM), filled)


def add_selection(operation: Operation, entity: str, ids: sa.Select[Any]) -> int:
    """Freeze the ids a select finds as items, in one statement without a parameter per id; how many.

    `ids` selects one column, the row id, already scoped to the actor.
    """
    found = ids.order_by(None).subquery()
    row_id = found.c[0]
    position = sa.func.row_number().over(order_by=row_id)
    values = sa.select(
        sa.literal(operation.id), position, sa.literal(entity), row_id,
        sa.literal(ItemState.PENDING, ITEM.c.state.type), sa.literal(0),
    )  # fmt: skip
    names = ["operation_id", "position", "entity", "row_id", "state", "attempts"]
    result: Any = db.session.execute(sa.insert(ITEM).from_select(names, values, include_defaults=False))
    return int(result.rowcount)


def count_items(operation_id: int) -> dict[str, int]:
    """The operation's counters, counted from its items."""
    query = sa.select(ITEM.c.state, sa.func.count()).where(ITEM.c.operation_id == operation_id).group_by(ITEM.c.state)
    found = {row[0]: row[1] for row in db.session.execute(query)}
    outcomes = (ItemState.SUCCEEDED, ItemState.FAILED, ItemState.SKIPPED)
    return {state.value: found.get(state, 0) for state in outcomes} | {"total": sum(found.values())}


def submit(operation: Operation, *, review: bool = False) -> None:
    """Queue a draft, or confirm a plan. Clash when it was submitted before.

    Without items yet, its handler's `prepare` finds them first; with `review` it then stops as `planned`.
    """
    counts = count_items(operation.id)
    _move(
        operation,
        (State.DRAFT, State.PLANNED),
        State.QUEUED,
        review=review,
        prepared_at=utcnow() if counts["total"] or operation.prepared_at else None,
        not_before=operation.scheduled_for,
        batch_left=operation.batch_size,
        **counts,
    )
    wake(operation.id)


def replan(operation: Operation) -> None:
    """Forget the items of a plan that nobody confirmed, so that it can be made anew. Clash when it runs already."""
    none = dict.fromkeys(("total", "succeeded", "failed", "skipped"), 0)
    _move(
        operation,
        (State.DRAFT, State.PLANNED, State.FAILED),
        State.DRAFT,
        prepared_at=None,
        cursor=-1,
        error="",
        **none,
    )
    db.session.execute(sa.delete(ITEM).where(ITEM.c.operation_id == operation.id))


def pause(operation: Operation) -> None:
    """Stop after the chunk that runs now. Clash when it does not run."""
    _move(operation, WORKABLE, State.PAUSED, lease_token=None, lease_until=None)


def resume(operation: Operation) -> None:
    """Go on where a paused or failed operation stopped. Clash otherwise."""
    _move(operation, (State.PAUSED, State.FAILED), State.QUEUED, error="", finished_at=None, attempt=0)
    wake(operation.id)


def cancel(operation: Operation) -> None:
    """End it for good after the chunk that runs now; what is done stays done. Clash when it has ended."""
    sources = (State.DRAFT, State.PLANNED, State.PAUSED, State.FAILED, *WORKABLE)
    _move(operation, sources, State.CANCELLED, lease_token=None, lease_until=None, finished_at=utcnow())
    known_or_gone(operation.kind).cancelled(operation)
    announce(operation)


def retry_failed(operation: Operation) -> int:
    """Queue the failed rows of an ended operation again; how many. Clash when it runs or no row failed.

    Rows whose plan was already an error are no failures of the run: they stay.
    """
    chosen = (
        (ITEM.c.operation_id == operation.id)
        & (ITEM.c.state == ItemState.FAILED)
        & sa.or_(ITEM.c.plan.is_(None), ITEM.c.plan != Plan.ERROR)
    )
    # The guard comes first: its row lock keeps a worker and a second click away from the items.
    _move(operation, (State.DONE, State.FAILED), State.QUEUED, error="", finished_at=None, attempt=0)
    first = db.session.scalar(sa.select(sa.func.min(ITEM.c.position)).where(chosen))
    if first is None:
        raise Clash(_("No row of this operation failed."))
    reset = sa.update(ITEM).where(chosen).values(state=ItemState.PENDING, reason_code=None, reason=None)
    count = int(db.session.execute(reset).rowcount)  # type: ignore[attr-defined]
    back = sa.case((OPERATION.c.cursor < first, OPERATION.c.cursor), else_=first - 1)
    db.session.execute(_update(operation.id).values(cursor=back, failed=OPERATION.c.failed - count))
    db.session.refresh(operation)
    wake(operation.id)
    return count


def wake(operation_id: int) -> None:
    """Tell the workers after the commit. When Redis is away nothing is lost: the reaper tells them later."""
    after_commit(lambda: queue.enqueue(operation_id), once=f"operation {operation_id}")


def _update(operation_id: int) -> Any:
    return sa.update(OPERATION).where(OPERATION.c.id == operation_id)


def _move(operation: Operation, sources: Iterable[State], target: State, **values: Any) -> None:
    db.session.flush()
    guarded = _update(operation.id).where(OPERATION.c.state.in_(list(sources)))
    moved: Any = db.session.execute(guarded.values(state=target, updated_at=utcnow(), **values))
    db.session.refresh(operation)
    if moved.rowcount != 1:
        state = str(operation.state.label).lower()
        raise Clash(_("This operation is %(state)s; nothing was changed.", state=state))
