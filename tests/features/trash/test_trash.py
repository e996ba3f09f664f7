"""The trash: who sees which deleted rows, what comes back, what is refused and why (CON-17)."""

from __future__ import annotations

import re

import pytest

from app.core.db import db
from app.core.security.principal import system
from app.features.clients.models import Client
from app.features.contacts.models import Contact
from app.kit import registry, writes
from tests.factories.contacts import contact as make_contact
from tests.security.world import give, live, take

RESTORE = (("can_restore", "contact"), ("can_delete", "contact"))


def delete(app, resource, *ids):
    with app.app_context(), system("test") as actor:
        found = registry.get(resource)
        for pk in ids:
            writes.delete(found, db.session.get(found.model, pk), actor=actor)
        db.session.commit()


@pytest.fixture
def thrown(app, world):
    """All three contacts are in the trash."""
    delete(app, "contact", *world.contacts.values())
    return world


def rows(page):
    return page.text.partition("<tbody>")[2].partition("</tbody>")[0]


def test_deleted_rows_are_listed_with_name_address_client_and_who(app, admin, world, sign_in):
    give(app, "Agent", *RESTORE)
    assert sign_in("anna").post(f"/contacts/{world.contacts['mine']}/delete").status_code == 302
    found = rows(admin.get("/trash/contact/"))
    for text in ("Annason", "mine@people.example", "First Client", "Anna Test"):
        assert text in found
    assert "Annadottir" not in found
    assert admin.get("/trash/").status_code == 200


def test_the_trash_is_searched_sorted_and_paged_strictly(admin, thrown):
    assert "Annason" in rows(admin.get("/trash/contact/?q=annason"))
    assert "Ottoson" not in rows(admin.get("/trash/contact/?q=annason"))
    assert "Ottoson" in rows(admin.get(f"/trash/contact/?f=client:eq:{thrown.second}"))
    assert "Annason" not in rows(admin.get(f"/trash/contact/?f=client:eq:{thrown.second}"))
    for query in ("sort=deletion_id", "page=x", "page=9", "f=deleted_at:eq:never", "f=status:eq:x"):
        answer = admin.get(f"/trash/contact/?{query}")
        assert answer.status_code == 400, query
        assert rows(answer) == "", query


def test_several_rows_come_back(app, admin, thrown):
    ids = [thrown.contacts["mine"], thrown.contacts["theirs"]]
    assert admin.post("/trash/contact/restore", data={"ids": ids}).status_code == 302
    assert live(app, Contact, ids[0]) and live(app, Contact, ids[1])
    assert not live(app, Contact, thrown.contacts["mine2"])


def test_everything_that_matches_comes_back(app, admin, thrown):
    assert admin.post("/trash/contact/restore", data={"all": "1", "q": "Annadottir"}).status_code == 302
    assert live(app, Contact, thrown.contacts["mine2"])
    assert not live(app, Contact, thrown.contacts["mine"])


def test_a_row_whose_client_is_deleted_is_refused_with_the_reason(app, admin, world):
    delete(app, "contact", world.contacts["theirs"])
    with app.app_context(), system("test"):
        db.session.get(Client, world.second).active = False
        db.session.commit()
    delete(app, "client", world.second)
    answer = admin.post(f"/trash/contact/{world.contacts['theirs']}/restore", follow_redirects=True)
    assert "in the trash" in answer.text and re.search(r"Theirs Ottoson: .*client", answer.text)
    assert not live(app, Contact, world.contacts["theirs"])


def test_a_row_whose_address_is_taken_is_refused_and_the_others_come_back(app, admin, world):
    delete(app, "contact", world.contacts["mine"], world.contacts["theirs"])
    with app.app_context(), system("test"):
        make_contact(db.session.get(Client, world.first), email="mine@people.example")
        db.session.commit()
    ids = [world.contacts["mine"], world.contacts["theirs"]]
    answer = admin.post("/trash/contact/restore", data={"ids": ids}, follow_redirects=True)
    assert "Mine Annason: " in answer.text and "mine@people.example" in answer.text
    assert not live(app, Contact, ids[0])
    assert live(app, Contact, ids[1])


def test_an_agent_sees_and_restores_only_rows_of_their_clients(app, thrown, sign_in):
    give(app, "Agent", *RESTORE)
    client = sign_in("anna")
    found = rows(client.get("/trash/contact/"))
    assert "Annason" in found and "Ottoson" not in found
    foreign = client.post(f"/trash/contact/{thrown.contacts['theirs']}/restore")
    absent = client.post("/trash/contact/999999/restore")
    assert foreign.status_code == absent.status_code == 404
    client.post("/trash/contact/restore", data={"ids": [thrown.contacts["theirs"], thrown.contacts["mine"]]})
    client.post("/trash/contact/restore", data={"all": "1"})
    assert not live(app, Contact, thrown.contacts["theirs"])
    assert live(app, Contact, thrown.contacts["mine"])


def test_a_live_row_is_not_in_the_trash(app, admin, world):
    assert admin.post(f"/trash/contact/{world.contacts['mine']}/restore").status_code == 404


def test_who_may_not_restore_sees_no_button_and_is_refused(app, thrown, sign_in):
    take(app, "Agent", ("can_restore", "contact"))
    client = sign_in("anna")
    page = client.get("/trash/contact/")
    assert "Annason" in rows(page) and "/restore" not in page.text
    assert client.post(f"/trash/contact/{thrown.contacts['mine']}/restore").status_code == 403
    assert client.post("/trash/contact/restore", data={"ids": [thrown.contacts["mine"]]}).status_code == 403


def test_entities_nobody_may_see_have_no_tab(app, thrown, sign_in, admin):
    take(app, "Agent", ("can_see", "contact"), ("can_restore", "contact"))
    client = sign_in("anna")
    assert "/trash/contact/" not in client.get("/trash/").text
    assert client.get("/trash/contact/").status_code == 404
    assert admin.get("/trash/nothing/").status_code == 404
    assert admin.get("/trash/audit/").status_code == 404
    assert sign_in("gus").get("/trash/").status_code == 403


def test_every_entity_with_a_trash_has_a_page(app, admin, world):
    for resource in registry.resources():
        if resource.trash is not None and resource.writable:
            assert admin.get(f"/trash/{resource.name}/").status_code == 200, resource.name
