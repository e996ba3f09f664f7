"""Codes with names in the user's language: countries (ISO 3166-1), languages (ISO 639-1), currencies (ISO 4217) and time
zones (IANA), as Babel and the system know them.
"""

from __future__ import annotations

from functools import cache

from babel import Locale
from flask_babel import get_locale

from app.kit.zones import zone_names

KINDS = ("time_zone", "country", "language", "currency")
NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})


def choices(kind: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of all, in the order of their names."""
    return _choices(kind, str(get_locale() or "en"))


def name_of(kind: str, code: str) -> str:
    """The name of a code; the code itself where it is unknown."""
    return code.replace("_", " ") if kind == "time_zone" else _names(kind, str(get_locale() or "en")).get(code, code)


def known(kind: str, code: str) -> bool:
    """Whether there is such a code."""
    return code in _names(kind, "en")


@cache
def _names(kind: str, locale: str) -> dict[str, str]:
    return dict(_choices(kind, locale))


@cache
def _choices(kind: str, locale: str) -> tuple[tuple[str, str], ...]:
    if kind == "time_zone":
        return tuple((zone, zone.replace("_", " ")) for zone in zone_names())
    known_to = Locale.parse(locale)
    if kind == "country":
        names = {k: v for k, v in known_to.territories.items() if len(k) == 2 and k not in NO_COUNTRY}
    elif kind == "language":
        names = {k: v for k, v in known_to.languages.items() if len(k) == 2}
    else:
        names = dict(known_to.currencies)
    return tuple(sorted(((str(code), str(name)) for code, name in names.items()), key=lambda pair: pair[1].casefold()))
