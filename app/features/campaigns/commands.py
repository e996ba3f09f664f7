"""`run.py recount [--check]`, and the same as a watch every hour."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import click

from app.core.db import db
from app.core.security.principal import system
from app.features.campaigns.recount import as_rows, recount

log = logging.getLogger(__name__)


@click.command("recount")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a number differs.")
def recount_command(check: bool) -> None:
    """Count the overview's numbers anew and print the differences as JSON."""
    with system("recount"):
        found = recount(check=check)
        db.session.rollback() if check else db.session.commit()
    click.echo(json.dumps({"checked": check, "differences": as_rows(found)}))
    sys.exit(1 if check and found else 0)


def watch(_app: Any) -> None:
    """A difference is a defect: it is logged as an error and left for a person to look at."""
    with system("recount watch"):
        found = recount(check=True)
        db.session.rollback()
    if found:
        log.error("counters differ from their rows: %s", json.dumps(as_rows(found[:20])))
