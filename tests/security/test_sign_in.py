"""Signing in: what is told, how often it may be tried, what a session keeps, where it leads."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.features.access.queries import role_names_of
from tests.factories.web import signed_in
from tests.infra.databases import ADMIN_PASSWORD

WRONG = "The name or the password is wrong."


def attempt(client, username, password="not the password", **more):
    return client.post("/login/", data={"username": username, "password": password}, **more)


def test_a_wrong_password_and_an_unknown_name_are_told_alike_and_keep_the_name(app, client, world):
    with app.app_context():
        db.session.get(User, world.people["gus"]).active = False
        db.session.commit()
    answers = {name: attempt(client, name) for name in ("admin", "nobody-here", "gus")}
    answers["gus"] = attempt(client, "gus", ADMIN_PASSWORD)
    for name, answer in answers.items():
        assert answer.status_code == 401
        assert WRONG in answer.text
        assert f'value="{name}"' in answer.text
    texts = {answer.text.replace(name, "") for name, answer in answers.items()}
    assert len({_plain(text) for text in texts}) == 1


def _plain(html):
    return "".join(line for line in html.splitlines() if "nonce" not in line and "csrf" not in line)


def test_an_unknown_name_costs_the_same_hash_as_a_wrong_password(client, world, monkeypatch):
    hashed = []
    from flask_appbuilder.security import manager

    check = manager.check_password_hash
    monkeypatch.setattr(
        manager, "check_password_hash", lambda stored, given: hashed.append(stored) or check(stored, given)
    )
    for name in ("admin", "nobody-here"):
        attempt(client, name)
    assert len(hashed) == 2
    assert hashed[0].split("$")[0] == hashed[1].split("$")[0]


def test_who_opens_a_page_first_is_asked_to_sign_in_once(client):
    for _turn in range(3):
        client.get("/contacts/")
    page = client.get("/login/?next=/contacts/").text
    assert page.count("Sign in to see this page.") == 1
    assert "Denied" not in page


def test_signing_in_works_by_name_and_by_address(client):
    assert attempt(client, "admin@steward.invalid", ADMIN_PASSWORD).status_code == 302
    client.get("/logout/")
    assert client.get("/people/me").status_code == 302
    assert attempt(client, " admin ", ADMIN_PASSWORD).headers["Location"] == "/"


def test_a_new_session_keeps_nothing_of_the_old_one(client):
    with client.session_transaction() as session:
        session["focus"], session["planted"] = 1, "x"
    attempt(client, "admin", ADMIN_PASSWORD)
    with client.session_transaction() as session:
        assert "focus" not in session and "planted" not in session
        assert session["_user_id"] == "1"
    client.get("/logout/")
    with client.session_transaction() as session:
        assert "_user_id" not in session


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "http://[evil",
        "\x00//evil.example",
        "http://localhost@evil.example/",
        "http://localhost//evil.example/",
    ],
)
def test_next_leads_nowhere_else(client, target):
    answer = client.post(
        "/login/", query_string={"next": target}, data={"username": "admin", "password": ADMIN_PASSWORD}
    )
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("target", ["/contacts/?q=a&page=2", "http://localhost/contacts/?q=a&page=2"])
def test_next_leads_back_inside(client, target):
    answer = client.post(
        "/login/", query_string={"next": target}, data={"username": "admin", "password": ADMIN_PASSWORD}
    )
    assert answer.headers["Location"] == "/contacts/?q=a&page=2"


@pytest.fixture
def limited(make_app):
    return make_app({}, RATELIMIT_ENABLED=True, AUTH_RATE_LIMITED=True)


def test_tries_on_one_account_are_counted_over_pages_addresses_and_names(limited):
    """Page and API, the user name and the e-mail address, ten addresses: ten tries a minute in all."""
    statuses = []
    for n in range(12):
        client, place = limited.test_client(), {"REMOTE_ADDR": f"10.0.0.{n}"}
        name = ("admin", "admin@steward.invalid", "ADMIN")[n % 3]
        if n % 2:
            body = {"username": name, "password": "wrong", "provider": "db"}
            statuses.append(client.post("/api/v1/security/login", json=body, environ_base=place).status_code)
        else:
            statuses.append(attempt(client, name, environ_base=place).status_code)
    assert statuses == [401] * 10 + [429] * 2


def test_tries_from_one_address_are_counted_over_accounts(limited):
    statuses = [attempt(limited.test_client(), f"user{n}").status_code for n in range(62)]
    assert statuses == [401] * 60 + [429] * 2


def test_nobody_registers_themselves(app, client):
    assert not [rule for rule in app.url_map.iter_rules() if "register" in str(rule)]
    assert "egister" not in client.get("/login/").text


def test_a_switched_off_user_is_out_at_the_next_request(app, world, sign_in):
    client = sign_in("anna")
    token = client.post(
        "/api/v1/security/login", json={"username": "anna", "password": ADMIN_PASSWORD, "provider": "db"}
    )
    with app.app_context():
        assert role_names_of([world.people["anna"]]) == {world.people["anna"]: ["Agent"]}
        db.session.get(User, world.people["anna"]).active = False
        db.session.commit()
    assert client.get("/contacts/").status_code == 302
    headers = {"Authorization": f"Bearer {token.json['access_token']}"}
    assert app.test_client().get("/api/v1/contact/", headers=headers).status_code == 401


NEW = "another-long-one-1"


def tokens(client):
    body = {"username": "anna", "password": ADMIN_PASSWORD, "provider": "db", "refresh": True}
    return client.post("/api/v1/security/login", json=body).json


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_new_password_ends_every_session_and_token_of_the_old_one(app, client, world, sign_in, admin):
    browser, found = sign_in("anna"), tokens(client)
    own = bearer(found["access_token"])
    assert (browser.get("/contacts/").status_code, client.get("/api/v1/contact/", headers=own).status_code) == (
        200,
        200,
    )
    admin.post(f"/people/{world.people['anna']}/password", data={"password": NEW, "repeated": NEW})
    assert browser.get("/contacts/").status_code == 302
    assert client.get("/api/v1/contact/", headers=own).status_code == 401
    again = client.post("/api/v1/security/refresh", headers=bearer(found["refresh_token"]))
    assert again.status_code == 401


def test_who_changes_their_own_password_stays_signed_in_here_alone(world, sign_in):
    here, there = sign_in("anna"), sign_in("anna")
    form = {"present": ADMIN_PASSWORD, "password": NEW, "repeated": NEW}
    assert here.post("/people/me/password", data=form).status_code == 302
    assert (here.get("/contacts/").status_code, there.get("/contacts/").status_code) == (200, 302)


def test_a_cookie_needs_its_token_whatever_else_the_request_carries(make_app, world):
    browser = signed_in(make_app({}, WTF_CSRF_ENABLED=True), world.people["mona"])
    answer = browser.delete(f"/api/v1/contact/{world.contacts['mine']}", headers=bearer("anything"))
    assert answer.status_code == 400


def test_a_token_needs_no_csrf_token(make_app, world):
    client = make_app({}, WTF_CSRF_ENABLED=True).test_client()
    own = bearer(tokens(client)["access_token"])
    answer = client.post("/api/v1/lead/", json={"client": world.first, "name": "Lead"}, headers=own)
    assert answer.status_code == 201
