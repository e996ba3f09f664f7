"""The sample agency Northfield: a few clients that show every state, removed with one click.

Its clients carry `sample`, its people have addresses at northfield.example (RFC 2606: nobody's). Nobody knows their
passwords; an admin may give them one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User, assoc_user_role
from werkzeug.security import generate_password_hash

from app.core import audit
from app.core.clock import utcnow
from app.core.db import db
from app.core.security.principal import actor
from app.features.campaigns.enrolling import enrol
from app.features.campaigns.enums import AccountState, ActivityKind, CampaignStatus, FindingKind, Severity, StepKind
from app.features.campaigns.models import Activity, Campaign, Enrolment, MailAccount, MailHealthFinding
from app.features.campaigns.services import CLIENT_SWITCHED_OFF, create_campaign, create_mail_account, create_step
from app.features.clients.access import grant_access, invite_guest
from app.features.clients.demo import chance, person_values
from app.features.clients.models import Client
from app.features.clients.services import create_client
from app.features.contacts.enums import ContactStatus, Interest, LeadStatus
from app.features.contacts.models import Contact, Lead

DOMAIN = "northfield.example"
PEOPLE = (
    ("Marta", "Keller", "Manager"), ("Jonas", "Weil", "Manager"), ("Amina", "Diallo", "Agent"),
    ("Tom", "Ashby", "Agent"), ("Priya", "Raman", "Agent"),
)  # fmt: skip
RUN, DRAFT, PAUSED, STOPPED, COMPLETED = (
    CampaignStatus(s) for s in ("running", "draft", "paused", "stopped", "completed")
)


@dataclass(frozen=True)
class Sketch:
    """A client to make. `campaigns`: (name, status, enrolled, contacted); `boxes`: mailbox names with what is wrong."""

    name: str
    owner: str
    added: tuple[int, int, int]
    people: int
    campaigns: tuple[tuple[str, CampaignStatus, int, int], ...] = ()
    boxes: tuple[tuple[str, str], ...] = (("hello", ""),)
    zone: str = "Europe/London"
    country: str = "GB"
    active: bool = True


SKETCHES = (
    Sketch("Aldgate Dental Group", "Marta", (2024, 3, 12), 60,
           (("New patients", RUN, 40, 25), ("Check-up reminder", RUN, 20, 11), ("Whitening offer", PAUSED, 15, 4)),
           (("hello", ""), ("reception", ""), ("billing", ""))),
    Sketch("Bergmann Solar", "Jonas", (2023, 9, 4), 80, (("Roof check", RUN, 50, 25), ("Battery upgrade", RUN, 30, 15)),
           (("info", ""), ("vertrieb", ""), ("service", ""), ("team", "")), "Europe/Berlin", "DE"),
    Sketch("Calder & Wren Architects", "Marta", (2025, 1, 19), 50, (("Studio visits", RUN, 30, 28), ("Open house", RUN, 20, 19)),
           (("hello", "password"), ("studio", "spf"), ("team", "young"), ("bookings", ""))),
    Sketch("Dunmore Logistics", "Amina", (2024, 6, 27), 55, (("Fleet survey", RUN, 45, 24), ("Winter rates", COMPLETED, 30, 30)),
           (("sales", ""), ("ops", ""))),
    Sketch("Ferrante Coffee Roasters", "Tom", (2025, 10, 8), 25, (("Cupping evening", DRAFT, 0, 0),), (("ciao", ""),),
           "Europe/Rome", "IT"),
    Sketch("Halden Marine Insurance", "Jonas", (2024, 2, 15), 45, (("Renewals", RUN, 40, 7),),
           (("post", "dmarc"), ("claims", ""), ("sales", ""), ("press", "")), "Europe/Oslo", "NO"),
    Sketch("Ivory Lane Interiors", "Priya", (2025, 5, 30), 20, (("Showroom opening", RUN, 0, 0),)),
    Sketch("Juniper HR Consulting", "Amina", (2024, 11, 2), 50, (("Payroll webinar", RUN, 45, 40),), (("hr", "dkim"),)),
    Sketch("Larkfield Schools Trust", "Marta", (2025, 4, 21), 15, (("Open day", STOPPED, 12, 5),), active=False),
)  # fmt: skip

_PLACES = {
    "GB": ("en", "GBP", "London"), "DE": ("de", "EUR", "Leipzig"), "IT": ("it", "EUR", "Bologna"), "NO": ("nb", "NOK", "Bergen"),
}  # fmt: skip
_WRONG: dict[str, tuple[FindingKind, Severity, str, str, str]] = {
    "password": (
        FindingKind.CONNECTION,
        Severity.RED,
        "Disconnected.",
        "The server refused the password (535 5.7.8).",
        "",
    ),
    "spf": (FindingKind.SPF, Severity.ORANGE, "No SPF record.", "Add", "v=spf1 include:_spf.mail.example ~all"),
    "dkim": (FindingKind.DKIM, Severity.ORANGE, "No DKIM key.", "Publish the key of your mail provider.", ""),
    "dmarc": (FindingKind.DMARC, Severity.ORANGE, "No DMARC record.", "Add", "v=DMARC1; p=none"),
    "young": (
        FindingKind.DOMAIN_AGE,
        Severity.ORANGE,
        "Domain is 12 days old.",
        "Keep below 20 mails a day for a month.",
        "",
    ),
}


def was_made() -> bool:
    """Whether the sample was made here before, even if it is gone, or somebody has clients of their own."""
    trail = sa.select(audit.AuditEntry.id).where(audit.AuditEntry.entity == "sample")
    client = sa.select(Client.__table__.c.id)
    return any(db.session.execute(query.limit(1)).first() is not None for query in (trail, client))


def make() -> str:
    """Make the sample in the current transaction. No commit. Returns what was made, in a few words."""
    people = {first: _user(first, last, role) for first, last, role in PEOPLE}
    for number, sketch in enumerate(SKETCHES):
        _client(sketch, people, number)
    audit.record([audit.entry("create", "sample", 0, title="Northfield")])
    return f"{len(SKETCHES)} clients"


def _user(first: str, last: str, role: str) -> User:
    address = f"{first}.{last}@{DOMAIN}".lower()
    known = db.session.scalar(sa.select(User).where(User.email == address))
    if known is not None:
        return known
    unknown = generate_password_hash(secrets.token_urlsafe(32))
    roles = list(db.session.scalars(sa.select(Role).where(Role.name == role)))
    user = User(
        first_name=first, last_name=last, username=address, email=address, active=True, password=unknown, roles=roles
    )
    db.session.add(user)
    db.session.flush()
    return user


def _client(sketch: Sketch, people: dict[str, User], number: int) -> None:
    added = datetime(*sketch.added, 10, tzinfo=UTC)
    values = {
        "name": sketch.name,
        "owner_id": people[sketch.owner].id,
        "time_zone": sketch.zone,
        "country": sketch.country,
    }
    client = create_client(values, actor=actor())
    client.sample, client.created_at = True, added
    db.session.flush()
    others = [user.id for first, user in people.items() if first in ("Tom", "Priya") and first != sketch.owner]
    grant_access(client, others, actor=actor())
    if number % 3 == 2:
        invite_guest(client, f"guest@{_domain(sketch)}", actor=actor())
    contacts = _contacts(client, sketch, number)
    for name, status, enrolled, contacted in sketch.campaigns:
        _campaign(client, name, status, contacts[:enrolled], contacted)
    for box, wrong in sketch.boxes:
        _mailbox(client, f"{box}@{_domain(sketch)}", wrong)
    _leads(client, contacts)
    client.active = sketch.active
    db.session.flush()


def _domain(sketch: Sketch) -> str:
    return "-".join(word for word in sketch.name.lower().split() if word.isalpha()) + ".example"


def _contacts(client: Client, sketch: Sketch, number: int) -> list[Contact]:
    rng, statuses, interests = chance(number), list(ContactStatus), list(Interest)
    made = []
    for index in range(sketch.people):
        values = person_values(rng, index + 1)
        contact = Contact(client_id=client.id, owner_id=client.owner_id, source="sample", **values)
        contact.status, contact.interest = (
            statuses[(0, 1, 0, 2, 1, 3, 4)[index % 7]],
            interests[(0, 0, 1, 2, 0, 3)[index % 6]],
        )
        contact.is_new = contact.status is ContactStatus.NEW
        made.append(contact)
    db.session.add_all(made)
    db.session.flush()
    return made


def _campaign(client: Client, name: str, status: CampaignStatus, contacts: list[Contact], contacted: int) -> None:
    campaign = create_campaign({"client_id": client.id, "name": name}, actor=actor())
    db.session.flush()
    for kind, subject, delay in (
        (StepKind.EMAIL, "A short question", 0), (StepKind.EMAIL, "One more thought", 72), (StepKind.CALL, None, 48),
    ):  # fmt: skip
        values = {"campaign_id": campaign.id, "kind": kind, "subject": subject, "delay_hours": delay}
        create_step(values, actor=actor())
        db.session.flush()
    enrol([contact.id for contact in contacts], campaign, actor=actor())
    campaign.status = status
    campaign.status_reason = CLIENT_SWITCHED_OFF if status is STOPPED else None
    campaign.started_at = None if status is DRAFT else utcnow() - timedelta(days=20)
    _do(campaign, contacts[:contacted])


def _do(campaign: Campaign, contacts: list[Contact]) -> None:
    """E-mails sent to these contacts over the last days, and some answers to tasks."""
    query = sa.select(Enrolment).where(Enrolment.campaign_id == campaign.id)
    enrolments = {row.contact_id: row for row in db.session.scalars(query)}
    for index, contact in enumerate(contacts):
        at = utcnow() - timedelta(hours=6 * index + 1)
        kind = ActivityKind.TASK_DONE if index % 9 == 8 else ActivityKind.EMAIL_SENT
        enrolment = enrolments[contact.id]
        enrolment.contacted_at, enrolment.position = at, 1
        contact.first_action_at = contact.first_action_at or at
        contact.last_activity_at = max(contact.last_activity_at or at, at)
        db.session.add(
            Activity(client_id=campaign.client_id, contact_id=contact.id, enrolment_id=enrolment.id, campaign_id=campaign.id,
                     kind=kind, at=at)
        )  # fmt: skip
    db.session.flush()


def _mailbox(client: Client, address: str, wrong: str) -> None:
    account: MailAccount = create_mail_account({"client_id": client.id, "address": address}, actor=actor())
    account.last_checked_at = utcnow() - timedelta(minutes=5)
    account.state = AccountState.DISCONNECTED if wrong == "password" else AccountState.CONNECTED
    db.session.flush()
    if wrong:
        kind, severity, text, remedy, record = _WRONG[wrong]
        db.session.add(
            MailHealthFinding(client_id=client.id, account_id=account.id, kind=kind, severity=severity, text=text, remedy=remedy,
                              record=record or None)
        )  # fmt: skip


def _leads(client: Client, contacts: list[Contact]) -> None:
    for index, contact in enumerate(contacts[:3]):
        state = LeadStatus.MERGED if index else LeadStatus.NEW
        payload: dict[str, Any] = {"message": "Please call me back", "newsletter": bool(index)}
        db.session.add(
            Lead(client_id=client.id, name=contact.name, email=contact.email, form="Contact form", source="Website", status=state,
                 payload=payload, contact_id=contact.id if index else None)
        )  # fmt: skip


def sizes() -> tuple[int, int]:
    """(sample clients, contacts they hold), those in the trash included."""
    mine = _sample_ids()
    contact = Contact.__table__.c
    n = db.session.execute(sa.select(sa.func.count()).select_from(mine.subquery())).scalar_one()
    people = db.session.execute(sa.select(sa.func.count()).where(contact.client_id.in_(mine))).scalar_one()
    return n, people


def _sample_ids() -> Any:
    client = Client.__table__.c
    return sa.select(client.id).where(client.sample.is_(True))


def remove() -> int:
    """Erase the sample: its clients with all rows of theirs in every table, and its people who own nothing else and never
    signed in. No commit. Returns how many clients went. A second time there is nothing left to do.
    """
    mine = sorted(db.session.execute(_sample_ids()).scalars())
    for table in reversed(db.metadata.sorted_tables):
        if any(key.target_fullname == "client.id" for key in table.foreign_keys):
            _erase(table, mine)
    db.session.execute(sa.delete(Client.__table__).where(Client.__table__.c.id.in_(mine)))
    _remove_people()
    audit.record([audit.entry("erase", "sample", 0, title="Northfield")])
    db.session.expire_all()
    return len(mine)


def _erase(table: sa.Table, client_ids: list[int]) -> None:
    column = next(key.parent for key in table.foreign_keys if key.target_fullname == "client.id")
    db.session.execute(sa.delete(table).where(column.in_(client_ids)))


def _remove_people() -> None:
    client = Client.__table__.c
    owners = sa.select(client.owner_id).where(client.owner_id.is_not(None))
    unused = sa.select(User.id).where(
        User.email.endswith(f"@{DOMAIN}"), User.last_login.is_(None), User.id.not_in(owners)
    )
    ids = list(db.session.scalars(unused))
    db.session.execute(sa.delete(assoc_user_role).where(assoc_user_role.c.user_id.in_(ids)))
    db.session.execute(sa.delete(User.__table__).where(User.__table__.c.id.in_(ids)))
