"""`run.py recount [--check]`, its watch, and `run.py user grant`."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import db
from app.core.security.principal import acting_as
from app.features.campaigns.commands import recount_command, watch
from app.features.campaigns.models import client_counter
from app.features.clients.commands import grant_command
from app.features.clients.models import Client
from tests.factories import clients, contacts, people


def test_check_tells_and_changes_nothing_and_recount_sets_right(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    runner = app.test_cli_runner()
    with app.app_context():
        contacts.contact(clients.client())
        db.session.commit()
        assert runner.invoke(recount_command, ["--check"]).exit_code == 0
        db.session.execute(sa.update(client_counter).values(stored=41))
        db.session.commit()
        watch(app)
        assert any('"found": 41' in message for message in caplog.messages)
        for _ in range(2):
            told = runner.invoke(recount_command, ["--check"])
            assert (told.exit_code, json.loads(told.output)["differences"][0]["found"]) == (1, 41)
        assert runner.invoke(recount_command, []).exit_code == 0
        assert json.loads(runner.invoke(recount_command, ["--check"]).output)["differences"] == []


def test_granting_by_command(app: Flask) -> None:
    runner = app.test_cli_runner()
    with app.app_context():
        cast = people.cast()
        clients.client(cast, name="Aldgate")
        db.session.commit()
        name = cast.outsider.username
        assert runner.invoke(grant_command, [name, "--client", "Nowhere"]).exit_code == 1
        assert runner.invoke(grant_command, ["nobody", "--client", "Aldgate"]).exit_code == 1
        assert "has access" in runner.invoke(grant_command, [name, "--client", "Aldgate", "--level", "manager"]).output
        with acting_as(cast.acting("outsider")):
            assert [c.name for c in db.session.scalars(sa.select(Client))] == ["Aldgate"]
