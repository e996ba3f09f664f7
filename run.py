"""Steward's commands: `python run.py --help`. Features add theirs through app.core.commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import Config, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

ROOT = Path(__file__).resolve().parent
MIGRATIONS = ROOT / "migrations"


def make_app() -> Flask:
    """The application, from the environment's settings. Imported here, because the supervisor needs none of it."""
    from app.factory import create_app

    return create_app(read_config())


def read_config() -> Config:
    """The environment's settings; a value that cannot be used ends the command with exit code 2."""
    try:
        return Config()
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


class Commands(click.Group):
    """The commands below, and those that features registered, which load the application when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names for `--help`."""
        return sorted({*super().list_commands(ctx), *_registered(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None when there is none."""
        return super().get_command(ctx, cmd_name) or _registered(ctx).get(cmd_name)


def _registered(ctx: click.Context) -> dict[str, click.Command]:
    from app.core.commands import runbook
    from app.core.runtime import users

    if ctx.obj is None:
        ctx.obj = make_app()
        users.install(ctx.obj)
        ctx.with_resource(ctx.obj.app_context())
    return runbook(ctx.obj).commands


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Steward, the back office of an agency."""


@cli.command()
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when the program that started this one ends.")
def run(with_parent: bool) -> None:
    """Set up and run everything: Redis, web, worker, scheduler."""
    import signal

    from app.core.logs import setup_logging
    from app.core.runtime.processes import die_with_parent
    from app.core.runtime.supervisor import StartError, Supervisor

    if with_parent:
        die_with_parent(os.getppid(), signal.SIGTERM)
    os.environ["STEWARD_PART"] = "steward"
    config = read_config()
    setup_logging(config.LOG_LEVEL)
    try:
        sys.exit(Supervisor(config, _load_parts).run())
    except StartError as error:
        raise click.ClickException(str(error)) from error


def _load_parts() -> Callable[[str], object]:
    import gc

    gc.disable()  # nothing that is loaded here becomes garbage: a tenth of the start, spared
    app = make_app()
    gc.freeze()  # and no fork copies it just to look at it
    gc.enable()
    return lambda name: PARTS[name](app)


@cli.command()
def web() -> None:
    """Serve the pages alone; a database that `init` set up and a Redis must be there."""
    os.environ["STEWARD_PART"] = "web"
    _web(make_app())


@cli.command()
@click.option("--burst", is_flag=True, help="Stop when the queue is empty.")
def worker(burst: bool) -> None:
    """Work on operations alone; the Redis of REDIS_URL must be there."""
    os.environ["STEWARD_PART"] = "worker"
    _worker(make_app(), burst=burst)


@cli.command()
def scheduler() -> None:
    """Do what is due every so often, alone."""
    os.environ["STEWARD_PART"] = "scheduler"
    _scheduler(make_app())


@cli.command()
def init() -> None:
    """Bring the database up to date: migrations, roles, permissions, first user, sample. Harmless when it is."""
    os.environ.setdefault("STEWARD_PART", "init")
    _init(make_app())


@cli.command()
@click.option("--production", is_flag=True, help="Also say what keeps this installation from facing the internet.")
def check(production: bool) -> None:
    """Check declarations and settings; exit code 1 and a line for each problem."""
    from app.core.runtime.checks import problems

    found = list(problems(make_app(), production=production))
    for line in found:
        click.echo(line)
    click.echo(f"{len(found)} problems" if len(found) != 1 else "1 problem")
    sys.exit(1 if found else 0)


def _web(app: Flask) -> None:
    from app.core.runtime.web import WebServer

    sys.argv = sys.argv[:1]  # gunicorn would read the rest as its own
    config = app.config
    WebServer(app, host=config["HOST"], port=config["PORT"], workers=config["WORKERS"]).run()


def _worker(app: Flask, *, burst: bool = False) -> None:
    from app.core.runtime.jobs import run_worker

    run_worker(app, burst=burst)


def _scheduler(app: Flask) -> None:
    from app.core.runtime.scheduler import run_scheduler

    run_scheduler(app)


def _init(app: Flask) -> None:
    from app.core.runtime.setup import SetupError, set_up

    try:
        set_up(app, MIGRATIONS, say=click.echo)
    except SetupError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


PARTS: dict[str, Callable[[Flask], None]] = {"init": _init, "web": _web, "worker": _worker, "scheduler": _scheduler}


def main() -> Any:
    """Entry point."""
    return cli(prog_name="run.py")


if __name__ == "__main__":
    main()
