"""Creating, changing, deleting and restoring rows: the only way in, whoever asks (form, API, bulk, import, command).

Each function flushes, so that what the database refuses is known here, and leaves the commit to its caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.core.db import db
from app.core.errors import Clash, DomainError, NotAllowed, Stale
from app.core.security.principal import Principal
from app.kit import trash
from app.kit.fields import field_of, in_sentence
from app.kit.resource import Resource


def create(resource: Resource, values: Mapping[str, Any], *, actor: Principal) -> Any:
    """Make a row. Raises NotAllowed, Clash or the service's DomainError."""
    _may(actor, "add", resource)
    with refusals(resource):
        row = (resource.service.create or _store(resource))(dict(values), actor=actor)
        db.session.add(row)
        check_unique(resource, row)
        db.session.flush()
    return row


def update(
    resource: Resource, row: Any, values: Mapping[str, Any], *, actor: Principal, version: int | None = None
) -> None:
    """Change a row. With `version`, refuse as Stale when somebody saved it since (PLT-21)."""
    _may(actor, "edit", resource)
    if version is not None and row.version != version:
        raise Stale(_("Somebody else saved this %(what)s in between.", what=in_sentence(resource.label)), row.version)
    with refusals(resource):
        (resource.service.update or _assign)(row, dict(values), actor=actor)
        check_unique(resource, row)
        db.session.flush()


def delete(resource: Resource, row: Any, *, actor: Principal) -> None:
    """Take a row out of every list, with what belongs to it."""
    _may(actor, "delete", resource)
    with refusals(resource):
        if resource.service.delete:
            resource.service.delete(row, actor=actor)
        else:
            trash.delete(row, cascade=resource.trash.cascade if resource.trash else (), actor=actor)
        db.session.flush()


def restore(resource: Resource, row: Any, *, actor: Principal) -> None:
    """Bring a deleted row back, with what went along."""
    _may(actor, "restore", resource)
    with refusals(resource):
        if resource.service.restore:
            resource.service.restore(row, actor=actor)
        else:
            check_unique(resource, row)
            trash.restore(row, cascade=resource.trash.cascade if resource.trash else ())
        db.session.flush()


def _may(actor: Principal, verb: str, resource: Resource) -> None:
    if not actor.can(verb, resource.name):
        raise NotAllowed(_("Your role may not %(verb)s %(what)s.", verb=_(verb), what=in_sentence(resource.plural)))


def _store(resource: Resource) -> Callable[..., Any]:
    return lambda values, *, actor: resource.model(**values)


def _assign(row: Any, values: dict[str, Any], *, actor: Principal) -> None:
    del actor
    for key, value in values.items():
        if getattr(row, key) != value:
            setattr(row, key, value)


def check_unique(resource: Resource, row: Any) -> None:
    """Say beside the right field that a value is taken, before the database says it in SQL."""
    for names in resource.unique:
        fields = [field_of(resource.model, name, resource.labels) for name in names]
        values = [getattr(row, field.key) for field in fields]
        if any(value in (None, "") for value in values):
            continue
        if _taken(resource, row, list(zip(fields, values, strict=True))):
            raise Clash(fields={names[-1]: _taken_text(resource, values[-1])})


def _taken(resource: Resource, row: Any, pairs: list[tuple[Any, Any]]) -> bool:
    model = resource.model
    query = sa.select(model.id).limit(1)
    for field, value in pairs:
        same = isinstance(value, str) and field.kind in ("text", "email")
        query = query.where(sa.func.lower(field.column) == value.lower() if same else field.column == value)
    with db.session.no_autoflush:
        return db.session.scalar(query.where(model.id != row.id) if row.id else query) is not None


def _taken_text(resource: Resource, value: Any) -> str:
    return _("There is another %(what)s with “%(value)s”.", what=in_sentence(resource.label), value=value)


@contextmanager
def refusals(resource: Resource) -> Iterator[None]:
    """Turn what the database refuses into domain errors; SQL never reaches a user."""
    try:
        yield
    except IntegrityError as error:
        _take_back()
        raise _explain(resource, str(error.orig)) from error
    except DataError as error:
        _take_back()
        raise DomainError(_("A value is too long, or not of its kind.")) from error
    except StaleDataError as error:
        _take_back()
        raise Stale(_("Somebody else saved this in between."), 0) from error


def _take_back() -> None:
    """Undo the refused write. Inside a savepoint its owner does that: `rollback` would end the whole transaction, and with
    it the rows before this one, which their caller counts as done.
    """
    if not db.session().in_nested_transaction():
        db.session.rollback()


def _explain(resource: Resource, text: str) -> DomainError:
    for names in resource.unique:
        if names[-1] in text:
            message = _("There is another %(what)s with this value.", what=in_sentence(resource.label))
            return Clash(fields={names[-1]: message})
    if "FOREIGN KEY" in text.upper() or "foreign key" in text:
        return Clash(_("Something this refers to is gone, or still refers to it."))
    return Clash(_("A value that must be unique is taken, or one that is needed is missing."))
