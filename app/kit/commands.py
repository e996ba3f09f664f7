"""`run.py export RESOURCE --as USER [--filter JSON] -o FILE`, and what commands over resources share (contract.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.core.errors import DomainError
from app.core.security.principal import Principal, acting_as, principal_for
from app.kit import exporting, listing, registry
from app.kit.resource import Resource


class Refused(click.ClickException):
    """The command was refused: said as JSON, exit code 1."""

    def show(self, file: Any = None) -> None:
        """Print the reason."""
        click.echo(json.dumps({"refused": self.message}, ensure_ascii=False))


def actor_named(username: str) -> Principal:
    """The principal of an active user; Refused when there is none of that name."""
    user = db.session.scalar(sa.select(User).where(User.username == username))
    if user is None or not user.is_active:
        raise Refused(f"There is no active user {username}.")
    return principal_for(user)


def transferable(name: str, verb: str) -> Resource:
    """The resource of that name, when it can be imported and exported; a usage error when not."""
    declared = registry.find(name)
    if declared is None or declared.transfer is None:
        known = ", ".join(r.name for r in registry.resources() if r.transfer)
        raise click.BadParameter(f"there is no {name!r} to {verb}; there are {known}", param_hint="RESOURCE")
    return declared


@click.command("export")
@click.argument("resource")
@click.option("--as", "username", required=True, metavar="USER", help="The user who exports: their rows, their rights.")
@click.option(
    "--filter", "filter_json", default="", metavar="JSON", help="The filter language, as in a list's address."
)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .csv file.")
def export_command(resource: str, username: str, filter_json: str, output: Path) -> None:
    """Export the rows of RESOURCE ("contact") as CSV and print how many there were as JSON."""
    declared = transferable(resource, "export")
    if output.suffix.lower() != ".csv":
        raise click.BadParameter("the file's name ends in .csv", param_hint="--output")
    with acting_as(actor_named(username)) as actor:
        if not actor.can("export", declared.name):
            raise Refused(f"The roles of {username} may not export {declared.name}.")
        try:
            clause = listing.where(declared, listing.ListRequest(json=filter_json))
        except DomainError as error:
            raise Refused(error.message) from error
        with output.open("w", encoding="utf-8", newline="") as file:
            for piece in exporting.csv_lines(declared, clause):
                file.write(piece)
        total, _exact = listing.count(declared, clause, exact=True)
    click.echo(json.dumps({"resource": declared.name, "file": str(output), "rows": total}, ensure_ascii=False))
