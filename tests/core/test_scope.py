"""Row scope and soft deletion hold for every query, in every position (PLT-04)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from app.core.errors import Missing
from app.core.notifications import Notification
from app.core.security.principal import Principal, acting_as, system
from app.core.security.scope import granted_client_ids, unscoped, with_deleted
from app.features.campaigns.models import Campaign
from app.features.clients.models import Client
from app.features.contacts.models import Contact, Lead
from app.kit import trash
from tests.factories import clients, contacts
from tests.factories.people import Cast, cast

pytestmark = pytest.mark.both_databases


class World:
    """Two clients with one contact each: `ours` is the owner's and the teammate's, `theirs` nobody's but the admin's."""

    def __init__(self, db: Any) -> None:
        people: Cast = cast()
        self.cast = {name: people.acting(name) for name in ("owner", "teammate", "outsider", "admin")}
        self.ours = clients.client(people, name="Ours")
        self.theirs = clients.client(name="Theirs")
        self.mine = contacts.contact(self.ours, last_name="Mine")
        self.foreign = contacts.contact(self.theirs, last_name="Foreign")
        db.session.commit()
        self.ids = {"ours": self.ours.id, "theirs": self.theirs.id, "mine": self.mine.id, "foreign": self.foreign.id}
        db.session.expunge_all()


@pytest.fixture
def world(db: Any) -> World:
    return World(db)


def names(db: Any, query: Any = None) -> list[str]:
    return sorted(db.session.scalars(sa.select(Contact.last_name) if query is None else query))


def test_nobody_sees_nothing(db: Any, world: World) -> None:
    assert names(db) == []
    assert db.session.scalar(sa.select(sa.func.count(Client.id))) == 0
    assert db.session.get(Contact, world.ids["mine"]) is None


def test_each_sees_the_granted_clients_one_after_the_other_in_one_process(db: Any, world: World) -> None:
    """Alternating actors: what is cached of one actor's criteria must not serve the next."""
    expected = {"owner": ["Mine"], "outsider": [], "teammate": ["Mine"], "admin": ["Foreign", "Mine"]}
    for _round in range(3):
        for who, seen in expected.items():
            with acting_as(world.cast[who]):
                assert names(db) == seen, who


@pytest.mark.parametrize(
    "shape",
    [
        lambda: sa.select(Contact.last_name).where(Contact.id > 0),
        lambda: sa.select(aliased(Contact).last_name),
        lambda: sa.select(Contact.last_name).join(Client, Client.id == Contact.client_id),
        lambda: sa.select(sa.select(Contact.last_name.label("n")).subquery().c.n),
        lambda: sa.select(sa.literal("Mine")).where(
            sa.exists(sa.select(Contact.id).where(Contact.last_name == "Foreign"))
        ),
        lambda: sa.union_all(sa.select(Contact.last_name), sa.select(Contact.last_name).where(sa.false())),
        lambda: sa.select(sa.cast(sa.func.count(Contact.id), sa.String)),
    ],
    ids=["plain", "alias", "join", "subquery", "exists", "union", "count"],
)
def test_the_scope_holds_in_every_shape_of_query(db: Any, world: World, shape: Any) -> None:
    with acting_as(world.cast["teammate"]):
        seen = list(db.session.scalars(shape()))
    assert "Foreign" not in seen
    assert "2" not in seen
    if shape().compile() and "EXISTS" in str(shape()):
        assert seen == []


def test_the_scope_holds_in_relations_however_they_are_loaded(db: Any, world: World) -> None:
    with acting_as(world.cast["teammate"]):
        for option in (joinedload(Client.contacts), selectinload(Client.contacts), None):
            query = sa.select(Client).options(option) if option else sa.select(Client)
            found = list(db.session.scalars(query).unique())
            assert [c.last_name for client in found for c in client.contacts] == ["Mine"]
            db.session.expunge_all()


def test_updates_and_deletes_of_many_rows_stay_inside_the_scope(db: Any, world: World) -> None:
    with system("make"):
        for name in ("ours", "theirs"):
            db.session.add(Lead(client_id=world.ids[name], name=name))
        db.session.commit()
    with acting_as(world.cast["teammate"]):
        assert db.session.execute(sa.update(Lead).values(source="Changed")).rowcount == 1
        assert db.session.execute(sa.delete(Lead).where(Lead.name == "theirs")).rowcount == 0
    with system("look"):
        assert db.session.scalar(sa.select(Lead.source).where(Lead.name == "theirs")) is None


def test_a_foreign_row_is_not_to_be_had_by_its_id(db: Any, world: World) -> None:
    with acting_as(world.cast["teammate"]):
        assert db.session.get(Contact, world.ids["foreign"]) is None
        assert db.session.get(Contact, world.ids["mine"]) is not None


def test_entering_a_client_narrows_and_never_widens(db: Any, world: World) -> None:
    with acting_as(world.cast["admin"].entered(world.ids["theirs"])):
        assert names(db) == ["Foreign"]
    with acting_as(world.cast["teammate"].entered(world.ids["theirs"])):
        assert names(db) == []


def test_deleted_rows_are_gone_until_they_are_asked_for(db: Any, world: World) -> None:
    with acting_as(world.cast["owner"]) as owner:
        trash.delete(db.session.get(Contact, world.ids["mine"]), cascade=("enrolments",), actor=owner)
        db.session.commit()
        assert names(db) == []
        with with_deleted():
            assert names(db) == ["Mine"], "the trash is scoped as well"


def test_leaving_the_scope_takes_a_name_and_ends_with_the_block(db: Any, world: World) -> None:
    with acting_as(world.cast["outsider"]):
        with unscoped("a test looks"):
            assert names(db) == ["Foreign", "Mine"]
        assert names(db) == []


def test_explicit_scope_for_core_statements_agrees_with_the_listener(db: Any, world: World) -> None:
    table = Contact.__table__
    for who in ("owner", "outsider", "teammate"):
        principal = world.cast[who]
        ids = granted_client_ids(principal)
        core = sorted(db.session.scalars(sa.select(table.c.last_name).where(table.c.client_id.in_(ids))))
        with acting_as(principal):
            assert core == names(db)
    assert granted_client_ids(world.cast["admin"]) is None


def test_an_inactive_grant_list_means_no_rows(db: Any, world: World) -> None:
    nobody = Principal(user_id=None, name="nobody")
    with acting_as(nobody):
        assert names(db) == []


def test_a_foreign_key_may_not_point_outside_the_scope_or_the_client(db: Any, world: World) -> None:
    with system("make"):
        campaign = Campaign(client_id=world.ids["theirs"], name="Theirs")
        db.session.add(campaign)
        db.session.commit()
    writer = replace(world.cast["teammate"])
    with acting_as(writer):
        db.session.add(Contact(client_id=world.ids["theirs"], last_name="Smuggled"))
        with pytest.raises(Missing):
            db.session.flush()
        db.session.rollback()
        contact = db.session.get(Contact, world.ids["mine"])
        contact.client_id = world.ids["theirs"]
        with pytest.raises(Missing):
            db.session.flush()
        db.session.rollback()


def test_a_notification_is_its_owner_s_alone(db: Any, world: World) -> None:
    with system("make"):
        for who in ("owner", "teammate"):
            db.session.add(Notification(user_id=world.cast[who].user_id, kind="test", title=who))
        db.session.commit()
    for who in ("owner", "teammate"):
        with acting_as(world.cast[who]):
            assert list(db.session.scalars(sa.select(Notification.title))) == [who]
