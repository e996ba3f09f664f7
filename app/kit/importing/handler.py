"""Imports as operations: planned by the worker when large, confirmed by a person, written chunk by chunk (PLT-07, CON-09)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.db import db
from app.core.operations.handlers import Handler, Item, Outcome
from app.core.operations.models import Operation, OperationItem
from app.core.operations.states import ItemState, Plan
from app.core.security.principal import actor
from app.kit import registry
from app.kit.importing.mapping import Rules
from app.kit.importing.planner import Planner
from app.kit.importing.relations import slices
from app.kit.importing.source import Source
from app.kit.importing.writer import Writer

KIND = "import"
ITEM: Any = OperationItem.__table__


class ImportHandler(Handler):
    """Plans from the uploaded file and the saved rules; writes what the plan says, or says why not."""

    kind, label = KIND, _l("Import")

    def __init__(self) -> None:
        self._written: tuple[int, dict[int, int]] = (0, {})

    def required(self, operation: Operation) -> tuple[str, str] | None:
        """The right to import this kind of record."""
        return ("import", operation.resource)

    def prepare(self, operation: Operation) -> Iterable[list[dict[str, Any]]]:
        """The plan. What was planned before is read back from the database, so that memory stays flat."""
        operation_id, settings = operation.id, dict(operation.settings)
        resource = registry.get(operation.resource)
        planner = Planner(
            resource, Rules.from_json(settings["rules"]), actor(), lambda some: _payloads(operation_id, some)
        )
        return planner.plan(Source.from_json(settings["source"]).read())

    def run(self, operation: Operation, items: Sequence[Item]) -> Sequence[Outcome]:
        """Write one chunk."""
        if len(items) > 1 or self._written[0] != operation.id:
            self._written = (operation.id, {})
        return Writer(registry.get(operation.resource), operation.id, actor(), self._written[1]).run(items)

    def summary(self, operation: Operation) -> str:
        """What the bell says: the outcomes in numbers."""
        if operation.finished_at is None and operation.cursor < 0:
            return summary_of(planned(operation), done=False)
        return summary_of(results(operation), done=True)

    def url(self, operation: Operation) -> str:
        """The wizard, which shows the step the import is at."""
        return f"/imports/{operation.id}"

    def facts(self, operation: Operation) -> list[tuple[str, str]]:
        """The file and the rules."""
        source = Source.from_json(operation.settings["source"])
        return [(_("File"), source.name), (_("Rows in the file"), str(source.count))]

    def links(self, operation: Operation) -> list[tuple[str, str]]:
        """The plan and what was refused."""
        links = [(_("Import"), f"/imports/{operation.id}")]
        return [*links, (_("Rows with errors"), f"/imports/{operation.id}/errors.csv")] if operation.failed else links


def _payloads(operation_id: int, positions: list[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in slices(positions):
        mine = (ITEM.c.operation_id == operation_id) & ITEM.c.position.in_(some)
        found |= {
            row.position: row.payload
            for row in db.session.execute(sa.select(ITEM.c.position, ITEM.c.payload).where(mine))
        }
    return found


def counts(operation_id: int) -> dict[tuple[Plan, ItemState], int]:
    """How many rows the plan and the run put where."""
    query = sa.select(ITEM.c.plan, ITEM.c.state, sa.func.count()).where(ITEM.c.operation_id == operation_id)
    return {(plan, state): n for plan, state, n in db.session.execute(query.group_by(ITEM.c.plan, ITEM.c.state))}


def planned(operation: Operation) -> dict[Plan, int]:
    """{outcome: rows} as the plan says."""
    found = dict.fromkeys(Plan, 0)
    for (plan, _state), n in counts(operation.id).items():
        found[plan] += n
    return found


def results(operation: Operation) -> dict[Plan, int]:
    """{outcome: rows} as it went; rows that still wait are in none."""
    found = dict.fromkeys(Plan, 0)
    for (plan, state), n in counts(operation.id).items():
        found[Plan.ERROR if state == ItemState.FAILED else plan] += n if state != ItemState.PENDING else 0
    return found


def summary_of(found: dict[Plan, int], *, done: bool) -> str:
    """ "12 created, 3 updated, 1 with errors": the outcomes that occur, in words."""
    words = {
        Plan.CREATE: _("%(n)s created", n=found[Plan.CREATE]) if done else _("%(n)s to create", n=found[Plan.CREATE]),
        Plan.UPDATE: _("%(n)s updated", n=found[Plan.UPDATE]) if done else _("%(n)s to update", n=found[Plan.UPDATE]),
        Plan.MERGE: _("%(n)s merged", n=found[Plan.MERGE]) if done else _("%(n)s to merge", n=found[Plan.MERGE]),
        Plan.DUPLICATE: _("%(n)s unchanged", n=found[Plan.DUPLICATE]),
        Plan.SKIP: _("%(n)s left alone", n=found[Plan.SKIP]),
        Plan.ERROR: _("%(n)s with errors", n=found[Plan.ERROR]),
    }
    return ", ".join(text for plan, text in words.items() if found[plan]) or _("No rows")
