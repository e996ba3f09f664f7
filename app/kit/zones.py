"""Time zones: the user's, for reading and showing moments; everything is stored in UTC (PLT-19)."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import get_timezone


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
