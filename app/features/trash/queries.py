"""Deleted rows, within the reader's clients: as a list of the kit's, so that filters, sort and pages are as strict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.core.mixins import SoftDeletes
from app.core.security.principal import Principal
from app.core.security.scope import with_deleted
from app.kit import listing, registry
from app.kit.fields import field_of, user_name
from app.kit.resource import Resource

SHOWN = ("email", "phone", "client")  # beside the name, where an entity has them (CON-17)


def resources_with_trash(principal: Principal) -> list[Resource]:
    """Entities whose deleted rows this user may see or restore, in the menu's order."""
    found = [r for r in registry.resources() if r.trash is not None and issubclass(r.model, SoftDeletes)]
    allowed = [r for r in found if principal.can("see", r.name) or principal.can("restore", r.name)]
    return sorted(allowed, key=lambda r: (r.order, str(r.plural)))


def trash_of(resource: Resource) -> Resource:
    """The resource as its trash lists it: newest deletion first, nothing to do but restore."""
    known = [name for name in SHOWN if _has(resource.model, name) and name != resource.title]
    return replace(
        resource,
        list=(resource.title, *known, "deleted_at"),
        more=(),
        filters=(*(name for name in known if name == "client"), "deleted_at"),
        sort="-deleted_at",
        actions=(),
        transfer=None,
        trash=None,
        writable=False,
        empty=None,
    )


def _has(model: type[Any], name: str) -> bool:
    try:
        return field_of(model, name).column is not None
    except AttributeError:
        return False


def is_deleted(resource: Resource) -> Any:
    """The condition that makes a list a trash."""
    return resource.model.deleted_at.is_not(None)


def deleted_row(resource: Resource, pk: int) -> Any:
    """The deleted row, or None: a foreign one answers like an absent one."""
    model = resource.model
    with with_deleted():
        return db.session.scalar(sa.select(model).where(model.id == pk, is_deleted(resource)))


def matching_ids(resource: Resource, request: listing.ListRequest, most: int) -> list[int]:
    """Ids of at most `most` deleted rows that the list's filter and search match."""
    model = resource.model
    with with_deleted():
        clause = sa.and_(listing.where(resource, request), is_deleted(resource))
        return list(db.session.scalars(sa.select(model.id).where(clause).order_by(model.id).limit(most)))


def deleted_by(resource: Resource, ids: Iterable[int]) -> dict[int, str]:
    """{row id: name of who deleted it}, in one query."""
    model = resource.model
    query = sa.select(model.id, User).join(User, User.id == model.deleted_by_id).where(model.id.in_(list(ids)))
    with with_deleted():
        return {pk: user_name(user) for pk, user in db.session.execute(query)}
