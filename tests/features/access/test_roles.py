"""Roles: the matrix shows and stores exactly the rights there are, and every change is in the trail (PLT-03)."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from app.core.audit import AuditEntry
from app.core.db import db
from app.features.access.queries import pair_ids, pairs_of_roles
from tests.security.world import give

BOX = re.compile(
    r'<input class="form-check-input" type="checkbox" name="([^"]+)" value="1"[^>]*?(checked)?\s*(disabled)?>'
)


def role_id(app, name):
    with app.app_context():
        return db.session.scalars(sa.select(Role.id).where(Role.name == name)).one_or_none()


def rights(app, name):
    with app.app_context():
        return pairs_of_roles([db.session.scalars(sa.select(Role.id).where(Role.name == name)).one()])


def form_of(client, url):
    """The matrix as the browser would post it."""
    page = client.get(url).text
    data = {name: "1" for name, checked, _off in BOX.findall(page) if checked}
    data["version"] = page.partition('name="version" value="')[2].partition('"')[0]
    return data


def trail(app):
    with app.app_context():
        query = sa.select(AuditEntry).where(AuditEntry.entity == "role").order_by(AuditEntry.id)
        return [(e.action, e.title, e.changes) for e in db.session.scalars(query)]


def test_the_matrix_has_a_box_for_every_right_and_checks_those_held(app, admin):
    page = admin.get(f"/roles/{role_id(app, 'Agent')}").text
    boxes = {tuple(name.split(":")): bool(checked) for name, checked, _off in BOX.findall(page)}
    with app.app_context():
        assert set(boxes) == set(pair_ids())
    assert {pair for pair, checked in boxes.items() if checked} == rights(app, "Agent")


def test_one_post_stores_what_is_checked_and_tells_the_trail(app, admin, world, sign_in):
    url = f"/roles/{role_id(app, 'Agent')}"
    data, before = form_of(admin, url), rights(app, "Agent")
    del data["can_add:contact"]
    data["can_delete:contact"] = "1"
    assert admin.post(url, data=data).status_code == 302
    assert rights(app, "Agent") == before - {("can_add", "contact")} | {("can_delete", "contact")}
    assert sign_in("anna").get("/contacts/add").status_code == 403
    assert sign_in("anna").get(f"/contacts/{world.contacts['mine']}/delete").status_code == 200
    changes = {"can_add:contact": [True, False], "can_delete:contact": [False, True]}
    assert trail(app) == [("update", "Agent", changes)]


def test_saving_without_a_change_changes_nothing(app, admin):
    url = f"/roles/{role_id(app, 'Agent')}"
    before = rights(app, "Agent")
    assert admin.post(url, data=form_of(admin, url)).status_code == 302
    assert rights(app, "Agent") == before
    assert trail(app) == []


def test_an_older_form_changes_nothing(app, admin):
    url = f"/roles/{role_id(app, 'Agent')}"
    data = form_of(admin, url)
    give(app, "Agent", ("can_delete", "contact"))
    answer = admin.post(url, data=data)
    assert answer.status_code == 409
    assert "Somebody else changed this role" in answer.text
    assert ("can_delete", "contact") in rights(app, "Agent")
    assert admin.post(url, data={}).status_code == 409


def test_admin_keeps_everything(app, admin):
    url = f"/roles/{role_id(app, 'Admin')}"
    page = admin.get(url).text
    assert "always has every right" in page
    assert all(off for _name, _checked, off in BOX.findall(page))
    data = form_of(admin, url)
    del data["can_see:contact"]
    assert admin.post(url, data=data).status_code == 403
    assert ("can_see", "contact") in rights(app, "Admin")


def test_an_unknown_right_is_refused(app, admin):
    url = f"/roles/{role_id(app, 'Agent')}"
    before = rights(app, "Agent")
    assert admin.post(url, data={**form_of(admin, url), "can_fly:contact": "1"}).status_code == 422
    assert rights(app, "Agent") == before


def test_nobody_gives_a_right_they_do_not_have(app, world, sign_in):
    give(app, "Manager", ("can_see", "role"), ("can_edit", "role"), ("can_add", "role"))
    client, url = sign_in("mona"), f"/roles/{role_id(app, 'Manager')}"
    assert client.post(url, data={**form_of(client, url), "can_see:audit": "1"}).status_code == 403
    assert ("can_see", "audit") not in rights(app, "Manager")
    assert client.post("/roles/add", data={"name": "Mine", "source": role_id(app, "Admin")}).status_code == 422
    assert role_id(app, "Mine") is None


def test_who_may_only_look_changes_nothing(app, world, sign_in):
    give(app, "Manager", ("can_see", "role"))
    client, url = sign_in("mona"), f"/roles/{role_id(app, 'Agent')}"
    page = client.get(url).text
    assert all(off for _name, _checked, off in BOX.findall(page))
    assert client.post(url, data={"version": "x"}).status_code == 403


def test_a_role_is_cloned_renamed_and_deleted(app, admin):
    assert admin.post("/roles/add", data={"name": " Night  shift ", "source": role_id(app, "Agent")}).status_code == 302
    pk = role_id(app, "Night shift")
    assert rights(app, "Night shift") == rights(app, "Agent")
    assert admin.post(f"/roles/{pk}/rename", data={"name": "Late shift"}).status_code == 302
    assert admin.get(f"/roles/{pk}/delete").status_code == 200
    assert role_id(app, "Late shift") == pk
    assert admin.post(f"/roles/{pk}/delete").status_code == 302
    assert role_id(app, "Late shift") is None
    assert [(action, title) for action, title, _changes in trail(app)] == [
        ("create", "Night shift"),
        ("update", "Late shift"),
        ("erase", "Late shift"),
    ]


@pytest.mark.parametrize("name", ["", "  ", "agent", "ADMIN", "x" * 65, "a\x00b"])
def test_a_bad_name_is_told_beside_the_field(app, admin, name):
    answer = admin.post("/roles/add", data={"name": name, "source": role_id(app, "Agent")})
    assert answer.status_code == 422
    assert "field-error" in answer.text


def test_a_role_with_people_or_a_built_in_one_stays(app, admin, world):
    agent = role_id(app, "Agent")
    assert admin.post(f"/roles/{agent}/delete").status_code in (409, 422)
    assert admin.post(f"/roles/{agent}/rename", data={"name": "Other"}).status_code == 422
    assert role_id(app, "Agent") == agent
    admin.post("/roles/add", data={"name": "Crew", "source": agent})
    with app.app_context():
        from flask_appbuilder.security.sqla.models import User

        db.session.get(User, world.people["anna"]).roles = [db.session.get(Role, role_id(app, "Crew"))]
        db.session.commit()
    assert admin.post(f"/roles/{role_id(app, 'Crew')}/delete").status_code == 409
    assert role_id(app, "Crew") is not None
    assert admin.get("/roles/9999").status_code == 404
