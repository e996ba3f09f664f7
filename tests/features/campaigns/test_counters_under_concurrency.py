"""Counters while several transactions write the same clients: exact, and nobody waits in a circle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import db
from app.core.security.principal import system
from app.features.campaigns.enrolling import enrol, record_activity
from app.features.campaigns.enums import ActivityKind, CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment
from app.features.campaigns.recount import recount
from app.features.clients.models import Client
from app.features.contacts.models import Contact
from tests.factories import campaigns, clients


def work(app: Flask, seed: int) -> None:
    """Transactions that touch two clients and their campaigns in any order."""
    rng = Random(seed)
    for turn in range(8):
        with app.app_context(), system("test") as actor:
            for client_id in rng.sample([1, 2], 2):
                ids = list(db.session.scalars(sa.select(Campaign.id).where(Campaign.client_id == client_id)))
                person = Contact(client_id=client_id, last_name=f"T{seed}-{turn}")
                db.session.add(person)
                db.session.flush()
                for campaign_id in rng.sample(ids, 2):
                    campaign = db.session.get(Campaign, campaign_id)
                    enrol([person.id], campaign, actor=actor)
                enrolment = db.session.scalars(
                    sa.select(Enrolment).where(Enrolment.contact_id == person.id).limit(1)
                ).one()
                record_activity(ActivityKind.EMAIL_SENT, person, enrolment=enrolment)
            db.session.commit()


@pytest.mark.both_databases
def test_concurrent_writers_keep_the_numbers_true(app: Flask) -> None:
    with app.app_context():
        for _ in range(2):
            client = clients.client()
            for running in (True, True, False):
                campaigns.campaign(client, running=running)
        db.session.commit()
        assert sorted(db.session.scalars(sa.text("SELECT id FROM client"))) == [1, 2]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, app, seed) for seed in range(4)]:
            done.result()
    with app.app_context(), system("test"):
        assert db.session.scalar(sa.select(sa.func.count(Enrolment.id))) == 4 * 8 * 2 * 2
        assert recount(check=True) == []
        campaign = db.session.scalars(sa.select(Campaign).where(Campaign.status == CampaignStatus.RUNNING)).first()
        assert campaign is not None and db.session.get(Client, campaign.client_id) is not None
