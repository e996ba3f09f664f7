"""A chunk's rows: reading what is pending, trying it as a whole, then row by row, and writing what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.core import events
from app.core.db import db
from app.core.errors import DomainError
from app.core.logs import request_id
from app.core.operations.handlers import Handler, Item, Outcome, failed
from app.core.operations.models import Operation, OperationItem
from app.core.operations.states import ItemState

log = logging.getLogger(__name__)

TABLE: Any = OperationItem.__table__
_READ = [TABLE.c[name] for name in Item._fields]
_WRITTEN = ("state", "reason_code", "reason", "before", "after")
_BROKEN_FROM = 20  # rows: when every row of at least so many breaks, it is the handler that is broken


class Interrupted(Exception):
    """The database went away or asked to try again: no row is to blame, the chunk is repeated later."""


def pending(operation: Operation, limit: int) -> list[Item]:
    """The next rows to deal with, in their order."""
    query = (
        sa.select(*_READ)
        .where(
            TABLE.c.operation_id == operation.id,
            TABLE.c.position > operation.cursor,
            TABLE.c.state == ItemState.PENDING,
        )
        .order_by(TABLE.c.position)
        .limit(limit)
    )
    return [Item._make(row) for row in db.session.execute(query)]


def attempt(handler: Handler, operation: Operation, items: Sequence[Item]) -> list[Outcome]:
    """Deal with the items: all at once, and when that raises, each in a savepoint of its own."""
    try:
        return _run(handler, operation, items)
    except Exception as error:
        _reraise_interruption(error)
        if len(items) > 1:
            log.info("operation %s: %s in a chunk, going row by row", operation.id, type(error).__name__)
    broken: list[Exception] = []
    outcomes = [_alone(handler, operation, item, broken.append) for item in items]
    if broken and len(broken) == len(items) >= _BROKEN_FROM:
        raise broken[-1]
    return outcomes


def _alone(handler: Handler, operation: Operation, item: Item, broken: Callable[[Exception], None]) -> Outcome:
    try:
        return _run(handler, operation, [item])[0]
    except DomainError as error:
        return failed(type(error).__name__.lower(), error.message)
    except IntegrityError:
        log.info("operation %s, position %s: refused by the database", operation.id, item.position, exc_info=True)
        return failed("clash", _("The database refused the row: it clashes with another one."))
    except Exception as error:
        _reraise_interruption(error)
        broken(error)
        log.exception("operation %s, position %s failed", operation.id, item.position)
        return failed("error", _("Unexpected error, reference %(reference)s", reference=request_id()))


def _run(handler: Handler, operation: Operation, items: Sequence[Item]) -> list[Outcome]:
    with savepoint():
        outcomes = list(handler.run(operation, items))
        if len(outcomes) != len(items):
            raise RuntimeError(f"{handler.kind} gave {len(outcomes)} outcomes for {len(items)} rows")
        db.session.flush()
    return outcomes


@contextmanager
def savepoint() -> Iterator[None]:
    """A nested transaction that, taken back, also takes back what was to be said after the commit."""
    restore = events.checkpoint()
    try:
        with db.session.begin_nested():
            yield
    except BaseException:
        restore()
        raise


def _reraise_interruption(error: Exception) -> None:
    if isinstance(error, Interrupted):
        raise error
    if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        raise Interrupted(str(error)) from error


def write(operation: Operation, items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
    """Store the results. A chunk whose rows all ended alike takes one statement."""
    first = outcomes[0]
    if all(outcome == first for outcome in outcomes) and first.row_id is None:
        _write_alike(operation, items, first)
    else:
        _write_each(items, outcomes)


def _write_alike(operation: Operation, items: Sequence[Item], outcome: Outcome) -> None:
    chunk = (
        (TABLE.c.operation_id == operation.id)
        & TABLE.c.position.between(items[0].position, items[-1].position)
        & (TABLE.c.state == ItemState.PENDING)
    )
    values = _values(outcome) | _extra(outcome) | {"attempts": TABLE.c.attempts + 1}
    db.session.execute(sa.update(TABLE).where(chunk).values(values))


def _write_each(items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
    """One statement for each set of columns, executed for many rows."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for item, outcome in zip(items, outcomes, strict=True):
        extra = _extra(outcome)
        values = {f"new_{name}": value for name, value in (_values(outcome) | extra).items()}
        groups.setdefault(tuple(extra), []).append({"item": item.id} | values)
    for extra_names, parameters in groups.items():
        new = {name: sa.bindparam(f"new_{name}", type_=TABLE.c[name].type) for name in (*_WRITTEN, *extra_names)}
        one = sa.update(TABLE).where(TABLE.c.id == sa.bindparam("item"))
        db.session.connection().execute(one.values(new | {"attempts": TABLE.c.attempts + 1}), parameters)


def _values(outcome: Outcome) -> dict[str, Any]:
    return {
        "state": outcome.state,
        "reason_code": outcome.code,
        "reason": outcome.reason,
        "before": outcome.before,
        "after": outcome.after,
    }


def _extra(outcome: Outcome) -> dict[str, Any]:
    named = {"row_id": outcome.row_id, "target_id": outcome.target_id, "title": outcome.title}
    return {name: value for name, value in named.items() if value is not None}
