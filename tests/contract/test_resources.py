"""What every declared entity promises (PLT-01). A new resource is covered by being declared."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from app.core.audit import AuditEntry
from app.core.db import db
from app.core.mixins import ClientScoped, SelfScoped
from app.core.security.principal import system
from app.kit import registry
from app.kit.fields import field_of, title_of
from app.kit.filters import operators_for
from app.kit.listing import sortable
from app.kit.resource import Resource
from tests.contract.conftest import World
from tests.contract.rows import as_json, form_values, posted

ALL = registry.resources()
WRITABLE = [r for r in ALL if r.writable]
DELETABLE = [r for r in WRITABLE if r.trash is not None]
SCOPED = [r for r in ALL if issubclass(r.model, ClientScoped | SelfScoped)]


def each(resources: list[Resource]) -> Any:
    return pytest.mark.parametrize("resource", resources, ids=[r.name for r in resources])


def api(resource: Resource, pk: int | None = None) -> str:
    return f"/api/v1/{resource.name}/{pk or ''}"


def shown(answer: Any) -> str:
    """A page without what differs on every request: references, nonces, times, tokens."""
    text = re.sub(r"req_\w+|nonce=\"[^\"]*\"|csrf-token\" content=\"[^\"]*\"", "", answer.get_data(as_text=True))
    return re.sub(r"<dt>Happened</dt><dd>[^<]*</dd>|\d+/edit|/\d+", "", text)


def listed(client: Any, resource: Resource, query: str = "") -> Any:
    return client.get(f"{resource.url}/{query}")


# -- pages -----------------------------------------------------------------------------------------------------------


@each(ALL)
def test_the_list_shows_the_row_and_the_row_opens(world: World, resource: Resource) -> None:
    pk = world.row(resource, owner="admin")
    page = listed(world.as_("admin"), resource)
    assert page.status_code == 200
    assert f'{resource.url}/{pk}"' in page.get_data(as_text=True)
    opened = world.as_("admin").get(f"{resource.url}/{pk}")
    assert opened.status_code in ((200, 302) if resource.name == "notification" else (200,))  # it leads to its thing


@each(ALL)
def test_an_empty_list_says_what_to_do_next(world: World, resource: Resource) -> None:
    page = listed(world.as_("admin"), resource, "?f=id:eq:999999")
    assert page.status_code == 200
    assert str(resource.plural).lower() in page.get_data(as_text=True).lower()


@each(WRITABLE)
def test_a_filled_form_makes_the_row(world: World, resource: Resource) -> None:
    admin = world.as_("admin")
    assert admin.get(f"{resource.url}/add").status_code == 200
    with world.app.app_context():
        data = posted(resource, form_values(resource, world.alpha, world.users["owner"]))
        db.session.commit()
        before = _newest(resource)
    answer = admin.post(f"{resource.url}/add", data=data)
    assert answer.status_code == 302, _errors(answer)
    with world.app.app_context():
        assert _newest(resource) > before


@each(WRITABLE)
def test_an_empty_form_is_refused_field_by_field_and_makes_nothing(world: World, resource: Resource) -> None:
    required = [n for n in resource.field_names() if field_of(resource.model, n).required]
    if not required:
        pytest.fail(f"{resource.name} has no required field: an empty row can be stored")
    with world.app.app_context():
        before = _newest(resource)
    answer = world.as_("admin").post(f"{resource.url}/add", data={})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert all(f'id="{name}-error"' in text for name in required)
    with world.app.app_context():
        assert _newest(resource) == before


@each(WRITABLE)
def test_what_was_typed_stays_when_a_form_is_refused(world: World, resource: Resource) -> None:
    texts = [n for n in resource.field_names() if field_of(resource.model, n).kind in ("text", "long")]
    if not texts:
        return
    answer = world.as_("admin").post(f"{resource.url}/add", data={texts[0]: "Kept \u2018text\u2019\x00"})
    assert answer.status_code == 422
    assert "Kept" in answer.get_data(as_text=True)


@each(WRITABLE)
def test_editing_saves_and_the_second_editor_sees_the_difference(world: World, resource: Resource) -> None:
    pk, admin = world.row(resource), world.as_("admin")
    url = f"{resource.url}/{pk}/edit"
    page = admin.get(url).get_data(as_text=True)
    version = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert version is not None
    with world.app.app_context(), system("contract test"):
        row = db.session.get(resource.model, pk)
        names = [n for n in resource.field_names() if n not in resource.readonly]
        data = posted(resource, {n: getattr(row, field_of(resource.model, n).key) for n in names})
    changed = _change(resource, data)
    assert admin.post(url, data={**changed, "version": version[1]}).status_code == 302
    assert admin.post(url, data={**data, "version": version[1]}).status_code == 409
    with world.app.app_context(), system("contract test"):
        row = db.session.get(resource.model, pk)
        assert all(
            str(getattr(getattr(row, k), "value", getattr(row, k))) == v for k, v in changed.items() if v != data.get(k)
        )


@each(DELETABLE)
def test_a_deleted_row_leaves_everything_and_comes_back_whole(world: World, resource: Resource) -> None:
    pk, admin = world.row(resource), world.as_("admin")
    world.prepare_deletion(resource, pk)
    before = admin.get(api(resource, pk)).get_json()["result"]
    assert admin.get(f"{resource.url}/{pk}/delete").status_code == 200
    assert admin.get(api(resource, pk)).status_code == 200, "asking deletes nothing"
    assert admin.post(f"{resource.url}/{pk}/delete").status_code == 302
    for gone in (f"{resource.url}/{pk}", f"{resource.url}/{pk}/edit", api(resource, pk)):
        assert admin.get(gone).status_code == 404
    assert pk not in admin.get(api(resource)).get_json()["ids"]
    assert admin.post(f"{resource.url}/{pk}/restore").status_code == 302
    after = admin.get(api(resource, pk)).get_json()["result"]
    moving = ("version", "updated_at")
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}


@each(ALL)
def test_search_finds_the_row_by_its_words_and_nothing_else(world: World, resource: Resource) -> None:
    texts = [
        n for n in resource.search if "." not in n and field_of(resource.model, n).kind in ("text", "email", "long")
    ]
    if not resource.search:
        return
    assert texts, f"{resource.name} searches no text"
    pk, admin = world.row(resource, owner="admin"), world.as_("admin")
    with world.app.app_context(), system("contract test"):
        row = db.session.get(resource.model, pk)
        word = next(str(v) for v in (getattr(row, n) for n in texts) if v)
    found = admin.get(api(resource) + f"?q={quote(json.dumps({'filter': {'and': []}}))}").get_json()["ids"]
    assert pk in found
    page = listed(admin, resource, f"?q={quote(word)}").get_data(as_text=True)
    assert f'{resource.url}/{pk}"' in page
    for nothing in ("zzqx-no-such-word", "R%w", "R_w", "'; drop table contact; --"):
        page = listed(admin, resource, f"?q={quote(nothing)}")
        assert page.status_code == 200
        assert f'{resource.url}/{pk}"' not in page.get_data(as_text=True), nothing


@each(ALL)
def test_every_filter_answers_and_a_wrong_value_shows_no_row(world: World, resource: Resource) -> None:
    pk, admin = world.row(resource, owner="admin"), world.as_("admin")
    for name in resource.filters:
        field = field_of(resource.model, name, resource.labels)
        for op in operators_for(field):
            value = _filter_value(field, op)
            answer = listed(admin, resource, f"?f={quote(f'{name}:{op.name}:{value}')}")
            assert answer.status_code == 200, f"{name} {op.name} {value}"
        if field.kind not in ("text", "long", "email", "phone", "url", "time_zone", "country", "language", "currency"):
            answer = listed(admin, resource, f"?f={quote(name)}:eq:no-such-value")
            assert answer.status_code == 400, name
            assert f'{resource.url}/{pk}"' not in answer.get_data(as_text=True)
    for wrong in ("nosuch:eq:1", "id:nosuch:1", "id", "id:eq:", "id:eq:99999999999999999999"):
        assert listed(admin, resource, f"?f={wrong}").status_code == 400, wrong


@each(ALL)
def test_the_list_sorts_by_what_it_shows_and_by_nothing_else(world: World, resource: Resource) -> None:
    world.row(resource, owner="admin")
    admin = world.as_("admin")
    for name in sortable(resource):
        for way in ("asc", "desc"):
            order = quote(json.dumps({"order_column": name, "order_direction": way}))
            assert admin.get(f"{api(resource)}?q={order}").status_code == 200, name
            sort = name if way == "asc" else f"-{name}"
            if resource.name != "client":  # the overview has its own columns, tested with it
                assert listed(admin, resource, f"?sort={sort}").status_code == 200, sort
    hidden = set(sa.inspect(resource.model).column_attrs.keys()) - set(sortable(resource))
    for name in (*hidden, "nosuch", "id;drop", "created_by.password"):
        assert listed(admin, resource, f"?sort={name}").status_code == 400, name
        order = quote(json.dumps({"order_column": name, "order_direction": "asc"}))
        assert admin.get(f"{api(resource)}?q={order}").status_code == 400, name


@each(ALL)
def test_pages_are_bounded(world: World, resource: Resource) -> None:
    admin = world.as_("admin")
    for wrong in ("page=0", "page=-1", "page=x", "page=99", "size=x", "page=99999999999999999999"):
        answer = listed(admin, resource, f"?{wrong}")
        assert answer.status_code == 400, wrong
    assert admin.get(f"{api(resource)}?q=(page_size:100000)").status_code == 200


# -- the API says the same ------------------------------------------------------------------------------------------


@each(ALL)
def test_the_api_shows_the_same_rows_and_only_declared_fields(world: World, resource: Resource) -> None:
    pks = [world.row(resource, owner="admin") for _n in range(3)]
    admin = world.as_("admin")
    answer = admin.get(api(resource)).get_json()
    page = listed(admin, resource).get_data(as_text=True)
    assert set(pks) <= set(answer["ids"])
    assert all(f'{resource.url}/{pk}"' in page for pk in answer["ids"])
    allowed = {"id", "version", "created_at", "updated_at", *resource.list, *resource.more, *resource.field_names()}
    assert set(answer["result"][0]) <= allowed
    assert set(admin.get(api(resource, pks[0])).get_json()["result"]) <= allowed


@each(WRITABLE)
def test_the_api_makes_changes_and_removes_like_the_forms(world: World, resource: Resource) -> None:
    admin = world.as_("admin")
    with world.app.app_context():
        body = as_json(resource, form_values(resource, world.alpha, world.users["owner"]))
        db.session.commit()
    made = admin.post(api(resource), json=body)
    assert made.status_code == 201, made.get_json()
    pk, version = made.get_json()["id"], made.get_json()["result"]["version"]
    text = next((n for n in resource.field_names() if field_of(resource.model, n).kind in ("text", "long")), None)
    if text and text not in resource.readonly:
        changed = admin.put(api(resource, pk), json={text: "Changed by a program", "version": version})
        assert changed.status_code == 200, changed.get_json()
        assert changed.get_json()["result"][text] == "Changed by a program"
        assert admin.put(api(resource, pk), json={text: "Too late", "version": version}).status_code == 409
    assert admin.put(api(resource, pk), json={"id": 1, "deleted_at": None}).status_code == 422
    assert admin.post(api(resource), json={}).status_code == 422
    assert admin.post(api(resource), data="not json", content_type="application/json").status_code == 422
    if resource.trash is not None:
        world.prepare_deletion(resource, pk)
        assert admin.delete(api(resource, pk)).status_code == 200
        assert admin.get(api(resource, pk)).status_code == 404


# -- rights and scope ------------------------------------------------------------------------------------------------


def _requests(resource: Resource, pk: int) -> list[tuple[str, str]]:
    """Every way to reach a row."""
    found = [("GET", f"{resource.url}/{pk}"), ("GET", api(resource, pk))]
    if resource.writable:
        found += [
            ("GET", f"{resource.url}/{pk}/edit"),
            ("POST", f"{resource.url}/{pk}/edit"),
            ("PUT", api(resource, pk)),
        ]
    if resource.writable and resource.trash is not None:
        found += [("GET", f"{resource.url}/{pk}/delete"), ("POST", f"{resource.url}/{pk}/delete")]
        found += [("POST", f"{resource.url}/{pk}/restore"), ("DELETE", api(resource, pk))]
    return found + [("POST", f"{resource.url}/action/{a.name}/{pk}") for a in resource.actions]


def _send(client: Any, method: str, url: str) -> Any:
    return client.open(url, method=method, json={} if url.startswith("/api/") and method in ("PUT", "POST") else None)


@each(ALL)
def test_who_has_no_right_is_refused_everywhere(world: World, resource: Resource) -> None:
    pk, stranger = world.row(resource), world.as_("stranger")
    for method, url in [
        *_requests(resource, pk),
        ("GET", f"{resource.url}/"),
        ("GET", api(resource)),
        ("GET", f"{resource.url}/lookup"),
    ]:
        assert _send(stranger, method, url).status_code == 403, f"{method} {url}"
    for method, url in [*_requests(resource, pk), ("GET", f"{resource.url}/"), ("GET", api(resource))]:
        expected = 401 if url.startswith("/api/") else 302
        assert _send(world.app.test_client(), method, url).status_code == expected, f"{method} {url} without sign-in"


@each(SCOPED)
def test_a_foreign_row_is_as_absent_as_an_absent_one(world: World, resource: Resource) -> None:
    foreign, absent = world.row(resource, foreign=True), 999_999
    world.grant("Agent", resource.verbs(), resource)
    teammate = world.as_("teammate")
    for (method, url), (_m, other) in zip(_requests(resource, foreign), _requests(resource, absent), strict=True):
        answer, nothing = _send(teammate, method, url), _send(teammate, method, other)
        assert answer.status_code == nothing.status_code == 404, f"{method} {url}"
        assert shown(answer) == shown(nothing), f"{method} {url} tells a foreign row from an absent one"
    with world.app.app_context(), system("contract test"):
        row = db.session.get(resource.model, foreign)
        assert row is not None and getattr(row, "deleted_at", None) is None


@each(SCOPED)
def test_lists_and_pickers_show_only_granted_rows(world: World, resource: Resource) -> None:
    own = world.alpha if resource.name == "client" else world.row(resource)
    foreign = world.row(resource, foreign=True)
    world.grant("Agent", resource.verbs(), resource)
    teammate = world.as_("teammate")
    ids = teammate.get(api(resource)).get_json()["ids"]
    assert own in ids and foreign not in ids
    page = listed(teammate, resource).get_data(as_text=True)
    assert f'{resource.url}/{own}"' in page and f'{resource.url}/{foreign}"' not in page
    picked = teammate.get(f"{resource.url}/lookup?q=").get_json()["results"]
    assert foreign not in [choice["id"] for choice in picked]
    one = quote(json.dumps({"filters": [{"col": "id", "opr": "eq", "value": foreign}]}))
    assert teammate.get(f"{api(resource)}?q={one}").get_json()["count"] == 0


@each([r for r in SCOPED if r.writable and any(field_of(r.model, n).target for n in r.field_names())])
def test_a_row_cannot_be_tied_to_a_foreign_one(world: World, resource: Resource) -> None:
    """Every relation of the form, one at a time, given a row of the other client."""
    world.grant("Agent", resource.verbs(), resource)
    teammate = world.as_("teammate")
    for name in resource.field_names():
        target = (
            registry.of_model(field_of(resource.model, name).target) if field_of(resource.model, name).target else None
        )
        if target is None:
            continue
        other = world.beta if target.name == "client" else world.row(target, foreign=True)
        with world.app.app_context():
            values = form_values(resource, world.alpha, world.users["owner"])
            db.session.commit()
            before = _newest(resource)
        values[name] = other
        assert teammate.post(f"{resource.url}/add", data=posted(resource, values)).status_code in (404, 422), name
        assert teammate.post(api(resource), json=as_json(resource, values)).status_code in (404, 422), name
        with world.app.app_context():
            assert _newest(resource) == before, f"{name} let a foreign row in"


@each(SCOPED)
def test_selected_foreign_rows_are_left_alone(world: World, resource: Resource) -> None:
    if "bulk" not in resource.verbs() or "delete" not in resource.verbs():
        return
    foreign = world.row(resource, foreign=True)
    world.grant("Agent", resource.verbs(), resource)
    url = f"{resource.url}/action_post?action="
    world.as_("teammate").post(url + "delete", data={"ids": str(foreign)})
    assert world.as_("teammate").post(url + "nosuch", data={"ids": str(foreign)}).status_code == 404
    with world.app.app_context(), system("contract test"):
        assert db.session.get(resource.model, foreign) is not None


# -- audit and cost --------------------------------------------------------------------------------------------------


@each(DELETABLE)
def test_every_write_leaves_an_entry_that_says_who(world: World, resource: Resource) -> None:
    pk, admin = world.row(resource), world.as_("admin")
    world.prepare_deletion(resource, pk)
    admin.post(f"{resource.url}/{pk}/delete")
    admin.post(f"{resource.url}/{pk}/restore")
    with world.app.app_context():
        query = sa.select(AuditEntry.action, AuditEntry.user_id, AuditEntry.request_id).where(
            AuditEntry.entity == resource.model.__tablename__, AuditEntry.entity_id == pk
        )
        found = {row.action: row for row in db.session.execute(query)}
    assert {"create", "delete", "restore"} <= set(found)
    assert found["delete"].user_id == world.users["admin"]
    assert found["delete"].request_id.startswith("req_")
    page = admin.get(f"{resource.url}/{pk}?tab=history").get_data(as_text=True)
    assert "moved this to the trash" in page


@each(ALL)
def test_a_list_costs_at_most_eight_queries_whatever_its_size(
    world: World, resource: Resource, statements: Any
) -> None:
    def cost(url: str) -> int:
        client = world.as_("teammate")
        client.get(url)
        statements()
        assert client.get(url).status_code == 200
        return len(statements())

    world.grant("Agent", resource.verbs(), resource)
    budget = 10 if resource.name == "client" else 8
    world.row(resource, owner="teammate")
    few, few_api = cost(f"{resource.url}/"), cost(api(resource))
    for _n in range(12):
        world.row(resource, owner="teammate")
    many, many_api = cost(f"{resource.url}/"), cost(api(resource))
    assert many == few <= budget
    assert many_api == few_api <= budget


def _newest(resource: Resource) -> int:
    table = resource.model.__table__
    return int(db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))) or 0)


def _errors(answer: Any) -> str:
    return " | ".join(re.findall(r'field-error"[^>]*>.*?<span>(.*?)</span>', answer.get_data(as_text=True), re.S))


def _change(resource: Resource, data: dict[str, str]) -> dict[str, str]:
    for name in resource.field_names():
        field = field_of(resource.model, name)
        if name not in resource.readonly and field.kind in ("text", "long"):
            return {**data, name: "Changed by hand"}
        if name not in resource.readonly and field.enum:
            return {**data, name: next(m.value for m in reversed(field.enum) if m.value != data.get(name))}
    return pytest.fail(f"{resource.name} has nothing to edit")


def _filter_value(field: Any, op: Any) -> str:
    if op.arity == 0:
        return ""
    one = "7" if op.days else _ONE.get(op.kind or field.kind, "abc")
    if field.enum is not None and not op.raw:
        one = next(iter(field.enum)).value
    return f"{one},{one}" if op.arity == 2 else one


_ONE = {
    "number": "5",
    "money": "5",
    "decimal": "5",
    "boolean": "1",
    "date": "2026-03-01",
    "datetime": "2026-03-01T10:00",
    "relation": "1",
    "person": "1",
}


def test_every_row_has_a_name(world: World) -> None:
    for resource in ALL:
        pk = world.row(resource)
        with world.app.app_context(), system("contract test"):
            title = title_of(db.session.get(resource.model, pk))
        assert title and "object at 0x" not in title and not title.startswith("<"), resource.name
