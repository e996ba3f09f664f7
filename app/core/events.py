"""Nothing leaves before commit: what a transaction wants to tell the outside is said after it, or never (architecture.md)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from blinker import Signal
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core.db import db

log = logging.getLogger(__name__)
_KEY, _UNDO = "after_commit", "after_rollback"

# Sent inside the transaction by writes over many rows that the ORM does not see one by one.
# sender = the model class; deletion_id = the handle all rows of one deletion share.
rows_deleted = Signal("rows deleted: after the rows carry deletion_id")
rows_restoring = Signal("rows restoring: when the rows that come back are live again and still carry deletion_id")

# sender = the model class; rows = the inserted rows as {attribute: value}, with their ids.
rows_created = Signal("rows created: after Core has inserted them")


def after_commit(action: Callable[[], Any], *, once: str = "") -> None:
    """Run `action` when the current transaction has committed; forget it when it rolls back.

    `action` must not use the session. `once` names it: a second one of the same name in a transaction is dropped.
    """
    waiting: dict[Any, Callable[[], Any]] = db.session().info.setdefault(_KEY, {})
    waiting.setdefault(once or object(), action)


def checkpoint() -> Callable[[], None]:
    """A function that forgets what was registered since: for a savepoint that is taken back."""
    info = db.session().info
    kept = dict(info.get(_KEY, {}))
    return lambda: info.__setitem__(_KEY, kept)


def after_rollback(action: Callable[[], Any]) -> None:
    """Run `action` when the current transaction rolls back: undoes what was done outside the database."""
    db.session().info.setdefault(_UNDO, []).append(action)


def _dispatch(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a released savepoint; the transaction may still be rolled back
    session.info.pop(_UNDO, None)
    for action in list(session.info.pop(_KEY, {}).values()):
        try:
            action()
        except Exception:
            # The data is committed; a lost wake-up call is made good by the reaper.
            log.exception("after-commit action failed")


def _forget(session: Session, previous: Any) -> None:
    if previous.nested is False and previous.parent is None:
        session.info.pop(_KEY, None)
        for action in session.info.pop(_UNDO, []):
            action()


def install() -> None:
    """Attach the listeners to the application's session, once."""
    if not event.contains(db.session, "after_commit", _dispatch):
        event.listen(db.session, "after_commit", _dispatch)
        event.listen(db.session, "after_soft_rollback", _forget)
