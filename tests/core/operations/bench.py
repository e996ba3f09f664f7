"""What the tests of the engine work on: a table of tallies and handlers whose effect is not idempotent."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

import sqlalchemy as sa
from flask import Flask
from flask_babel import Babel

from app.core import audit, events, jobs
from app.core.db import db, read_only_intent
from app.core.errors import DomainError
from app.core.operations import engine, lease, lifecycle
from app.core.operations.handlers import DONE, Handler, done, register, skipped
from app.core.operations.models import Operation, OperationItem
from app.core.operations.states import WORKABLE
from app.core.runtime.processes import fork_child
from app.core.security import scope
from app.core.security.principal import system
from config import database_url, engine_options

METADATA = sa.MetaData()  # its own: migrations know nothing of it
TALLY = sa.Table("tally", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("hits", sa.Integer))
LEASE = 0.15


class Bump(Handler):
    """Adds one to each row: twice is visible."""

    kind, label, chunk = "test.bump", "Bump", 100

    def run(self, operation, items):
        ids = [item.row_id for item in items]
        db.session.execute(sa.update(TALLY).where(TALLY.c.id.in_(ids)).values(hits=TALLY.c.hits + 1))
        time.sleep(operation.settings.get("pause", 0))
        return [DONE] * len(items)


class Picky(Handler):
    """Adds one with a before-image, skips every tenth row, refuses what the settings name, breaks on what they name."""

    kind, label, chunk = "test.picky", "Picky", 50

    def run(self, operation, items):
        return [self.one(operation.settings, item) for item in items]

    def one(self, settings, item):
        before = db.session.scalar(sa.select(TALLY.c.hits).where(TALLY.c.id == item.row_id))
        if item.row_id % 10 == 0:
            return skipped("tenth", "Every tenth row is left out")
        db.session.execute(sa.update(TALLY).where(TALLY.c.id == item.row_id).values(hits=TALLY.c.hits + 1))
        if item.row_id in settings.get("refuse", ()) and item.attempts == 0:
            raise DomainError("This row is refused")
        if item.row_id in settings.get("breaks", ()):
            raise ZeroDivisionError("a defect")
        return done(before={"hits": before}, after={"hits": before + 1})


class Gather(Handler):
    """Finds its items itself, like an import that plans."""

    kind, label = "test.gather", "Gather"

    def prepare(self, operation):
        ids = list(db.session.scalars(sa.select(TALLY.c.id).order_by(TALLY.c.id)))
        for start in range(0, len(ids), 30):
            rows = ids[start : start + 30]
            yield [{"position": i, "entity": "tally", "row_id": i, "title": f"Tally {i}"} for i in rows]

    def run(self, operation, items):
        return Bump.run(self, operation, items)


HANDLERS = [Bump(), Picky(), Gather()]


def make_app(url, redis_url="redis://127.0.0.1:1/0"):
    application = Flask("operations")
    url = database_url(url)
    application.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        REDIS_URL=redis_url,
        OPERATIONS_LEASE_SECONDS=LEASE,
        SECRET_KEY="x" * 32,
    )
    db.init_app(application)
    Babel(application)
    for part in (scope, events, audit):
        part.install()
    jobs.install(application)
    for handler in HANDLERS:
        register(handler)
    return application


def operation_over(actor, rows, kind="test.bump", **settings):
    """A queued operation over `rows` fresh tallies."""
    db.session.execute(sa.insert(TALLY), [{"id": i, "hits": 0} for i in range(1, rows + 1)])
    operation = lifecycle.create(kind, "Bump them", actor=actor, resource="tally", settings=settings)
    lifecycle.add_selection(operation, "tally", sa.select(TALLY.c.id))
    lifecycle.submit(operation)
    db.session.commit()
    return operation.id


@contextmanager
def looking():
    """Read what is committed, without holding the writers up before, meanwhile or after."""
    db.session.rollback()
    with read_only_intent():
        yield
        db.session.rollback()


def stored(operation_id):
    """The operation as the database has it now, detached."""
    with looking(), system("a test looks"):
        operation = db.session.get(Operation, operation_id, populate_existing=True)
        db.session.expunge(operation)
    return operation


def again(operation_id):
    """The operation in the session, to be changed."""
    db.session.rollback()
    with system("a test changes it"):
        return db.session.get(Operation, operation_id, populate_existing=True)


def hits():
    """{hits: rows}."""
    with looking():
        return dict(db.session.execute(sa.select(TALLY.c.hits, sa.func.count()).group_by(TALLY.c.hits)).all())


def results(operation_id):
    """{(state, reason code): items}."""
    item = OperationItem.__table__.c
    query = sa.select(item.state, item.reason_code, sa.func.count()).where(item.operation_id == operation_id)
    with looking():
        found = db.session.execute(query.group_by(item.state, item.reason_code))
        return {(row[0], row[1]): row[2] for row in found}


def unfinished():
    """How many operations a worker may still have to work on."""
    count = sa.select(sa.func.count()).select_from(Operation.__table__)
    with looking():
        return db.session.scalar(count.where(Operation.__table__.c.state.in_(list(WORKABLE))))


def due():
    """The operations a worker may claim now."""
    with looking():
        return lease.unfinished()


def close():
    """No connection stays open across a fork."""
    db.session.remove()
    db.engine.dispose()


def start_worker(application):
    """A process that works on whatever is due until nothing is unfinished."""
    close()

    def run():
        os.environ["STEWARD_PART"] = "worker"
        with application.app_context():
            while unfinished():
                for operation_id in due():
                    engine.work(operation_id, slice_seconds=0.3)
                time.sleep(0.01)

    return fork_child(run)
