"""Signed-in browsers for the cast, and counting what a request asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.core.db import db
from app.core.security.sign_in import STAMP, stamp
from tests.factories.people import Cast

ROLES = {"owner": "Manager", "teammate": "Agent", "outsider": "Agent", "admin": "Admin"}


def with_roles(cast: Cast) -> Cast:
    """Give the cast the roles of `ROLES`; needs the set-up step's roles."""
    for name, role in ROLES.items():
        getattr(cast, name).roles = [db.session.scalars(sa.select(Role).where(Role.name == role)).one()]
    db.session.flush()
    return cast


def signed_in(app: Flask, user: User | int) -> FlaskClient:
    """A browser in which this user is signed in."""
    browser = app.test_client()
    if isinstance(user, User):  # of the caller's session: a second one would wait for its transaction
        pk, bound = user.id, stamp(user)
    else:
        with app.app_context():
            pk, bound = user, stamp(db.session.get_one(User, user))
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"], session[STAMP] = str(pk), True, bound
    return browser


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements sent inside the block, without the beginning and end of transactions."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("BEGIN", "PRAGMA", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
