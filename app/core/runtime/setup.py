"""The set-up step: migrations, whatever features registered (roles, permissions, sample), and the first administrator."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask_migrate import upgrade
from sqlalchemy import text

from app.core.commands import SetupStep, runbook
from app.core.security.principal import system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from sqlalchemy.engine import Engine

log = logging.getLogger(__name__)

_LOCK = 7_368_429  # any number, the same for every process that sets up this database

LEAST_PASSWORD = 10  # characters


class SetupError(RuntimeError):
    """Setting up cannot go on; the message says what to change."""


def set_up(app: Flask, migrations: Path, say: Callable[[str], None]) -> None:
    """Bring the database up to date; harmless when it is. `say` gets a line for each thing done.

    Raises SetupError when the first administrator cannot be made.
    """
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        with _one_at_a_time(engine):
            upgrade(directory=str(migrations))
            steps = [*runbook(app).setup_steps, SetupStep("administrator", _first_administrator, 90)]
            for step in sorted(steps, key=lambda step: step.order):
                with system("set-up"):
                    done = step.run(app)
                if done:
                    say(f"{step.name}: {done}")


def _first_administrator(app: Flask) -> str | None:
    """Make the user `admin` unless there is one.

    The password is STEWARD_ADMIN_PASSWORD, or generated and named once in the answer.
    """
    manager = app.appbuilder.sm  # type: ignore[attr-defined]
    if manager.find_user(username="admin"):
        return None
    given = os.environ.get("STEWARD_ADMIN_PASSWORD", "")
    if given and len(given) < LEAST_PASSWORD:
        log.warning("STEWARD_ADMIN_PASSWORD has %d characters; take %d or more", len(given), LEAST_PASSWORD)
    password = given or secrets.token_urlsafe(12)
    role = manager.find_role(app.config["AUTH_ROLE_ADMIN"])
    user = manager.add_user("admin", "Agency", "Administrator", "admin@steward.invalid", role, password=password)
    if not user:
        raise SetupError("The user admin cannot be made; the lines above say why.")
    return "user admin made" if given else f"user admin made with the password {password} (shown only now)"


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """Keep two machines that start together from setting up the same PostgreSQL database at once."""
    if engine.dialect.name != "postgresql":  # one machine's SQLite: the supervisor's lock does it
        yield
        return
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()  # the lock is the session's, not the transaction's
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()
