"""The Clients overview in the browser and as data: true numbers, doors, rights, refusals (CLI-01 to CLI-10, PLT-04)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.datastructures import MultiDict

from app.core.clock import utcnow
from app.core.db import db
from app.core.security.principal import system
from app.features.campaigns.enums import AccountState, FindingKind, Severity
from app.features.campaigns.models import Campaign, MailHealthFinding
from app.features.clients import demo, overview, sample
from app.features.clients.access import grant_access
from app.features.clients.models import Client
from app.kit import registry
from app.kit.listing import ListRequest, count, read_request, where
from tests.factories import campaigns, clients, contacts, people
from tests.factories.web import signed_in, statements, with_roles
from tests.features.campaigns.test_counters_follow_every_write import counted_by_hand

FRAGMENT = {"X-Fragment": "1"}


@pytest.fixture
def agency(app: Flask) -> dict[str, int]:
    """200 made-up clients; the ids of the cast."""
    with app.app_context(), system("test"):
        demo.generate(clients=200, contacts=3000, enrolments=5000, seed=7)
        db.session.commit()
        cast = with_roles(people.cast())
        db.session.commit()
        return {name: getattr(cast, name).id for name in ("owner", "teammate", "outsider", "admin")}


def rows_behind(url: str) -> int:
    """How many rows the list at this URL shows, asked of the list's own machinery."""
    parts = urlsplit(url)
    resource = next(r for r in registry.resources() if f"{r.url}/" == parts.path)
    asked = read_request(MultiDict((k, v) for k, vs in parse_qs(parts.query).items() for v in vs))
    return count(resource, where(resource, asked), exact=True)[0]


def test_every_number_is_true_and_opens_exactly_its_rows(app: Flask, agency: dict[str, int]) -> None:
    with app.test_request_context(), system("test") as actor:
        truth = counted_by_hand()
        page = overview.build(registry.get("client"), ListRequest(size=100), actor)
        page.rows += overview.build(registry.get("client"), ListRequest(size=100, page=2), actor).rows
        assert len(page.rows) == 200
        for row in page.rows:
            shown = (row.stored, row.connected, row.campaigns, row.enrolled, row.to_be_contacted)
            assert shown == truth[row.id]
            doors = {
                name: rows_behind(getattr(row, f"{name}_url"))
                for name in ("stored", "connected", "campaigns", "to_be_contacted")
            }
            assert doors == {name: getattr(row, name) for name in doors}
        assert {row.bar for row in page.rows} >= {"grey", "green", "red"}


def test_an_agent_of_three_sees_three(app: Flask, agency: dict[str, int]) -> None:
    with app.app_context(), system("test") as actor:
        mine = list(db.session.scalars(sa.select(Client).order_by(Client.id).limit(3)))
        for client in mine:
            grant_access(client, [agency["teammate"]], actor=actor)
        db.session.commit()
        names = {client.name for client in mine}
        foreign = db.session.scalar(sa.select(sa.func.max(Client.id)))
    browser = signed_in(app, agency["teammate"])
    answer = browser.get("/api/v1/client/overview").get_json()
    assert (answer["count"], {row["name"] for row in answer["result"]}) == (3, names)
    page = browser.get("/clients/").text
    assert len(re.findall(r"<tr data-row", page)) == 3
    for path in ("", "/row", "/expand", "/switch?to=off", "/people", "/edit"):
        assert browser.get(f"/clients/{foreign}{path}").status_code in (403, 404), path
        same = browser.get(f"/clients/987654{path}")
        assert same.status_code == browser.get(f"/clients/{foreign}{path}").status_code, path
    for path in ("/switch?to=off", "/owner", "/access", "/invite", "/enter"):
        answer = browser.post(f"/clients/{foreign}{path}", headers=FRAGMENT)
        assert answer.status_code == 404, path


def test_nobody_granted_sees_nobody(app: Flask, agency: dict[str, int]) -> None:
    browser = signed_in(app, agency["outsider"])
    assert browser.get("/api/v1/client/overview").get_json()["count"] == 0
    assert "<tr data-row" not in browser.get("/clients/").text


@pytest.mark.both_databases
def test_the_page_asks_at_most_ten_queries_with_a_thousand_clients(app: Flask) -> None:
    with app.app_context(), system("test"):
        demo.generate(clients=1000, contacts=2000, enrolments=3000, seed=1)
        db.session.commit()
        admin = with_roles(people.cast()).admin
        db.session.commit()
        browser = signed_in(app, admin)
    browser.get("/clients/")
    for url in ("/clients/", "/clients/?sort=-progress&size=100&page=3", "/clients/?f=health:eq:ok&q=a"):
        with statements() as seen:
            assert browser.get(url).status_code == 200
        assert len(seen) <= 10, "\n".join(seen)


@pytest.mark.parametrize(
    "sort",
    sorted({"name", "owner", "connected", "stored", "campaigns", "to_be_contacted", "contacted", "progress", "added"}),
)
def test_sorting_both_ways(app: Flask, agency: dict[str, int], sort: str) -> None:
    value = {
        "name": lambda r: r.name.casefold(), "owner": lambda r: r.owner.name if r.owner else "",
        "progress": lambda r: r.contacted / r.enrolled if r.enrolled else None,
    }.get(sort, lambda r: getattr(r, sort))  # fmt: skip
    with app.test_request_context(), system("test") as actor:
        for sign in ("", "-"):
            page = overview.build(registry.get("client"), ListRequest(size=100, sort=sign + sort), actor)
            values = [value(row) for row in page.rows]
            known = [v for v in values if v is not None]
            assert known == sorted(known, reverse=bool(sign))
            assert all(v is None for v in values[len(known) :])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sort=secret", "cannot be sorted"),
        ("sort=-notes", "cannot be sorted"),
        ("page=0", "page"),
        ("page=two", "page"),
        ("page=99", "no page 99"),
        ("size=x", "page size"),
        ("f=active:eq:perhaps", "perhaps"),
        ("f=owner:eq:x", "x"),
        ("f=notes:contains:a", "notes"),
        ("f=health:eq:purple", "health"),
        ("f=health", "health"),
        ("filter={", "JSON"),
    ],
)
def test_what_cannot_be_understood_is_said_and_shows_nothing(app: Flask, admin: Any, query: str, words: str) -> None:
    with app.app_context():
        clients.client(name="Must not be shown")
        db.session.commit()
    answer = admin.get(f"/clients/?{query}")
    assert answer.status_code == 400
    assert words in answer.text
    assert "Must not be shown" not in answer.text


def test_the_tabs_split_active_from_inactive(app: Flask, admin: Any) -> None:
    with app.app_context():
        clients.client(name="Awake Ltd")
        clients.client(name="Asleep Ltd").active = False
        db.session.commit()
    active, inactive = admin.get("/clients/").text, admin.get("/clients/?tab=inactive").text
    assert "Awake Ltd" in active and "Asleep Ltd" not in active
    assert "Asleep Ltd" in inactive and "Awake Ltd" not in inactive


def test_health_is_counted_by_the_worst_of_each_account_and_filtered_by(app: Flask, admin: Any) -> None:
    with app.app_context(), system("test"):
        sick, fine, none = clients.client(name="Sick"), clients.client(name="Fine"), clients.client(name="Boxless")
        campaigns.mail_account(sick, state=AccountState.DISCONNECTED)
        warned, _ok = campaigns.mail_account(sick), campaigns.mail_account(sick)
        gone = campaigns.mail_account(fine, state=AccountState.DISCONNECTED)
        campaigns.mail_account(fine)
        gone.deleted_at = utcnow()
        for kind in (FindingKind.SPF, FindingKind.DKIM):
            db.session.add(
                MailHealthFinding(
                    client_id=sick.id, account_id=warned.id, kind=kind, severity=Severity.ORANGE, text="Wrong"
                )
            )
        db.session.commit()
        ids = [sick.id, fine.id, none.id]
    with app.test_request_context(), system("test") as actor:
        rows = {r.id: r.mailboxes for r in overview.build(registry.get("client"), ListRequest(), actor).rows}
        assert [(rows[i].ok, rows[i].warn, rows[i].bad) for i in ids] == [(1, 1, 1), (1, 0, 0), (0, 0, 0)]
    shown = {value: admin.get(f"/clients/?f=health:eq:{value}").text for value in ("bad", "warn", "ok")}
    found = {value: [n for n in ("Sick", "Fine", "Boxless") if f">{n}</a>" in text] for value, text in shown.items()}
    assert found == {"bad": ["Sick"], "warn": ["Sick"], "ok": ["Fine"]}


def test_switching_off_asks_then_stops_and_a_second_click_changes_nothing(app: Flask, admin: Any) -> None:
    with app.app_context():
        client = clients.client(name="Calder")
        campaign_id, client_id = campaigns.campaign(client).id, client.id
        db.session.commit()
    asked = admin.get(f"/clients/{client_id}/switch?to=off", headers=FRAGMENT)
    assert asked.status_code == 200 and "stop" in asked.text
    for message in ("1 campaign stopped", "switched off"):
        answer = admin.post(f"/clients/{client_id}/switch?to=off", headers=FRAGMENT)
        assert answer.status_code == 200 and message in answer.get_json()["message"]
    with app.app_context(), system("test"):
        assert db.session.get(Campaign, campaign_id).status_reason == "client switched off"
    assert admin.post(f"/clients/{client_id}/switch", headers=FRAGMENT).status_code == 400
    answer = admin.post(f"/clients/{client_id}/switch?to=on")
    assert answer.status_code == 302
    with app.app_context(), system("test"):
        assert db.session.get(Client, client_id).active is True
        assert db.session.get(Campaign, campaign_id).status.value == "stopped"


def test_who_does_not_decide_is_told_so_and_sees_no_button(app: Flask) -> None:
    with app.app_context():
        cast = with_roles(people.cast())
        client = clients.client(cast, name="Calder")
        db.session.commit()
        client_id, owner, teammate, outsider = client.id, cast.owner.id, cast.teammate.id, cast.outsider.id
    agent = signed_in(app, teammate)
    for path, data in (
        ("switch?to=off", {}),
        ("owner", {"owner_id": teammate}),
        ("access", {"user_id": outsider}),
        ("invite", {"email": "a@b.example"}),
    ):
        answer = agent.post(f"/clients/{client_id}/{path}", data=data, headers=FRAGMENT)
        assert answer.status_code == 403 and "owner" in answer.get_json()["error"].lower(), path
    assert f"/clients/{client_id}/switch" not in agent.get("/clients/").text
    expanded = agent.get(f"/clients/{client_id}/expand", headers=FRAGMENT).text
    assert "/withdraw" not in expanded and "<select" not in expanded
    mine = signed_in(app, owner)
    answer = mine.post(f"/clients/{client_id}/owner", data={"owner_id": outsider}, headers=FRAGMENT)
    assert answer.status_code == 422 and "no access" in answer.get_json()["error"]
    assert mine.post(f"/clients/{client_id}/access", data={"user_id": [outsider]}, headers=FRAGMENT).status_code == 200
    assert mine.post(f"/clients/{client_id}/owner", data={"owner_id": outsider}, headers=FRAGMENT).status_code == 200
    assert signed_in(app, outsider).get(f"/clients/{client_id}").status_code == 200


def test_the_expander_tells_owner_accounts_people_and_guests(app: Flask, admin: Any) -> None:
    with app.app_context():
        cast = with_roles(people.cast())
        client = clients.client(cast, name="Calder")
        campaigns.mail_account(client, address="hello@calder.example")
        db.session.commit()
        client_id = client.id
    assert (
        admin.post(f"/clients/{client_id}/invite", data={"email": "g@calder.example"}, headers=FRAGMENT).status_code
        == 200
    )
    assert (
        admin.post(f"/clients/{client_id}/invite", data={"email": "g@calder.example"}, headers=FRAGMENT).status_code
        == 409
    )
    text = admin.get(f"/clients/{client_id}/expand", headers=FRAGMENT).text
    for words in ("hello@calder.example", "g@calder.example", "Owner Test", "Teammate Test"):
        assert words in text
    withdraw = re.findall(r'action="(/clients/\d+/[^"]+/withdraw[^"]*)"', text)
    assert len(withdraw) == 2  # the teammate and the guest; never the owner
    for url in withdraw:
        assert admin.post(url, headers=FRAGMENT).status_code == 200
        assert admin.post(url, headers=FRAGMENT).status_code == 404
    assert "<html" in admin.get(f"/clients/{client_id}/expand").text


def test_a_new_owner_and_a_grant_can_be_taken_back_by_the_address_the_toast_gets(app: Flask, admin: Any) -> None:
    with app.app_context():
        cast = people.cast()
        client = clients.client(cast, name="Undo Ltd")
        db.session.commit()
        pk, owner, teammate, outsider = client.id, cast.owner.id, cast.teammate.id, cast.outsider.id

    def post(url: str, **data: Any) -> str:
        answer = admin.post(url, data=data, headers=FRAGMENT)
        assert answer.status_code == 200, answer.text
        return str(answer.json["undo_url"])

    def state() -> tuple[int, set[int]]:
        with app.app_context(), system("look"):
            row = db.session.get(Client, pk)
            return row.owner_id, {grant.user_id for grant in row.access}

    before = state()
    undo = post(f"/clients/{pk}/owner", owner_id=teammate)
    assert state()[0] == teammate
    post(undo)
    assert state()[0] == owner
    undo = post(f"/clients/{pk}/access", user_id=outsider)
    assert outsider in state()[1]
    post(undo)
    assert state() == before


def test_the_question_before_switching_off_says_what_stops_and_what_stays(app: Flask, admin: Any) -> None:
    with app.app_context():
        client = clients.client(name="Asked Ltd")
        running = campaigns.campaign(client)
        for _n in range(3):
            campaigns.enrolment(contacts.contact(client), running)
        db.session.commit()
        pk = client.id
    text = admin.get(f"/clients/{pk}/switch?to=off", headers=FRAGMENT).text
    for words in ("1 running campaign stops at once; 3 people will not be contacted.", "3 stored prospects", "Keep on"):
        assert words in text
    assert f"/campaigns/?f=client:eq:{pk}&amp;f=status:eq:running" in text


def test_entering_scopes_the_console_and_leaving_opens_it_again(app: Flask, admin: Any) -> None:
    with app.app_context():
        one, two = clients.client(name="Calder"), clients.client(name="Dunmore")
        for client in (one, two):
            contacts.contact(client, last_name=f"Of {client.name}")
        db.session.commit()
        ids = one.id, two.id
    assert admin.post(f"/clients/{ids[0]}/enter").headers["Location"] == f"/clients/{ids[0]}"
    page = admin.get("/contacts/").text
    assert "Of Calder" in page and "Of Dunmore" not in page
    assert "/clients/leave" in page
    assert admin.get(f"/clients/{ids[1]}").status_code == 404
    admin.post("/clients/leave")
    assert "Of Dunmore" in admin.get("/contacts/").text


def test_a_client_being_deleted_cannot_be_entered(app: Flask, admin: Any) -> None:
    with app.app_context():
        client = clients.client(name="Calder")
        client.state = "deleting"
        db.session.commit()
        client_id = client.id
    assert admin.post(f"/clients/{client_id}/enter").status_code == 422
    assert "Being deleted" in admin.get("/clients/").text


def test_the_overview_as_data(app: Flask, admin: Any) -> None:
    with app.app_context():
        client = clients.client(name="Calder")
        campaign = campaigns.campaign(client)
        campaigns.enrolment(contacts.contact(client), campaign)
        campaigns.campaign(clients.client(name="Empty"))
        db.session.commit()
    answer = admin.get("/api/v1/client/overview?q=(order_column:name,page_size:1)").get_json()
    assert (answer["count"], len(answer["result"])) == (2, 1)
    (row,) = answer["result"]
    assert {k: row[k] for k in row if k not in ("id", "owner")} == {
        "name": "Calder", "active": True, "connected_prospects": 0, "stored_prospects": 1, "running_campaigns": 1, "enrolled": 1,
        "to_be_contacted": 1, "progress": 0.0, "bar": "green",
    }  # fmt: skip
    (row,) = admin.get("/api/v1/client/overview?q=(order_column:name,page_size:1,page:1)").get_json()["result"]
    assert (row["name"], row["bar"], row["progress"]) == ("Empty", "red", None)
    assert admin.get("/api/v1/client/overview?q=(page:7)").status_code == 400
    assert admin.get("/api/v1/client/overview?q=(order_column:notes)").status_code == 400
    assert app.test_client().get("/api/v1/client/overview").status_code == 401


def test_one_click_removes_the_sample_and_nothing_else(app: Flask, admin: Any) -> None:
    with app.app_context(), system("test"):
        assert not sample.was_made()
        sample.make()
        mine = clients.client(name="My own")
        contacts.contact(mine)
        db.session.commit()
        assert {r[0] for r in db.session.execute(sa.text("SELECT DISTINCT client_id FROM activity"))}
    with app.test_request_context(), system("test") as actor:
        rows = overview.build(registry.get("client"), ListRequest(size=100), actor).rows
        assert {row.bar for row in rows} == {"grey", "green", "red", "red_empty"}
    assert "/clients/sample/remove" in admin.get("/clients/").text
    assert "9 clients" in admin.get("/clients/sample/remove").text
    assert admin.post("/clients/sample/remove").status_code == 302
    with app.app_context(), system("test"):
        assert [c.name for c in db.session.scalars(sa.select(Client))] == ["My own"]
        for table in (
            "contact",
            "campaign",
            "enrolment",
            "activity",
            "lead",
            "mail_account",
            "client_access",
            "client_counter",
        ):
            left = db.session.execute(sa.text(f"SELECT DISTINCT client_id FROM {table}")).scalars().all()
            assert set(left) <= {db.session.scalars(sa.select(Client.id)).one()}, table
        assert db.session.scalar(sa.text("SELECT count(*) FROM ab_user WHERE email LIKE '%northfield.example'")) == 0
        assert sample.was_made()
    assert "/clients/sample/remove" not in admin.get("/clients/").text


def test_nobody_can_sign_in_as_a_sample_user(app: Flask) -> None:
    with app.app_context(), system("test"):
        sample.make()
        db.session.commit()
    for password in ("", "password", "marta", "northfield"):
        browser = app.test_client()
        browser.post("/login/", data={"username": "marta.keller@northfield.example", "password": password})
        assert browser.get("/clients/").status_code in (302, 401)


def test_who_entered_a_client_that_is_gone_finds_the_way_out(app: Flask, admin: Any) -> None:
    with app.app_context():
        client_id = clients.client(name="Soon gone").id
        db.session.commit()
    admin.post(f"/clients/{client_id}/enter")
    admin.post(f"/clients/{client_id}/switch?to=off")
    assert admin.post(f"/clients/{client_id}/delete").status_code == 302
    for url in ("/clients/", "/contacts/"):
        assert 'action="/clients/leave"' in admin.get(url).text, url


def test_a_client_added_from_inside_another_is_shown(app: Flask, admin: Any) -> None:
    with app.app_context():
        client_id = clients.client(name="Entered").id
        db.session.commit()
    admin.post(f"/clients/{client_id}/enter")
    form = {
        "name": "Added inside",
        "kind": "company",
        "time_zone": "UTC",
        "language": "en",
        "currency": "EUR",
        "owner": "1",
    }
    answer = admin.post("/clients/add", data=form)
    assert answer.status_code == 302
    assert "Added inside" in admin.get(answer.location).text
