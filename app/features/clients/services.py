"""Verbs on clients: create, change, switch off and on, delete.

Who may: the role gives the verb, and switching, deleting, changing the owner and granting access ask in addition that
the actor owns the client or reaches all of them (PLT-03).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core.db import db
from app.core.errors import Clash, DomainError, NotAllowed
from app.core.naming import name_key
from app.core.security.principal import Principal
from app.core.security.reach import reaches
from app.core.security.scope import unscoped
from app.features.campaigns.services import CLIENT_SWITCHED_OFF, stop_all
from app.features.clients.enums import AccessLevel, ClientState
from app.features.clients.models import Client, ClientAccess
from app.features.contacts.services import e164
from app.kit import trash
from app.kit.checked import checked

# What goes to the trash and comes back with a client; parents before children.
BELONGINGS = (
    "contacts", "leads", "campaigns", "campaign_steps", "enrolments", "mail_accounts", "findings", "access", "invitations",
)  # fmt: skip


def rules(client: Client, actor: Principal) -> bool:
    """Does this actor decide over the client: its owner, or somebody who reaches all clients?"""
    return actor.reaches_all or (actor.user_id is not None and actor.user_id == client.owner_id)


def require_rule(client: Client, actor: Principal) -> None:
    """NotAllowed unless the actor owns the client or reaches all; DomainError while it is being deleted."""
    if not rules(client, actor):
        raise NotAllowed(_("Only the owner of “%(name)s” or an admin may do this.", name=client.name))
    if client.state is ClientState.DELETING:
        raise DomainError(_("“%(name)s” is being deleted.", name=client.name))


def create_client(values: Mapping[str, Any], *, actor: Principal) -> Client:
    """A new client, owned by the actor unless another owner is chosen; the owner gets access (domain.md).

    Raises Clash for a name that is taken, DomainError for values that are none of their kind or an owner who is no
    active user.
    """
    values = checked(Client, values)
    values["owner_id"] = values.get("owner_id") or actor.user_id
    client = Client(**values)
    client.active, client.state = True, ClientState.OPEN
    if client.owner_id:
        _require_active_user(client.owner_id)
    _require_free_name(client)
    client.phone_e164 = e164(client.phone, client.country)
    db.session.add(client)
    _first_access(client, actor)
    return client


def _first_access(client: Client, actor: Principal) -> None:
    if client.owner_id:
        db.session.add(ClientAccess(client=client, user_id=client.owner_id, level=AccessLevel.OWNER))
    if actor.user_id and actor.user_id != client.owner_id and not actor.reaches_all:
        db.session.add(ClientAccess(client=client, user_id=actor.user_id, level=AccessLevel.MANAGER))


def update_client(client: Client, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a client; raises as `create_client`. A new owner needs access already; see `change_owner`."""
    values = checked(Client, values)
    active = values.pop("active", client.active)
    owner_id = values.pop("owner_id", client.owner_id)
    values.pop("state", None)
    _require_field_rights(client, values, owner_id, actor)
    with db.session.no_autoflush:
        for name, value in values.items():
            if getattr(client, name) != value:
                setattr(client, name, value)
        _require_free_name(client)
    client.phone_e164 = e164(client.phone, client.country)
    if owner_id != client.owner_id:
        change_owner(client, owner_id, actor=actor)
    if active != client.active:
        (switch_on if active else switch_off)(client, actor=actor)


def _require_field_rights(client: Client, values: Mapping[str, Any], owner_id: int | None, actor: Principal) -> None:
    """Two fields ask for more than the right to edit, on the form and the API alike."""
    if owner_id != client.owner_id and not actor.can("change_owner", "client"):
        raise DomainError(fields={"owner": _("Your role may not change the owner.")})
    if values.get("stored_limit", client.stored_limit) != client.stored_limit and not actor.reaches_all:
        raise DomainError(fields={"stored_limit": _("Only somebody who reaches all clients may change this.")})


def _require_free_name(client: Client) -> None:
    """Names are unique over all live clients, so the question is asked of all; the answer names nothing else."""
    key = name_key(client.name or "")
    if not key:
        raise DomainError(fields={"name": _("A client needs a name.")})
    query = sa.select(Client.id).where(Client.name_key == key)
    with db.session.no_autoflush, unscoped("names are unique over all clients"):
        taken = db.session.scalar(query.where(Client.id != client.id) if client.id else query)
    if taken:
        raise Clash(fields={"name": _("There is a client “%(name)s” already.", name=client.name)})


def _require_active_user(user_id: int) -> None:
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        raise DomainError(fields={"owner": _("The owner must be an active user.")})


def change_owner(client: Client, user_id: int | None, *, actor: Principal) -> None:
    """Hand the client to somebody who has access to it already; the owner before keeps access, as manager (CLI-09).

    Raises NotAllowed unless the actor is the owner or reaches all; DomainError at "owner" for nobody, an inactive user
    or one without access.
    """
    require_rule(client, actor)
    if user_id is None:
        raise DomainError(fields={"owner": _("A client needs an owner.")})
    _require_active_user(user_id)
    if not reaches(user_id, client.id):
        raise DomainError(fields={"owner": _("This person has no access to the client. Grant access first.")})
    _set_level(client, client.owner_id, AccessLevel.MANAGER)
    _set_level(client, user_id, AccessLevel.OWNER)
    client.owner_id = user_id


def _set_level(client: Client, user_id: int | None, level: AccessLevel) -> None:
    if user_id is None:
        return
    grant = db.session.scalar(
        sa.select(ClientAccess).where(ClientAccess.client_id == client.id, ClientAccess.user_id == user_id)
    )
    if grant is None:
        db.session.add(ClientAccess(client_id=client.id, user_id=user_id, level=level))
    else:
        grant.level = level


def switch_off(client: Client, *, actor: Principal) -> int:
    """Switch a client off: its running campaigns stop, all data stays (CLI-06). Returns how many campaigns stopped."""
    require_rule(client, actor)
    client.active = False
    return stop_all(client.id, reason=CLIENT_SWITCHED_OFF, actor=actor)


def switch_on(client: Client, *, actor: Principal) -> int:
    """Switch a client on again; its campaigns stay stopped until somebody starts them. Returns 0."""
    require_rule(client, actor)
    client.active = True
    return 0


def switched_off(client: Client, *, actor: Principal) -> str:
    """`switch_off` as a verb of lists; tells what stopped."""
    stopped = switch_off(client, actor=actor)
    head = _("%(name)s is switched off.", name=client.name)
    return f"{head} {ngettext('%(num)s campaign stopped.', '%(num)s campaigns stopped.', stopped)}" if stopped else head


def switched_on(client: Client, *, actor: Principal) -> str:
    """`switch_on` as a verb of lists."""
    switch_on(client, actor=actor)
    return _("%(name)s is switched on. Its campaigns stay stopped until somebody starts them.", name=client.name)


def delete_client(client: Client, *, actor: Principal) -> None:
    """Move an inactive client and all that is its own to the trash. Raises DomainError while it is active."""
    require_rule(client, actor)
    if client.active:
        raise DomainError(_("Switch “%(name)s” off before you delete it.", name=client.name))
    with unscoped("a deleted client is in nobody's scope, its belongings go all the same"):
        trash.delete(client, cascade=BELONGINGS, actor=actor)


def restore_client(client: Client, *, actor: Principal) -> None:
    """Bring a client back from the trash with what went along, switched off. Raises Clash when its name is taken."""
    if not rules(client, actor):
        raise NotAllowed(_("Only the owner of “%(name)s” or an admin may do this.", name=client.name))
    _require_free_name(client)
    with unscoped("as in deletion"):
        trash.restore(client, cascade=BELONGINGS)
