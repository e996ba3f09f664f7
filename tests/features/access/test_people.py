"""People: who may add, change, switch off and reset whom; what is said beside which field (SET-02, SET-03)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from werkzeug.security import check_password_hash

from app.core.audit import AuditEntry
from app.core.db import db
from app.core.errors import NotAllowed
from app.core.security.principal import acting_as
from app.features.access import services
from app.features.clients.models import Client
from tests.infra.databases import ADMIN_PASSWORD
from tests.security.world import acting, give, live, person

KEEPER = ("can_see", "can_add", "can_edit", "can_reset_password", "can_deactivate", "can_activate")
NEW = {"first_name": "Nora", "last_name": "Holm", "username": "nora", "email": "Nora@Agency.example"}
PASSWORDS = {"password": "seven birds sing", "repeated": "seven birds sing"}


@pytest.fixture
def keeper(app, world):
    """The managers keep people from here on."""
    give(app, "Manager", *((permission, "user") for permission in KEEPER))
    return world


def role_id(app, name):
    with app.app_context():
        return db.session.scalars(sa.select(Role.id).where(Role.name == name)).one()


def user(app, username):
    with app.app_context():
        return db.session.scalars(sa.select(User).where(User.username == username)).one_or_none()


def test_a_person_is_added_signs_in_and_is_in_the_trail(app, admin, sign_in):
    data = {**NEW, **PASSWORDS, "role_ids": [role_id(app, "Agent")]}
    assert admin.post("/people/add", data=data).status_code == 302
    assert user(app, "nora").email == "nora@agency.example"
    assert sign_in("nora", PASSWORDS["password"]).get("/people/me").status_code == 200
    with app.app_context():
        entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.entity == "user")).one()
        assert (entry.action, entry.title, entry.changes["role"]) == ("create", "Nora Holm", [None, "Agent"])
        assert "scrypt" not in str(entry.changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": "ADMIN"}, "“ADMIN” is taken."),
        ({"username": "admin@steward.invalid"}, "is taken."),
        ({"email": "Anna@Agency.example"}, "is taken."),
        ({"email": "nora@host.invalid"}, "is not an e-mail address"),
        ({"email": "nora"}, "is not an e-mail address"),
        ({"first_name": " "}, "This is needed."),
        ({"last_name": "x" * 65}, "longer than 64 characters"),
        ({"username": "no\x07ra"}, "characters that cannot be stored"),
        ({"role_ids": []}, "Choose at least one role."),
        ({"password": "short", "repeated": "short"}, "at least 10 characters"),
        ({"password": "x" * 201, "repeated": "x" * 201}, "at most 200 characters"),
        ({"repeated": "something else"}, "The two passwords differ."),
        ({"username": "nora.holm.1", "password": "Nora.Holm.1", "repeated": "Nora.Holm.1"}, "too easy to guess"),
    ],
)
def test_a_refused_person_is_told_beside_the_field_and_keeps_what_was_typed(app, admin, world, change, message):
    answer = admin.post("/people/add", data={**NEW, **PASSWORDS, "role_ids": [role_id(app, "Agent")], **change})
    assert answer.status_code == 422
    assert message in answer.text
    assert "Nora" in answer.text or "first_name" in change
    assert user(app, change.get("username", "nora")) is None or change.get("username") == "admin"


def test_two_admins_who_edit_one_person_do_not_overwrite_each_other(app, admin, world):
    url, pk = f"/people/{world.people['anna']}/edit", world.people["anna"]
    seen = admin.get(url).text.partition('name="seen"')[2].partition('value="')[2].partition('"')[0]
    data = {"username": "anna", "email": "anna@agency.example", "role_ids": [role_id(app, "Agent")], "seen": seen}
    assert admin.post(url, data={**data, "first_name": "Anne", "last_name": "One"}).status_code == 302
    answer = admin.post(url, data={**data, "first_name": "Annie", "last_name": "Two"})
    assert answer.status_code == 422
    assert "Somebody else saved this person" in answer.text
    with app.app_context():
        assert db.session.get(User, pk).first_name == "Anne"


def test_nobody_switches_themselves_off(app, admin):
    with app.app_context():
        person("vera", "Admin")  # so that it is not the last admin who is refused
        db.session.commit()
    answer = admin.post("/people/action/deactivate/1")
    assert answer.status_code == 422
    assert "You cannot switch yourself off" in answer.text
    assert user(app, "admin").active


def test_the_last_active_admin_stays(app, admin, world, sign_in):
    with app.app_context():
        person("vera", "Admin")
        db.session.commit()
    other = sign_in("vera")
    assert other.post("/people/action/deactivate/1").status_code == 302
    assert not user(app, "admin").active
    data = {"first_name": "Vera", "last_name": "Test", "username": "vera", "email": "vera@agency.example"}
    url = f"/people/{user(app, 'vera').id}/edit"
    answer = other.post(url, data={**data, "role_ids": [role_id(app, "Agent")], "seen": _seen(other, url)})
    assert answer.status_code == 422
    assert "This is the last admin" in answer.text


def test_the_first_admin_is_edited_although_their_address_is_none(app, admin):
    """The set-up step makes admin@steward.invalid."""
    data = {"first_name": "Ada", "last_name": "Min", "username": "admin", "email": "admin@steward.invalid"}
    url = "/people/1/edit"
    answer = admin.post(url, data={**data, "role_ids": [role_id(app, "Admin")], "seen": _seen(admin, url)})
    assert answer.status_code == 302
    assert user(app, "admin").first_name == "Ada"


def _seen(client, url):
    return client.get(url).text.partition('name="seen"')[2].partition('value="')[2].partition('"')[0]


def test_switching_off_keeps_what_a_person_owns(app, admin, world):
    with app.app_context():
        db.session.execute(sa.update(Client.__table__).values(owner_id=world.people["anna"]))
        db.session.commit()
    assert admin.post(f"/people/action/deactivate/{world.people['anna']}").status_code == 302
    assert live(app, Client, world.first)
    with app.app_context():
        owners = set(db.session.execute(sa.select(Client.__table__.c.owner_id)).scalars())
    assert owners == {world.people["anna"]}
    assert admin.post(f"/people/action/activate/{world.people['anna']}").status_code == 302
    assert user(app, "anna").active


def test_people_are_never_deleted(app, admin):
    assert admin.post("/people/1/delete").status_code == 404
    assert admin.post("/people/action_post?action=delete", data={"ids": [1]}).status_code == 403
    assert user(app, "admin") is not None


@pytest.mark.parametrize("path", ["/password", "/edit"])
def test_who_is_no_admin_cannot_touch_an_admin(app, keeper, sign_in, path):
    answer = sign_in("mona").post(f"/people/1{path}", data={**NEW, **PASSWORDS, "role_ids": [1]})
    assert answer.status_code == 403
    assert check_password_hash(user(app, "admin").password, ADMIN_PASSWORD)


def test_the_services_refuse_it_themselves(app, keeper):
    """Whoever calls them: form, command or job. An admin whose other rights are no more than the keeper's counts too."""
    calls = {
        "update": lambda target, actor: services.update_user(target, {"first_name": "X"}, actor=actor),
        "password": lambda target, actor: services.set_password(target, PASSWORDS["password"], actor=actor),
        "off": lambda target, actor: services.deactivate(target, actor=actor),
        "on": lambda target, actor: services.activate(target, actor=actor),
    }
    with app.app_context(), acting_as(acting(keeper.people["mona"])) as actor:
        for name, call in calls.items():
            with pytest.raises(NotAllowed):
                call(db.session.get(User, 1), actor)
            assert not db.session.dirty, name


def test_who_is_no_admin_cannot_switch_an_admin_off_nor_make_one(app, keeper, sign_in):
    client = sign_in("mona")
    assert client.post("/people/action/deactivate/1").status_code == 403
    assert user(app, "admin").active
    data = {**NEW, **PASSWORDS, "role_ids": [role_id(app, "Admin")]}
    assert client.post("/people/add", data=data).status_code == 422
    assert user(app, "nora") is None


def test_nobody_gives_or_takes_over_more_rights_than_they_hold(app, keeper, sign_in):
    """A manager keeps people; an agent who holds a right the manager lacks is out of the manager's reach."""
    give(app, "Guest", ("can_see", "audit"))
    client = sign_in("mona")
    url = f"/people/{keeper.people['gus']}/password"
    assert client.post(url, data=PASSWORDS).status_code == 403
    data = {**NEW, **PASSWORDS, "role_ids": [role_id(app, "Guest")]}
    assert client.post("/people/add", data=data).status_code == 422
    assert user(app, "nora") is None


def test_a_reset_password_is_the_new_one(app, admin, world, sign_in):
    assert admin.post(f"/people/{world.people['anna']}/password", data=PASSWORDS).status_code == 302
    assert sign_in("anna", PASSWORDS["password"]).get("/people/me").status_code == 200


def test_ones_own_password_needs_the_present_one(app, world, sign_in):
    client = sign_in("anna")
    assert client.post("/people/me/password", data={**PASSWORDS, "present": "a guess"}).status_code == 422
    assert client.post("/people/me/password", data={**PASSWORDS, "present": ADMIN_PASSWORD}).status_code == 302
    assert sign_in("anna", PASSWORDS["password"])


def test_ones_own_profile_changes_names_and_nothing_else(app, world, sign_in):
    data = {
        "first_name": "Anne",
        "last_name": "New",
        "username": "root",
        "role_ids": [1],
        "active": "",
        "email": "x@y.example",
    }
    assert sign_in("anna").post("/people/me", data=data).status_code == 302
    found = user(app, "anna")
    assert (found.first_name, found.email, found.active) == ("Anne", "anna@agency.example", True)
    with app.app_context(), acting_as(acting(world.people["anna"])) as actor, pytest.raises(NotAllowed):
        services.update_profile(db.session.get(User, 1), {"first_name": "X"}, actor=actor)


@pytest.mark.parametrize("name", ["mona", "anna", "gus"])
def test_people_roles_and_the_trail_are_the_admins(world, sign_in, name):
    client = sign_in(name)
    for url in (
        "/people/",
        "/people/1",
        "/people/add",
        "/people/1/password",
        "/roles/",
        "/roles/2",
        "/roles/add",
        "/audit/",
    ):
        assert client.get(url).status_code == 403, url


def test_the_list_of_one_role(app, admin, world):
    page = admin.get(f"/people/?role={role_id(app, 'Agent')}").text
    rows = page.partition("<tbody>")[2]
    assert "anna@" in rows and "otto@" in rows and "mona@" not in rows
    assert admin.get("/people/?role=x").status_code == 400
