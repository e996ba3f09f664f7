"""The checks behind `run.py check`: what features registered, and settings unfit for the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.commands import runbook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask


def problems(app: Flask, *, production: bool) -> Iterator[str]:
    """Each problem as a sentence; with `production` also what matters only on a server that others reach."""
    with app.app_context():
        for check in runbook(app).checks:
            if production or not check.production:
                yield from (f"{check.name}: {problem}" for problem in check.run(app))
    if production:
        yield from _unfit_settings(app)


def _unfit_settings(app: Flask) -> Iterator[str]:
    config = app.config
    if config["SECRET_KEY_GENERATED"]:
        yield "SECRET_KEY: generated into STEWARD_HOME; set one that every machine shares and that is kept safe."
    if not config["BASE_URL"].startswith("https://"):
        yield "BASE_URL: not https://, so cookies travel in the clear."
    if not config["DATABASE_URL"].startswith("postgresql"):
        yield "DATABASE_URL: SQLite serves one machine; take PostgreSQL."
    if config["EMBEDDED_REDIS"]:
        yield "REDIS_URL: the embedded Redis serves one machine."
    if config["DEBUG"] or config["TESTING"]:
        yield "DEBUG or TESTING is on."
