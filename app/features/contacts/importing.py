"""What importing contacts adds: names split, phones read in the country's notation, the client's limit (CON-09, CLI-20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.db import db
from app.core.security.principal import Principal
from app.core.security.reach import reaches
from app.features.contacts.models import Contact, email_key, full_name
from app.features.contacts.services import e164
from app.kit.importing.hooks import Draft, ImportHooks, Room
from app.kit.importing.relations import slices

_e164 = lru_cache(maxsize=4096)(e164)  # a row's number is read more than once
_NAMED_BY = ("first_name", "last_name", "company", "email", "phone")


class ContactImport(ImportHooks):
    """Does for many contacts what `services` does for one."""

    bulk = True
    columns = ("name",)

    def __init__(self, actor: Principal) -> None:
        super().__init__(actor)
        self._clients: dict[int, Any] = {}
        self._reach: dict[tuple[int, int], bool] = {}

    def read(self, drafts: Sequence[Draft]) -> None:
        """Split a full name; read the phone number, which may have to find the contact."""
        self._learn_clients(drafts)
        for draft in drafts:
            _split_name(draft.values)
            if draft.values.get("phone"):
                country = draft.values.get("country") or self._country(draft)
                draft.values["phone_e164"] = _e164(draft.values["phone"], country)

    def complete(self, drafts: Sequence[Draft]) -> None:
        """The columns that follow from others; a contact needs something to be named by, and an owner with access."""
        self._learn_clients(drafts)
        for draft in drafts:
            row = draft.whole
            row["name"] = full_name(*(row.get(part) for part in _NAMED_BY))[:254]
            row["email_key"] = email_key(row.get("email"))
            row["phone_e164"] = _e164(row.get("phone"), row.get("country") or self._country(draft))
            if not row["name"]:
                draft.refuse("", _("A contact needs a name, a company, an e-mail address or a phone number."))
            self._check_owner(draft)

    def room(self, created: Mapping[int, int]) -> list[Room]:
        """Clients with a share of the stored-prospect limit: what they hold after so many more."""
        found = []
        for some in slices(created):
            for client in db.session.execute(_limits(some)):
                used = created[client.id] + _stored(client.id)
                found.append(Room(client.name, used, client.stored_limit))
        return sorted(found, key=lambda room: room.used / max(1, room.limit), reverse=True)

    def _learn_clients(self, drafts: Sequence[Draft]) -> None:
        missing = {draft.client_id for draft in drafts if draft.client_id is not None} - set(self._clients)
        model = _client_model()
        for some in slices(missing):
            query = sa.select(model.id, model.country).where(model.id.in_(some))
            self._clients |= {row.id: row.country for row in db.session.execute(query)}

    def _country(self, draft: Draft) -> str | None:
        return self._clients.get(draft.client_id or 0)

    def _check_owner(self, draft: Draft) -> None:
        owner, client = draft.whole.get("owner_id"), draft.client_id
        if owner is None or client is None or owner == (draft.stored or {}).get("owner_id"):
            return
        if (owner, client) not in self._reach:
            self._reach[owner, client] = reaches(owner, client)
        if not self._reach[owner, client]:
            draft.refuse("owner", _("This person has no access to the client. Grant access first."))


def _split_name(values: dict[str, Any]) -> None:
    """A full name fills first and last name where the file has none: "Lena von der Graf" -> "Lena", "von der Graf"."""
    whole = values.pop("name", None)
    if not whole or values.get("first_name") or values.get("last_name"):
        return
    if "," in whole:
        last, _comma, first = (part.strip() for part in whole.partition(","))
    else:
        first, _space, last = whole.partition(" ")
    values |= {name: part.strip()[:100] for name, part in (("first_name", first), ("last_name", last)) if part.strip()}


def _client_model() -> Any:
    return sa.inspect(Contact).relationships["client"].mapper.class_


def _limits(client_ids: list[int]) -> Any:
    model = _client_model()
    return sa.select(model.id, model.name, model.stored_limit).where(
        model.id.in_(client_ids), model.stored_limit.is_not(None)
    )


def _stored(client_id: int) -> int:
    return db.session.scalar(sa.select(sa.func.count(Contact.id)).where(Contact.client_id == client_id)) or 0
