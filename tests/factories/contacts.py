"""Contacts and leads."""

from __future__ import annotations

from itertools import count
from typing import Any

from app.core.db import db
from app.core.security.principal import system
from app.features.clients.models import Client
from app.features.contacts.models import Contact, Lead
from app.features.contacts.services import create_contact, create_lead

_serial = count(1)


def contact(client: Client, **values: Any) -> Contact:
    """A live contact with a name and an address of their own."""
    number = next(_serial)
    values = {"first_name": "Ada", "last_name": f"Nr {number}", "email": f"ada{number}@people.example"} | values
    with system("factory") as actor:
        row = create_contact({"client_id": client.id} | values, actor=actor)
        db.session.flush()
    return row


def lead(client: Client, **values: Any) -> Lead:
    """A lead that is no contact yet."""
    values = {"name": f"Lead {next(_serial)}", "source": "web form", "payload": {"message": "Call me"}} | values
    with system("factory") as actor:
        row = create_lead({"client_id": client.id} | values, actor=actor)
        db.session.flush()
    return row
