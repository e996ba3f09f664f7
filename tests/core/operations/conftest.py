"""A bare application: the core alone, on a database that several processes share."""

from __future__ import annotations

import os

import pytest
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, User, ViewMenu

from app.core.db import db
from app.core.security.principal import principal_by_id
from tests.core.operations import bench
from tests.infra import postgres


@pytest.fixture
def app(tmp_path, database):
    url = f"sqlite:///{tmp_path / 'operations.db'}"
    if database == "postgresql":
        url = postgres.create_database(f"operations_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    application = bench.make_app(url)
    with application.app_context():
        db.metadata.create_all(db.engine)
        bench.METADATA.create_all(db.engine)
        yield application
        db.session.rollback()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def agent(app):
    """A user who may bulk-change tallies, as a principal."""
    role = Role(name="Bulk")
    role.permissions = [PermissionView(permission=Permission(name="can_bulk"), view_menu=ViewMenu(name="tally"))]
    user = User(first_name="Ada", last_name="Agent", username="ada", email="ada@agency.example", active=True)
    user.roles = [role]
    db.session.add(user)
    db.session.commit()
    return principal_by_id(user.id)
