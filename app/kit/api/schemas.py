"""What goes in and out of the API, from the fields of the declaration."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import marshmallow as ma
from flask_babel import gettext as _

from app.kit import forms
from app.kit.fields import Field, field_of, title_of
from app.kit.resource import Resource

_TYPES: dict[str, Any] = {
    "number": ma.fields.Integer,
    "money": ma.fields.Integer,
    "decimal": ma.fields.Decimal,
    "boolean": ma.fields.Boolean,
    "date": ma.fields.Date,
    "json": ma.fields.Raw,
}
LIMIT = 2**31 - 1


class RowRef(ma.fields.Field):
    """A relation going out: {"id", "name"}, null when there is none or it is out of sight."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kw: Any) -> Any:
        return None if value is None else {"id": value.id, "name": title_of(value)}

    def _jsonschema_type_mapping(self) -> dict[str, str]:
        return {"type": "object"}


class ChoiceText(ma.fields.String):
    """An enum member as its value; what comes in must be one."""

    def __init__(self, enum: Any, **kw: Any) -> None:
        self.enum = enum
        super().__init__(validate=ma.validate.OneOf([m.value for m in enum]), **kw)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kw: Any) -> Any:
        return None if value is None else getattr(value, "value", value)

    def deserialize(self, value: Any, *args: Any, **kw: Any) -> Any:
        """Check the text, then make it the member."""
        text = super().deserialize(value, *args, **kw)
        return self.enum(text) if isinstance(text, str) else text


def out_field(field: Field) -> ma.fields.Field:
    """How a field is shown."""
    if field.target is not None:
        return RowRef(metadata={"type": "object"})
    if field.enum:
        return ChoiceText(field.enum)
    if field.kind == "datetime":
        return ma.fields.AwareDateTime(format="iso", default_timezone=UTC)
    return _TYPES.get(field.kind, ma.fields.String)()


def in_field(field: Field, *, partial: bool) -> ma.fields.Field:
    """How a field is read: typed, checked like on the form; a relation by its id."""
    common: dict[str, Any] = {"required": field.required and not partial, "allow_none": field.nullable}
    if field.target is not None:
        return ma.fields.Integer(strict=True, validate=ma.validate.Range(1, LIMIT), **common)
    if field.enum:
        return ChoiceText(field.enum, **common)
    if field.kind == "datetime":
        return ma.fields.AwareDateTime(format="iso", default_timezone=UTC, **common)
    if field.kind in ("number", "money"):
        return ma.fields.Integer(strict=True, validate=_within(field), **common)
    if field.kind in _TYPES:
        return _TYPES[field.kind](**common)
    return _text_in(field, common)


def _within(field: Field) -> Any:
    def check(value: int) -> None:
        least, most = forms.range_of(field)
        if not least <= value <= most:
            raise ma.ValidationError(forms.out_of_range(field))

    return check


def _text_in(field: Field, common: dict[str, Any]) -> ma.fields.String:
    def check(value: Any) -> None:
        try:
            forms.clean(field, value)
        except ValueError as error:
            raise ma.ValidationError(str(error)) from None
        if not field.nullable and isinstance(value, str) and not value.strip():
            raise ma.ValidationError(_("%(field)s is needed.", field=field.label))

    return ma.fields.String(validate=check, **common)


def out_schema(resource: Resource, names: Any, label: str) -> ma.Schema:
    """A schema that shows `names`, with id and version."""
    fields: dict[str, Any] = {"id": ma.fields.Integer(), "version": ma.fields.Integer()}
    for name in names:
        if "." not in name:
            fields[name] = out_field(field_of(resource.model, name, resource.labels))
    return ma.Schema.from_dict(fields, name=label)()


def in_schema(resource: Resource, *, adding: bool, label: str) -> ma.Schema:
    """A schema that reads the form's fields; unknown ones are refused. Changing takes any part of them."""
    names = [n for n in resource.field_names() if adding or n not in resource.readonly]
    names = [n for n in names if field_of(resource.model, n).kind != "image"]  # pictures are uploaded by form
    fields: dict[str, Any] = {
        n: in_field(field_of(resource.model, n, resource.labels), partial=not adding) for n in names
    }
    if not adding:
        fields["version"] = ma.fields.Integer(strict=True)
    schema = ma.Schema.from_dict(fields, name=label)
    return schema(unknown=ma.RAISE, partial=not adding)


def values_from(resource: Resource, loaded: dict[str, Any]) -> dict[str, Any]:
    """Loaded data by attribute name, normalised like a form's; a relation as its foreign key."""
    values = {}
    for name, value in loaded.items():
        field = field_of(resource.model, name, resource.labels)
        cleaned = forms.clean(field, value)
        values[field.key] = None if cleaned == "" else cleaned
    return values
