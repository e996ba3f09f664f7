"""Forms from fields: the right control, the right check and the right words for each kind of field."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import phonenumbers
import sqlalchemy as sa
import wtforms
from email_validator import EmailNotValidError, validate_email
from flask_appbuilder.forms import DynamicForm
from flask_babel import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import validators as wtf
from wtforms.fields.choices import Choice

from app.core import storage
from app.core.db import db
from app.core.text import row_id, storable
from app.kit import codes, registry
from app.kit.fields import CODED, Field, field_of, title_of
from app.kit.resource import Resource
from app.kit.zones import is_zone


class Blank(wtf.Optional):
    """Stops at an empty value; the message when one is needed names the field."""


def _required(field: Field) -> Any:
    def check(form: Any, control: Any) -> None:
        del form
        if control.data in (None, "") or (isinstance(control.data, str) and not control.data.strip()):
            control.errors = []
            raise wtf.StopValidation(_("%(field)s is needed.", field=field.label))

    check.field_flags = {"required": True}  # type: ignore[attr-defined]
    return check


def check_email(text: str) -> str:
    """The normalised address; ValueError says what is wrong with it (RFC 5321, by email-validator)."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(_("“%(text)s” is not an e-mail address: %(why)s", text=text[:80], why=str(error))) from None


def check_phone(text: str, region: str | None = None) -> str:
    """E.164; ValueError when it is no phone number. Without a region a number needs its country code."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        hint = "" if region else " " + _("Add the country code, like +44.")
        raise ValueError(_("“%(text)s” is not a phone number.", text=text[:40]) + hint)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def check_url(text: str) -> str:
    """The address; ValueError unless it is http or https with a host."""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_("“%(text)s” is not a web address. It begins with https://", text=text[:80]))
    return text


def check_time_zone(text: str) -> str:
    """The zone; ValueError when IANA knows none of that name."""
    if not is_zone(text):
        raise ValueError(_("“%(text)s” is not a time zone. Choose one like Europe/London.", text=text[:60]))
    return text


def _check_phone_loosely(text: str) -> str:
    digits = [c for c in text if c.isdigit()]
    if len(digits) < 3 or any(c not in "0123456789+-()./ xX#\u00a0" for c in text):
        raise ValueError(_("“%(text)s” is not a phone number.", text=text[:40]))
    return text


def _check_code(kind: str) -> Any:
    def check(text: str) -> str:
        if not codes.known(kind, text):
            raise ValueError(_("“%(text)s” is not one of the choices.", text=text[:40]))
        return text

    return check


CHECKS: dict[str, Any] = {
    "country": _check_code("country"),
    "language": _check_code("language"),
    "currency": _check_code("currency"),
    "email": check_email,
    "phone": _check_phone_loosely,
    "url": check_url,
    "time_zone": check_time_zone,
}


def clean(field: Field, text: Any) -> Any:
    """Check and normalise one text value by its kind; ValueError with the message to show."""
    if not isinstance(text, str) or field.enum is not None:  # members of a choice are texts, too
        return text
    text = text.strip()
    if (
        not storable(text)
        or any(ord(c) < 32 and c not in "\t\n\r" for c in text)
        or (field.kind != "long" and ("\n" in text or "\r" in text))
    ):
        raise ValueError(_("%(field)s holds characters that cannot be stored.", field=field.label))
    if field.max_length and len(text) > field.max_length:
        raise ValueError(_("%(field)s is longer than %(n)s characters.", field=field.label, n=field.max_length))
    return CHECKS[field.kind](text) if text and field.kind in CHECKS else text


def _checked(field: Field) -> Any:
    def check(form: Any, control: Any) -> None:
        del form
        try:
            control.data = clean(field, control.data)
        except ValueError as error:
            raise wtf.StopValidation(str(error)) from None

    return check


class RemoteSelect(wtforms.SelectField):
    """A relation: searched over the target's scoped look-up, so that a million rows cost one page of them."""

    def __init__(self, *args: Any, target: type[Any], url: str, **kw: Any) -> None:
        super().__init__(*args, coerce=_whole, choices=[], validate_choice=False, **kw)
        self.target = target
        self.render_kw = {"data-remote": url}

    def _row(self) -> Any:
        return db.session.get(self.target, self.data) if self.data else None

    def iter_choices(self) -> Any:
        """The empty choice and the chosen row; the rest is searched for."""
        yield Choice("", "", self.data is None, {})
        row = self._row()
        if row is not None:
            yield Choice(str(row.id), title_of(row), True, {})

    def pre_validate(self, form: Any) -> None:
        """The row must exist for this user: a foreign one is as absent as an absent one."""
        if self.data and db.session.scalar(sa.select(self.target.id).where(self.target.id == self.data)) is None:
            raise wtf.ValidationError(_("This choice does not exist. Choose another."))


def _whole(value: Any) -> int | None:
    if value in (None, "", "None"):
        return None
    if isinstance(value, int):
        return value
    text = str(value)
    found = row_id(text)
    if found is None:
        raise ValueError(_("“%(text)s” is not a choice.", text=text[:40]))
    return found


def lookup_url(target: type[Any]) -> str:
    """Where the choices of a relation are searched."""
    resource = registry.of_model(target)
    return f"{resource.url}/lookup" if resource else "/people/lookup"


def control(field: Field, help_text: Any = "") -> Any:
    """The WTForms control of a field."""
    needed = field.required or (not field.nullable and field.kind in (*CODED, "choice"))
    optional = [_required(field)] if needed else [Blank()]
    common: dict[str, Any] = {
        "label": field.label,
        "description": help_text,
        "validators": [*optional, _checked(field)],
    }
    builder = _CONTROLS.get(field.kind)
    if builder is not None:
        return builder(field, common)
    hints = {"maxlength": field.max_length, "type": _INPUT_TYPES.get(field.kind)}
    render = {name: value for name, value in hints.items() if value}
    return wtforms.StringField(render_kw=render, filters=[_strip], default=field.default, **common)


_INPUT_TYPES = {"email": "email", "phone": "tel", "url": "url"}


def _strip(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


def _relation(field: Field, common: dict[str, Any]) -> Any:
    return RemoteSelect(target=field.target, url=lookup_url(field.target), **common)  # type: ignore[arg-type]


def _choice(field: Field, common: dict[str, Any]) -> Any:
    options = [("", "")] if field.nullable else []
    options += [(member.value, getattr(member, "label", member.value)) for member in field.enum or ()]
    enum = field.enum

    def to_member(value: Any) -> Any:
        return None if value in (None, "", "None") else enum(value)  # type: ignore[misc]

    return EnumSelect(choices=options, coerce=to_member, default=field.default, **common)


class EnumSelect(wtforms.SelectField):
    """A choice whose data is an enum member; a value that is none gets a message that names it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the chosen value."""
        if not valuelist:
            return
        try:
            self.data = self.coerce(valuelist[0])
        except ValueError:
            self.data = None
            raise ValueError(_("“%(text)s” is not one of the choices.", text=valuelist[0][:40])) from None

    def iter_choices(self) -> Any:
        """Choices, the current one marked."""
        current = getattr(self.data, "value", self.data) or ""
        for value, label in self.choices or []:
            yield Choice(value, label, value == current, {})

    def pre_validate(self, form: Any) -> None:
        """The coercion has checked it."""


class CodedSelect(wtforms.SelectField):
    """A choice among codes, searched like a relation; an unknown one stays visible beside its error, so that nothing
    typed is lost.
    """

    def __init__(self, *args: Any, kind: str, **kw: Any) -> None:
        super().__init__(*args, choices=[], coerce=lambda v: v or None, validate_choice=False, **kw)
        self.kind = kind
        self.render_kw = {"data-remote": f"/codes/{kind}"}

    def iter_choices(self) -> Any:
        """Nothing, where that is allowed, and the current value."""
        if not self.flags.required or not self.data:
            yield Choice("", "", not self.data, {})
        if self.data:
            yield Choice(self.data, codes.name_of(self.kind, self.data), True, {})


def _coded(field: Field, common: dict[str, Any]) -> Any:
    return CodedSelect(kind=field.kind, default=field.default, **common)


class ImageField(wtforms.FileField):
    """A picture. Its data is the stored name; nothing is stored until the whole form is valid, and nothing is changed
    unless a file is chosen or "Remove" is ticked.
    """

    REMOVE = "remove"

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.picture: bytes | None = None
        self.touched = False

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the upload, or the wish to remove what is there."""
        files = [value for value in valuelist if getattr(value, "filename", "")]
        self.touched = bool(files) or self.REMOVE in valuelist
        if files:
            try:
                self.picture = storage.read_image(files[0].stream)
            except storage.BadFile as error:
                raise ValueError(error.message) from None

    def stored(self) -> str | None:
        """Keep the picture; returns its name."""
        return storage.save(self.picture, "png") if self.picture is not None else None

    def __call__(self, **kw: Any) -> Markup:
        accept = ",".join(f"image/{kind.lower()}" for kind in storage.FORMATS)
        upload = Markup('<input type="file" id="{}" name="{}" accept="{}" {}>').format(
            self.id, self.name, accept, wtforms.widgets.html_params(**kw)
        )
        if not self.object_data:
            return upload
        tick = Markup('<label class="form-check"><input class="form-check-input" type="checkbox" name="{}" value="{}">')
        return (
            upload
            + tick.format(self.name, self.REMOVE)
            + Markup("<span>{}</span></label>").format(_("Remove the picture"))
        )


_CONTROLS: dict[str, Any] = {
    "image": lambda f, c: ImageField(label=c["label"], description=c["description"]),
    "long": lambda f, c: wtforms.TextAreaField(filters=[_strip], render_kw={"rows": 5}, **c),
    "number": lambda f, c: wtforms.IntegerField(default=f.default, **_bounded(f, c)),
    "money": lambda f, c: wtforms.IntegerField(default=f.default, **_bounded(f, c)),
    "decimal": lambda f, c: wtforms.DecimalField(default=f.default, **c),
    "boolean": lambda f, c: wtforms.BooleanField(default=f.default, label=c["label"], description=c["description"]),
    "date": lambda f, c: wtforms.DateField(**c),
    "datetime": lambda f, c: wtforms.DateTimeLocalField(**c),
    "choice": _choice,
    "relation": _relation,
    "person": _relation,
    "country": _coded,
    "language": _coded,
    "currency": _coded,
    "time_zone": _coded,
}


BIGGEST = 2**31 - 1


def range_of(field: Field) -> tuple[int, int]:
    """The least and the greatest number a field can hold."""
    return -BIGGEST if field.least is None else field.least, BIGGEST


def out_of_range(field: Field) -> str:
    """What to say about another one."""
    least, most = map(format_decimal, range_of(field))
    return _("%(field)s is a whole number from %(least)s to %(most)s.", field=field.label, least=least, most=most)


def _bounded(field: Field, common: dict[str, Any]) -> dict[str, Any]:
    within = wtf.NumberRange(*range_of(field), message=out_of_range(field))
    return common | {"validators": [*common["validators"], within]}


def build_form(resource: Resource, *, adding: bool) -> type[Any]:
    """A form class over the declared sections; fields that are set only when adding are left out of editing."""
    names = [n for n in resource.field_names() if adding or n not in resource.readonly]
    controls = {n: control(field_of(resource.model, n, resource.labels), resource.help.get(n, "")) for n in names}
    return type(f"{resource.model.__name__}Form", (DynamicForm,), controls)


def values_of(resource: Resource, form: Any) -> dict[str, Any]:
    """What a valid form holds, by attribute name; a relation as its foreign key."""
    found = {}
    for control_ in form:
        if control_.type in ("CSRFTokenField", "HiddenField"):
            continue
        field = field_of(resource.model, control_.name, resource.labels)
        if isinstance(control_, ImageField):
            if control_.touched:
                found[field.key] = control_.stored()
            continue
        found[field.key] = control_.data
    return found


def form_data(resource: Resource, row: Any, names: list[str]) -> dict[str, Any]:
    """A row's values as a form wants them."""
    return {n: getattr(row, field_of(resource.model, n).key) for n in names}
