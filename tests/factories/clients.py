"""Clients with the cast around them."""

from __future__ import annotations

from itertools import count
from typing import Any

from app.core.db import db
from app.core.security.principal import system
from app.features.clients.access import grant_access
from app.features.clients.models import Client
from app.features.clients.services import create_client
from tests.factories.people import Cast

_serial = count(1)


def client(cast: Cast | None = None, **values: Any) -> Client:
    """A live client, owned by the cast's owner, with the teammate granted."""
    values.setdefault("name", f"Client {next(_serial)}")
    with system("factory") as actor:
        row = create_client({"owner_id": cast.owner.id if cast else None} | values, actor=actor)
        db.session.flush()
        if cast:
            grant_access(row, [cast.teammate.id], actor=actor)
    return row
