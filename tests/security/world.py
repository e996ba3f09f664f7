"""Two clients, and people of each role: the manager reaches both, Anna only the first, Otto only the second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import PermissionView, Role, User
from werkzeug.security import generate_password_hash

from app.core.db import db
from app.core.security.principal import Principal, principal_for, system
from app.features.clients.access import grant_access
from tests.factories.clients import client as make_client
from tests.factories.contacts import contact as make_contact
from tests.infra.databases import ADMIN_PASSWORD

HASH = generate_password_hash(ADMIN_PASSWORD, method="scrypt:1024:8:1")  # cheap: many sign-ins


@dataclass(frozen=True)
class World:
    first: int
    second: int
    contacts: dict[str, int]
    people: dict[str, int]


def person(username: str, *roles: str, **values: Any) -> User:
    """A stored user with ADMIN_PASSWORD and these roles."""
    first, _dot, last = username.partition(".")
    row = User(
        username=username,
        first_name=first.capitalize(),
        last_name=(last or "Test").capitalize(),
        email=f"{username}@agency.example",
        password=HASH,
        active=True,
    )
    for name, value in values.items():
        setattr(row, name, value)
    row.roles = [db.session.scalars(sa.select(Role).where(Role.name == name)).one() for name in roles]
    db.session.add(row)
    db.session.flush()
    return row


def build(app: Flask) -> World:
    """Store it."""
    with app.app_context(), system("test") as actor:
        first, second = make_client(name="First Client"), make_client(name="Second Client")
        staff = {name: person(name, role) for name, role in STAFF.items()}
        grant_access(first, [staff["anna"].id, staff["gus"].id], actor=actor)
        grant_access(second, [staff["otto"].id], actor=actor)
        db.session.commit()
        contacts = {
            "mine": make_contact(first, first_name="Mine", last_name="Annason", email="mine@people.example").id,
            "mine2": make_contact(first, first_name="Mine", last_name="Annadottir", email="mine2@people.example").id,
            "theirs": make_contact(second, first_name="Theirs", last_name="Ottoson", email="theirs@people.example").id,
        }
        db.session.commit()
        return World(first.id, second.id, contacts, {name: row.id for name, row in staff.items()})


STAFF = {"mona": "Manager", "anna": "Agent", "otto": "Agent", "gus": "Guest"}


def give(app: Flask, role: str, *pairs: tuple[str, str]) -> None:
    """Give a role rights."""
    _change(app, role, pairs, give=True)


def take(app: Flask, role: str, *pairs: tuple[str, str]) -> None:
    """Take rights from a role."""
    _change(app, role, pairs, give=False)


def _change(app: Flask, role: str, pairs: Any, *, give: bool) -> None:
    with app.app_context():
        row = db.session.scalars(sa.select(Role).where(Role.name == role)).one()
        for one in db.session.scalars(sa.select(PermissionView)).unique():
            pair = (one.permission.name, one.view_menu.name)
            if pair in pairs and give and one not in row.permissions:
                row.permissions.append(one)
            if pair in pairs and not give and one in row.permissions:
                row.permissions.remove(one)
        db.session.commit()


def acting(user_id: int) -> Principal:
    """The principal of a stored user."""
    user = db.session.get(User, user_id)
    assert user is not None
    return principal_for(user)


def live(app: Flask, model: type[Any], pk: int) -> bool:
    """Is the row there and not in the trash?"""
    with app.app_context(), system("test"):
        return db.session.scalar(sa.select(model.id).where(model.id == pk)) is not None
