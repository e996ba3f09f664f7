"""Rows that go along come back along, but never without their other parent (CON-17)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Clash
from app.core.security.principal import system
from app.features.campaigns.models import Campaign, Enrolment
from app.features.campaigns.resources import CAMPAIGNS, ENROLMENTS
from app.features.contacts.resources import CONTACTS
from app.kit import trash, writes
from tests.factories import campaigns, clients, contacts

pytestmark = pytest.mark.both_databases


def live_enrolments(db: Any) -> int:
    return int(db.session.scalar(sa.select(sa.func.count(Enrolment.id))))


def trail(db: Any) -> list[str]:
    query = sa.select(AuditEntry.action).where(AuditEntry.entity == "enrolment").order_by(AuditEntry.id)
    return [action for action in db.session.scalars(query) if action != "update"]


def test_an_enrolment_stays_away_until_contact_and_campaign_are_both_back(app: Any, db: Any) -> None:
    client = clients.client(name="Trash Ltd")
    campaign, contact = campaigns.campaign(client), contacts.contact(client)
    campaigns.enrolment(contact, campaign)
    db.session.commit()
    with system("test") as actor:
        writes.delete(CONTACTS, contact, actor=actor)
        db.session.commit()
        writes.delete(CAMPAIGNS, campaign, actor=actor)
        db.session.commit()
        assert live_enrolments(db) == 0
        writes.restore(CONTACTS, contact, actor=actor)
        db.session.commit()
        assert live_enrolments(db) == 0, "its campaign is still in the trash"
        assert trail(db) == ["create", "delete"], "what did not come back was not restored"
        writes.restore(CAMPAIGNS, campaign, actor=actor)
        db.session.commit()
        assert live_enrolments(db) == 1
        assert trail(db) == ["create", "delete", "restore"]


def test_the_trail_names_only_the_rows_that_came_back(app: Any, db: Any) -> None:
    client = clients.client(name="Trash Ltd")
    contact, gone, live = contacts.contact(client), campaigns.campaign(client), campaigns.campaign(client)
    enrolments = {name: campaigns.enrolment(contact, c).id for name, c in (("gone", gone), ("live", live))}
    db.session.commit()
    with system("test") as actor:
        writes.delete(CONTACTS, contact, actor=actor)
        db.session.commit()
        # Past every listener, so that nothing but the trash itself can notice that this parent is gone.
        db.session.execute(
            sa.update(Campaign.__table__).where(Campaign.__table__.c.id == gone.id).values(deleted_at=utcnow())
        )
        trash.restore(contact, cascade=("enrolments",))
        db.session.commit()
        assert live_enrolments(db) == 1
    query = sa.select(AuditEntry.entity_id).where(AuditEntry.entity == "enrolment", AuditEntry.action == "restore")
    assert list(db.session.scalars(query)) == [enrolments["live"]]


def test_a_row_does_not_come_back_before_what_it_belongs_to(app: Any, db: Any) -> None:
    client = clients.client(name="Trash Ltd")
    contact = contacts.contact(client)
    campaign = campaigns.campaign(client)
    enrolment = campaigns.enrolment(contact, campaign)
    db.session.commit()
    with system("test") as actor, app.test_request_context():
        writes.delete(CONTACTS, contact, actor=actor)
        db.session.commit()
        with pytest.raises(Clash, match="in the trash"):
            writes.restore(ENROLMENTS, enrolment, actor=actor)
