"""The one place that knows what time it is, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The current moment, timezone-aware, in UTC (PLT-19)."""
    return datetime.now(UTC)
