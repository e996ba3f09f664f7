"""The steps of an import, shared by the wizard and the command. What was decided lives in the operation's settings."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash, DomainError, Missing, NotAllowed
from app.core.operations import lifecycle
from app.core.operations.models import Operation
from app.core.operations.states import ItemState, Plan, State
from app.core.security.principal import Principal
from app.kit import registry
from app.kit.fields import in_sentence
from app.kit.importing import source as files
from app.kit.importing.handler import ITEM, KIND, ImportHandler, counts
from app.kit.importing.hooks import Room
from app.kit.importing.mapping import Rules, client_scoped, missing, suggest
from app.kit.importing.planner import hooks_of
from app.kit.importing.source import Source
from app.kit.resource import Resource

AT_ONCE = 2_000  # rows planned while the user waits; more are planned by the worker
HANDLER = ImportHandler()


class Step(StrEnum):
    """Where an import stands."""

    COLUMNS = "columns"
    PLANNING = "planning"
    PLAN = "plan"
    RUN = "run"


def importable(name: str, actor: Principal) -> Resource:
    """The resource to import; Missing when there is none of that name, NotAllowed without the right."""
    resource = registry.find(name)
    if resource is None or resource.transfer is None:
        raise Missing(_("There is nothing of that name to import."))
    if not actor.can("import", name):
        raise NotAllowed(_("Your role may not import %(what)s.", what=in_sentence(resource.plural)))
    return resource


def begin(resource: Resource, source: Source, actor: Principal, client_id: int | None = None) -> Operation:
    """A draft of an import with the mapping its headings suggest."""
    rules = Rules(suggest(resource, source.columns), client_id=client_id if client_scoped(resource) else None)
    settings = {"source": source.to_json(), "rules": rules.to_json()}
    name = _("Import of %(what)s from %(file)s", what=in_sentence(resource.plural), file=source.name)
    return lifecycle.create(KIND, name, actor=actor, resource=resource.name, settings=settings)


def load(operation_id: int, actor: Principal) -> Operation:
    """The actor's own import; Missing for anybody else's and for what is no import, all alike."""
    own = sa.and_(Operation.id == operation_id, Operation.kind == KIND, Operation.user_id == actor.user_id)
    operation = db.session.scalar(sa.select(Operation).where(own))
    if operation is None:
        raise Missing(_("There is no such import."))
    return operation


def mine(actor: Principal, limit: int, offset: int = 0, search: str = "") -> list[Operation]:
    """The actor's imports whose name contains `search`, newest first."""
    own = sa.select(Operation).where(Operation.kind == KIND, Operation.user_id == actor.user_id)
    if search:
        own = own.where(Operation.name.icontains(search, autoescape=True))
    return list(db.session.scalars(own.order_by(Operation.id.desc()).limit(limit).offset(offset)))


def source_of(operation: Operation) -> Source:
    """The file."""
    return Source.from_json(operation.settings["source"])


def rules_of(operation: Operation) -> Rules:
    """What was decided."""
    return Rules.from_json(operation.settings["rules"])


def step_of(operation: Operation) -> Step:
    """The step to show."""
    if operation.prepared_at is None:
        return Step.COLUMNS if operation.state == State.DRAFT else Step.PLANNING
    return Step.PLAN if operation.state in (State.DRAFT, State.PLANNED) else Step.RUN


def save_rules(operation: Operation, rules: Rules) -> None:
    """Keep the mapping; a plan made of another one is forgotten. Clash once the import runs."""
    if rules == rules_of(operation) and step_of(operation) in (Step.COLUMNS, Step.PLAN):
        return
    lifecycle.replan(operation)
    operation.settings = {**operation.settings, "rules": rules.to_json()}
    operation.client_id = rules.client_id
    db.session.flush()


def make_plan(operation: Operation, *, at_once: bool = False) -> None:
    """Compute the plan; commits. Small ones here, large ones by the worker, who says when it is ready.

    Raises DomainError when the mapping is not complete, Clash when the import runs already.
    """
    resource = registry.get(operation.resource)
    reason = missing(resource, rules_of(operation))
    if reason:
        raise DomainError(reason)
    if step_of(operation) == Step.PLAN:
        return
    lifecycle.replan(operation)
    if not at_once and source_of(operation).count > AT_ONCE:
        lifecycle.submit(operation, review=True)
        db.session.commit()
        return
    turn = secrets.token_hex(16)
    if _holds(operation.id, None, lease_token=turn):
        db.session.commit()
        _plan_here(operation.id, turn)


def _plan_here(operation_id: int, turn: str) -> None:
    """Store the plan list by list, so that other writers have their turn. Who asks for the plan anew meanwhile, by a second
    click or in another tab, takes over: then this one stops, or rows of both would mix.
    """
    operation = db.session.get_one(Operation, operation_id)
    count = source_of(operation).count
    for items in HANDLER.prepare(operation):
        if not _holds(operation_id, turn):
            return
        lifecycle.insert_items(operation_id, items)
        db.session.commit()
    if _holds(operation_id, turn, lease_token=None, prepared_at=utcnow(), total=count):
        db.session.commit()


def _holds(operation_id: int, turn: str | None, **values: Any) -> bool:
    """Whether the draft is still ours to plan (anybody's where `turn` is None); locks it, and sets `values`, until the commit."""
    table: Any = Operation.__table__
    ours = sa.update(table).where(table.c.id == operation_id, table.c.state == State.DRAFT)
    ours = ours if turn is None else ours.where(table.c.lease_token == turn)
    held: Any = db.session.execute(ours.values(updated_at=utcnow(), **values))
    if held.rowcount != 1:
        db.session.rollback()
    db.session.expire_all()
    return bool(held.rowcount == 1)


def token(operation: Operation) -> str:
    """Names this very plan: what is confirmed is what was seen."""
    return operation.prepared_at.isoformat() if operation.prepared_at else ""


def to_write(operation: Operation) -> int:
    """Rows of the plan that would be written."""
    return sum(n for (_plan, state), n in counts(operation.id).items() if state == ItemState.PENDING)


def rooms(operation: Operation, actor: Principal) -> list[Room]:
    """Limits after the import, the fullest first (CLI-20)."""
    new = (ITEM.c.operation_id == operation.id) & (ITEM.c.plan == Plan.CREATE) & (ITEM.c.state == ItemState.PENDING)
    query = (
        sa.select(ITEM.c.client_id, sa.func.count())
        .where(new, ITEM.c.client_id.is_not(None))
        .group_by(ITEM.c.client_id)
    )
    created: dict[int, int] = {row[0]: row[1] for row in db.session.execute(query)}
    return hooks_of(registry.get(operation.resource), actor).room(created)


def blocked(operation: Operation, actor: Principal) -> str:
    """Why the plan cannot be confirmed; empty when it can."""
    if not to_write(operation):
        return _("There is no row to import.")
    full = next((room for room in rooms(operation, actor) if room.full), None)
    if full is None:
        return ""
    text = _("%(name)s would hold %(used)s of %(limit)s stored prospects. Import fewer rows, or raise its share.")
    return text % {"name": full.label, "used": full.used, "limit": full.limit}


def confirm(operation: Operation, actor: Principal, plan: str) -> None:
    """Let the import run. Clash when the plan was made anew since it was seen; DomainError when there is nothing to do."""
    db.session.refresh(operation, with_for_update=True)  # nobody makes the plan anew between the look and the start
    if step_of(operation) == Step.RUN:
        raise Clash(_("This import was started already."))
    if step_of(operation) != Step.PLAN or plan != token(operation):
        raise Clash(_("The plan was made anew in the meantime. Look at it, then import."))
    reason = blocked(operation, actor)
    if reason:
        raise DomainError(reason)
    lifecycle.submit(operation)


def discard(operation: Operation) -> None:
    """Forget an import that never ran, with its file; commits. Clash when it runs or ran."""
    if step_of(operation) == Step.RUN:
        raise Clash(_("This import has run; it stays in the list."))
    lifecycle.replan(operation)
    stored = operation.settings["source"]
    db.session.delete(operation)
    db.session.commit()
    files.remove(stored)
