"""A bare application on an SQLite file: enough for models, services and counters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from app.core import audit, events
from app.core.db import db as database
from app.core.security import scope
from app.features.campaigns import tracking
from app.features.clients import access


@pytest.fixture
def app(tmp_path: Any) -> Iterator[Flask]:
    application = Flask("steward-test")
    application.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'test.db'}"
    application.config["SECRET_KEY"] = "only for tests"
    Babel(application)
    database.init_app(application)
    with application.app_context():
        database.create_all()
        for part in (scope, audit, events, tracking):
            part.install()
        scope.set_granted_clients(access.granted_clients)
        yield application
        database.session.remove()
        database.engine.dispose()


@pytest.fixture
def db(app: Flask) -> Any:
    return database
