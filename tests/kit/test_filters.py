"""The filter language: strict to read, exact to run, the same on both databases (PLT-02)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.clock import utcnow
from app.core.errors import BadQuery
from app.core.security.principal import system
from app.features.contacts.enums import ContactStatus
from app.features.contacts.models import Contact
from app.kit import filters
from tests.factories import clients, contacts

ALLOWED = {"id", "client", "client.name", "company", "email", "status", "is_new", "first_action_at", "owner", "country"}


@pytest.fixture
def people(db: Any) -> dict[str, Any]:
    """Five contacts of one client that differ in every filtered field."""
    client = clients.client(name="Filter Ltd")
    made = {
        "ann": contacts.contact(client, first_name="Ann", company="100% Wool", status=ContactStatus.NEW, country="GB"),
        "bob": contacts.contact(client, first_name="Bob", company="100 Wool", status=ContactStatus.WON, country="DE"),
        "cy": contacts.contact(client, first_name="Cy", company="a_b", status=ContactStatus.LOST),
        "di": contacts.contact(client, first_name="Di", company="axb", status=ContactStatus.NEW),
        "ed": contacts.contact(client, first_name="Ed", company=None, status=ContactStatus.QUALIFIED),
    }
    made["ann"].first_action_at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    made["bob"].first_action_at = utcnow() - timedelta(days=3)
    db.session.commit()
    return made


def found(db: Any, group: filters.Group) -> set[str]:
    clause = filters.compile_filter(Contact, group, ALLOWED)
    with system("test"):
        return {n.lower() for n in db.session.scalars(sa.select(Contact.first_name).where(clause))}


def term(*terms: str) -> filters.Group:
    return filters.from_url(terms)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (["status:eq:new"], {"ann", "di"}),
        (["status:neq:new"], {"bob", "cy", "ed"}),
        (["status:in:new,won"], {"ann", "bob", "di"}),
        (["status:notin:new,won"], {"cy", "ed"}),
        (["company:contains:100%"], {"ann"}),
        (["company:contains:a_b"], {"cy"}),
        (["company:contains:WOOL"], {"ann", "bob"}),
        (["company:starts:100"], {"ann", "bob"}),
        (["company:eq:100 wool"], {"bob"}),
        (["company:neq:axb"], {"ann", "bob", "cy", "ed"}),
        (["company:empty"], {"ed"}),
        (["company:notempty", "status:eq:new"], {"ann", "di"}),
        (["country:in:GB,DE"], {"ann", "bob"}),
        (["first_action_at:notempty"], {"ann", "bob"}),
        (["first_action_at:last:7"], {"bob"}),
        (["first_action_at:older:7"], {"ann"}),
        (["first_action_at:on:2026-03-01"], {"ann"}),
        (["first_action_at:between:2026-03-01,2026-03-02"], {"ann"}),
        (["client.name:eq:filter ltd", "country:eq:DE"], {"bob"}),
        (["client.name:contains:nobody"], set()),
        (["is_new:eq:yes"], {"ann", "bob", "cy", "di", "ed"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_operator_finds_exactly_its_rows(db: Any, people: Any, terms: list[str], expected: set[str]) -> None:
    assert found(db, term(*terms)) == expected


def test_groups_nest_and_mean_what_they_say(db: Any, people: Any) -> None:
    text = {
        "and": [
            {"or": [{"field": "status", "op": "eq", "value": "new"}, {"field": "country", "op": "eq", "value": "DE"}]},
            {"field": "company", "op": "contains", "value": "100"},
        ]
    }
    group = filters.from_json(json.dumps(text))
    assert found(db, group) == {"ann", "bob"}
    assert filters.from_json(filters.to_json(group)) == group
    assert found(db, filters.from_json({"or": []})) == {"ann", "bob", "cy", "di", "ed"}


@pytest.mark.parametrize(
    "terms",
    ["nosuch:eq:1", "status:nosuch:1", "status:eq:unknown", "client:eq:abc", "client:eq:", "client:eq:99999999999999999",
     "first_action_at:on:31.12.2026", "first_action_at:last:-1", "first_action_at:last:x", "is_new:eq:perhaps",
     "first_action_at:between:2026-01-01", "company", ":eq:1", "notes:contains:x", "client.notes:eq:1"],
)  # fmt: skip
def test_what_is_not_understood_is_refused_and_never_widened(app: Any, db: Any, terms: str) -> None:
    with app.test_request_context(), pytest.raises(BadQuery) as refused:
        filters.compile_filter(Contact, term(terms), ALLOWED)
    assert str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "1", '"x"', '{"and": {}}', '{"field": "status"}', '{"field": "status", "op": 1}',
     '{"field": "status", "op": "eq", "value": {"a": 1}}', '{"and": [], "or": []}', '{"and": [1]}',
     '{"field": "status", "op": "eq", "value": "new", "more": 1}'],
)  # fmt: skip
def test_broken_json_is_refused(app: Any, text: str) -> None:
    with app.test_request_context(), pytest.raises(BadQuery):
        filters.from_json(text)


def test_a_filter_is_bounded(app: Any) -> None:
    deep: Any = {"field": "status", "op": "eq", "value": "new"}
    for _level in range(20):
        deep = {"and": [deep]}
    with app.test_request_context():
        with pytest.raises(BadQuery):
            filters.from_json(deep)
        with pytest.raises(BadQuery):
            filters.from_url(["status:eq:new"] * 1000)


_conditions = st.one_of(
    st.builds(lambda v: {"field": "status", "op": "eq", "value": v}, st.sampled_from([s.value for s in ContactStatus])),
    st.builds(
        lambda v: {"field": "status", "op": "neq", "value": v}, st.sampled_from([s.value for s in ContactStatus])
    ),
    st.builds(
        lambda v: {"field": "company", "op": "contains", "value": v}, st.sampled_from(["100", "%", "_", "o", "x"])
    ),
    st.builds(lambda o: {"field": "country", "op": o}, st.sampled_from(["empty", "notempty"])),
)


def _group(inner: Any) -> Any:
    """ "and" or "or" over up to three parts."""
    return st.dictionaries(st.sampled_from(["and", "or"]), st.lists(inner, max_size=3), min_size=1, max_size=1)


_trees = st.recursive(_conditions, _group, max_leaves=8)


def holds(node: dict[str, Any], row: Any) -> bool:
    """The same language, evaluated in Python."""
    if "and" in node:
        return all(holds(part, row) for part in node["and"])
    if "or" in node:
        return not node["or"] or any(holds(part, row) for part in node["or"])
    value = getattr(row, node["field"])
    value = getattr(value, "value", value)
    if node["op"] == "contains":
        return node["value"].lower() in (value or "").lower()
    if node["op"] in ("empty", "notempty"):
        return (not value) == (node["op"] == "empty")
    return (value == node["value"]) == (node["op"] == "eq")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=_trees)
def test_any_filter_agrees_with_its_meaning(db: Any, people: Any, tree: dict[str, Any]) -> None:
    expected = {name for name, row in people.items() if holds(tree, row)}
    assert found(db, filters.from_json(tree)) == expected


def test_search_wants_every_word_and_takes_signs_for_themselves(db: Any, people: Any) -> None:
    def hits(text: str) -> set[str]:
        clause = filters.search_clause(Contact, ("name", "company", "client.name"), text)
        with system("test"):
            return {n.lower() for n in db.session.scalars(sa.select(Contact.first_name).where(clause))}

    assert hits("ann wool") == {"ann"}
    assert hits("ann nobody") == set()
    assert hits("100%") == {"ann"}
    assert hits("a_b") == {"cy"}
    assert hits("filter") == {"ann", "bob", "cy", "di", "ed"}
    assert hits("'; drop table contact; --") == set()
    assert hits("  ") == {"ann", "bob", "cy", "di", "ed"}
