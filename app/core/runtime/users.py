"""`run.py user`: making users and setting passwords from the command line, for when nobody can sign in."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any

import click

from app.core.commands import runbook
from app.core.runtime.setup import LEAST_PASSWORD
from app.core.security.principal import system

if TYPE_CHECKING:
    from flask import Flask


def install(app: Flask) -> None:
    """Add `user create` and `user passwd`; the clients add `user grant`."""
    runbook(app).group("user").help = "Users and their passwords."
    runbook(app).add_command(create, group="user")
    runbook(app).add_command(passwd, group="user")


@click.command("create")
@click.argument("username")
@click.option(
    "--role", "roles", multiple=True, default=("Agent",), show_default=True, help="May be given more than once."
)
@click.option("--email", required=True)
@click.option("--name", default="", help="First and last name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
@click.pass_obj
def create(app: Flask, username: str, roles: tuple[str, ...], email: str, name: str, password_stdin: bool) -> None:
    """Make a user; prints the password when it was made here."""
    with system("run.py user create"):
        manager = _manager(app)
        if manager.find_user(username=username) or manager.find_user(email=email):
            raise click.ClickException(f"There is already a user {username} or one with the address {email}.")
        found = [_role(manager, role) for role in roles]
        password = _password(password_stdin)
        first, _, last = (name or username).partition(" ")
        if not manager.add_user(username, first, last, email, found, password=password):
            raise click.ClickException("The user was not made; the log says why.")
    _report(f"User {username} made", password, password_stdin)


@click.command("passwd")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
@click.pass_obj
def passwd(app: Flask, username: str, password_stdin: bool) -> None:
    """Give a user a new password; prints it when it was made here."""
    with system("run.py user passwd"):
        manager = _manager(app)
        user = manager.find_user(username=username)
        if user is None:
            raise click.ClickException(f"There is no user {username}.")
        password = _password(password_stdin)
        manager.reset_password(user.id, password)
    _report(f"Password of {username} changed", password, password_stdin)


def _manager(app: Flask) -> Any:
    return app.appbuilder.sm  # type: ignore[attr-defined]


def _role(manager: Any, name: str) -> Any:
    role = manager.find_role(name)
    if role is None:
        names = ", ".join(sorted(known.name for known in manager.get_all_roles()))
        raise click.ClickException(f"There is no role {name}; there are {names}.")
    return role


def _password(from_stdin: bool) -> str:
    password = sys.stdin.readline().rstrip("\n") if from_stdin else secrets.token_urlsafe(12)
    if len(password) < LEAST_PASSWORD:
        raise click.ClickException(f"The password has {len(password)} characters; {LEAST_PASSWORD} is the least.")
    return password


def _report(done: str, password: str, given: bool) -> None:
    click.echo(done if given else f"{done}; the password is {password}")
