"""Campaigns: the ways between their states, and what starting asks."""

from __future__ import annotations

import itertools

import pytest

from app.core.db import db
from app.core.errors import Clash, DomainError
from app.core.security.principal import system
from app.features.campaigns import services
from app.features.campaigns.enrolling import create_enrolment, enrol, record_activity
from app.features.campaigns.enums import ActivityKind, CampaignStatus
from app.features.campaigns.models import Activity, Enrolment
from app.features.clients.services import switch_off
from tests.factories import campaigns, clients, contacts

pytestmark = pytest.mark.usefixtures("db")

OPEN = {
    ("draft", "running"), ("running", "paused"), ("running", "stopped"), ("running", "completed"),
    ("paused", "running"), ("paused", "stopped"), ("stopped", "running"),
}  # fmt: skip


@pytest.mark.parametrize(("now", "wanted"), list(itertools.product([s.value for s in CampaignStatus], repeat=2)))
def test_a_closed_way_is_refused_naming_both_states(now: str, wanted: str) -> None:
    campaign = campaigns.campaign(clients.client(), running=False)
    campaign.status = CampaignStatus(now)
    db.session.flush()
    with system("test") as actor:
        if (now, wanted) in OPEN:
            services.set_status(campaign, CampaignStatus(wanted), actor=actor)
            assert campaign.status.value == wanted
        else:
            with pytest.raises(DomainError) as refusal:
                services.set_status(campaign, CampaignStatus(wanted), actor=actor)
            for status in (now, wanted):
                assert str(CampaignStatus(status).label) in refusal.value.message
            assert campaign.status.value == now


def test_a_start_is_refused_with_every_reason_at_once() -> None:
    client = clients.client()
    with system("test") as actor:
        campaign = services.create_campaign({"client_id": client.id, "name": "Bare"}, actor=actor)
        db.session.flush()
        switch_off(client, actor=actor)
        with pytest.raises(DomainError) as refusal:
            services.start(campaign, actor=actor)
    assert "switched off" in refusal.value.message
    assert "no step" in refusal.value.message
    assert campaign.status is CampaignStatus.DRAFT


def test_a_running_campaign_keeps_a_step() -> None:
    campaign = campaigns.campaign(clients.client())
    with system("test") as actor:
        (step,) = campaign.steps
        with pytest.raises(DomainError):
            services.delete_step(step, actor=actor)
        services.pause(campaign, actor=actor)
        services.delete_step(step, actor=actor)
        with pytest.raises(DomainError, match="no step"):
            services.start(campaign, actor=actor)


def test_a_name_is_unique_within_its_client() -> None:
    client = clients.client()
    campaigns.campaign(client, name="Autumn")
    with system("test") as actor, pytest.raises(Clash):
        services.create_campaign({"client_id": client.id, "name": "AUTUMN "}, actor=actor)
    assert campaigns.campaign(clients.client(), name="Autumn").id


def test_enrolling_takes_who_belongs_and_is_not_in_yet() -> None:
    one, two = clients.client(), clients.client()
    campaign, mine, other, foreign = (
        campaigns.campaign(one),
        contacts.contact(one),
        contacts.contact(one),
        contacts.contact(two),
    )
    with system("test") as actor:
        enrol([mine.id], campaign, actor=actor)
        done = enrol([mine.id, other.id, foreign.id, 99_999], campaign, actor=actor)
        assert (done.added, done.present, done.unknown) == (1, 1, 2)
        with pytest.raises(Clash):
            create_enrolment({"contact_id": mine.id, "campaign_id": campaign.id}, actor=actor)
        with pytest.raises(DomainError):
            create_enrolment({"contact_id": foreign.id, "campaign_id": campaign.id}, actor=actor)
        services.complete(campaign, actor=actor)
        with pytest.raises(DomainError):
            enrol([mine.id], campaign, actor=actor)


@pytest.mark.parametrize(
    ("kind", "contacted", "connected"),
    [
        (ActivityKind.EMAIL_SENT, True, True),
        (ActivityKind.LINKEDIN_INVITATION, True, True),
        (ActivityKind.LINKEDIN_MESSAGE, True, True),
        (ActivityKind.TASK_DONE, True, True),
        (ActivityKind.TASK_IGNORED, True, False),
        (ActivityKind.ADDRESS_VALIDATED, False, True),
    ],
)
def test_what_counts_as_contacted_and_connected(kind: ActivityKind, contacted: bool, connected: bool) -> None:
    client = clients.client()
    person, campaign = contacts.contact(client), campaigns.campaign(client)
    enrolment = campaigns.enrolment(person, campaign)
    with system("test"):
        record_activity(kind, person, enrolment=enrolment)
    assert (enrolment.contacted_at is not None, person.first_action_at is not None) == (contacted, connected)


def test_the_same_report_twice_is_one_activity() -> None:
    client = clients.client()
    person, campaign = contacts.contact(client), campaigns.campaign(client)
    enrolment = campaigns.enrolment(person, campaign)
    with system("test"):
        first = record_activity(ActivityKind.EMAIL_SENT, person, enrolment=enrolment, provider_id="msg-1")
        again = record_activity(ActivityKind.EMAIL_SENT, person, enrolment=enrolment, provider_id="msg-1")
        assert again.id == first.id
        assert db.session.query(Activity).count() == 1


def test_an_activity_of_another_contacts_enrolment_is_refused() -> None:
    client = clients.client()
    enrolment: Enrolment = campaigns.enrolment(contacts.contact(client), campaigns.campaign(client))
    with system("test"), pytest.raises(DomainError):
        record_activity(ActivityKind.EMAIL_SENT, contacts.contact(client), enrolment=enrolment)
