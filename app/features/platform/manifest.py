"""What the console itself brings: the operation monitor and the bell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import jobs
from app.core.notifications import unread_count
from app.core.security.principal import actor
from app.features.platform.resources import NOTIFICATIONS, OPERATIONS
from app.kit.resource import Feature

if TYPE_CHECKING:
    from flask import Flask


def setup(app: Flask) -> None:
    """Let the worker work on operations, have the scheduler reap, and give the bell its number."""
    jobs.install(app)
    app.extensions["unread_notifications"] = lambda: unread_count(actor())


FEATURE = Feature("platform", resources=(OPERATIONS, NOTIFICATIONS), setup=setup)
