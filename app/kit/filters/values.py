"""From text to a value of the right type, or a message that names the text and the field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _

from app.core.errors import BadQuery
from app.core.text import storable, storable_part
from app.kit.fields import Field
from app.kit.zones import user_zone

BIGGEST = 2**31 - 1
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def coerce(field: Field, raw: Any, kind: str = "") -> Any:
    """`raw` (text, or a JSON value) as a value of `field`, or of `kind` where given; BadQuery when it is none."""
    reader = _READERS.get(kind or field.kind, _text)
    return reader(field, str(raw).strip() if raw is not None else "")


def _refuse(field: Field, text: str, wanted: str) -> BadQuery:
    return BadQuery(
        _("“%(text)s” is not %(wanted)s for “%(field)s”.", text=text[:60], wanted=wanted, field=field.label)
    )


def whole_number(field: Field, text: str) -> int:
    """An integer the database can hold."""
    try:
        value = int(text)
    except ValueError:
        raise _refuse(field, text, _("a whole number")) from None
    if abs(value) > BIGGEST:
        raise _refuse(field, text, _("a number this small or large"))
    return value


def _decimal(field: Field, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise _refuse(field, text, _("a number")) from None
    if not value.is_finite() or abs(value) > 10**15:
        raise _refuse(field, text, _("a number this small or large"))
    return value


def _boolean(field: Field, text: str) -> bool:
    if text.lower() in TRUE + FALSE:
        return text.lower() in TRUE
    raise _refuse(field, text, _("yes or no"))


def _date(field: Field, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refuse(field, text, _("a date like 2026-03-31")) from None


def _moment(field: Field, text: str) -> datetime:
    """ISO 8601; without an offset it is in the user's time zone (PLT-19)."""
    try:
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=user_zone()).astimezone(UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refuse(field, text, _("a date like 2026-03-31")) from None


def _choice(field: Field, text: str) -> Any:
    for member in field.enum or ():
        if text in (member.value, member.name):
            return member
    raise _refuse(field, text, _("a known value"))


def _text(field: Field, text: str) -> str:
    if not storable(text):
        raise _refuse(field, storable_part(text), _("text"))
    return text


_READERS: dict[str, Any] = {
    "number": whole_number,
    "money": whole_number,
    "relation": whole_number,
    "person": whole_number,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "datetime": _moment,
    "choice": _choice,
}
