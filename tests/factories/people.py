"""The fixed cast: an owner, a teammate with access, an outsider without, an admin who reaches all.

Roles are made by the set-up step in the full application; here rights are given to the principals directly, so that
services can be tested without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.core.security.principal import REACH_ALL, Principal

_serial = count(1)


def user(first: str, last: str = "Test", *, active: bool = True) -> User:
    """A stored user who cannot sign in (no password)."""
    number = next(_serial)
    name = f"{first.lower()}{number}"
    row = User(first_name=first, last_name=last, username=name, email=f"{name}@agency.example", active=active)
    db.session.add(row)
    db.session.flush()
    return row


def principal(row: User, *permissions: tuple[str, str]) -> Principal:
    """`row` acting with these rights."""
    return Principal(user_id=row.id, name=f"{row.first_name} {row.last_name}", permissions=frozenset(permissions))


@dataclass
class Cast:
    """Users, and each of them acting."""

    owner: User
    teammate: User
    outsider: User
    admin: User

    def acting(self, name: str) -> Principal:
        actor = principal(getattr(self, name))
        return replace(actor, permissions=frozenset({REACH_ALL})) if name == "admin" else actor


def cast() -> Cast:
    """The four of them, stored."""
    return Cast(*(user(name.capitalize()) for name in ("owner", "teammate", "outsider", "admin")))
