"""What nobody types and somebody sends: each gets an answer that says what is wrong, none a server error."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

HALF = "\ud800"  # half of a surrogate pair: JSON can say it, no database can hold it
HUGE = "9" * 30
DEEP = "[" * 100_000


def condition(**parts: Any) -> str:
    return quote(json.dumps(parts))


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"/contacts/{HUGE}", 404),
        (f"/contacts/{HUGE}/edit", 404),
        (f"/api/v1/contact/{HUGE}", 404),
        (f"/imports/{HUGE}/plan", 404),
        (f"/contacts/?page=000000000001{HUGE}", 400),
        (f"/imports/?page=000000001{HUGE}", 400),
        ("/contacts/add?client=²", 200),
        ("/contacts/?f=created_at:on:9999-12-31", 200),
        ("/contacts/?f=company:eq:a%00b", 400),
        (f"/contacts/?filter={condition(field='company', op='eq', value=HALF)}", 400),
        (f"/contacts/?filter={condition(field='company', op='contains', value=HALF)}", 200),
        (f"/contacts/?filter={quote('[' * 3000)}", 400),
        (f"/api/v1/contact/?q={quote('!(' * 3000)}", 400),
        (f"/api/v1/contact/?q={quote(json.dumps({'search': HALF}))}", 200),
    ],
)
@pytest.mark.both_databases
def test_an_address_with_nonsense_in_it(admin: Any, url: str, status: int) -> None:
    assert admin.get(url).status_code == status


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"version": "²"}, 409),
        ({"version": HUGE}, 409),
        ({"first_name": "New", "version": "0", "before": json.dumps({"owner": HUGE, "first_name": "Old"})}, 409),
        ({"first_name": "New", "version": "0", "before": DEEP}, 409),
    ],
)
@pytest.mark.both_databases
def test_an_edited_form_with_forged_bookkeeping(admin: Any, world: Any, form: dict[str, str], status: int) -> None:
    answer = admin.post(f"/contacts/{world.contacts['mine']}/edit", data=form)
    assert answer.status_code == status


def test_all_matching_of_a_filter_nested_without_end(admin: Any, world: Any) -> None:
    answer = admin.post("/contacts/action_post?action=delete", data={"all": "1", "filter": DEEP})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("resource", "body", "field"),
    [
        ("contact", {"first_name": HALF}, "first_name"),
        ("contact", {"first_name": "a\x00b"}, "first_name"),
        ("lead", {"name": f"x {HALF}"}, "name"),
        ("mail_account", {"address": "box@first.example", "daily_limit": 0}, "daily_limit"),
    ],
)
@pytest.mark.both_databases
def test_a_value_no_database_holds_is_told_beside_its_field(
    admin: Any, world: Any, resource: str, body: dict[str, Any], field: str
) -> None:
    answer = admin.post(f"/api/v1/{resource}/", json={"client": world.first, **body})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize("change", [{"time_zone": ""}, {"currency": " "}, {"stored_limit": -1}])
def test_a_change_the_database_would_refuse_is_told_beside_its_field(admin: Any, world: Any, change: Any) -> None:
    answer = admin.put(f"/api/v1/client/{world.first}", json=change)
    assert (answer.status_code, list(answer.json["errors"])) == (422, list(change))


def test_a_number_below_the_least_is_told_beside_its_field(admin: Any, world: Any) -> None:
    answer = admin.post(
        "/mail-accounts/add", data={"client": world.first, "address": "a@b.example", "daily_limit": "0"}
    )
    assert answer.status_code == 422
    assert "Mails a day is a whole number from 1" in answer.text


@pytest.mark.parametrize("body", [DEEP, '{"a":' * 5000, "null", "[1]", "{", "\xff"])
@pytest.mark.parametrize(("method", "url"), [("post", "/api/v1/contact/"), ("put", "/api/v1/contact/{mine}")])
def test_a_body_that_is_no_object_is_refused(admin: Any, world: Any, method: str, url: str, body: str) -> None:
    target = url.format(mine=world.contacts["mine"])
    answer = getattr(admin, method)(target, data=body.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 422
    assert "JSON object" in answer.json["detail"]


@pytest.mark.parametrize(("name", "status"), [(HALF, 400), ("a\x00b", 401)])
@pytest.mark.both_databases
def test_signing_in_with_a_name_no_database_holds(make_app: Any, name: str, status: int) -> None:
    client = make_app({}, RATELIMIT_ENABLED=True, AUTH_RATE_LIMITED=True).test_client()
    answer = client.post("/api/v1/security/login", json={"username": name, "password": name, "provider": "db"})
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    form = {"username": "a\x00b", "password": "\x00"}
    assert client.post("/login/", data=form).status_code == 401


@pytest.mark.parametrize("body", [DEEP, "{", "[1]"])
def test_signing_in_with_a_body_that_is_no_object(client: Any, body: str) -> None:
    answer = client.post("/api/v1/security/login", data=body, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_a_step_without_a_position_goes_to_the_end(app: Any, admin: Any, world: Any) -> None:
    campaign = admin.post("/api/v1/campaign/", json={"client": world.first, "name": "Spring"}).json["id"]
    steps = [
        admin.post("/campaign-steps/add", data={"campaign": campaign, "kind": "email", "subject": subject})
        for subject in ("One", "Two")
    ]
    assert [step.status_code for step in steps] == [302, 302]
    listed = admin.get("/api/v1/campaign_step/").json["result"]
    assert {step["subject"]: step["position"] for step in listed} == {"One": 1, "Two": 2}


@pytest.mark.both_databases
def test_a_name_that_folding_makes_longer_than_its_column(admin: Any, world: Any) -> None:
    name = "ΐ" * 200  # folded, three characters each
    answer = admin.post("/api/v1/client/", json={"name": name})
    assert (answer.status_code, answer.json["result"]["name"]) == (201, name)
    address = "ΐ" * 32 + "@" + ".".join(["a" * 60, "a" * 60, "a" * 57]) + ".example"
    found = admin.post("/api/v1/contact/", json={"client": world.first, "last_name": "Long", "email": address})
    assert found.status_code == 201


@pytest.mark.postgres
def test_what_postgresql_finds_too_long_is_a_refusal(admin: Any, world: Any, monkeypatch: Any) -> None:
    from app.features.contacts import models

    monkeypatch.setattr(models, "email_key", lambda email: "x" * 300)
    answer = admin.post("/api/v1/contact/", json={"client": world.first, "last_name": "Long", "email": "a@b.example"})
    assert (answer.status_code, answer.json["detail"]) == (422, "A value is too long, or not of its kind.")
