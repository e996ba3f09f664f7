"""The row expander as data (CLI-09); what the template gets is told in templates/clients/_expander.html."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from app.core.security.principal import Principal
from app.features.campaigns.enums import AccountState, Severity
from app.features.campaigns.models import MailAccount, MailHealthFinding
from app.features.clients import queries
from app.features.clients.models import Client
from app.features.clients.overview import BASE, Person, person
from app.features.clients.services import rules
from app.kit.cells import cell
from app.kit.fields import field_of, user_name
from app.kit.pages import Fact, Link
from app.kit.template_globals import initials, relative

_TONES = {AccountState.CONNECTED: "ok", AccountState.FAILING: "warn", AccountState.DISCONNECTED: "bad"}
_ICONS = {"bad": "plug-connected-x", "warn": "alert-triangle", "ok": "circle-check"}


@dataclass(frozen=True)
class Account:
    address: str
    url: str
    tone: str
    icon: str
    headline: str
    text: str
    code: str = ""
    action: Link | None = None


@dataclass(frozen=True)
class Access:
    id: int
    name: str
    initials: str
    label: str
    guest: bool
    revoke_url: str


@dataclass
class Expander:
    id: int
    name: str
    owner: Person | None
    owner_options: list[Person]
    owner_url: str
    can_change_owner: bool
    owner_hint: str
    facts: list[Fact]
    record_url: str
    accounts: list[Account]
    checked_text: str
    people: list[Access]
    can_grant: bool
    grant_url: str
    grant_choices_url: str
    can_invite: bool
    invite_url: str
    row_url: str
    check_now: Link | None = None
    errors: list[str] = field(default_factory=list)


def build(client: Client, principal: Principal) -> Expander:
    """Owner, mail accounts, people with access and guests of one client."""
    url, ruling = f"{BASE}{client.id}", rules(client, principal)
    grants, accounts = queries.grants_of(client.id), queries.accounts_of(client.id)
    may_grant = ruling and principal.can("grant", "client")
    may_hand_over = ruling and principal.can("change_owner", "client")
    return Expander(
        id=client.id, name=client.name, owner=_person(client.owner) if client.owner else None,
        owner_options=_owner_options(client, grants, principal), owner_url=f"{url}/owner", can_change_owner=may_hand_over,
        owner_hint="" if may_hand_over else _("The owner or an agency admin can change this."),
        facts=_facts(client), record_url=url, accounts=_worst_first([_account(a, f) for a, f in accounts]),
        checked_text=_checked([a for a, _findings in accounts]),
        people=[*_people(client, grants, may_grant), *_guests(client, may_grant)],
        can_grant=may_grant, grant_url=f"{url}/access", grant_choices_url=f"{url}/people", can_invite=may_grant,
        invite_url=f"{url}/invite", row_url=f"{url}/row",
    )  # fmt: skip


def _person(user: Any) -> Person:
    found = person(user.id, user.first_name, user.last_name)
    assert found is not None
    return found


def _owner_options(client: Client, grants: Any, principal: Principal) -> list[Person]:
    """Those who have access, and an admin who looks: who else is chosen is refused with the reason."""
    people = {user.id: _person(user) for _grant, user in grants if user.is_active}
    if client.owner is not None:
        people.setdefault(client.owner.id, _person(client.owner))
    if principal.reaches_all and principal.user_id:
        first, _space, last = principal.name.partition(" ")
        mine = person(principal.user_id, first, last)
        people.setdefault(principal.user_id, mine)  # type: ignore[arg-type]
    return sorted(people.values(), key=lambda p: p.name.casefold())


def _facts(client: Client) -> list[Fact]:
    fields = [field_of(Client, name) for name in ("time_zone", "language", "country", "phone", "email")]
    found = [Fact(f.name, str(f.label), cell(f, client)) for f in fields]
    return [fact for fact in found if fact.cell.text]


def _account(account: MailAccount, findings: list[MailHealthFinding]) -> Account:
    """The worst that is known of it: what was found with its remedy, or its own state."""
    worst = findings[0] if findings else None
    tone = _TONES[account.state]
    if worst is None or (tone == "bad" and worst.severity is not Severity.RED):
        limit = _("At most %(n)s mails a day.", n=account.daily_limit)
        headline, text, code = f"{account.state.label}.", limit if tone == "ok" else account.last_error or "", ""
    else:
        tone = "bad" if worst.severity is Severity.RED else "warn"
        headline, text, code = worst.text, worst.remedy or "", worst.record or ""
    return Account(account.address, f"/mail-accounts/{account.id}", tone, _ICONS[tone], headline, text, code)


def _worst_first(accounts: list[Account]) -> list[Account]:
    return sorted(accounts, key=lambda account: list(_ICONS).index(account.tone))


def _checked(accounts: list[MailAccount]) -> str:
    moments = [account.last_checked_at for account in accounts if account.last_checked_at]
    return _("Checked %(when)s", when=relative(min(moments))) if moments else ""


def _people(client: Client, grants: Any, may_grant: bool) -> list[Access]:
    found = []
    for grant, user in grants:
        owns, name = user.id == client.owner_id, user_name(user)
        revoke = f"{BASE}{client.id}/access/withdraw?user_id={user.id}" if may_grant and not owns else ""
        label = str(grant.level.label) if user.is_active else _("Switched off")
        found.append(Access(user.id, name, initials(name), label, False, revoke))
    return sorted(found, key=lambda access: access.id != client.owner_id)


def _guests(client: Client, may_grant: bool) -> list[Access]:
    found = []
    for invitation in queries.invitations_of(client.id):
        revoke = f"{BASE}{client.id}/invitations/{invitation.id}/withdraw" if may_grant else ""
        email = invitation.email
        found.append(Access(invitation.id, email, email[:1].upper(), str(invitation.state.label), True, revoke))
    return found
