"""Every route of the application, from the route map: who may call it, and that it shows an agent granted clients' rows alone.

A route that is neither generated from a declaration nor named here fails the suite.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app.core.db import db
from app.core.mixins import ClientScoped
from app.core.security.principal import system
from app.features.clients.models import Client, ClientAccess
from app.kit import registry
from app.kit.api import ResourceApi
from app.kit.resource import Resource
from app.kit.views import ResourceView
from tests.contract.conftest import World
from tests.contract.rows import make

# Anyone may call these; the reason stands beside each.
PUBLIC = {
    "static": "style sheets and scripts",
    "appbuilder.static": "FAB's own files; none of ours",
    "AuthDBView.login": "the sign-in page",
    "AuthDBView.logout": "ends a session, when there is one",
    "SecurityApi.login": "asks for a password",
    "SecurityApi.refresh": "asks for a refresh token",
    "LocaleView.index": "chooses a language",
    "Home.index": "sends visitors to the sign-in page",
    "UtilView.back": "sends visitors back",
    "health": "tells that the process lives",
    "ready": "tells that its parts answer",
}
# Anyone signed in may call these: they show what is the user's own, or what their rights leave.
SIGNED_IN = {
    "CodesView.lookup": "countries, languages, currencies, time zones",
    "PeopleView.lookup": "names of colleagues, for whoever may see clients; checked in tests/features/access",
    "PeopleView.own_password": "one's own password",
    "PeopleView.userinfo": "one's own profile",
}

VALUES: dict[str, Any] = {
    "locale": "en",
    "version": "v1",
    "name": "nosuch",
    "kind": "country",
    "filename": "no-such-file",
    "resource": "contact",
}


def endpoints(app: Flask) -> dict[str, Any]:
    """{endpoint: the view object it belongs to, or None}."""
    views = {view.endpoint: view for view in app.appbuilder.baseviews}  # type: ignore[attr-defined]
    return {rule.endpoint: views.get(rule.endpoint.split(".")[0]) for rule in app.url_map.iter_rules()}


def is_guarded(view: Any, endpoint: str) -> bool:
    """Whether FAB checks a permission before the route runs."""
    return hasattr(getattr(view, endpoint.rsplit(".", 1)[-1], None), "_permission_name")


def address(app: Flask, rule: Any, pk: int = 999_999) -> str:
    """A URL of the rule with harmless values for its parts."""
    values = {a: VALUES.get(a, pk) for a in rule.arguments}
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, values))


def method_of(rule: Any) -> str:
    return "GET" if "GET" in rule.methods else sorted(rule.methods - {"OPTIONS", "HEAD"})[0]


def test_every_route_is_generated_or_guarded_or_public_with_a_reason(app: Flask) -> None:
    unknown = [
        endpoint
        for endpoint, view in endpoints(app).items()
        if endpoint not in PUBLIC and endpoint not in SIGNED_IN and not is_guarded(view, endpoint)
    ]
    assert unknown == []


def test_what_is_named_here_exists(app: Flask) -> None:
    gone = {*PUBLIC, *SIGNED_IN} - set(endpoints(app)) - {"appbuilder.static"}
    assert gone == set()


def test_nobody_gets_anywhere_without_signing_in(world: World) -> None:
    visitor = world.app.test_client()
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC:
            continue
        method, url = method_of(rule), address(world.app, rule)
        answer = visitor.open(url, method=method)
        refused = answer.status_code == 401 or (answer.status_code == 302 and "/login/" in answer.headers["Location"])
        assert refused, f"{method} {url} ({rule.endpoint}) answers {answer.status_code} without sign-in"


def test_who_has_no_role_gets_nowhere(world: World) -> None:
    stranger = world.as_("stranger")
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC or rule.endpoint in SIGNED_IN:
            continue
        method, url = method_of(rule), address(world.app, rule)
        answer = stranger.open(url, method=method)
        assert answer.status_code == 403, f"{method} {url} ({rule.endpoint}) answers {answer.status_code}"


def test_no_route_answers_with_a_server_error(world: World) -> None:
    admin = world.as_("admin")
    for rule in world.app.url_map.iter_rules():
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            for pk in (world.alpha, 999_999):
                if rule.endpoint in ("AuthDBView.logout", "UtilView.back", "ready"):
                    continue
                url = address(world.app, rule, pk)
                answer = admin.open(url, method=method)
                assert answer.status_code < 500, f"{method} {url} answers {answer.status_code}"


def test_a_reading_request_changes_nothing(world: World) -> None:
    """GET never writes: no route deletes, runs an action or saves without POST, PUT or DELETE."""
    resources = [r for r in registry.resources() if r.writable]
    pks = {r.name: world.row(r) for r in resources}
    admin = world.as_("admin")
    before = {r.name: admin.get(f"/api/v1/{r.name}/{pks[r.name]}").get_json() for r in resources}
    for resource in resources:
        for tail in ("delete", "restore", "edit"):
            admin.get(f"{resource.url}/{pks[resource.name]}/{tail}")
        for action in resource.actions:
            assert admin.get(f"{resource.url}/action/{action.name}/{pks[resource.name]}").status_code == 405
    assert before == {r.name: admin.get(f"/api/v1/{r.name}/{pks[r.name]}").get_json() for r in resources}


# -- an agent granted 3 of 200 clients -------------------------------------------------------------------------------


@pytest.fixture
def canaries(world: World) -> dict[int, str]:
    """{client id: canary} of 200 clients; in the first three, granted to the teammate alone, and the last three every
    entity has a row whose texts hold the canary.
    """
    found: dict[int, str] = {}
    with world.app.app_context(), system("contract test"):
        clients = [Client(name=f"canary{n:03}x", owner_id=world.users["admin"]) for n in range(200)]
        db.session.add_all(clients)
        db.session.flush()
        found = {row.id: row.name for row in clients}
        granted = [row.id for row in clients[:3]]
        db.session.add_all(ClientAccess(client_id=pk, user_id=world.users["teammate"]) for pk in granted)
        db.session.query(ClientAccess).filter_by(client_id=world.alpha, user_id=world.users["teammate"]).delete()
        db.session.flush()
        for pk in granted + [row.id for row in clients[-3:]]:
            _rows_with_canary(pk, found[pk], world.users["admin"])
        db.session.commit()
    return found


def _rows_with_canary(client_id: int, canary: str, user_id: int) -> None:
    for resource in registry.resources():
        if not issubclass(resource.model, ClientScoped):
            continue
        row = make(resource, client_id, user_id)
        for name in ("name", "title", "subject", "notes", "last_name", "company"):
            if hasattr(resource.model, name) and isinstance(getattr(row, name, None), str):
                setattr(row, name, f"{canary} {row.id}")
        db.session.flush()


def _generated(view: Any) -> Resource | None:
    return view.resource if isinstance(view, ResourceView | ResourceApi) else None


def test_an_agent_granted_3_of_200_clients_sees_exactly_their_rows_on_every_route(
    world: World, canaries: dict[int, str]
) -> None:
    for resource in registry.resources():
        world.grant("Agent", resource.verbs(), resource)
    teammate, allowed = world.as_("teammate"), set(list(canaries.values())[:3])
    seen_somewhere: set[str] = set()
    for rule in world.app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint in ("AuthDBView.logout",):
            continue
        for query in ("", "?size=100", "?q=canary"):
            answer = teammate.get(address(world.app, rule) + query)
            seen = set(re.findall(r"canary\d{3}x", answer.get_data(as_text=True)))
            if query == "?q=canary" and answer.status_code in (302, 400, 404):
                seen -= set(re.findall(r"canary\d{3}x", query))
            assert seen <= allowed, f"{rule.rule}{query} shows {sorted(seen - allowed)[:3]}"
            seen_somewhere |= seen
    assert seen_somewhere == allowed


def test_a_foreign_id_answers_like_an_absent_one_on_every_route(world: World, canaries: dict[int, str]) -> None:
    for resource in registry.resources():
        world.grant("Agent", resource.verbs(), resource)
    teammate, hidden = world.as_("teammate"), list(canaries)[-1]
    views = endpoints(world.app)
    for rule in world.app.url_map.iter_rules():
        resource = _generated(views[rule.endpoint])
        if "pk" not in rule.arguments or resource is None or not issubclass(resource.model, ClientScoped):
            continue
        with world.app.app_context(), system("contract test"):
            foreign = db.session.query(resource.model).filter_by(client_id=hidden).first().id
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            body = {"json": {}} if rule.rule.startswith("/api/") and method != "GET" else {}
            answers = [teammate.open(address(world.app, rule, pk), method=method, **body) for pk in (foreign, 999_999)]
            assert [a.status_code for a in answers] == [404, 404], f"{method} {rule.rule}"
