"""What the campaigns feature adds."""

from __future__ import annotations

from flask import Flask

from app.core.commands import runbook
from app.features.campaigns import commands, tracking
from app.features.campaigns.resources import (
    ACTIVITIES,
    CAMPAIGN_STEPS,
    CAMPAIGNS,
    ENROLMENTS,
    FINDINGS,
    MAIL_ACCOUNTS,
)
from app.kit.resource import Feature


def setup(app: Flask) -> None:
    """Keep the counters from the first write on, and watch them."""
    with app.app_context():
        tracking.install()
    runbook(app).add_tick("recount", commands.watch, every=3600)


FEATURE = Feature(
    "campaigns",
    resources=(CAMPAIGNS, CAMPAIGN_STEPS, ENROLMENTS, ACTIVITIES, MAIL_ACCOUNTS, FINDINGS),
    commands=(commands.recount_command,),
    setup=setup,
)
