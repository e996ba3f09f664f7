"""Made-up agencies: the sizes asked for, the same for the same seed, with true counters."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import db
from app.core.security.principal import system
from app.features.campaigns.recount import recount
from app.features.clients import demo
from app.features.clients.access import grant_access
from app.features.clients.commands import demo_command
from tests.factories import campaigns, clients, contacts, people

TABLES = ("client", "contact", "campaign", "enrolment")


def sizes() -> list[int]:
    return [db.session.scalar(sa.text(f"SELECT count(*) FROM {table}")) for table in TABLES]


@pytest.mark.both_databases
@pytest.mark.parametrize(("n", "people_", "joined"), [(1, 0, 0), (7, 100, 300), (40, 333, 500), (3, 1, 2)])
def test_sizes_are_as_asked_and_counters_true(app: Flask, n: int, people_: int, joined: int) -> None:
    with app.app_context(), system("test"):
        demo.generate(clients=n, contacts=people_, enrolments=joined, seed=5)
        db.session.commit()
        assert sizes() == [n, people_, 3 * n, joined]
        assert recount(check=True) == []


@pytest.mark.both_databases
def test_rows_can_be_added_after_it(app: Flask) -> None:
    with app.app_context(), system("test"):
        demo.generate(clients=3, contacts=30, enrolments=30, seed=5)
        db.session.commit()
        client = clients.client()
        campaigns.enrolment(contacts.contact(client), campaigns.campaign(client))
        demo.generate(clients=2, contacts=5, enrolments=5, seed=6)
        db.session.commit()
        assert sizes() == [6, 36, 16, 36]
        assert recount(check=True) == []


def test_the_same_seed_makes_the_same_rows(app: Flask) -> None:
    query = sa.text(
        "SELECT c.name, p.email, e.contacted_at FROM enrolment e JOIN contact p ON p.id = e.contact_id "
        "JOIN client c ON c.id = e.client_id ORDER BY e.id"
    )
    found = []
    with app.app_context(), system("test"):
        for seed in (3, 3, 4):
            demo.generate(clients=5, contacts=50, enrolments=60, seed=seed)
            found.append([tuple(row) for row in db.session.execute(query)])
            db.session.rollback()
    assert found[0] == found[1] != found[2]


def test_the_command_prints_what_it_made_and_refuses_the_impossible(app: Flask) -> None:
    runner = app.test_cli_runner()
    with app.app_context():
        done = runner.invoke(demo_command, ["--clients", "2", "--contacts", "10", "--enrolments", "20"])
        assert json.loads(done.output) == {"clients": 2, "campaigns": 6, "contacts": 10, "enrolments": 20}
        assert runner.invoke(demo_command, ["--clients", "2", "--contacts", "1", "--enrolments", "20"]).exit_code == 2


def test_granting_from_a_factory_cast_is_what_the_product_does(app: Flask) -> None:
    with app.app_context(), system("test") as actor:
        cast = people.cast()
        client = clients.client(cast)
        assert grant_access(client, [cast.teammate.id], actor=actor) == []
