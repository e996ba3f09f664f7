"""Reading for the Clients overview: a fixed number of queries whatever the number of clients (performance.md).

Clients are read through the ORM, so that row scope and deletion hold; counters and mail health are Core tables joined to
them, and thereby scoped with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from app.core.db import db
from app.core.errors import BadQuery
from app.features.campaigns.enums import AccountState, Severity
from app.features.campaigns.models import MailAccount, MailHealthFinding, client_counter
from app.features.clients.models import Client, ClientAccess, GuestInvitation

_Owner = aliased(User)
_COUNTED = ("stored", "connected", "running_campaigns", "enrolled", "to_be_contacted")
_NUMBERS = {name: sa.func.coalesce(client_counter.c[name], 0) for name in _COUNTED}
_CONTACTED = _NUMBERS["enrolled"] - _NUMBERS["to_be_contacted"]

SORTS: dict[str, tuple[Any, ...]] = {
    "name": (Client.name_key,),
    "owner": (_Owner.first_name, _Owner.last_name),
    "connected": (_NUMBERS["connected"],),
    "stored": (_NUMBERS["stored"],),
    "campaigns": (_NUMBERS["running_campaigns"],),
    "to_be_contacted": (_NUMBERS["to_be_contacted"],),
    "contacted": (_CONTACTED,),
    "progress": (1.0 * _CONTACTED / sa.func.nullif(_NUMBERS["enrolled"], 0),),
    "added": (Client.created_at,),
}


@dataclass(frozen=True)
class Health:
    """Mail accounts of a client: in order, with a warning, disconnected."""

    ok: int = 0
    warn: int = 0
    bad: int = 0


def order(sort: str) -> list[Any]:
    """ORDER BY of `name` or `-name`; BadQuery for what the overview is not sorted by."""
    name, down = sort.lstrip("-"), sort.startswith("-")
    if name not in SORTS:
        raise BadQuery(_("This list cannot be sorted by “%(name)s”.", name=name[:60]))
    ordered = [c.desc().nulls_last() if down else c.asc().nulls_last() for c in SORTS[name]]
    return [*ordered, Client.name_key, Client.id]


def overview_rows(where: Any, sort: str, *, limit: int, offset: int = 0) -> Sequence[Any]:
    """One page: id, name, active, state, created_at, owner_id, first_name, last_name and the counters."""
    query = (
        sa.select(
            Client.id, Client.name, Client.active, Client.state, Client.created_at, Client.owner_id,
            _Owner.first_name, _Owner.last_name, *(value.label(name) for name, value in _NUMBERS.items()),
        )
        .outerjoin(client_counter, client_counter.c.client_id == Client.id)
        .outerjoin(_Owner, _Owner.id == Client.owner_id)
        .where(where)
        .order_by(*order(sort))
        .offset(offset)
        .limit(limit)
    )  # fmt: skip
    return db.session.execute(query).all()


def total(where: Any) -> int:
    """How many clients match."""
    return int(db.session.scalar(sa.select(sa.func.count(Client.id)).where(where)) or 0)


@dataclass(frozen=True)
class Tabs:
    """Clients in reach, and whether some are of the sample agency."""

    active: int = 0
    inactive: int = 0
    sample: bool = False


def tabs() -> Tabs:
    """The numbers on the tabs."""
    sample = sa.func.max(sa.case((Client.sample.is_(True), 1), else_=0))
    rows = db.session.execute(sa.select(Client.active, sa.func.count(Client.id), sample).group_by(Client.active)).all()
    counts = {bool(row[0]): int(row[1]) for row in rows}
    return Tabs(counts.get(True, 0), counts.get(False, 0), any(row[2] for row in rows))


def _tones() -> Any:
    """Every live mail account with its tone: 2 disconnected, 1 with a warning, 0 in order (CLI-11)."""
    account, finding = MailAccount.__table__.c, MailHealthFinding.__table__.c
    worst = (
        sa.select(
            finding.account_id, sa.func.max(sa.case((finding.severity == Severity.RED, 2), else_=1)).label("tone")
        )
        .where(finding.deleted_at.is_(None))
        .group_by(finding.account_id)
        .subquery()
    )
    own = sa.case((account.state == AccountState.DISCONNECTED, 2), (account.state == AccountState.FAILING, 1), else_=0)
    found = sa.func.coalesce(worst.c.tone, 0)
    return (
        sa.select(account.client_id, sa.case((own > found, own), else_=found).label("tone"))
        .select_from(MailAccount.__table__.outerjoin(worst, worst.c.account_id == account.id))
        .where(account.deleted_at.is_(None))
        .subquery()
    )


def health_of(client_ids: Sequence[int]) -> dict[int, Health]:
    """Mail health of these clients, which the caller has read through the scope."""
    if not client_ids:
        return {}
    tones = _tones()
    counts = [sa.func.sum(sa.case((tones.c.tone == tone, 1), else_=0)) for tone in (0, 1, 2)]
    query = sa.select(tones.c.client_id, *counts).where(tones.c.client_id.in_(client_ids)).group_by(tones.c.client_id)
    return {row[0]: Health(*(int(n) for n in row[1:])) for row in db.session.execute(query)}


def has_health(value: str) -> Any:
    """A condition on Client: a disconnected account ("bad"), one with a warning ("warn"), or all in order ("ok")."""
    tones = _tones()
    worst = sa.select(tones.c.client_id).group_by(tones.c.client_id).having(sa.func.max(tones.c.tone) == 0)
    some = sa.select(tones.c.client_id).where(tones.c.tone == {"bad": 2, "warn": 1}.get(value, -1))
    return Client.id.in_(worst if value == "ok" else some)


def accounts_of(client_id: int) -> list[tuple[MailAccount, list[MailHealthFinding]]]:
    """A client's mail accounts, each with its findings, the worst first."""
    accounts = db.session.scalars(
        sa.select(MailAccount).where(MailAccount.client_id == client_id).order_by(MailAccount.address)
    )
    findings: dict[int, list[MailHealthFinding]] = {}
    query = sa.select(MailHealthFinding).where(MailHealthFinding.client_id == client_id)
    for finding in db.session.scalars(query.order_by(MailHealthFinding.severity.desc(), MailHealthFinding.id)):
        findings.setdefault(finding.account_id, []).append(finding)
    return [(account, findings.get(account.id, [])) for account in accounts]


def grants_of(client_id: int) -> list[tuple[ClientAccess, User]]:
    """Who has access, by name."""
    query = (
        sa.select(ClientAccess, User)
        .join(User, User.id == ClientAccess.user_id)
        .where(ClientAccess.client_id == client_id)
    )
    return [
        (grant, user) for grant, user in db.session.execute(query.order_by(User.first_name, User.last_name, User.id))
    ]


def invitations_of(client_id: int) -> list[GuestInvitation]:
    """Who is invited, by address."""
    query = sa.select(GuestInvitation).where(GuestInvitation.client_id == client_id)
    return list(db.session.scalars(query.order_by(GuestInvitation.email)))


def people_without_access(client_id: int, text: str, *, limit: int = 20) -> list[User]:
    """Active users whose name or address contains `text` and who have no access yet."""
    have = sa.select(ClientAccess.user_id).where(ClientAccess.client_id == client_id)
    name = User.first_name + " " + User.last_name
    matches = sa.or_(name.icontains(text, autoescape=True), User.email.icontains(text, autoescape=True))
    query = sa.select(User).where(User.active.is_(True), User.id.not_in(have), matches)
    return list(db.session.scalars(query.order_by(User.first_name, User.last_name, User.id).limit(limit)))


def client_name(client_id: int) -> str:
    """The name of a client in reach, "" for any other."""
    return db.session.scalar(sa.select(Client.name).where(Client.id == client_id)) or ""


def numbers_of(client_id: int) -> Any:
    """The counters of one client as attributes: stored, running_campaigns, to_be_contacted …; the caller has loaded it."""
    query = sa.select(*(number.label(name) for name, number in _NUMBERS.items()))
    return db.session.execute(query.select_from(client_counter).where(client_counter.c.client_id == client_id)).one()
