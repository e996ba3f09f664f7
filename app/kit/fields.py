"""What a field means: read once from the model's columns, used by lists, forms, filters, the API, imports and exports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.ext.hybrid import HybridExtensionType
from sqlalchemy.orm import InstrumentedAttribute, RelationshipProperty

from app.core.columns import UtcDateTime

NUMERIC = ("number", "decimal", "money")
TEXTUAL = ("text", "long", "email", "phone", "url")
CAPITAL_NOUNS = ("de",)
CODED = ("time_zone", "country", "language", "currency")

LABELS: dict[str, Any] = {
    "id": _l("No."),
    "name": _l("Name"),
    "client": _l("Client"),
    "owner": _l("Owner"),
    "user": _l("User"),
    "email": _l("E-mail"),
    "url": _l("Web address"),
    "created_at": _l("Created"),
    "updated_at": _l("Changed"),
    "deleted_at": _l("Deleted"),
    "created_by_id": _l("Created by"),
    "is_new": _l("New"),
}


@dataclass(frozen=True)
class Field:
    """One field of an entity. `column` is what SQL compares and sorts; for a relation it is the foreign key."""

    name: str
    label: Any
    kind: str
    model: type[Any]
    column: Any = None
    target: type[Any] | None = None  # a relation's model
    required: bool = False
    max_length: int | None = None
    enum: type[Enum] | None = None
    default: Any = None
    nullable: bool = True
    least: int | None = None  # of a number

    @property
    def key(self) -> str:
        """The attribute that stores the value: "client_id" for the relation "client"."""
        return self.column.key if self.target is not None else self.name

    @property
    def align(self) -> str:
        return "end" if self.kind in NUMERIC else "start"


def label_of(name: str, labels: Any = None) -> Any:
    """A field's label: declared, common, or the name in words."""
    if labels and name in labels:
        return labels[name]
    if name in LABELS:
        return LABELS[name]
    return gettext(in_words(name))


def in_words(name: str) -> str:
    """The label of a name that nobody gave one: "billing_city" → "Billing city". `tools/messages.py` collects these."""
    words = name.rsplit(".", 1)[-1].removesuffix("_at").removesuffix("_id").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def in_sentence(label: Any) -> str:
    """A label as it stands inside a sentence: small, but for languages that write nouns with a capital."""
    locale = get_locale()
    return str(label) if locale is not None and locale.language in CAPITAL_NOUNS else str(label).lower()


def _kind_of(column: sa.Column[Any]) -> str:
    if "kind" in column.info:
        return str(column.info["kind"])
    kinds: list[tuple[Any, str]] = [
        (UtcDateTime, "datetime"),
        (sa.DateTime, "datetime"),
        (sa.Date, "date"),
        (sa.Boolean, "boolean"),
        (sa.Integer, "number"),
        (sa.Numeric, "decimal"),
        (sa.JSON, "json"),
        (sa.Text, "long"),
    ]
    return next((kind for type_, kind in kinds if isinstance(column.type, type_)), "text")


def _column_field(model: type[Any], name: str, labels: Any) -> Field:
    attribute: InstrumentedAttribute[Any] = getattr(model, name)
    column = attribute.property.columns[0]
    kind = _kind_of(column)
    default = column.default.arg if column.default is not None and column.default.is_scalar else None
    required = not column.nullable and column.default is None and column.server_default is None and kind != "boolean"
    length = column.info.get("max_length") or getattr(column.type, "length", None)
    return Field(
        name,
        label_of(name, labels),
        kind,
        model,
        attribute,
        required=required,
        max_length=length if kind in TEXTUAL else None,
        enum=column.info.get("enum"),
        default=default,
        nullable=bool(column.nullable),
        least=column.info.get("least"),
    )


def _relation_field(model: type[Any], name: str, relation: RelationshipProperty[Any], labels: Any) -> Field:
    column = next(iter(relation.local_columns))
    key = sa.inspect(model).get_property_by_column(column).key
    target = relation.mapper.class_
    kind = "person" if target is User else "relation"
    required = not column.nullable and column.default is None
    nullable = bool(column.nullable)
    return Field(
        name,
        label_of(name, labels),
        kind,
        model,
        getattr(model, key),
        target=target,
        required=required,
        nullable=nullable,
    )


def field_of(model: type[Any], name: str, labels: Any = None) -> Field:
    """The field `name` of a model: a column, a many-to-one relation, a property, or one step along a relation
    ("campaign.status"). AttributeError when there is none.
    """
    if "." in name:
        first, rest = name.split(".", 1)
        relation = sa.inspect(model).relationships[first]
        inner = field_of(relation.mapper.class_, rest)
        label = (labels or {}).get(name) or inner.label
        return Field(name, label, inner.kind, inner.model, inner.column, inner.target, enum=inner.enum)
    mapper = sa.inspect(model)
    if name in mapper.relationships:
        return _relation_field(model, name, mapper.relationships[name], labels)
    if name in mapper.column_attrs:
        return _column_field(model, name, labels)
    descriptor = mapper.all_orm_descriptors.get(name)
    if descriptor is not None and descriptor.extension_type is HybridExtensionType.HYBRID_PROPERTY:
        return Field(name, label_of(name, labels), "text", model, getattr(model, name))
    getattr(model, name)
    return Field(name, label_of(name, labels), "text", model)


def user_name(user: Any) -> str:
    """How a user is called."""
    return f"{user.first_name or ''} {user.last_name or ''}".strip() or str(user.username)


def title_of(obj: Any) -> str:
    """How a row is called wherever one line must do."""
    return user_name(obj) if isinstance(obj, User) else str(obj)
