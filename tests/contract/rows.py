"""A valid row of any declared entity, built from its declaration."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.core.security.principal import system
from app.kit import registry, writes
from app.kit.fields import Field, field_of
from app.kit.resource import Resource
from app.kit.views.conflict import raw

_serial = count(1)

# What a valid row needs beyond its columns' types: {resource: {field: value of (client id, user id)}}.
SPECIAL: dict[str, dict[str, Any]] = {
    "client_access": {"user": lambda _client, _user: new_user()},  # one access a person and client
}
# The state a stored row needs before a list shows it, and before it can be deleted.
SHOWN: dict[str, dict[str, Any]] = {"operation": {"state": "running"}}  # drafts are not shown
DELETABLE: dict[str, dict[str, Any]] = {"client": {"active": False}}  # switched off first (CLI-08)


def new_user() -> int:
    """The id of another active user."""
    number = next(_serial)
    user = User(
        first_name="Person", last_name=str(number), username=f"p{number}", email=f"p{number}@cast.example", active=True
    )
    db.session.add(user)
    db.session.flush()
    return int(user.id)


def value_for(field: Field, client_id: int, user_id: int) -> Any:
    """A value this field accepts, different on each call where it can be."""
    number = next(_serial)
    if field.kind == "person":
        return user_id
    if field.target is not None:
        return client_id if field.name == "client" else related(field, client_id, user_id).id
    if field.enum is not None:
        return field.default or next(iter(field.enum))
    return _PLAIN[field.kind](number)


def related(field: Field, client_id: int, user_id: int) -> Any:
    """A row of the field's target in the same client."""
    resource = registry.of_model(field.target)  # type: ignore[arg-type]
    assert resource is not None, f"{field.model.__name__}.{field.name} points at an undeclared entity"
    return make(resource, client_id, user_id)


_PLAIN: dict[str, Any] = {
    "text": lambda n: f"Row {n}",
    "long": lambda n: f"Long text {n}",
    "email": lambda n: f"row{n}@contract.example",
    "phone": lambda n: f"+44 20 7946 {n % 10000:04}",
    "url": lambda n: f"https://contract.example/{n}",
    "number": lambda n: n,
    "money": lambda n: n,
    "decimal": lambda n: n,
    "boolean": lambda _n: True,
    "date": lambda _n: date(2026, 3, 1),
    "datetime": lambda _n: datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    "time_zone": lambda _n: "Europe/London",
    "country": lambda _n: "GB",
    "language": lambda _n: "en",
    "currency": lambda _n: "EUR",
    "json": lambda n: {"n": n},
}


def form_values(resource: Resource, client_id: int, user_id: int) -> dict[str, Any]:
    """{field name: value} for every form field."""
    fields = [field_of(resource.model, name, resource.labels) for name in resource.field_names()]
    special = SPECIAL.get(resource.name, {})
    return {
        f.name: special[f.name](client_id, user_id) if f.name in special else value_for(f, client_id, user_id)
        for f in fields
        if f.kind != "image"  # uploaded, see tests/core/test_storage
    }


def posted(resource: Resource, values: dict[str, Any]) -> dict[str, str]:
    """The same as a browser posts it."""
    texts = {n: raw(field_of(resource.model, n, resource.labels), v) for n, v in values.items()}
    return {n: t for n, t in texts.items() if t != ""}


def as_json(resource: Resource, values: dict[str, Any]) -> dict[str, Any]:
    """The same as a program posts it."""
    found = {}
    for name, value in values.items():
        value = getattr(value, "value", value)
        found[name] = value.isoformat() if isinstance(value, datetime | date) else value
    return found


def make(resource: Resource, client_id: int, user_id: int) -> Any:
    """Store a valid row; the caller commits."""
    with system("contract test") as actor:
        if resource.writable:
            values = form_values(resource, client_id, user_id)
            keyed = {field_of(resource.model, n).key: v for n, v in values.items()}
            row = writes.create(resource, keyed, actor=actor)
        else:
            row = resource.model(**column_values(resource, client_id, user_id))
            db.session.add(row)
        bring_to(row, resource, SHOWN)
        return row


def bring_to(row: Any, resource: Resource, states: dict[str, dict[str, Any]]) -> None:
    """Put a row into the state that `states` wants for its kind."""
    for name, value in states.get(resource.name, {}).items():
        field = field_of(resource.model, name)
        setattr(row, name, field.enum(value) if field.enum else value)
    db.session.flush()


def column_values(resource: Resource, client_id: int, user_id: int) -> dict[str, Any]:
    """A value for every column that needs one."""
    mapper, found = sa.inspect(resource.model), {}
    relations = {next(iter(r.local_columns)): r.key for r in mapper.relationships if r.direction.name == "MANYTOONE"}
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if attribute.key == "user_id":
            found["user_id"] = user_id
        elif column.primary_key or column.default is not None or (column.nullable and attribute.key != "title"):
            continue
        else:
            name = relations.get(column, attribute.key)
            found[attribute.key] = value_for(field_of(resource.model, name), client_id, user_id)
    return found
