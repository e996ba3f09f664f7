"""Every ORM write leaves a trail in the same transaction (PLT-10); nothing leaves before commit."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.core import audit, events
from app.core.audit import AuditEntry
from app.core.security.principal import acting_as, system
from app.features.contacts.models import Contact
from app.kit import trash
from tests.factories import clients, contacts
from tests.factories.people import cast


@pytest.fixture
def contact(db: Any) -> Any:
    people = cast()
    row = contacts.contact(clients.client(people), first_name="Ada", company="Old Ltd")
    db.session.commit()
    row.people = people
    return row


def trail(db: Any, row: Any) -> list[AuditEntry]:
    query = sa.select(AuditEntry).where(AuditEntry.entity == "contact", AuditEntry.entity_id == row.id)
    return list(db.session.scalars(query.order_by(AuditEntry.id)))


def test_a_change_says_who_changed_what_from_what_to_what(db: Any, contact: Any) -> None:
    with acting_as(contact.people.acting("teammate")), audit.because("on the telephone", operation_id=7):
        contact.company = "New Ltd"
        db.session.commit()
    entry = trail(db, contact)[-1]
    assert (entry.action, entry.user_id, entry.actor) == ("update", contact.people.teammate.id, "Teammate Test")
    assert entry.changes == {"company": ["Old Ltd", "New Ltd"]}
    assert (entry.reason, entry.operation_id, entry.client_id) == ("on the telephone", 7, contact.client_id)


def test_saving_without_a_change_leaves_no_entry(db: Any, contact: Any) -> None:
    before = len(trail(db, contact))
    with system("test"):
        contact.company = "Old Ltd"
        db.session.commit()
    assert len(trail(db, contact)) == before


def test_a_rolled_back_change_leaves_no_entry(db: Any, contact: Any) -> None:
    before = len(trail(db, contact))
    with system("test"):
        contact.company = "Never Ltd"
        db.session.flush()
        db.session.rollback()
    assert len(trail(db, contact)) == before


def test_deleting_and_restoring_are_told_apart_from_changes(db: Any, contact: Any) -> None:
    with system("test") as actor:
        trash.delete(contact, cascade=("enrolments",), actor=actor)
        db.session.commit()
        trash.restore(contact, cascade=("enrolments",))
        db.session.commit()
    assert [e.action for e in trail(db, contact)] == ["create", "delete", "restore"]


def test_redacted_columns_keep_their_values_to_themselves(db: Any, contact: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(Contact, "__audit_redact__", frozenset({"company"}))
    with system("test"):
        contact.company = "Secret Ltd"
        db.session.commit()
    assert trail(db, contact)[-1].changes == {"company": [audit.REDACTED, audit.REDACTED]}


def test_times_and_users_are_stamped_outside_a_request_too(db: Any, contact: Any) -> None:
    assert contact.created_at is not None
    before = contact.updated_at
    with acting_as(contact.people.acting("owner")):
        contact.company = "Stamped Ltd"
        db.session.commit()
    assert contact.updated_by_id == contact.people.owner.id
    assert contact.updated_at > before
    assert contact.version == 2


def test_what_waits_for_the_commit_runs_after_it_and_once(db: Any, contact: Any) -> None:
    sent: list[str] = []
    with system("test"):
        contact.company = "Committed Ltd"
        events.after_commit(lambda: sent.append("mail"), once="mail")
        events.after_commit(lambda: sent.append("mail again"), once="mail")
        db.session.flush()
        assert sent == []
        db.session.commit()
        db.session.commit()
    assert sent == ["mail"]


def test_what_waits_for_a_commit_that_fails_never_leaves(db: Any, contact: Any) -> None:
    sent: list[str] = []
    with system("test"):
        contact.company = "Lost Ltd"
        events.after_commit(lambda: sent.append("mail"))
        db.session.rollback()
        contact.company = "Kept Ltd"
        db.session.commit()
    assert sent == []


def test_a_failing_message_does_not_stop_the_others(db: Any, contact: Any) -> None:
    sent: list[str] = []

    def fail() -> None:
        raise OSError("the line is cut")

    with system("test"):
        contact.company = "Sent Ltd"
        events.after_commit(fail)
        events.after_commit(lambda: sent.append("second"))
        db.session.commit()
    assert sent == ["second"]
