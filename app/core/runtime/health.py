"""GET /health (this process answers) and GET /ready (database, migrations, Redis, worker): no sign-in, no detail.

A monitor sees "ok" or "not ready"; what is missing is in the log.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Response

from app.core.db import read_only_intent
from app.core.runtime.jobs import worker_alive
from app.core.runtime.redis_server import answers

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Add both routes. They are public on purpose and tell nothing but one word."""

    @app.get("/health", endpoint="health")
    def health() -> Response:
        return _answer(200, "ok")

    @app.get("/ready", endpoint="ready")
    def ready() -> Response:
        missing = what_is_missing(app)
        if missing:
            log.warning("Not ready: %s", ", ".join(missing))
        return _answer(503, "not ready") if missing else _answer(200, "ok")


def what_is_missing(app: Flask) -> list[str]:
    """Of database, migrations, Redis and worker those that are not there."""
    missing = []
    try:
        if not _migrated(app):
            missing.append("migrations")
    except sa.exc.SQLAlchemyError:
        missing.append("database")
    if not answers(app.config["REDIS_URL"]):
        missing.append("redis")
    elif not worker_alive(app):
        missing.append("worker")
    return missing


def _migrated(app: Flask) -> bool:
    engine = app.extensions["sqlalchemy"].engine
    with read_only_intent(), engine.connect() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    return set(heads) == _heads(app.extensions["migrate"].directory)


@cache
def _heads(folder: str) -> frozenset[str]:
    return frozenset(ScriptDirectory(str(Path(folder))).get_heads())


def _answer(status: int, word: str) -> Response:
    return Response(f"{word}\n", status, {"Cache-Control": "no-store"}, mimetype="text/plain")
