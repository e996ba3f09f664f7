"""Time as the user reads it: their zone, and words for the recent past; everything is stored in UTC (PLT-19)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import format_date, format_timedelta, get_timezone

from app.core.clock import utcnow


def user_zone() -> ZoneInfo:
    """The acting user's zone, UTC outside a request."""
    return ZoneInfo(str(get_timezone() or "UTC"))


@cache
def zone_names() -> tuple[str, ...]:
    """The names people choose from: continents and UTC, not the historical aliases."""
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ("UTC", *sorted(z for z in available_timezones() if z.startswith(areas)))


def is_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone."""
    return name in _all_zones()


@cache
def _all_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def relative(moment: datetime | None) -> str:
    """ "2 hours ago" under seven days, else the date."""
    if moment is None:
        return ""
    if moment.tzinfo is None:  # the framework's own columns, such as a user's last sign-in, hold UTC without saying so
        moment = moment.replace(tzinfo=UTC)
    delta = moment - utcnow()
    if abs(delta.days) < 7:
        return str(format_timedelta(delta, add_direction=True))
    return str(format_date(moment, "d MMM y"))
