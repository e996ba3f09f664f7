"""Two agents and an operation of the first, on the whole application."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User

from app.core.db import db as database_object
from app.core.operations import engine, lifecycle
from app.core.operations.handlers import DONE, Handler, failed, register, skipped
from app.core.security.principal import acting_as, principal_by_id
from tests.factories.web import signed_in


class Sorting(Handler):
    """Rows 1 to 5 succeed, 6 and 7 fail, the rest is skipped, unless the settings say otherwise."""

    kind, label, chunk = "test.sorting", "Sorting", 3
    reasons = {"odd": "Odd one out", "late": "Too late"}

    def required(self, operation):
        return None

    def run(self, operation, items):
        if operation.settings.get("fine"):
            return [DONE] * len(items)
        return [self.one(item.position) for item in items]

    def one(self, position):
        if position in (6, 7):
            return failed("odd" if position == 6 else "late", f"Row {position} would not")
        return DONE if position < 6 else skipped("tenth", "Left out")


@pytest.fixture
def people(app):
    """{name: user id} of two agents and a manager."""
    register(Sorting())
    found = {}
    with app.app_context():
        for name, role in (("ada", "Agent"), ("bob", "Agent"), ("mia", "Manager")):
            user = User(
                first_name=name.title(), last_name="Test", username=name, email=f"{name}@x.example", active=True
            )
            user.roles = [database_object.session.scalars(sa.select(Role).where(Role.name == role)).one()]
            database_object.session.add(user)
            database_object.session.flush()
            found[name] = user.id
        database_object.session.commit()
    return found


@pytest.fixture
def as_(app, people):
    """as_("ada") is a browser in which Ada is signed in."""

    def browser(name):
        return signed_in(app, people[name])

    return browser


@pytest.fixture
def begin(app, people):
    """begin(rows, run=True) -> the id of an operation of Ada's."""

    def make(rows=9, *, run=True, name="Sort them", **more):
        with app.app_context(), acting_as(principal_by_id(people["ada"])) as ada:
            operation = lifecycle.create("test.sorting", name, actor=ada, **more)
            lifecycle.add_items(operation, [{"position": i, "title": f"Person {i}"} for i in range(1, rows + 1)])
            lifecycle.submit(operation)
            database_object.session.commit()
            number = operation.id
        if run:
            with app.app_context():
                engine.work(number)
        return number

    return make
