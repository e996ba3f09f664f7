"""Cell values: made uniform on the way in, written to and read from the row file, shown as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from app.kit.importing.reader.model import Value

_EDGES = " \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\u200b\u2060\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
EXACT = 10**15  # spreadsheets keep 15 digits; what is longer was rounded when it was typed
_LONGEST = 10**22  # beyond, a number is no number of anything and stays a float


def clean(value: Any) -> Value:
    """One value as the formats' libraries give it -> `Value`."""
    cleaner = _CLEANERS.get(type(value))
    return cleaner(value) if cleaner else value


def clean_text(text: str) -> str | None:
    """Trim every kind of space, the non-breaking and the zero-width ones too; nothing left is None."""
    if "\0" in text:
        text = text.replace("\0", "")  # no database column takes them
    return (text.strip() if text.isascii() else text.strip(_EDGES)) or None


def _number(value: float) -> int | float | None:
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < _LONGEST:
        return int(value)
    return float(f"{value:.15g}")  # what the sheet shows: 0.3, not 0.30000000000000004


def _duration(value: timedelta) -> str:
    """36 hours -> "36:00:00", as the sheet shows it."""
    seconds = round(value.total_seconds())
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


_CLEANERS: dict[type, Callable[[Any], Value]] = {str: clean_text, float: _number, timedelta: _duration}


def text_of(value: Value) -> str:
    """The value as text without loss: dates as ISO 8601, integers without point or exponent, None as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def encode(value: Any) -> dict[str, str]:
    """JSON form of what JSON lacks; for `json.JSONEncoder(default=...)`."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"time": value.isoformat()}


_DECODERS: dict[str, Callable[[str], date | time]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}


def decode(stored: dict[str, str]) -> Value:
    """The reverse of `encode`."""
    ((kind, text),) = stored.items()
    value: Value = _DECODERS[kind](text)
    return value
