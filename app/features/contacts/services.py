"""Verbs on contacts and leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.db import db
from app.core.errors import Clash, DomainError, Missing
from app.core.security.principal import Principal
from app.core.security.reach import reaches
from app.features.contacts.models import Contact, Lead, email_key, full_name
from app.kit.checked import checked
from app.kit.forms import check_phone


def e164(phone: str | None, country: str | None) -> str | None:
    """The number in E.164, None when it is none in this country's notation; what was typed is kept beside it."""
    try:
        return check_phone(phone, country) if phone else None
    except ValueError:
        return None


def create_contact(values: Mapping[str, Any], *, actor: Principal) -> Contact:
    """A new contact of a client the actor reaches.

    Raises Missing for an unknown client, Clash for an e-mail address the client has already, DomainError for values
    that are none of their kind, or an owner without access to the client.
    """
    del actor
    contact = Contact(**checked(Contact, values))
    _require_something(contact)
    _derive(contact, _client_of(contact))
    if contact.owner_id:
        _require_access(contact.owner_id, contact.client_id)
    db.session.add(contact)
    return contact


def update_contact(contact: Contact, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a contact; raises as `create_contact`. A contact stays with its client."""
    del actor
    values = checked(Contact, values)
    if values.get("client_id", contact.client_id) != contact.client_id:
        raise DomainError(fields={"client": _("A contact stays with its client.")})
    new_owner = values.get("owner_id")
    if new_owner and new_owner != contact.owner_id:
        _require_access(new_owner, contact.client_id)
    with db.session.no_autoflush:
        for name, value in values.items():
            if getattr(contact, name) != value:
                setattr(contact, name, value)
        _require_something(contact)
        _derive(contact, contact.client)


def create_lead(values: Mapping[str, Any], *, actor: Principal) -> Lead:
    """A submitted form, as it came; it names a person by name, e-mail address or phone number."""
    del actor
    lead = Lead(**checked(Lead, values))
    if not (lead.name or lead.email or lead.phone):
        raise DomainError(fields={"name": _("A lead needs a name, an e-mail address or a phone number.")})
    lead.phone_e164 = e164(lead.phone, _client_of(lead).country)
    db.session.add(lead)
    return lead


def update_lead(lead: Lead, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a lead; it stays with its client."""
    del actor
    values = checked(Lead, values)
    if values.get("client_id", lead.client_id) != lead.client_id:
        raise DomainError(fields={"client": _("A lead stays with its client.")})
    for name, value in values.items():
        if getattr(lead, name) != value:
            setattr(lead, name, value)
    lead.phone_e164 = e164(lead.phone, lead.client.country)


def _client_of(row: Contact | Lead) -> Any:
    """The live client a new row names, inside the actor's scope."""
    model = sa.inspect(type(row)).relationships["client"].mapper.class_
    wanted = row.client.id if row.client is not None else row.client_id
    client = db.session.scalar(sa.select(model).where(model.id == wanted)) if wanted else None
    if client is None:
        raise Missing(fields={"client": _("Choose a client.")})
    row.client_id = client.id
    return client


def _require_something(contact: Contact) -> None:
    if not full_name(contact.first_name, contact.last_name, contact.company, contact.email, contact.phone):
        raise DomainError(
            fields={"last_name": _("A contact needs a name, a company, an e-mail address or a phone number.")}
        )


def _derive(contact: Contact, client: Any) -> None:
    """What follows from the values: the number in E.164, the address's key, free within the client."""
    contact.phone_e164 = e164(contact.phone, contact.country or client.country)
    contact.email_key = email_key(contact.email)
    if contact.email_key is None:
        return
    query = sa.select(Contact.name).where(Contact.client_id == client.id, Contact.email_key == contact.email_key)
    with db.session.no_autoflush:
        twin = db.session.scalar(query.where(Contact.id != contact.id) if contact.id else query)
    if twin is not None:
        raise Clash(fields={"email": _("%(name)s has this e-mail address already.", name=twin)})


def _require_access(user_id: int, client_id: int) -> None:
    if not reaches(user_id, client_id):
        raise DomainError(fields={"owner": _("This person has no access to the client. Grant access first.")})
