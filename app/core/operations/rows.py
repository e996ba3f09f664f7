"""A chunk's rows: reading what is pending, trying it as a whole, then row by row, and writing what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.core import events
from app.core.db import db
from app.core.errors import DomainError
from app.core.logs import request_id
from app.core.operations.handlers import DONE, Handler, Item, Outcome, failed
from app.core.operations.models import Operation, OperationItem
from app.core.operations.states import ItemState

log = logging.getLogger(__name__)

TABLE: Any = OperationItem.__table__
_READ = [TABLE.c[name] for name in Item._fields]
_COLUMNS = {"code": "reason_code"}  # where a column is not called as in an outcome
# Built once, like the statements of leases.
_PENDING = (
    sa.select(*_READ)
    .where(
        TABLE.c.operation_id == sa.bindparam("operation"),
        TABLE.c.position > sa.bindparam("cursor"),
        TABLE.c.state == ItemState.PENDING,
    )
    .order_by(TABLE.c.position)
    .limit(sa.bindparam("most"))
)
_ALL_DONE = (
    sa.update(TABLE)
    .where(
        TABLE.c.operation_id == sa.bindparam("operation"),
        TABLE.c.position.between(sa.bindparam("first"), sa.bindparam("last")),
        TABLE.c.state == ItemState.PENDING,
    )
    .values(state=ItemState.SUCCEEDED, attempts=TABLE.c.attempts + 1)
)
_BROKEN_FROM = 20  # rows: when every row of at least so many breaks, it is the handler that is broken


class Interrupted(Exception):
    """The database went away or asked to try again: no row is to blame, the chunk is repeated later."""


def pending(operation: Operation, limit: int) -> list[Item]:
    """The next rows to deal with, in their order."""
    which = {"operation": operation.id, "cursor": operation.cursor, "most": limit}
    return [Item._make(row) for row in db.session.connection().execute(_PENDING, which).all()]


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
    """Store the results. A chunk whose rows all just succeeded takes one statement."""
    if all(outcome == DONE for outcome in outcomes):
        chunk = {"operation": operation.id, "first": items[0].position, "last": items[-1].position}
        db.session.connection().execute(_ALL_DONE, chunk)
    else:
        _write_each(items, outcomes)


def _write_each(items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
    """One statement for each kind of outcome, executed for many rows. What an outcome leaves empty is empty already."""
    groups: dict[tuple[ItemState, tuple[str, ...]], list[dict[str, Any]]] = {}
    for item, outcome in zip(items, outcomes, strict=True):
        names = tuple(name for name, value in zip(Outcome._fields, outcome, strict=True) if value is not None)[1:]
        values = {f"new_{name}": getattr(outcome, name) for name in names}
        groups.setdefault((outcome.state, names), []).append(values | {"item": item.id})
    for (state, names), parameters in groups.items():
        db.session.connection().execute(_result_update(state, names), parameters)


@cache
def _result_update(state: ItemState, names: tuple[str, ...]) -> Any:
    columns = {_COLUMNS.get(name, name): name for name in names}
    new = {column: sa.bindparam(f"new_{name}", type_=TABLE.c[column].type) for column, name in columns.items()}
    values = {"state": state, "attempts": TABLE.c.attempts + 1} | new
    return sa.update(TABLE).where(TABLE.c.id == sa.bindparam("item")).values(values)
