"""Contacts from a file: what the plan says is what happens."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.core.audit import AuditEntry
from app.core.db import db
from app.core.errors import Clash, DomainError
from app.core.notifications import Notification
from app.core.operations import engine
from app.core.operations.states import State
from app.core.security.principal import acting_as, principal_by_id
from app.features.campaigns.models import client_counter
from app.features.clients.models import Client
from app.features.contacts.models import Contact
from app.kit.importing import flow
from tests.factories import contacts
from tests.features.imports import tables
from tests.features.imports.conftest import carried_out, items, plan_of, planned, result_of
from tests.features.imports.tables import HEAD, people

pytestmark = pytest.mark.both_databases


def stored(client_id):
    return db.session.scalar(sa.select(client_counter.c.stored).where(client_counter.c.client_id == client_id)) or 0


@pytest.mark.parametrize("kind", ["xlsx", "csv", "semicolon"])
def test_new_contacts_are_created_with_everything_that_belongs_to_it(world, acting, tmp_path, kind):
    rows = [HEAD, *people(3)]
    if kind == "xlsx":
        file = tables.xlsx(tmp_path / "people.xlsx", rows)
    else:
        file = tables.csv_file(tmp_path / "people.csv", rows, "," if kind == "csv" else ";")
    with acting() as actor:
        operation = planned(actor, file, world.acme)
        assert plan_of(operation) == {"create": 3}
        assert db.session.scalar(sa.select(sa.func.count(Contact.id))) == 0, "nothing is written by a plan"
        operation = carried_out(actor, operation)
        assert operation.state == State.DONE
        assert result_of(operation) == {"create": 3}
        row = db.session.scalars(sa.select(Contact).where(Contact.email == "ada1@byron.example")).one()
        assert (row.name, row.client_id, row.country, row.phone_e164) == (
            "Ada1 Byron1",
            world.acme,
            "DE",
            "+49305550001",
        )
        assert (row.version, row.is_new, row.created_by_id) == (1, True, world.admin)
        assert stored(world.acme) == 3, "the overview's counter follows"
        trail = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.operation_id == operation.id)).all()
        assert [e.action for e in trail] == ["create"] * 3
        assert trail[1].changes["email"] == [None, "ada1@byron.example"]
        told = db.session.scalars(sa.select(Notification)).one()
        assert told.url == f"/imports/{operation.id}"
        assert "3 created" in told.text


def test_an_old_excel_file_is_read_as_well(world, acting, tmp_path):
    file = tables.xls(tmp_path / "p.xls", [HEAD, *people(2)])
    with acting() as actor:
        operation = carried_out(actor, planned(actor, file, world.acme))
        assert result_of(operation) == {"create": 2}


def test_a_phone_without_prefix_is_read_in_the_notation_of_the_client(world, acting, tmp_path):
    file = tables.xlsx(
        tmp_path / "p.xlsx", [["Name", "Mobile"], ["Lena von der Graf", "030 5550142"], ["Graf, Ravi", None]]
    )
    with acting() as actor:
        operation = carried_out(actor, planned(actor, file, world.acme))
        assert result_of(operation) == {"create": 2}
        row = db.session.scalars(sa.select(Contact).where(Contact.first_name == "Lena")).one()
        assert (row.last_name, row.phone, row.phone_e164) == ("von der Graf", "030 5550142", "+49305550142")
        assert db.session.scalars(sa.select(Contact.name).where(Contact.last_name == "Graf")).one() == "Ravi Graf"


def test_existing_contacts_are_found_and_only_empty_fields_are_filled(world, acting, tmp_path):
    with acting() as actor:
        client = db.session.get(Client, world.acme)
        contacts.contact(client, email="Ada1@Byron.example", company="Old Ltd", phone=None)
        contacts.contact(client, first_name="Ada2", last_name="Byron2", email="ada2@byron.example", company="Engine 2",
                         phone="+49 30 5550002", country="DE")  # fmt: skip
        db.session.commit()
        file = tables.xlsx(tmp_path / "p.xlsx", [HEAD, *people(4)])
        operation = planned(actor, file, world.acme)
        assert plan_of(operation) == {"create": 2, "update": 1, "duplicate": 1}
        found = items(operation)
        assert found[3].payload["changes"] == {"phone": [None, "+49 30 5550001"], "country": [None, "DE"]}
        assert found[3].payload["kept"]["company"] == ["Old Ltd", "Engine 1"]
        operation = carried_out(actor, operation)
        assert result_of(operation) == {"create": 2, "update": 1, "duplicate": 1}
        row = db.session.scalars(sa.select(Contact).where(Contact.email_key == "ada1@byron.example")).one()
        assert (row.company, row.phone, row.phone_e164, row.version) == ("Old Ltd", "+49 30 5550001", "+49305550001", 2)
        done = items(operation)[3]
        assert done.before["phone_e164"] is None
        assert done.after["phone_e164"] == "+49305550001", "the image for undo holds derived columns too"
        entry = db.session.scalars(
            sa.select(AuditEntry).where(AuditEntry.entity_id == row.id, AuditEntry.action == "update")
        ).one()
        assert entry.changes["phone"] == [None, "+49 30 5550001"]


def test_the_file_may_win_and_existing_rows_may_be_left_alone(world, acting, tmp_path):
    with acting() as actor:
        contacts.contact(db.session.get(Client, world.acme), email="ada0@byron.example", company="Old Ltd")
        db.session.commit()
        file = tables.xlsx(tmp_path / "p.xlsx", [["E-mail", "Company"], ["ada0@byron.example", "New Ltd"]])
        assert plan_of(planned(actor, file, world.acme, existing="leave")) == {"skip": 1}
        operation = carried_out(actor, planned(actor, file, world.acme, existing="overwrite"))
        assert result_of(operation) == {"update": 1}
        assert db.session.scalars(sa.select(Contact.company)).one() == "New Ltd"


def test_the_same_file_twice_changes_nothing_the_second_time(world, acting, tmp_path):
    file = tables.xlsx(tmp_path / "p.xlsx", [HEAD, *people(5)])
    with acting() as actor:
        carried_out(actor, planned(actor, file, world.acme))
        again = planned(actor, file, world.acme)
        assert plan_of(again) == {"duplicate": 5}
        with pytest.raises(DomainError, match="no row to import"):
            flow.confirm(again, actor, flow.token(again))


def test_two_rows_for_one_person_become_one_contact(world, acting, tmp_path):
    rows = [
        ["E-mail", "Company", "City"],
        ["ada@x.example", "First", None],
        ["bob@x.example", "Bob", None],
        ["ADA@x.example", "Second", "Bern"],
        ["ada@x.example", None, "Bern"],
    ]
    file = tables.xlsx(tmp_path / "p.xlsx", rows)
    with acting() as actor:
        for twins, company, plan in (
            ("fill", "First", {"create": 2, "merge": 1, "duplicate": 1}),
            ("first", "First", {"create": 2, "duplicate": 2}),
            ("last", "Second", {"create": 2, "merge": 1, "duplicate": 1}),
        ):
            operation = planned(actor, file, world.acme, twins=twins)
            assert plan_of(operation) == plan
            operation = carried_out(actor, operation)
            assert result_of(operation) == plan
            row = db.session.scalars(sa.select(Contact).where(Contact.email_key == "ada@x.example")).one()
            assert (row.company, row.city) == (company, None if twins == "first" else "Bern")
            db.session.execute(sa.delete(Contact.__table__))
            db.session.commit()


def test_every_bad_cell_is_named_and_the_good_rows_go_in(world, acting, tmp_path):
    rows = [
        ["E-mail", "Country", "Status", "Owner", "Time zone", "First name"],
        ["good@x.example", "Germany", "Qualified", "admin", "europe/berlin", "=1+1"],
        ["bad@", "DE", None, None, None, "A"],
        ["b@x.example", "Atlantis", None, None, None, "B"],
        ["c@x.example", None, "hot", None, None, "C"],
        ["d@x.example", None, None, "nobody", None, "D"],
        ["e@x.example", None, None, None, "Mars/Base", "E" * 101],
    ]
    with acting() as actor:
        operation = planned(actor, tables.csv_file(tmp_path / "p.csv", rows), world.acme)
        assert plan_of(operation) == {"create": 1, "error": 5}
        found = items(operation)
        assert {n: [e["field"] for e in found[n].payload["errors"]] for n in range(3, 8)} == {
            3: ["email"], 4: ["country"], 5: ["status"], 6: ["owner"], 7: ["time_zone", "first_name"],
        }  # fmt: skip
        assert "“bad@” is not an e-mail address" in found[3].reason
        assert found[3].payload["errors"][0]["value"] == "bad@"
        operation = carried_out(actor, operation)
        assert result_of(operation) == {"create": 1, "error": 5}
        row = db.session.scalars(sa.select(Contact)).one()
        assert (row.status.value, row.owner_id, row.time_zone) == ("qualified", world.admin, "Europe/Berlin")


def test_rows_without_anything_to_be_named_by_are_refused(world, acting, tmp_path):
    file = tables.xlsx(tmp_path / "p.xlsx", [["E-mail", "City"], [None, "Bern"]])
    with acting() as actor:
        operation = planned(actor, file, world.acme)
        assert plan_of(operation) == {"error": 1}


def test_the_client_may_be_named_in_the_file(world, acting, tmp_path):
    rows = [
        ["E-mail", "Client"],
        ["a@x.example", "acme  SOLAR"],
        ["a@x.example", "Beta Dental"],
        ["b@x.example", "Nobody"],
        ["c@x.example", None],
    ]
    file = tables.xlsx(tmp_path / "p.xlsx", rows)
    with acting() as actor:
        operation = carried_out(actor, planned(actor, file, None))
        assert result_of(operation) == {"create": 2, "error": 2}
        assert set(db.session.scalars(sa.select(Contact.client_id))) == {world.acme, world.beta}
        assert "no client “Nobody”" in items(operation)[4].reason


def test_a_foreign_client_is_as_absent_as_an_absent_one(world, acting, tmp_path):
    named = tables.xlsx(
        tmp_path / "n.xlsx", [["E-mail", "Client"], ["a@x.example", "Beta Dental"], ["b@x.example", "Nowhere"]]
    )
    fixed = tables.xlsx(tmp_path / "f.xlsx", [["E-mail"], ["a@x.example"]])
    with acting(world.agent) as actor:
        found = items(planned(actor, named, None))
        assert found[2].reason.replace("Beta Dental", "X") == found[3].reason.replace("Nowhere", "X")
        foreign, absent = (items(planned(actor, fixed, pk))[2].reason for pk in (world.beta, 999_999))
        assert foreign == absent


def test_what_changed_since_the_plan_is_refused(world, acting, tmp_path):
    rows = [["E-mail", "City"], ["a@x.example", "Bern"], ["b@x.example", "Bern"], ["c@x.example", "Bern"]]
    file = tables.xlsx(tmp_path / "p.xlsx", rows)
    with acting() as actor:
        client = db.session.get(Client, world.acme)
        one, two = (contacts.contact(client, email=f"{letter}@x.example").id for letter in "ab")
        db.session.commit()
        operation = planned(actor, file, world.acme)
        assert plan_of(operation) == {"create": 1, "update": 2}
        db.session.get(Contact, one).company = "Meanwhile"
        contacts.contact(db.session.get(Client, world.acme), email="c@x.example")
        db.session.commit()
        operation = carried_out(actor, operation)
        assert result_of(operation) == {"update": 1, "error": 2}
        found = items(operation)
        assert (found[2].reason_code, found[4].reason_code) == ("changed", "changed")
        assert db.session.get(Contact, one, populate_existing=True).city is None
        assert db.session.get(Contact, two, populate_existing=True).city == "Bern"


def test_the_right_is_asked_again_when_it_runs(world, acting, tmp_path):
    from flask_appbuilder.security.sqla.models import Role

    file = tables.xlsx(tmp_path / "p.xlsx", [["E-mail"], ["a@x.example"]])
    with acting(world.agent) as actor:
        operation = planned(actor, file, world.acme)
        flow.confirm(operation, actor, flow.token(operation))
        role = db.session.scalars(sa.select(Role).where(Role.name == "Agent")).one()
        role.permissions = [
            p for p in role.permissions if (p.permission.name, p.view_menu.name) != ("can_add", "contact")
        ]
        db.session.commit()
        pk = operation.id
        engine.work(pk)
        operation = flow.load(pk, actor)
        assert result_of(operation) == {"error": 1}
        assert items(operation)[2].reason_code == "right"


def test_the_scope_is_asked_again_when_it_runs(world, acting, tmp_path):
    from app.features.clients.models import ClientAccess

    file = tables.xlsx(tmp_path / "p.xlsx", [["E-mail"], ["a@x.example"]])
    with acting(world.agent) as actor:
        operation = planned(actor, file, world.acme)
        flow.confirm(operation, actor, flow.token(operation))
        db.session.execute(sa.delete(ClientAccess.__table__).where(ClientAccess.__table__.c.user_id == world.agent))
        db.session.commit()
        pk = operation.id
        engine.work(pk)
        assert items(flow.load(pk, actor))[2].reason_code == "client"
    with acting():
        assert db.session.scalar(sa.select(sa.func.count(Contact.id))) == 0


def test_a_client_at_its_limit_takes_no_more(world, acting, tmp_path):
    file = tables.xlsx(tmp_path / "p.xlsx", [HEAD, *people(4)])
    with acting() as actor:
        db.session.get(Client, world.acme).stored_limit = 3
        db.session.commit()
        operation = planned(actor, file, world.acme)
        assert "4 of 3" in flow.blocked(operation, actor)
        with pytest.raises(DomainError, match="4 of 3"):
            flow.confirm(operation, actor, flow.token(operation))
        db.session.rollback()
        db.session.get(Client, world.acme).stored_limit = 4
        db.session.commit()
        flow.confirm(operation, actor, flow.token(operation))
        db.session.get(Client, world.acme).stored_limit = 3
        db.session.commit()
        pk = operation.id
        engine.work(pk)
        assert result_of(flow.load(pk, actor)) == {"error": 4}, "the limit is asked again when it runs"


def test_a_plan_made_anew_must_be_seen_before_it_is_confirmed(world, acting, tmp_path):
    file = tables.xlsx(tmp_path / "p.xlsx", [HEAD, *people(1)])
    with acting() as actor:
        operation = planned(actor, file, world.acme)
        seen = flow.token(operation)
        flow.save_rules(operation, flow.rules_of(operation).__class__({2: "email"}, world.acme))
        flow.make_plan(operation, at_once=True)
        with pytest.raises(Clash, match="made anew"):
            flow.confirm(operation, actor, seen)


def test_somebody_elses_import_is_not_there(world, acting, tmp_path):
    file = tables.xlsx(tmp_path / "p.xlsx", [HEAD, *people(1)])
    with acting(world.agent) as actor:
        pk = planned(actor, file, world.acme).id
    with acting() as actor, acting_as(principal_by_id(world.admin)):
        from app.core.errors import Missing

        with pytest.raises(Missing):
            flow.load(pk, actor)
