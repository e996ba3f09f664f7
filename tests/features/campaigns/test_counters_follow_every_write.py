"""The overview's numbers against an independent count, over random histories (CLI-02 to CLI-06)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import DomainError
from app.core.security.principal import system
from app.core.security.scope import with_deleted
from app.features.campaigns import counters
from app.features.campaigns.enrolling import enrol, record_activity
from app.features.campaigns.enums import CONNECTING, CONTACTING, ActivityKind, CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment, campaign_counter, client_counter
from app.features.campaigns.recount import recount
from app.features.campaigns.services import set_status
from app.features.clients.models import Client
from app.features.clients.services import delete_client, restore_client, switch_off, switch_on
from app.features.contacts.models import Contact
from app.kit import trash
from tests.factories import campaigns, clients, contacts, people

pytestmark = pytest.mark.usefixtures("db")
PICK = st.integers(min_value=0, max_value=10_000)


def stored_counters() -> dict[int, tuple[int, ...]]:
    """{client id: (stored, connected, running campaigns, enrolled, to be contacted)} as maintained."""
    return {row[0]: tuple(row[1:]) for row in db.session.execute(sa.select(client_counter))}


def counted_by_hand() -> dict[int, tuple[int, ...]]:
    """The same from all rows, in plain Python: shares no query with the product."""
    read = db.session.execute
    clients_ = [row.id for row in read(sa.text("SELECT id FROM client"))]
    people_ = list(read(sa.text("SELECT id, client_id, deleted_at, first_action_at FROM contact")))
    work = list(read(sa.text("SELECT id, client_id, deleted_at, status FROM campaign")))
    joined = list(read(sa.text("SELECT contact_id, campaign_id, deleted_at, contacted_at FROM enrolment")))
    live = {row.id for row in people_ if row.deleted_at is None}
    result = {}
    for client_id in clients_:
        own = [row for row in people_ if row.client_id == client_id and row.id in live]
        running = {r.id for r in work if r.client_id == client_id and r.deleted_at is None and r.status == "running"}
        inside = [r for r in joined if r.campaign_id in running and r.deleted_at is None and r.contact_id in live]
        result[client_id] = (
            len(own),
            sum(row.first_action_at is not None for row in own),
            len(running),
            len(inside),
            sum(row.contacted_at is None for row in inside),
        )
    return result


class Histories(RuleBasedStateMachine):
    """Two clients and whatever happens to them; each rule is one transaction."""

    @initialize()
    def begin(self) -> None:
        with system("test"):
            for table in reversed(db.metadata.sorted_tables):
                if not table.name.startswith("ab_"):
                    db.session.execute(sa.delete(table))
            db.session.commit()
            self.clients = [clients.client().id for _ in range(2)]
            db.session.commit()

    def _any(self, model: type[Any], pick: int, *, deleted: bool = False) -> Any:
        """Some row of the model, live or deleted; None when there is none."""
        if not deleted:
            ids = list(db.session.scalars(sa.select(model.id).order_by(model.id)))
            return db.session.get(model, ids[pick % len(ids)]) if ids else None
        with with_deleted():
            rows = db.session.scalars(sa.select(model).where(model.deleted_at.is_not(None)).order_by(model.id)).all()
        return rows[pick % len(rows)] if rows else None

    def _do(self, action: Any) -> None:
        """Run in one transaction; a refusal leaves nothing behind."""
        try:
            action()
            db.session.commit()
        except DomainError:
            db.session.rollback()

    @rule(pick=PICK)
    def store_contact(self, pick: int) -> None:
        with system("test"):
            client = self._any(Client, pick)
            if client:
                self._do(lambda: contacts.contact(client))

    @rule(pick=PICK, many=st.integers(1, 4))
    def insert_in_bulk(self, pick: int, many: int) -> None:
        with system("test"):
            campaign = self._any(Campaign, pick)
            if campaign is None:
                return
            base = {"client_id": campaign.client_id}
            made = db.session.execute(
                sa.insert(Contact.__table__).returning(Contact.__table__.c.id), [base | {"last_name": "Bulk"}] * many
            ).scalars()
            rows = [base | {"campaign_id": campaign.id, "contact_id": i} for i in made]
            db.session.execute(sa.insert(Enrolment.__table__), rows)
            counters.contacts_changed({campaign.client_id: (many, 0)})
            counters.enrolments_changed({campaign.id: (many, many)})
            db.session.commit()

    @rule(pick=PICK, running=st.booleans())
    def make_campaign(self, pick: int, running: bool) -> None:
        with system("test"):
            client = self._any(Client, pick)
            if client:
                self._do(lambda: campaigns.campaign(client, running=running))

    @rule(pick=PICK, many=st.integers(1, 5))
    def enrol(self, pick: int, many: int) -> None:
        with system("test") as actor:
            campaign = self._any(Campaign, pick)
            if campaign is None:
                return
            ids = db.session.scalars(sa.select(Contact.id).where(Contact.client_id == campaign.client_id).limit(many))
            self._do(lambda: enrol(list(ids), campaign, actor=actor))

    @rule(pick=PICK, kind=st.sampled_from(list(ActivityKind)), again=st.booleans())
    def do_something(self, pick: int, kind: ActivityKind, again: bool) -> None:
        with system("test"):
            enrolment = self._any(Enrolment, pick)
            if enrolment is None:
                return
            for _ in range(1 + again):
                record_activity(kind, enrolment.contact, enrolment=enrolment, provider_id=f"{kind}-{enrolment.id}")
            db.session.commit()
            assert kind not in CONTACTING or enrolment.contacted_at is not None
            assert kind not in CONNECTING or enrolment.contact.first_action_at is not None

    @rule(pick=PICK, status=st.sampled_from(list(CampaignStatus)))
    def set_status(self, pick: int, status: CampaignStatus) -> None:
        with system("test") as actor:
            campaign = self._any(Campaign, pick)
            if campaign:
                self._do(lambda: set_status(campaign, status, actor=actor))

    @rule(pick=PICK, on=st.booleans())
    def switch(self, pick: int, on: bool) -> None:
        with system("test") as actor:
            client = self._any(Client, pick)
            if client:
                self._do(lambda: (switch_on if on else switch_off)(client, actor=actor))

    @rule(pick=PICK, model=st.sampled_from([Contact, Campaign, Enrolment, Client]))
    def delete(self, pick: int, model: Any) -> None:
        with system("test") as actor:
            row = self._any(model, pick)
            if row is None:
                return
            if model is Client:
                self._do(lambda: delete_client(row, actor=actor))
            else:
                self._do(lambda: trash.delete(row, cascade=() if model is Enrolment else ("enrolments",), actor=actor))

    @rule(pick=PICK, model=st.sampled_from([Contact, Campaign, Enrolment, Client]))
    def restore(self, pick: int, model: Any) -> None:
        with system("test") as actor:
            row = self._any(model, pick, deleted=True)
            if row is None:
                return
            if model is Enrolment and self._twin(row):
                return
            if model is Client:
                self._do(lambda: restore_client(row, actor=actor))
            else:
                self._do(lambda: trash.restore(row, cascade=() if model is Enrolment else ("enrolments",)))

    def _twin(self, row: Enrolment) -> bool:
        same = (Enrolment.contact_id == row.contact_id, Enrolment.campaign_id == row.campaign_id)
        return db.session.scalar(sa.select(Enrolment.id).where(*same)) is not None

    @rule(pick=PICK)
    def roll_back_a_savepoint(self, pick: int) -> None:
        with system("test"):
            client = self._any(Client, pick)
            if client is None:
                return
            savepoint = db.session.begin_nested()
            contacts.contact(client)
            savepoint.rollback()
            with db.session.begin_nested():
                contacts.contact(client)
            db.session.commit()

    @rule(pick=PICK)
    def change_an_expired_row(self, pick: int) -> None:
        with system("test"):
            contact = self._any(Contact, pick)
            if contact is None:
                return
            db.session.expire(contact)
            contact.first_action_at = utcnow()
            db.session.commit()

    @invariant()
    @precondition(lambda self: hasattr(self, "clients"))
    def numbers_are_true(self) -> None:
        with system("test"):
            assert stored_counters() == counted_by_hand()
            assert recount(check=True) == []

    @invariant()
    @precondition(lambda self: hasattr(self, "clients"))
    def live_enrolments_have_live_parents(self) -> None:
        orphans = db.session.scalar(
            sa.text(
                "SELECT count(*) FROM enrolment e JOIN contact c ON c.id = e.contact_id JOIN campaign k ON k.id = e.campaign_id "
                "WHERE e.deleted_at IS NULL AND (c.deleted_at IS NOT NULL OR k.deleted_at IS NOT NULL)"
            )
        )
        assert orphans == 0
        db.session.rollback()


@pytest.mark.timeout(300)
def test_numbers_stay_true_over_random_histories() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


def test_recount_finds_a_wrong_number_and_sets_it_right() -> None:
    with system("test"):
        client = clients.client()
        contacts.contact(client)
        db.session.commit()
        db.session.execute(sa.update(client_counter).values(stored=7))
        found = recount(check=True)
        assert [(d.table, d.id, d.column, d.expected, d.found) for d in found] == [
            ("client_counter", client.id, "stored", 1, 7)
        ]
        assert recount(check=False) == found
        assert recount(check=True) == []


def test_a_missing_row_is_a_difference() -> None:
    with system("test"):
        campaigns.campaign(clients.client())
        db.session.commit()
        db.session.execute(sa.delete(campaign_counter))
        assert {d.column for d in recount(check=True)} == {"client_id", "running", "enrolled", "untouched"}
        recount(check=False)
        assert recount(check=True) == []


def test_orm_statements_over_many_rows_are_refused() -> None:
    with system("test"):
        clients.client()
        for statement in (
            sa.update(Contact).values(first_action_at=utcnow()),
            sa.insert(Contact).values(client_id=1, last_name="x"),
            sa.delete(Enrolment),
        ):
            with pytest.raises(RuntimeError):
                db.session.execute(statement)


def test_a_live_row_cannot_be_erased() -> None:
    with system("test"):
        contact = contacts.contact(clients.client())
        db.session.delete(contact)
        with pytest.raises(RuntimeError):
            db.session.flush()


def test_deleted_with_both_parents_an_enrolment_returns_with_the_second() -> None:
    with system("test") as actor:
        client = clients.client()
        person, campaign = contacts.contact(client), campaigns.campaign(client)
        enrolment = campaigns.enrolment(person, campaign)
        for first, second in ((person, campaign), (campaign, person)):
            trash.delete(first, cascade=("enrolments",), actor=actor)
            trash.delete(second, cascade=("enrolments",), actor=actor)
            trash.restore(first, cascade=("enrolments",))
            db.session.commit()
            with with_deleted():
                db.session.refresh(enrolment)
            assert enrolment.deleted_at is not None
            trash.restore(second, cascade=("enrolments",))
            db.session.commit()
            db.session.refresh(enrolment)
            assert enrolment.deleted_at is None
            assert people.user("x") is not None
