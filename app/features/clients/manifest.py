"""What the clients feature adds."""

from __future__ import annotations

from flask import Flask

from app.core.commands import runbook
from app.core.security.scope import set_granted_clients
from app.features.clients import commands
from app.features.clients.access import granted_clients
from app.features.clients.queries import client_name
from app.features.clients.resources import CLIENT_ACCESS, CLIENTS, INVITATIONS
from app.kit.resource import Feature


def setup(app: Flask) -> None:
    """Say what row scope asks, and how the entered client is called."""
    set_granted_clients(granted_clients)
    app.extensions["client_name"] = client_name
    book = runbook(app)
    book.add_command(commands.grant_command, group="user")
    book.add_setup_step("sample agency", commands.sample_step, order=900)


FEATURE = Feature(
    "clients",
    resources=(CLIENTS, CLIENT_ACCESS, INVITATIONS),
    commands=(commands.demo_command,),
    setup=setup,
)
