"""From a cell to a stored value, by the field's kind. Every refusal is a ValueError with the sentence to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from babel import Locale
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from app.kit import codes
from app.kit.exporting import plain
from app.kit.fields import Field
from app.kit.forms import clean
from app.kit.importing.reader import text_of
from app.kit.zones import zone_names

MONTH_FIRST = "mdy"
_DATE = re.compile(r"^(\d{1,2})\s*[./\-]\s*(\d{1,2})\s*[./\-]\s*(\d{4}|\d{2})$")
_MOMENT = re.compile(r"^(\S+)[ T]+(\d{1,2}:\d{2}(?::\d{2})?)$")
_HOST = re.compile(r"^(?:[\w-]+\.)+[A-Za-z]{2,}(?:[/?#:].*)?$")
_YES = {"yes", "y", "true", "1", "x", "on", "ja", "j", "wahr", "oui", "si", "sí"}
_NO = {"no", "n", "false", "0", "off", "nein", "falsch", "non", "-"}
_COUNTRY_NAMES = {"uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "america": "US", "holland": "NL"}
_LIMIT = 2**31 - 1


def as_text(value: Any) -> str:
    """A cell as one text, without the apostrophe that keeps it from being calculated."""
    return plain(text_of(value))


def coerce(field: Field, value: Any, *, dates: str = "dmy") -> Any:
    """The value to store for a cell that is not empty. `dates` says how 03/04/2027 is read: "dmy" or "mdy".

    Raises ValueError. Relations and people are looked up elsewhere, see `relations`.
    """
    if field.kind in ("date", "datetime"):
        return _when(field, value, dates)
    maker = _MAKERS.get(field.kind)
    return maker(field, value) if maker else clean(field, as_text(value))


def languages() -> list[str]:
    """The languages whose words are understood: all the console speaks."""
    return list(current_app.config.get("LANGUAGES") or {"en": {}})


def in_every_language(text: Any) -> list[str]:
    """A lazy text in each of them."""
    found = []
    for language in languages():
        with force_locale(language):
            found.append(str(text))
    return found


def fold(text: str) -> str:
    """The form in which two words are the same."""
    return " ".join(text.casefold().split())


def _choice(field: Field, value: Any) -> Any:
    text = as_text(value)
    found = _choices(field).get(fold(text))
    if found is None:
        known = ", ".join(str(getattr(m, "label", m.value)) for m in field.enum or ())
        raise ValueError(_("“%(text)s” is not one of: %(known)s.", text=text[:40], known=known[:300]))
    return found


def _choices(field: Field) -> dict[str, Any]:
    return _choices_of(field.enum, tuple(languages()))


@cache
def _choices_of(enum: Any, languages: tuple[str, ...]) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for member in enum or ():
        label = getattr(member, "label", member.value)
        for word in (member.value, member.name.replace("_", " "), *in_every_language(label)):
            words.setdefault(fold(str(word)), member)
    return words


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = as_text(value)
    word = fold(text)
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(_("“%(text)s” is neither yes nor no.", text=text[:40]))


def _digits(value: Any) -> str:
    text = re.sub(r"[\s\u00a0\u202f'’]", "", as_text(value))
    if "," in text and "." in text:
        thousands = "," if text.rindex(".") > text.rindex(",") else "."
        text = text.replace(thousands, "")
    elif re.fullmatch(r"-?\d{1,3}([.,]\d{3}){2,}", text):
        text = re.sub("[.,]", "", text)
    return text.replace(",", ".")


def _number(field: Field, value: Any) -> int:
    text = as_text(value)
    try:
        number = Decimal(_digits(value))
    except InvalidOperation:
        raise ValueError(_("“%(text)s” is not a number.", text=text[:40])) from None
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError(_("“%(text)s” is not a whole number.", text=text[:40]))
    if abs(number) > _LIMIT:
        raise ValueError(_("“%(text)s” is too large.", text=text[:40]))
    return int(number)


def _decimal(field: Field, value: Any) -> Decimal:
    text = as_text(value)
    try:
        number = Decimal(_digits(value))
    except InvalidOperation:
        raise ValueError(_("“%(text)s” is not a number.", text=text[:40])) from None
    if not number.is_finite() or abs(number) > _LIMIT:
        raise ValueError(_("“%(text)s” is not a number.", text=text[:40]))
    return number


def _url(field: Field, value: Any) -> Any:
    text = as_text(value)
    return clean(field, f"https://{text}" if _HOST.match(text) else text)


def _coded(field: Field, value: Any) -> Any:
    text = as_text(value)
    codes = _codes(field.kind, tuple(languages()))
    word = fold(text)
    return codes.get(word) or codes.get(word.replace(" ", "_")) or clean(field, text)


@cache
def _codes(kind: str, languages: tuple[str, ...]) -> dict[str, str]:
    if kind == "time_zone":
        return {zone.casefold(): zone for zone in zone_names()}
    words = {} if kind != "country" else dict(_COUNTRY_NAMES)
    for language in languages:
        locale = Locale.parse(language)
        names = {"country": locale.territories, "language": locale.languages, "currency": locale.currencies}[kind]
        for code, _name in codes.choices(kind):
            words.setdefault(fold(str(names.get(code, code))), code)
            words[code.casefold()] = code
    return words


def _when(field: Field, value: Any, dates: str) -> date | datetime:
    moment = _moment(value, dates)
    if field.kind == "date":
        return moment.date()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(value: Any, dates: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    text = as_text(value)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    parts = _MOMENT.match(text)
    day, clock = (parts[1], parts[2]) if parts else (text, "00:00")
    found = _DATE.match(day)
    if found:
        try:
            return datetime.combine(_day(found, dates), time.fromisoformat(clock.zfill(5)))
        except ValueError:
            pass
    raise ValueError(_("“%(text)s” is not a date like 2027-03-31.", text=text[:40]))


def _day(found: re.Match[str], dates: str) -> date:
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    day, month = (second, first) if dates == MONTH_FIRST else (first, second)
    return date(year if year > 99 else 2000 + year, month, day)


_MAKERS: dict[str, Callable[[Field, Any], Any]] = {
    "choice": _choice,
    "boolean": _boolean,
    "number": _number,
    "money": _number,
    "decimal": _decimal,
    "url": _url,
    "country": _coded,
    "language": _coded,
    "currency": _coded,
    "time_zone": _coded,
}
