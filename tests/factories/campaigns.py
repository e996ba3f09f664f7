"""Campaigns, enrolments, mail accounts."""

from __future__ import annotations

from itertools import count
from typing import Any

from app.core.db import db
from app.core.security.principal import system
from app.features.campaigns.enrolling import enrol
from app.features.campaigns.enums import AccountState, CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment, MailAccount
from app.features.campaigns.services import create_campaign, create_mail_account, create_step, set_status
from app.features.clients.models import Client
from app.features.contacts.models import Contact

_serial = count(1)


def campaign(client: Client, *, running: bool = True, **values: Any) -> Campaign:
    """A campaign with one e-mail step, running unless said otherwise."""
    values.setdefault("name", f"Campaign {next(_serial)}")
    with system("factory") as actor:
        row = create_campaign({"client_id": client.id} | values, actor=actor)
        db.session.flush()
        create_step({"campaign_id": row.id, "subject": "Hello"}, actor=actor)
        db.session.flush()
        if running:
            set_status(row, CampaignStatus.RUNNING, actor=actor)
            db.session.flush()
    return row


def enrolment(contact: Contact, campaign: Campaign) -> Enrolment:
    """One contact in one campaign."""
    with system("factory") as actor:
        enrol([contact.id], campaign, actor=actor)
        return db.session.query(Enrolment).filter_by(contact_id=contact.id, campaign_id=campaign.id).one()


def mail_account(client: Client, **values: Any) -> MailAccount:
    """A connected mailbox."""
    values.setdefault("address", f"box{next(_serial)}@client.example")
    with system("factory") as actor:
        row = create_mail_account({"client_id": client.id, "state": AccountState.CONNECTED} | values, actor=actor)
        db.session.flush()
    return row
