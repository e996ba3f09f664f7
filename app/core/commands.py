"""What a feature adds to `run.py`: commands, set-up steps, checks and things to do every so often.

A feature's manifest calls `runbook(app)` and appends; run.py, the set-up step and the scheduler read it. It lives on
the application, so that two applications in one process do not share it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask


@dataclass(frozen=True)
class SetupStep:
    """One step of `run.py init`, called inside an application context, in the order of `order`.

    `run` says what it did ("4 roles") or returns nothing when there was nothing to do; running it again is harmless.
    Steps commit their own work. 0-99: core (the user admin at 90); 100-899: features; 900 and up: the sample.
    """

    name: str
    run: Callable[[Flask], str | None]
    order: int = 500


@dataclass(frozen=True)
class Check:
    """One check of `run.py check`: `run` returns a sentence per problem. `production` ones run with --production only."""

    name: str
    run: Callable[[Flask], Iterable[str]]
    production: bool = False


@dataclass(frozen=True)
class Tick:
    """Something the scheduler does every `every` seconds inside an application context; it commits its own work."""

    name: str
    run: Callable[[Flask], object]
    every: float


@dataclass
class Runbook:
    """All that features added. `command` may belong to a group: `add_command(cmd, group="user")` is `run.py user …`."""

    commands: dict[str, click.Command] = field(default_factory=dict)
    setup_steps: list[SetupStep] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    jobs: set[str] = field(default_factory=set)  # dotted names the worker may run; app.core.runtime.jobs.allow_job

    def add_command(self, command: click.Command, *, group: str | None = None) -> None:
        """Add `run.py COMMAND`, or `run.py GROUP COMMAND`. Raises ValueError for a name already taken."""
        name = command.name or ""
        taken = self.group(group).commands if group else self.commands
        if name in taken:
            raise ValueError(f"The command {name!r} is registered twice.")
        taken[name] = command

    def group(self, name: str) -> click.Group:
        """The command group of that name, made when it is first asked for."""
        found = self.commands.setdefault(name, click.Group(name))
        if not isinstance(found, click.Group):
            raise ValueError(f"{name!r} is a command, not a group.")
        return found

    def add_setup_step(self, name: str, run: Callable[[Flask], str | None], *, order: int = 500) -> None:
        """Add a step to `run.py init`; see SetupStep."""
        self.setup_steps.append(SetupStep(name, run, order))

    def add_check(self, name: str, run: Callable[[Flask], Iterable[str]], *, production: bool = False) -> None:
        """Add a check to `run.py check`; see Check."""
        self.checks.append(Check(name, run, production))

    def add_tick(self, name: str, run: Callable[[Flask], object], *, every: float) -> None:
        """Add work for the scheduler, every `every` seconds; see Tick."""
        self.ticks.append(Tick(name, run, every))


def runbook(app: Flask) -> Runbook:
    """The runbook of this application."""
    book = app.extensions.setdefault("runbook", Runbook())
    assert isinstance(book, Runbook)
    return book
