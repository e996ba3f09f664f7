"""Clients from a file: written by the service, one by one, as the plan foresaw."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.core.db import db
from app.features.clients.models import Client, ClientAccess
from tests.factories import clients
from tests.features.imports import tables
from tests.features.imports.conftest import carried_out, items, plan_of, planned, result_of

pytestmark = pytest.mark.both_databases


def test_new_clients_belong_to_whoever_imports_them(world, acting, tmp_path):
    rows = [
        ["Client name", "Homepage", "Time zone", "Currency", "Telephone", "Country", "Owner"],
        ["Kestrel Cyber", "kestrel.example", "Europe/London", "GBP", "020 7946 0000", "UK", None],
        ["Aldgate", "https://aldgate.example", None, "euro", None, None, "ada@agency.example"],
        ["kestrel  CYBER", None, None, None, None, None, None],
    ]
    file = tables.csv_file(tmp_path / "clients.csv", rows)
    with acting() as actor:
        operation = planned(actor, file, None, "client")
        assert plan_of(operation) == {"create": 2, "duplicate": 1}
        operation = carried_out(actor, operation)
        assert result_of(operation) == {"create": 2, "duplicate": 1}
        kestrel = db.session.scalars(sa.select(Client).where(Client.name == "Kestrel Cyber")).one()
        assert (kestrel.website, kestrel.currency, kestrel.country) == ("https://kestrel.example", "GBP", "GB")
        assert (kestrel.phone_e164, kestrel.owner_id) == ("+442079460000", world.admin)
        aldgate = db.session.scalars(sa.select(Client).where(Client.name == "Aldgate")).one()
        assert (aldgate.owner_id, aldgate.currency) == (world.agent, "EUR")
        grants = {tuple(row) for row in db.session.execute(sa.select(ClientAccess.client_id, ClientAccess.user_id))}
        assert {(kestrel.id, world.admin), (aldgate.id, world.agent)} <= grants, "the owner gets access"


def test_an_existing_client_is_updated_by_name(world, acting, tmp_path):
    file = tables.xls(
        tmp_path / "c.xls", [["Name", "E-mail", "Website"], ["ACME solar", "hello@acme.example", "acme.example"]]
    )
    with acting() as actor:
        operation = carried_out(actor, planned(actor, file, None, "client"))
        assert result_of(operation) == {"update": 1}
        acme = db.session.get(Client, world.acme, populate_existing=True)
        assert (acme.name, acme.email, acme.website) == ("Acme Solar", "hello@acme.example", "https://acme.example")


def test_a_row_without_a_name_and_one_of_a_client_out_of_reach_are_refused(world, acting, tmp_path):
    file = tables.csv_file(tmp_path / "c.csv", [["Name", "E-mail"], ["", "a@x.example"], ["Fine", "b@x.example"]])
    with acting() as actor:
        operation = planned(actor, file, None, "client")
        assert plan_of(operation) == {"create": 1, "error": 1}
        assert items(operation)[2].reason == "Name is needed."
        clients.client(name="Fine")
        db.session.commit()
        assert result_of(carried_out(actor, operation)) == {"error": 2}, "the name was taken meanwhile"


def test_an_owner_without_access_is_foreseen(world, acting, tmp_path):
    file = tables.csv_file(tmp_path / "c.csv", [["Name", "Owner"], ["Beta Dental", "ada"], ["Acme Solar", "ada"]])
    with acting() as actor:
        operation = planned(actor, file, None, "client", existing="overwrite")
        assert plan_of(operation) == {"update": 1, "error": 1}
        assert "no access" in items(operation)[2].reason
        assert result_of(carried_out(actor, operation)) == {"update": 1, "error": 1}
