"""The audit trail's page: filters, links, and whose changes are on it (PLT-10)."""

from __future__ import annotations

from tests.security.world import give


def test_changes_are_filtered_by_kind_person_action_and_date(admin, world):
    rows = admin.get("/audit/").text.partition("<tbody>")[2]
    assert "First Client" in rows and f"/contacts/{world.contacts['mine']}" in rows
    only = admin.get("/audit/?f=entity:eq:client&f=action:eq:create").text.partition("<tbody>")[2]
    assert "First Client" in only and "Annason" not in only
    assert "<tbody>" not in admin.get("/audit/?f=at:before:2000-01-01").text
    assert "<tbody>" not in admin.get("/audit/?f=actor:eq:Nobody").text
    assert "Annason" in admin.get("/audit/?q=Annason").text.partition("<tbody>")[2]


def test_what_is_not_understood_shows_nothing(admin, world):
    for query in ("f=at:eq:yesterday", "f=user_id:eq:x", "f=changes:eq:1", "f=address:eq:1", "page=x", "sort=changes"):
        answer = admin.get(f"/audit/?{query}")
        assert answer.status_code == 400, query
        assert "<tbody>" not in answer.text, query


def test_an_agent_with_the_right_sees_the_changes_of_granted_clients(app, world, sign_in):
    give(app, "Agent", ("can_see", "audit"))
    page = sign_in("anna").get("/audit/?size=100").text
    assert "Annason" in page and "First Client" in page
    assert "Ottoson" not in page and "Second Client" not in page
