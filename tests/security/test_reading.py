"""What Flask-AppBuilder would let a reader see: other people's rows, hidden columns, unfiltered lists (reliability.md)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import prison
import pytest

from app.core.db import db
from app.core.security.principal import system
from app.features.clients.models import Client
from tests.factories.contacts import contact as make_contact
from tests.security.world import give, take

LISTS = ["/contacts/", "/clients/", "/leads/", "/campaigns/", "/people/", "/audit/", "/trash/contact/"]


def test_eight_threads_never_see_another_users_search_or_rows(app, world, sign_in):
    cast = {"anna": ("Annason", "Ottoson"), "otto": ("Ottoson", "Annason")}
    clients = [(sign_in(name), *cast[name]) for name in ("anna", "otto") * 4]

    def read(case):
        client, own, foreign = case
        wrong = 0
        for _turn in range(12):
            mine = client.get(f"/contacts/?q={own}").data.decode()
            other = client.get(f"/contacts/?q={foreign}").data.decode()
            wrong += own not in _table(mine)
            wrong += foreign in _table(mine) + _table(other)
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(read, clients)) == 0


def _table(html: str) -> str:
    """The rows of a list page: the search box repeats what was searched for."""
    return html.partition("<tbody>")[2].partition("</tbody>")[0]


@pytest.mark.parametrize(
    ("url", "own", "foreign"), [("/clients/lookup", "First", "Second"), ("/contacts/lookup", "Mine", "Theirs")]
)
def test_lookups_hold_only_rows_within_reach(world, sign_in, admin, url, own, foreign):
    within = sign_in("anna").get(f"{url}?q=").text
    everything = admin.get(f"{url}?q=").text
    assert own in within and foreign not in within
    assert own in everything and foreign in everything


def test_a_form_cannot_point_into_a_foreign_client(app, world, sign_in):
    data = {"first_name": "Spy", "last_name": "Glass", "email": "spy@people.example", "client": world.second}
    foreign = sign_in("anna").post("/contacts/add", data=data)
    absent = sign_in("anna").post("/contacts/add", data=data | {"client": 999_999})
    assert foreign.status_code == absent.status_code == 422
    assert b"This choice does not exist" in foreign.data
    assert sign_in("anna").post("/contacts/add", data=data | {"client": world.first}).status_code == 302


def test_the_api_cannot_point_into_a_foreign_client(world, sign_in):
    client = sign_in("anna")
    body = {"first_name": "Spy", "last_name": "Glass", "email": "spy@people.example", "client": world.second}
    foreign = client.post("/api/v1/contact/", json=body)
    absent = client.post("/api/v1/contact/", json=body | {"client": 999_999})
    assert foreign.status_code == absent.status_code
    assert 400 <= foreign.status_code < 500


def test_lists_order_by_listed_columns_only(admin, world):
    for url in [
        "/people/?sort=password",
        "/people/?sort=-password",
        "/people/?sort=created_by",
        "/contacts/?sort=deleted_at",
        "/contacts/?sort=client.name;drop",
        "/contacts/?sort=__class__",
        "/clients/?sort=password",
        "/audit/?sort=changes",
    ]:
        answer = admin.get(url)
        assert answer.status_code == 400, url
        assert b"<tbody>" not in answer.data


def test_the_api_orders_by_listed_columns_only(admin, world):
    query = prison.dumps({"order_column": "deletion_id", "order_direction": "asc"})
    answer = admin.get(f"/api/v1/contact/?q={query}")
    assert answer.status_code == 400
    assert "people.example" not in answer.text


def test_a_filter_that_is_not_understood_shows_nothing(admin, world):
    wrong = [
        "id:eq:abc",
        "id:no_such_operator:1",
        "no_such_field:eq:1",
        "deletion_id:eq:1",
        "client:eq:First",
        "id:eq:",
        "id",
    ]
    for term in wrong:
        answer = admin.get("/contacts/", query_string={"f": term})
        assert answer.status_code == 400, term
        assert b"people.example" not in answer.data, term


def test_people_are_not_filtered_by_what_is_hidden_or_wrong(admin):
    for term in ("password:contains:scrypt", "password:is_set:", "id:eq:x", "active:eq:perhaps"):
        answer = admin.get("/people/", query_string={"f": term})
        assert answer.status_code == 400, term
        assert b"<tbody>" not in answer.data, term


def test_a_json_filter_that_is_not_understood_shows_nothing(admin, world):
    for raw in ("{", "[]", '{"and": [{"field": "id", "op": "eq", "value": "x"}]}', '{"nor": []}'):
        answer = admin.get("/contacts/", query_string={"filter": raw})
        assert answer.status_code == 400, raw
        assert b"people.example" not in answer.data


@pytest.mark.parametrize("url", LISTS)
def test_a_bad_page_number_is_told_not_a_500(admin, world, url):
    for page in ("abc", "-1", "0", "1.5", "99999999999999999999", "٣", "1e3"):
        assert admin.get(url, query_string={"page": page}).status_code == 400, page


def test_page_size_has_a_limit(app, admin, world):
    with app.app_context(), system("test"):
        client = db.session.get(Client, world.first)
        for _n in range(110):
            make_contact(client)
        db.session.commit()
    page = admin.get("/contacts/?size=1000000").data.decode()
    assert 0 < page.count("<tr data-row") <= 100
    found = admin.get(f"/api/v1/contact/?q={prison.dumps({'page_size': 100_000})}")
    assert len(found.json["result"]) <= 100
    assert len(admin.get("/contacts/lookup?q=").json["results"]) <= 20


def test_a_related_tab_obeys_its_own_permission(app, world, sign_in):
    url = f"/clients/{world.first}?tab=contact"
    assert "Annason" in sign_in("anna").get(url).text
    take(app, "Agent", ("can_see", "contact"))
    assert "Annason" not in sign_in("anna").get(url).text
    assert sign_in("anna").get("/contacts/lookup").status_code == 403


def test_no_page_and_no_answer_holds_a_password_hash(admin, world):
    urls = ["/people/", f"/people/{world.people['anna']}", f"/people/{world.people['anna']}/edit", "/audit/"]
    urls += [f"/people/{world.people['anna']}/password", "/people/lookup?q=", "/api/v1/_openapi", "/people/me"]
    for url in urls:
        answer = admin.get(url)
        assert answer.status_code == 200, url
        assert "scrypt" not in answer.text, url
        assert "pbkdf2" not in answer.text, url


def test_a_foreign_row_answers_like_an_absent_one(app, world, sign_in):
    give(app, "Agent", *((f"can_{verb}", "contact") for verb in ("delete", "restore", "bulk")))
    client = sign_in("anna")
    for path in ("", "/edit", "/delete"):
        foreign = client.get(f"/contacts/{world.contacts['theirs']}{path}")
        absent = client.get(f"/contacts/999999{path}")
        assert foreign.status_code == absent.status_code == 404
        assert _plain(foreign.text) == _plain(absent.text)


def _plain(html: str) -> str:
    """The page without what differs at every request."""
    return "".join(
        line for line in html.splitlines() if not any(word in line for word in ("nonce", "req_", "datetime="))
    )


def test_people_are_looked_up_by_name_without_addresses(world, sign_in):
    answer = sign_in("anna").get("/people/lookup?q=ot")
    assert [row["text"] for row in answer.json["results"]] == ["Otto Test"]
    assert "@" not in json.dumps(answer.json)


def test_people_are_looked_up_by_those_who_see_clients(app, world, sign_in, client):
    take(app, "Guest", ("can_see", "client"))
    assert sign_in("gus").get("/people/lookup?q=").status_code == 403
    assert client.get("/people/lookup?q=").status_code in (302, 401)
