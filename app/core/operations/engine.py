"""The engine: claims an operation and works through its rows, chunk by chunk (PLT-07, BLK-05).

A chunk is one transaction: a fenced update of the operation, the changes of the rows, their results. So a worker
killed at any instant leaves the database as after its last whole chunk, and the next one goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core import audit
from app.core.clock import utcnow
from app.core.db import db, read_only_intent
from app.core.errors import NotAllowed
from app.core.logs import bind_request_id, request_id
from app.core.operations import rows
from app.core.operations.dbtime import database_now
from app.core.operations.handlers import Handler, Outcome, handler_of
from app.core.operations.lease import Lease, LeaseLost, claim
from app.core.operations.lifecycle import ITEM, count_items, insert_items
from app.core.operations.models import Operation
from app.core.operations.outcome import announce
from app.core.operations.states import State
from app.core.security.principal import Principal, acting_as, principal_by_id, system

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

SLICE = 15.0  # seconds of work before other operations have their turn
_PREPARE_LEASE = 60  # seconds; a handler that prepares may read for so long between two lists
_RIGHTS_HOLD = 2.0  # seconds after which the actor's rights are read again
_HOPELESS = 20  # claims in a row without one finished chunk


class Step(Enum):
    """What one transaction of the engine led to."""

    MORE = "more"
    PAUSE = "pause"  # nothing to do for now: planned, or the next batch is not due
    END = "end"


@dataclass
class Run:
    """One worker's turn on one operation."""

    lease: Lease
    _actor: Principal | None = None
    _read_at: float = field(default=0.0)

    def actor(self, operation: Operation, handler: Handler) -> Principal:
        """The operation's user with the rights they have now. NotAllowed when they are gone or may no longer do this."""
        if self._actor is None or time.monotonic() - self._read_at > _RIGHTS_HOLD:
            self._actor = _actor_of(operation)
            self._read_at = time.monotonic()
        needed = handler.required(operation)
        if needed is not None and not self._actor.can(*needed):
            raise NotAllowed(_("%(name)s may no longer do this.", name=self._actor.name))
        return self._actor


def _actor_of(operation: Operation) -> Principal:
    try:
        return principal_by_id(operation.user_id or 0)
    except LookupError as error:
        raise NotAllowed(_("The person who started this can no longer sign in.")) from error


def work(operation_id: int, *, stop: Callable[[], bool] = lambda: False, slice_seconds: float = SLICE) -> bool:
    """Work on an operation until it ends or pauses, `stop()` says so after a chunk, or the time slice is over.

    True when there is more to do, so that the caller can enqueue it again. What goes wrong with the work is noted in the
    operation and not raised.
    """
    with bind_request_id(request_id() or None):
        return _take_turn(operation_id, stop, time.monotonic() + slice_seconds)


def _take_turn(operation_id: int, stop: Callable[[], bool], until: float) -> bool:
    lease: Lease | None = None
    try:
        lease = claim(operation_id)
        return lease is not None and _work(Run(lease), stop, until)
    except LeaseLost:
        log.info("operation %s is no longer ours", operation_id)
    except (rows.Interrupted, OperationalError) as error:
        log.warning("operation %s interrupted, to be resumed: %s", operation_id, error)
    except Exception as error:
        if lease is None:
            raise
        _fail(lease, error)
    finally:
        db.session.rollback()
        db.session.remove()
    return False


def _work(run: Run, stop: Callable[[], bool], until: float) -> bool:
    while True:
        began = time.monotonic()
        step = _step(run)
        if step is not Step.MORE:
            return False
        if stop() or time.monotonic() > until:
            run.lease.give_back(attempt=0)
            db.session.commit()
            return True
        _let_others_write(time.monotonic() - began)


def _let_others_write(took: float) -> None:
    """SQLite has one writer and no queue for it: leave a gap in which a request's write can slip in."""
    if db.engine.dialect.name == "sqlite":
        time.sleep(min(0.05, max(0.002, took * 0.3)))


def _step(run: Run) -> Step:
    """One transaction, from the fence to the commit."""
    began = time.monotonic()
    _begin(run.lease)
    operation = _load(run.lease.operation_id)
    handler = handler_of(operation.kind)
    if operation.attempt > _HOPELESS:
        raise RuntimeError(f"operation {operation.id} was begun {operation.attempt} times without finishing a chunk")
    with acting_as(run.actor(operation, handler)), audit.because(operation.name, operation.id):
        if operation.prepared_at is None:
            return _prepare(run, operation, handler)
        items = rows.pending(operation, _limit(operation, handler))
        if not items:
            return _finish(run, operation, handler)
        outcomes = rows.attempt(handler, operation, items)
        rows.write(operation, items, outcomes)
    return _close_chunk(run, operation, items[-1].position, outcomes, time.monotonic() - began)


def _begin(lease: Lease) -> None:
    lease.fence()
    if db.engine.dialect.name == "postgresql":
        # A stopped process must not keep the operation's row locked for long.
        db.session.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = '30s'"))


def _load(operation_id: int) -> Operation:
    with system("the engine reads the operation it works on"):
        operation = db.session.get(Operation, operation_id, populate_existing=True)
    if operation is None:
        raise LeaseLost(operation_id)
    return operation


def _limit(operation: Operation, handler: Handler) -> int:
    """Rows of the next chunk: fewer after each fruitless attempt, so that a row which kills the worker is found."""
    limit = max(1, handler.chunk >> min(2 * max(0, operation.attempt - 2), 30))
    return limit if operation.batch_left is None else max(1, min(limit, operation.batch_left))


def _close_chunk(run: Run, operation: Operation, position: int, outcomes: Sequence[Outcome], spent: float) -> Step:
    counts = Counter(outcome.state.value for outcome in outcomes)
    left = None if operation.batch_left is None else operation.batch_left - len(outcomes)
    run.lease.advance(position, left=left, spent=spent, rows=len(outcomes), **counts)
    over = left is not None and left <= 0 and operation.done + len(outcomes) < operation.total
    if over:
        run.lease.give_back(**_next_batch(operation))
    db.session.commit()
    db.session.remove()
    return Step.PAUSE if over else Step.MORE


def _next_batch(operation: Operation) -> dict[str, Any]:
    return {
        "state": State.QUEUED,
        "batch_left": operation.batch_size,
        "not_before": database_now(operation.batch_every or 0),
    }


def _prepare(run: Run, operation: Operation, handler: Handler) -> Step:
    """Find the items. It begins anew each time, since it only reads; each list is a transaction of its own."""
    db.session.execute(sa.delete(ITEM).where(ITEM.c.operation_id == operation.id))
    run.lease.fence(keep=_PREPARE_LEASE, total=0)
    db.session.commit()
    with read_only_intent():
        lists = iter(handler.prepare(_load(operation.id)))
        batch = next(lists, None)
    while batch is not None:
        db.session.rollback()
        run.lease.fence(keep=_PREPARE_LEASE, total=Operation.__table__.c.total + len(batch))
        insert_items(operation.id, batch)
        db.session.commit()
        with read_only_intent():
            batch = next(lists, None)
    db.session.rollback()
    return _prepared(run, operation.id)


def _prepared(run: Run, operation_id: int) -> Step:
    run.lease.fence(prepared_at=utcnow(), attempt=0, **count_items(operation_id))
    operation = _load(operation_id)
    if operation.review:
        run.lease.give_back(state=State.PLANNED)
        announce(_load(operation_id))
    db.session.commit()
    return Step.PAUSE if operation.review else Step.MORE


def _finish(run: Run, operation: Operation, handler: Handler) -> Step:
    handler.finish(operation)
    db.session.flush()
    run.lease.give_back(state=State.DONE, finished_at=utcnow(), attempt=0)
    announce(_load(operation.id))
    db.session.commit()
    return Step.END


def _fail(lease: Lease, error: Exception) -> None:
    """Stop the operation with a reason; what is done stays done, and a person can resume it."""
    db.session.rollback()
    if isinstance(error, NotAllowed):
        text = error.message
    else:
        log.error("operation %s failed", lease.operation_id, exc_info=error)
        text = _("Unexpected error, reference %(reference)s", reference=request_id())
    try:
        lease.give_back(state=State.FAILED, error=text[:500], finished_at=utcnow(), attempt=0)
        announce(_load(lease.operation_id))
        db.session.commit()
    except LeaseLost:
        log.info("operation %s is no longer ours", lease.operation_id)
    except DBAPIError:
        log.exception("operation %s: its failure could not be noted; the reaper takes it up again", lease.operation_id)
