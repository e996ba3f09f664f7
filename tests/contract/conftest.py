"""The world of the contract suite: two clients and the fixed cast.

Alpha is granted to the owner (Manager of the role, owner of the client) and the teammate (Agent). Beta is granted to the
outsider (Agent). The admin reaches all. The stranger has no role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from app.core.db import db
from app.core.security.principal import system
from app.factory import load_features
from app.features.clients.models import Client, ClientAccess
from app.kit.resource import Resource
from tests.contract.rows import DELETABLE, bring_to, make
from tests.factories.web import signed_in

load_features()  # the tests are parametrised over what is declared

CAST = {"owner": "Manager", "teammate": "Agent", "outsider": "Agent", "admin": "Admin", "stranger": ""}


@dataclass
class World:
    """Ids, because each request has a session of its own."""

    app: Flask
    users: dict[str, int] = field(default_factory=dict)
    alpha: int = 0
    beta: int = 0

    def as_(self, name: str) -> FlaskClient:
        """A browser in which this member of the cast is signed in."""
        return signed_in(self.app, self.users[name])

    def row(self, resource: Resource, *, foreign: bool = False, owner: str = "") -> int:
        """The id of a new row in Alpha, or in Beta when `foreign`."""
        with self.app.app_context():
            who = owner or ("outsider" if foreign else "owner")
            row = make(resource, self.beta if foreign else self.alpha, self.users[who])
            db.session.commit()
            return int(row.id)

    def prepare_deletion(self, resource: Resource, pk: int) -> None:
        """Do what must be done before this kind of row can be deleted."""
        with self.app.app_context(), system("contract test"):
            bring_to(db.session.get(resource.model, pk), resource, DELETABLE)
            db.session.commit()

    def grant(self, role: str, verbs: tuple[str, ...], resource: Resource) -> None:
        """Give a role these verbs, so that what refuses is the row scope and not a missing right."""
        manager = self.app.appbuilder.sm  # type: ignore[attr-defined]
        with self.app.app_context():
            held = manager.find_role(role)
            for verb in verbs:
                manager.add_permission_role(held, manager.add_permission_view_menu(f"can_{verb}", resource.name))
            db.session.commit()


def _user(name: str, role: str) -> User:
    user = User(
        first_name=name.capitalize(), last_name="Contract", username=name, email=f"{name}@cast.example", active=True
    )
    if role:
        user.roles = [db.session.scalars(select(Role).where(Role.name == role)).one()]
    db.session.add(user)
    db.session.flush()
    return user


def _client(name: str, people: list[int]) -> Client:
    row = Client(name=name, owner_id=people[0], time_zone="Europe/London", country="GB")
    db.session.add(row)
    db.session.flush()
    db.session.add_all(ClientAccess(client_id=row.id, user_id=person) for person in people)
    return row


@pytest.fixture
def world(app: Flask) -> World:
    made = World(app)
    with app.app_context(), system("contract test"):
        existing = {user.username: user for user in db.session.scalars(select(User))}
        made.users = {n: existing[n].id if n in existing else _user(n, role).id for n, role in CAST.items()}
        made.alpha = _client("Alpha", [made.users["owner"], made.users["teammate"]]).id
        made.beta = _client("Beta", [made.users["outsider"]]).id
        db.session.commit()
    return made


@pytest.fixture
def statements() -> Iterator[Callable[[], list[str]]]:
    """`statements()` returns the SQL sent since the last call, transaction control left out."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    def take() -> list[str]:
        taken = list(seen)
        seen.clear()
        return taken

    event.listen(Engine, "before_cursor_execute", note)
    yield take
    event.remove(Engine, "before_cursor_execute", note)
