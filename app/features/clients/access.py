"""Who may work in a client: granting and withdrawing access, inviting guests (CLI-09)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash, DomainError, Missing
from app.core.security.principal import Principal
from app.features.clients.enums import AccessLevel, InvitationState
from app.features.clients.models import Client, ClientAccess, GuestInvitation
from app.features.clients.services import require_rule
from app.kit.forms import check_email


def granted_clients(user_id: int) -> sa.Select[Any]:
    """select(client id) of the live clients with a live grant to this user: what row scope asks (PLT-04)."""
    grant, client = ClientAccess.__table__.c, Client.__table__.c
    return (
        sa.select(grant.client_id)
        .join(Client.__table__, client.id == grant.client_id)
        .where(grant.user_id == user_id, grant.deleted_at.is_(None), client.deleted_at.is_(None))
    )


def grant_access(
    client: Client, user_ids: Iterable[int], *, actor: Principal, level: AccessLevel = AccessLevel.MEMBER
) -> list[ClientAccess]:
    """Give several users access at once; who has it already stays as they are. Returns the new grants.

    Raises NotAllowed, or DomainError for a user who is gone or switched off: then nobody gets access.
    """
    require_rule(client, actor)
    wanted = sorted(set(user_ids))
    active = set(db.session.scalars(sa.select(User.id).where(User.id.in_(wanted), User.active.is_(True))))
    if not wanted or active != set(wanted):
        raise DomainError(fields={"user": _("Choose people who are active users.")})
    have = set(db.session.scalars(sa.select(ClientAccess.user_id).where(ClientAccess.client_id == client.id)))
    made = [ClientAccess(client_id=client.id, user_id=i, level=level) for i in wanted if i not in have]
    db.session.add_all(made)
    db.session.flush()
    return made


def withdraw_access(client: Client, user_ids: Iterable[int], *, actor: Principal) -> int:
    """Take access from several users at once; the owner keeps it. Returns how many lost it."""
    require_rule(client, actor)
    wanted = set(user_ids)
    if client.owner_id in wanted:
        raise DomainError(_("The owner has access by definition. Choose another owner first."))
    query = sa.select(ClientAccess).where(ClientAccess.client_id == client.id, ClientAccess.user_id.in_(wanted))
    grants = list(db.session.scalars(query))
    for grant in grants:
        grant.deleted_at, grant.deleted_by_id = utcnow(), actor.user_id
    db.session.flush()
    return len(grants)


def invite_guest(client: Client, email: str, *, actor: Principal) -> GuestInvitation:
    """Note that a guest is asked into the client; they get access when they accept.

    Raises DomainError for what is no e-mail address, Clash for one that is invited or works here already.
    """
    require_rule(client, actor)
    try:
        address = check_email((email or "").strip()).lower()
    except ValueError as error:
        raise DomainError(fields={"email": str(error)}) from None
    _require_stranger(client, address)
    invitation = GuestInvitation(client_id=client.id, email=address)
    db.session.add(invitation)
    db.session.flush()
    return invitation


def _require_stranger(client: Client, address: str) -> None:
    invited = sa.select(GuestInvitation.id).where(
        GuestInvitation.client_id == client.id, GuestInvitation.email == address
    )
    if db.session.scalar(invited):
        raise Clash(fields={"email": _("%(address)s is invited already.", address=address)})
    grants = sa.select(ClientAccess.user_id).where(ClientAccess.client_id == client.id)
    user = sa.select(User.id).where(sa.func.lower(User.email) == address, User.id.in_(grants))
    if db.session.scalar(user):
        raise Clash(fields={"email": _("%(address)s has access already.", address=address)})


def withdraw_invitation(invitation: GuestInvitation, *, actor: Principal) -> None:
    """Take an invitation back; the address may be invited again."""
    require_rule(invitation.client, actor)
    invitation.state = InvitationState.WITHDRAWN
    invitation.deleted_at, invitation.deleted_by_id = utcnow(), actor.user_id


def create_access(values: Mapping[str, Any], *, actor: Principal) -> ClientAccess:
    """One grant by the generic form. Raises as `grant_access`; Clash when the user has access."""
    client = _client(values.get("client_id"))
    made = grant_access(client, [values["user_id"]], actor=actor, level=_level(values.get("level")))
    if not made:
        raise Clash(fields={"user": _("This person has access already.")})
    return made[0]


def update_access(grant: ClientAccess, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a grant's level; whom and where it is for stays."""
    require_rule(grant.client, actor)
    for name in ("client_id", "user_id"):
        if values.get(name, getattr(grant, name)) != getattr(grant, name):
            raise DomainError(fields={name.removesuffix("_id"): _("Withdraw this access and grant another.")})
    wanted = values.get("level", grant.level)
    if wanted != grant.level:
        if grant.user_id == grant.client.owner_id:
            raise DomainError(fields={"level": _("The owner stays owner. Choose another owner first.")})
        grant.level = _level(wanted)


def delete_access(grant: ClientAccess, *, actor: Principal) -> None:
    """Withdraw one grant."""
    withdraw_access(grant.client, [grant.user_id], actor=actor)


def restore_access(grant: ClientAccess, *, actor: Principal) -> None:
    """Give one withdrawn grant back."""
    require_rule(_client(grant.client_id), actor)
    twin = sa.select(ClientAccess.id).where(
        ClientAccess.client_id == grant.client_id, ClientAccess.user_id == grant.user_id, ClientAccess.id != grant.id
    )
    if db.session.scalar(twin):
        raise Clash(_("This person has access already."))
    grant.deleted_at = grant.deletion_id = grant.deleted_by_id = None


def _level(value: Any) -> AccessLevel:
    """A level a grant can have; the owner's comes with owning."""
    level = AccessLevel(value or AccessLevel.MEMBER)
    if level is AccessLevel.OWNER:
        raise DomainError(fields={"level": _("Change the client's owner instead.")})
    return level


def _client(client_id: int | None) -> Client:
    client = db.session.scalar(sa.select(Client).where(Client.id == client_id))
    if client is None:
        raise Missing(fields={"client": _("Choose a client.")})
    return client
