"""The cast of the import tests: an admin, an agent granted one client who may import, two clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User

from app.core.db import db
from app.core.operations import engine
from app.core.operations.models import Operation, OperationItem
from app.core.security.principal import acting_as, principal_by_id, system
from app.features.clients.access import grant_access
from app.features.clients.models import Client
from app.kit.importing import flow, handler, source
from tests.factories import clients
from tests.factories.web import signed_in

ITEM: Any = OperationItem.__table__


@dataclass
class World:
    """Ids, because each request has a session of its own."""

    app: Flask
    folder: Path
    acme: int = 0
    beta: int = 0
    admin: int = 0
    agent: int = 0

    def as_(self, user_id: int) -> Any:
        """A browser in which this user is signed in."""
        return signed_in(self.app, user_id)


@pytest.fixture
def world(app: Flask, tmp_path: Path) -> World:
    found = World(app, tmp_path)
    with app.app_context(), system("the cast"):
        acme = clients.client(name="Acme Solar", country="DE")
        beta = clients.client(name="Beta Dental", country="GB")
        agent = User(first_name="Ada", last_name="Agent", username="ada", email="ada@agency.example", active=True)
        role = db.session.scalars(sa.select(Role).where(Role.name == "Agent")).one()
        agent.roles = [role]
        db.session.add(agent)
        manager: Any = app.appbuilder.sm  # type: ignore[attr-defined]
        for right, view in (("can_import", "contact"), ("can_see", "imports")):
            manager.add_permission_role(role, manager.add_permission_view_menu(right, view))
        db.session.flush()
        with system("granting") as actor:
            grant_access(acme, [agent.id], actor=actor)
        db.session.commit()
        found.acme, found.beta, found.agent = acme.id, beta.id, agent.id
        found.admin = db.session.scalars(sa.select(User.id).where(User.username == "admin")).one()
    return found


@pytest.fixture
def acting(world: World) -> Iterator[Callable[..., Any]]:
    """`with acting()`: the admin, or another user, inside an application context and its own request."""
    from contextlib import contextmanager

    @contextmanager
    def block(user_id: int | None = None) -> Iterator[Any]:
        with world.app.test_request_context(), acting_as(principal_by_id(user_id or world.admin)) as actor:
            yield actor

    return block


def planned(actor: Any, file: Path, client_id: int | None, resource: str = "contact", **rules: Any) -> Operation:
    """An import of a file, planned."""
    from dataclasses import replace

    operation = flow.begin(flow.importable(resource, actor), source.take_path(file), actor, client_id)
    if rules:
        flow.save_rules(operation, replace(flow.rules_of(operation), **rules))
    db.session.commit()
    flow.make_plan(operation, at_once=True)
    return operation


def carried_out(actor: Any, operation: Operation) -> Operation:
    """Confirmed and worked on to the end, as the worker does."""
    flow.confirm(operation, actor, flow.token(operation))
    db.session.commit()
    pk = operation.id
    while engine.work(pk):
        pass
    return flow.load(pk, actor)


def counted(found: dict[Any, int]) -> dict[str, int]:
    """Outcomes that occur."""
    return {plan.value: n for plan, n in found.items() if n}


def plan_of(operation: Operation) -> dict[str, int]:
    return counted(handler.planned(operation))


def result_of(operation: Operation) -> dict[str, int]:
    return counted(handler.results(operation))


def items(operation: Operation) -> dict[int, Any]:
    """{row of the file: item}."""
    query = sa.select(ITEM).where(ITEM.c.operation_id == operation.id)
    return {row.position: row for row in db.session.execute(query)}


def names() -> set[str]:
    """The clients that are there."""
    return set(db.session.scalars(sa.select(Client.name)))
