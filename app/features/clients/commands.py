"""`run.py demo` and `run.py user grant`."""

from __future__ import annotations

import json

import click
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.core.errors import DomainError
from app.core.security.principal import system
from app.features.clients import demo, sample
from app.features.clients.access import grant_access
from app.features.clients.enums import AccessLevel
from app.features.clients.models import Client

_LEVELS = [level.value for level in AccessLevel if level is not AccessLevel.OWNER]


@click.command("demo")
@click.option("--clients", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--contacts", type=click.IntRange(0, 20_000_000), default=10_000, show_default=True)
@click.option("--enrolments", type=click.IntRange(0, 60_000_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same rows.")
def demo_command(clients: int, contacts: int, enrolments: int, seed: int) -> None:
    """Make a large made-up agency, and print what was made as JSON."""
    with system("run.py demo"):
        try:
            owner_id = db.session.scalar(sa.select(User.id).where(User.username == "admin"))
            sizes = {"clients": clients, "contacts": contacts, "enrolments": enrolments}
            made = demo.generate(**sizes, seed=seed, owner_id=owner_id)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        db.session.commit()
        demo.analyse()
    click.echo(json.dumps(made))


@click.command("grant")
@click.argument("username")
@click.option("--client", "client_name", required=True, help="The client's name.")
@click.option("--level", type=click.Choice(_LEVELS), default=AccessLevel.MEMBER.value, show_default=True)
def grant_command(username: str, client_name: str, level: str) -> None:
    """Give a user access to a client."""
    with system("run.py user grant") as actor:
        user = db.session.scalar(sa.select(User).where(User.username == username))
        client = db.session.scalar(sa.select(Client).where(Client.name == client_name))
        if user is None or client is None:
            missing = f"user {username!r}" if user is None else f"client {client_name!r}"
            raise click.ClickException(f"There is no {missing}.")
        try:
            made = grant_access(client, [user.id], actor=actor, level=AccessLevel(level))
        except DomainError as error:
            raise click.ClickException(error.message) from error
        db.session.commit()
    click.echo(f"{username} has access to {client_name}" + ("." if made else " already."))


def sample_step(app: Flask) -> str | None:
    """Set-up step: the sample agency on a new installation, unless SAMPLE=0."""
    if not app.config.get("SAMPLE", False) or sample.was_made():
        return None
    made = sample.make()
    db.session.commit()
    return made
