"""What Flask-AppBuilder would let a writer do: act on foreign rows, delete by GET, write without a token (reliability.md)."""

from __future__ import annotations

import pytest

from app.core.db import db
from app.core.security.principal import system
from app.features.clients.models import Client
from app.features.contacts.models import Contact
from app.kit import writes
from tests.factories.campaigns import campaign as make_campaign
from tests.security.world import give, live

BULK = (("can_bulk", "contact"), ("can_delete", "contact"))


def test_bulk_actions_reach_only_rows_within_reach(app, world, sign_in):
    give(app, "Agent", *BULK)
    ids = [world.contacts["mine"], world.contacts["theirs"]]
    answer = sign_in("anna").post("/contacts/action_post?action=delete", data={"ids": ids})
    assert answer.status_code == 302
    assert not live(app, Contact, world.contacts["mine"])
    assert live(app, Contact, world.contacts["theirs"])


def test_an_action_on_a_foreign_row_answers_like_one_on_no_row(app, world, sign_in):
    with app.app_context(), system("test"):
        foreign = make_campaign(db.session.get(Client, world.second)).id
        db.session.commit()
    client = sign_in("anna")
    answers = [client.post(f"/campaigns/action/pause/{pk}").status_code for pk in (foreign, 999_999)]
    assert answers == [404, 404]
    assert sign_in("admin").post(f"/campaigns/action/pause/{foreign}").status_code == 302


def test_an_unknown_action_is_not_found(admin, world):
    assert admin.post("/contacts/action_post?action=explode", data={"ids": [1]}).status_code == 404
    assert admin.post(f"/contacts/action/explode/{world.contacts['mine']}").status_code == 404
    assert admin.post("/people/action/explode/1").status_code == 404
    assert admin.post("/people/action_post?action=resetpasswords", data={"ids": [1]}).status_code == 404


def test_each_bulk_action_needs_its_own_right(app, world, sign_in):
    give(app, "Agent", ("can_bulk", "contact"))
    answer = sign_in("anna").post("/contacts/action_post?action=delete", data={"ids": [world.contacts["mine"]]})
    assert answer.status_code == 403
    assert live(app, Contact, world.contacts["mine"])


def test_a_selection_that_is_none_is_refused(admin, world):
    for data in ({}, {"ids": "x"}, {"ids": "1 OR 1=1"}, {"ids": "-1"}, {"ids": ["1"] * 501}):
        assert admin.post("/contacts/action_post?action=delete", data=data).status_code == 400


def test_nothing_is_deleted_by_get(app, admin, world):
    pk = world.contacts["mine"]
    assert admin.get(f"/contacts/{pk}/delete").status_code == 200
    assert live(app, Contact, pk)


def test_what_changes_rows_does_not_answer_get(app, admin):
    for rule in app.url_map.iter_rules():
        if rule.endpoint.rpartition(".")[2] in {"action", "action_post", "restore", "restore_one", "save"}:
            assert "GET" not in rule.methods, rule


def test_the_api_asks_a_cookie_for_its_token(make_app, world):
    app = make_app({}, WTF_CSRF_ENABLED=True)
    body = {"first_name": "New", "last_name": "Person", "email": "new@people.example", "client": world.first}
    client, bearer = app.test_client(), app.test_client()
    token = client.get("/login/").text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    sent = {"username": "admin", "password": "quiet-river-42"}
    assert client.post("/login/", data={**sent, "csrf_token": token}).status_code == 302
    for method, url in (("post", "/api/v1/contact/"), ("delete", f"/api/v1/contact/{world.contacts['mine']}")):
        assert getattr(client, method)(url, json=body).status_code == 400, method
    assert live(app, Contact, world.contacts["mine"])
    signed = bearer.post("/api/v1/security/login", json={**sent, "provider": "db"})
    headers = {"Authorization": f"Bearer {signed.json['access_token']}"}
    assert bearer.post("/api/v1/contact/", json=body, headers=headers).status_code == 201


def test_forms_ask_for_their_token(make_app, world):
    app = make_app({}, WTF_CSRF_ENABLED=True)
    client = app.test_client()
    page = client.get("/login/").text
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    client.post("/login/", data={"username": "admin", "password": "quiet-river-42", "csrf_token": token})
    pk = world.contacts["mine"]
    for url in (
        f"/contacts/{pk}/delete",
        "/roles/2",
        "/people/action/deactivate/2",
        "/trash/contact/restore",
        "/people/me",
    ):
        assert client.post(url, data={"ids": pk}).status_code == 400, url
    assert live(app, Contact, pk)


@pytest.mark.parametrize("checked", [True, False])
def test_a_refused_add_shows_no_sql(app, admin, world, monkeypatch, checked):
    """With the friendly check, and with only the database's own refusal left."""
    if not checked:
        monkeypatch.setattr(writes, "check_unique", lambda *_args: None)
        monkeypatch.setattr("app.features.clients.services.require_free_name", lambda *_args: None, raising=False)
    for answer in (
        admin.post("/clients/add", data={"name": "First Client", "time_zone": "UTC", "currency": "EUR"}),
        admin.post("/api/v1/client/", json={"name": "First Client"}),
    ):
        assert 400 <= answer.status_code < 500, answer.text[:500]
        assert not any(word in answer.text for word in ("INSERT", "UNIQUE", "sqlite", "IntegrityError", "[SQL"))


def test_the_cookie_keeps_no_history_and_stays_small(admin):
    for n in range(12):
        admin.get(f"/contacts/?q={'x' * 150}{n}")
        answer = admin.get(f"/lang/en?from={'y' * 900}{n}")
    with admin.session_transaction() as session:
        assert "page_history" not in session
    cookie = admin.get_cookie("steward")
    assert cookie is not None and len(cookie.value) < 1000
    assert answer.status_code == 302


def test_every_answer_carries_the_security_headers(app, admin, client):
    answers = [client.get("/login/"), client.get("/nothing"), client.get("/api/v1/contact/"), admin.get("/people/")]
    answers += [admin.get("/roles/"), admin.get("/people/lookup"), admin.get("/people/?sort=password")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"].startswith("no-store")
    cookie = client.post("/login/", data={"username": "admin", "password": "quiet-river-42"}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_the_audit_trail_cannot_be_written_by_anybody(app):
    rules = [rule for rule in app.url_map.iter_rules() if str(rule).startswith(("/audit", "/api/v1/audit"))]
    assert rules
    assert all((rule.methods or set()) <= {"GET", "HEAD", "OPTIONS"} for rule in rules)


def test_a_row_that_the_database_refuses_takes_no_other_row_back(app, admin, world, monkeypatch):
    """Bulk actions give each row a savepoint; what was done before the refused row stays done."""
    from sqlalchemy.exc import IntegrityError

    from app.kit import registry, trash

    delete = trash.delete

    def refuse_one(row, **more):
        if row.id == world.contacts["mine2"]:
            raise IntegrityError("DELETE", {}, Exception("UNIQUE constraint failed"))
        return delete(row, **more)

    monkeypatch.setattr(trash, "delete", refuse_one)
    assert registry.get("contact").service.delete is None
    ids = [world.contacts[name] for name in ("mine", "mine2", "theirs")]
    assert admin.post("/contacts/action_post?action=delete", data={"ids": ids}).status_code == 302
    assert [live(app, Contact, pk) for pk in ids] == [False, True, False]
