"""The scheduler and the runbook."""

from __future__ import annotations

import threading
import time

import click
import pytest
from flask import Flask, current_app

from app.core.commands import Tick, runbook
from app.core.runtime import scheduler
from app.core.runtime.scheduler import Scheduler


def test_ticks_come_at_their_interval_and_a_broken_one_stops_no_other() -> None:
    calls: dict[str, list[float]] = {"good": [], "broken": []}

    def good(app: Flask) -> None:
        assert current_app.name == app.name
        calls["good"].append(time.monotonic())

    def broken(_app: Flask) -> None:
        calls["broken"].append(time.monotonic())
        raise ZeroDivisionError

    running = Scheduler(Flask("x"), [Tick("broken", broken, 0.1), Tick("good", good, 0.1)])
    thread = threading.Thread(target=running.run)
    thread.start()
    time.sleep(1.1)
    running.stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert 6 <= len(calls["good"]) <= 12
    assert 2 <= len(calls["broken"]) <= 4  # after 0, 0.2, 0.6 s: each failure doubles the pause


def test_a_command_name_is_taken_once() -> None:
    book = runbook(Flask("x"))
    book.add_command(click.Command("passwd"), group="user")
    book.add_command(click.Command("create"), group="user")
    assert set(book.group("user").commands) == {"create", "passwd"}
    with pytest.raises(ValueError, match="passwd"):
        book.add_command(click.Command("passwd"), group="user")
    with pytest.raises(ValueError, match="user"):
        book.add_command(click.Command("user"))


def test_two_applications_share_no_runbook() -> None:
    first, second = Flask("a"), Flask("b")
    runbook(first).add_tick("t", lambda app: None, every=1)
    assert runbook(second).ticks == []
    assert runbook(first) is runbook(first)
    assert scheduler.Scheduler(second, []).stop.is_set() is False
