"""What importing clients foresees of the service that writes them: a taken name, an owner who cannot be one (CLI-13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.db import db
from app.core.naming import name_key
from app.core.security.reach import reaches
from app.core.security.scope import unscoped
from app.features.clients.models import Client
from app.features.clients.services import rules
from app.kit.importing.hooks import Draft, ImportHooks
from app.kit.importing.relations import slices


class ClientImport(ImportHooks):
    """Rows are written by the service; this tells beforehand what it would refuse."""

    def complete(self, drafts: Sequence[Draft]) -> None:
        """Names are unique over all clients, those out of the actor's reach too."""
        new = [draft for draft in drafts if draft.stored is None]
        taken = _taken({name_key(draft.whole.get("name") or "") for draft in new})
        for draft in new:
            if name_key(draft.whole.get("name") or "") in taken:
                name = draft.whole["name"]
                draft.refuse("name", _("There is a client “%(name)s” already.", name=name), name)
        for draft in drafts:
            if draft.stored is not None and draft.whole.get("owner_id") != draft.stored.get("owner_id"):
                self._check_owner(draft, draft.stored)

    def _check_owner(self, draft: Draft, stored: dict[str, Any]) -> None:
        """Handing a client over asks for its owner or an admin, and for an owner with access."""
        client = Client(id=stored["id"], owner_id=stored["owner_id"])
        if not rules(client, self.actor):
            draft.refuse("owner", _("Only the owner of “%(name)s” or an admin may do this.", name=stored["name"]))
        elif draft.whole["owner_id"] and not reaches(draft.whole["owner_id"], stored["id"]):
            draft.refuse("owner", _("This person has no access to the client. Grant access first."))


def _taken(keys: set[str]) -> set[str]:
    with unscoped("names are unique over all clients"):
        return {
            key
            for some in slices(keys)
            for key in db.session.scalars(sa.select(Client.name_key).where(Client.name_key.in_(some)))
        }
