"""Contacts: what is kept of what was typed, and what is refused."""

from __future__ import annotations

import pytest

from app.core.db import db
from app.core.errors import Clash, DomainError, Missing
from app.core.security.principal import acting_as, system
from app.features.contacts import services
from tests.factories import clients, contacts, people

pytestmark = pytest.mark.usefixtures("db")


def test_a_phone_number_is_read_in_the_clients_country_unless_the_contact_has_one() -> None:
    client = clients.client(country="GB")
    british = contacts.contact(client, phone="020 7946 0018")
    german = contacts.contact(client, phone="030 901820", country="DE")
    odd = contacts.contact(client, phone="123456789012345678")
    assert (british.phone, british.phone_e164) == ("020 7946 0018", "+442079460018")
    assert german.phone_e164 == "+4930901820"
    assert odd.phone_e164 is None


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"first_name": " Ada ", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({"company": "Analytical Engines"}, "Analytical Engines"),
        ({"email": "ada@engines.example"}, "ada@engines.example"),
        ({"phone": "+44 20 7946 0018"}, "+44 20 7946 0018"),
    ],
)
def test_a_contact_is_called_by_the_best_there_is(values: dict[str, str], name: str) -> None:
    client = clients.client()
    with system("test") as actor:
        row = services.create_contact({"client_id": client.id} | values, actor=actor)
        db.session.flush()
    assert row.name == name


def test_the_name_follows_its_parts() -> None:
    row = contacts.contact(clients.client(), first_name="Ada", last_name="Byron")
    with system("test") as actor:
        services.update_contact(row, {"last_name": "Lovelace"}, actor=actor)
        db.session.flush()
    assert row.name == "Ada Lovelace"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "ada@"}, "email"),
        ({"time_zone": "Moon/Sea"}, "time_zone"),
        ({"phone": "call me"}, "phone"),
        ({"last_name": "a\x00b"}, "last_name"),
        ({"first_name": "", "last_name": "", "email": ""}, "last_name"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field(values: dict[str, str], field: str) -> None:
    client = clients.client()
    with system("test") as actor, pytest.raises(DomainError) as refusal:
        services.create_contact({"client_id": client.id, "last_name": "X"} | values, actor=actor)
    assert list(refusal.value.fields) == [field]


def test_an_address_is_unique_within_its_client_whatever_its_case() -> None:
    one, two = clients.client(), clients.client()
    contacts.contact(one, email="Ada@Engines.example")
    with system("test") as actor, pytest.raises(Clash) as refusal:
        services.create_contact({"client_id": one.id, "last_name": "X", "email": "ada@ENGINES.example"}, actor=actor)
    assert list(refusal.value.fields) == ["email"]
    assert contacts.contact(two, email="ada@engines.example").id


def test_a_client_out_of_reach_is_no_client() -> None:
    cast = people.cast()
    client = clients.client(cast)
    with acting_as(cast.acting("outsider")) as actor:
        for client_id in (client.id, 99_999, None):
            with pytest.raises(Missing) as refusal:
                services.create_contact({"client_id": client_id, "last_name": "X"}, actor=actor)
            assert list(refusal.value.fields) == ["client"]


def test_a_contact_stays_with_its_client() -> None:
    row = contacts.contact(clients.client())
    with system("test") as actor, pytest.raises(DomainError):
        services.update_contact(row, {"client_id": clients.client().id}, actor=actor)


def test_who_looks_after_a_contact_needs_access() -> None:
    cast = people.cast()
    client = clients.client(cast)
    with acting_as(cast.acting("owner")) as actor:
        with pytest.raises(DomainError) as refusal:
            services.create_contact(
                {"client_id": client.id, "last_name": "X", "owner_id": cast.outsider.id}, actor=actor
            )
        assert list(refusal.value.fields) == ["owner"]
        row = services.create_contact(
            {"client_id": client.id, "last_name": "X", "owner_id": cast.teammate.id}, actor=actor
        )
    assert row.owner_id == cast.teammate.id
