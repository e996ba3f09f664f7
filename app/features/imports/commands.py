"""`run.py import RESOURCE FILE --client NAME --as USER [--dry-run]`: the wizard's steps in one go (contract.md)."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from app.core.db import db
from app.core.errors import DomainError
from app.core.operations import engine
from app.core.operations.models import Operation
from app.core.operations.states import WORKABLE, Plan, State
from app.core.security.principal import Principal, acting_as
from app.kit.commands import Refused, actor_named, transferable
from app.kit.importing import flow, handler, mapping, reader, report, source
from app.kit.importing.mapping import Column, client_scoped, fields_of
from app.kit.importing.relations import Relations
from app.kit.resource import Resource

SHOWN_ERRORS = 100
_WAIT = 0.2  # seconds between two looks at an import that a worker has taken up


@click.command("import")
@click.argument("resource")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--client", "client_name", metavar="NAME", help="The client all rows belong to.")
@click.option("--as", "username", required=True, metavar="USER", help="The user who imports.")
@click.option("--existing", type=click.Choice([mapping.FILL, mapping.OVERWRITE, mapping.LEAVE]), default=mapping.FILL,
              show_default=True, help="What to do with records that exist.")  # fmt: skip
@click.option(
    "--map", "pairs", multiple=True, metavar="HEADING=FIELD", help="A column's field, where its heading does not say."
)
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
def import_command(
    resource: str,
    file: Path,
    client_name: str | None,
    username: str,
    existing: str,
    pairs: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Import RESOURCE ("contact") from a spreadsheet FILE and print the plan or the result as JSON."""
    declared = transferable(resource, "import")
    with acting_as(actor_named(username)) as actor:
        try:
            answer = _import(declared, file, client_name, existing, pairs, dry_run, actor)
        except (DomainError, reader.UnreadableFile) as error:
            db.session.rollback()
            raise Refused(str(error.message)) from error
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _import(
    resource: Resource, file: Path, client_name: str | None, existing: str, pairs: tuple[str, ...], dry_run: bool,
    actor: Principal,
) -> dict[str, Any]:  # fmt: skip
    flow.importable(resource.name, actor)
    client_id = _client(resource, client_name)
    operation = flow.begin(resource, source.take_path(file), actor, client_id)
    rules = flow.rules_of(operation)
    columns = {**rules.columns, **_mapped(resource, flow.source_of(operation).columns, pairs)}
    flow.save_rules(operation, replace(rules, columns=columns, existing=existing))
    db.session.commit()
    operation_id = operation.id
    try:
        flow.make_plan(operation, at_once=True)
        if not dry_run:
            flow.confirm(operation, actor, flow.token(operation))
            db.session.commit()
            _work(operation_id)
        return _answer(operation_id, actor, dry_run=dry_run)
    finally:
        db.session.rollback()
        operation = flow.load(operation_id, actor)
        if flow.step_of(operation) is not flow.Step.RUN:  # a dry run, or a refusal: nothing is left behind
            flow.discard(operation)


def _client(resource: Resource, name: str | None) -> int | None:
    if name is None or not client_scoped(resource):
        return None
    field, relations = fields_of(resource)["client"], Relations()
    relations.learn(field, [name])
    try:
        return relations.find(field, name, None)
    except ValueError as error:
        raise DomainError(str(error)) from error


def _mapped(resource: Resource, columns: tuple[Column, ...], pairs: tuple[str, ...]) -> dict[int, str]:
    """The columns named by `--map`; a usage error for a heading or field that is none."""
    found, fields = {}, fields_of(resource)
    for pair in pairs:
        heading, _equals, name = pair.rpartition("=")
        column = next((c for c in columns if heading in (c.name, c.letter)), None)
        if column is None or name not in fields:
            raise click.BadParameter(f"{pair!r} names no column of the file, or no field", param_hint="--map")
        found[column.index] = name
    return found


def _work(operation_id: int) -> None:
    """Work on it here; when a worker was faster, wait for that."""
    while _state(operation_id) in WORKABLE:
        if not engine.work(operation_id) and _state(operation_id) in WORKABLE:
            time.sleep(_WAIT)


def _state(operation_id: int) -> State:
    db.session.rollback()
    table: Any = Operation.__table__
    state: State = db.session.scalar(sa.select(table.c.state).where(table.c.id == operation_id))  # type: ignore[assignment]
    db.session.rollback()
    return state


def _answer(operation_id: int, actor: Principal, *, dry_run: bool) -> dict[str, Any]:
    operation = flow.load(operation_id, actor)
    planned = handler.planned(operation)
    answer: dict[str, Any] = {
        "resource": operation.resource,
        "file": flow.source_of(operation).name,
        "dry_run": dry_run,
        "rows": flow.source_of(operation).count,
        "plan": _counts(planned),
    }
    if not dry_run:
        answer |= {
            "operation": operation.reference,
            "state": operation.state.value,
            "result": _counts(handler.results(operation)),
        }
    return answer | {"errors": report.errors_of(operation, SHOWN_ERRORS)}


def _counts(found: dict[Plan, int]) -> dict[str, int]:
    return {plan.value: n for plan, n in found.items()}
