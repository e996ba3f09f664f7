"""Clients: what is refused, who decides, what switching off does (CLI-06, CLI-09, CLI-12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.db import db
from app.core.errors import Clash, DomainError, NotAllowed
from app.core.security.principal import acting_as, system
from app.core.security.scope import with_deleted
from app.features.campaigns.enums import CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment
from app.features.clients import access, services
from app.features.clients.enums import AccessLevel
from app.features.clients.models import Client, ClientAccess
from app.features.contacts.models import Contact
from app.kit import trash
from tests.factories import campaigns, clients, contacts, people

pytestmark = pytest.mark.usefixtures("db")


def level(client: Client, user_id: int) -> AccessLevel | None:
    query = sa.select(ClientAccess.level).where(ClientAccess.client_id == client.id, ClientAccess.user_id == user_id)
    return db.session.scalar(query)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"email": "nobody"}, "email"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"country": "XX"}, "country"),
        ({"currency": "QQQ"}, "currency"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field(values: dict[str, str], field: str) -> None:
    with system("test") as actor, pytest.raises(DomainError) as refusal:
        services.create_client({"name": "Aldgate"} | values, actor=actor)
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("name", ["Café Noir", "CAFÉ NOIR", "  café   noir "])
def test_a_name_is_taken_whatever_its_case_and_spaces(name: str) -> None:
    with system("test") as actor:
        clients.client(name="Café Noir")
        with pytest.raises(Clash) as refusal:
            services.create_client({"name": name}, actor=actor)
        assert "name" in refusal.value.fields


def test_a_name_is_taken_by_a_client_out_of_sight_too() -> None:
    cast = people.cast()
    clients.client(cast, name="Aldgate")
    with acting_as(cast.acting("outsider")) as actor, pytest.raises(Clash):
        services.create_client({"name": "aldgate"}, actor=actor)


def test_a_deleted_clients_name_is_free_and_blocks_its_return() -> None:
    with system("test") as actor:
        gone = clients.client(name="Aldgate")
        services.switch_off(gone, actor=actor)
        services.delete_client(gone, actor=actor)
        clients.client(name="Aldgate")
        with with_deleted(), pytest.raises(Clash):
            services.restore_client(gone, actor=actor)


def test_who_adds_a_client_owns_and_sees_it() -> None:
    cast = people.cast()
    with acting_as(cast.acting("outsider")) as actor:
        client = services.create_client({"name": "Bergmann"}, actor=actor)
        db.session.flush()
        assert client.owner_id == cast.outsider.id
        assert level(client, cast.outsider.id) is AccessLevel.OWNER
        assert list(db.session.scalars(sa.select(Client))) == [client]


def test_an_owner_must_be_an_active_user() -> None:
    asleep = people.user("Asleep", active=False)
    with system("test") as actor:
        for owner_id in (asleep.id, 99_999):
            with pytest.raises(DomainError) as refusal:
                services.create_client({"name": "Aldgate", "owner_id": owner_id}, actor=actor)
            assert list(refusal.value.fields) == ["owner"]


def test_an_owner_without_access_is_refused() -> None:
    cast = people.cast()
    client = clients.client(cast)
    may_hand_over = replace(cast.acting("owner"), permissions=frozenset({("can_change_owner", "client")}))
    with acting_as(may_hand_over) as actor:
        with pytest.raises(DomainError, match="no access") as refusal:
            services.update_client(client, {"owner_id": cast.outsider.id}, actor=actor)
        assert list(refusal.value.fields) == ["owner"]
        assert client.owner_id == cast.owner.id


@pytest.mark.parametrize(("field", "value"), [("owner_id", "teammate"), ("stored_limit", 999)])
def test_owner_and_limit_ask_for_more_than_the_right_to_edit(field: str, value: Any) -> None:
    cast = people.cast()
    client = clients.client(cast)
    wanted = getattr(cast, value).id if field == "owner_id" else value
    with acting_as(cast.acting("owner")) as actor:
        with pytest.raises(DomainError) as refusal:
            services.update_client(client, {field: wanted}, actor=actor)
        assert list(refusal.value.fields) == [field.removesuffix("_id")]
        services.update_client(client, {"notes": "The rest can be edited"}, actor=actor)
    assert (client.owner_id, client.stored_limit) == (cast.owner.id, None)


def test_the_owner_hands_the_client_over_and_keeps_access() -> None:
    cast = people.cast()
    client = clients.client(cast)
    with acting_as(cast.acting("owner")) as actor:
        services.change_owner(client, cast.teammate.id, actor=actor)
        db.session.flush()
        assert client.owner_id == cast.teammate.id
        assert level(client, cast.teammate.id) is AccessLevel.OWNER
        assert level(client, cast.owner.id) is AccessLevel.MANAGER


def test_only_the_owner_or_an_admin_decides() -> None:
    cast = people.cast()
    client = clients.client(cast)
    with acting_as(cast.acting("teammate")) as actor:
        for verb in (
            lambda: services.change_owner(client, cast.teammate.id, actor=actor),
            lambda: services.switch_off(client, actor=actor),
            lambda: services.switch_on(client, actor=actor),
            lambda: services.delete_client(client, actor=actor),
            lambda: access.grant_access(client, [cast.outsider.id], actor=actor),
            lambda: access.withdraw_access(client, [cast.teammate.id], actor=actor),
            lambda: access.invite_guest(client, "guest@people.example", actor=actor),
        ):
            with pytest.raises(NotAllowed):
                verb()
    with acting_as(cast.acting("admin")) as actor:
        services.switch_off(client, actor=actor)
    assert client.active is False


def test_access_is_granted_to_several_at_once_or_to_nobody() -> None:
    cast = people.cast()
    client, extra, asleep = clients.client(cast), people.user("Extra"), people.user("Asleep", active=False)
    with acting_as(cast.acting("owner")) as actor:
        with pytest.raises(DomainError):
            access.grant_access(client, [cast.outsider.id, asleep.id], actor=actor)
        assert level(client, cast.outsider.id) is None
        made = access.grant_access(client, [cast.outsider.id, extra.id, cast.teammate.id], actor=actor)
    assert {grant.user_id for grant in made} == {cast.outsider.id, extra.id}
    with acting_as(cast.acting("outsider")):
        assert list(db.session.scalars(sa.select(Client.id))) == [client.id]


def test_withdrawn_access_ends_at_once_and_the_owner_keeps_it() -> None:
    cast = people.cast()
    client = clients.client(cast)
    with acting_as(cast.acting("owner")) as actor:
        assert access.withdraw_access(client, [cast.teammate.id], actor=actor) == 1
        with pytest.raises(DomainError):
            access.withdraw_access(client, [cast.owner.id], actor=actor)
    with acting_as(cast.acting("teammate")):
        assert list(db.session.scalars(sa.select(Client.id))) == []


def test_a_guest_is_invited_once() -> None:
    cast = people.cast()
    client = clients.client(cast)
    with acting_as(cast.acting("owner")) as actor:
        assert access.invite_guest(client, " Guest@People.Example ", actor=actor).email == "guest@people.example"
        for address in ("guest@people.example", cast.teammate.email.upper()):
            with pytest.raises(Clash):
                access.invite_guest(client, address, actor=actor)
        with pytest.raises(DomainError):
            access.invite_guest(client, "no address", actor=actor)


def test_switching_off_stops_what_runs_and_says_why_and_on_starts_nothing() -> None:
    with system("test") as actor:
        client = clients.client()
        running, draft = campaigns.campaign(client), campaigns.campaign(client, running=False)
        binned = campaigns.campaign(client)
        trash.delete(binned, cascade=("enrolments",), actor=actor)
        assert services.switch_off(client, actor=actor) == 1
        assert (running.status, running.status_reason) == (CampaignStatus.STOPPED, "client switched off")
        assert (draft.status, draft.status_reason) == (CampaignStatus.DRAFT, None)
        services.switch_on(client, actor=actor)
        db.session.flush()
        with with_deleted():
            trash.restore(binned, cascade=("enrolments",))
        assert {running.status, binned.status} == {CampaignStatus.STOPPED}


def test_only_an_inactive_client_is_deleted_and_all_comes_back() -> None:
    cast = people.cast()
    client = clients.client(cast)
    enrolment = campaigns.enrolment(contacts.contact(client), campaigns.campaign(client))
    with acting_as(cast.acting("owner")) as actor:
        with pytest.raises(DomainError):
            services.delete_client(client, actor=actor)
        services.switch_off(client, actor=actor)
        services.delete_client(client, actor=actor)
        db.session.commit()
    with system("test") as actor:
        for model in (Client, Contact, Campaign, Enrolment, ClientAccess):
            assert db.session.scalars(sa.select(model)).all() == [], model
        with with_deleted():
            services.restore_client(db.session.scalars(sa.select(Client)).one(), actor=actor)
        db.session.commit()
        assert db.session.scalars(sa.select(Enrolment.id)).all() == [enrolment.id]
    with acting_as(cast.acting("teammate")):
        assert db.session.scalars(sa.select(Client.id)).all() == [client.id]
