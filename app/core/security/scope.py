"""Row scope and soft deletion as the default of every ORM query (PLT-04).

A listener adds the criteria to each select, update and delete that touches a scoped entity, in whatever position:
list, count, subquery, join, lazy load. Leaving them needs one of the two named context managers below, so that
`grep` finds every place.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from app.core.db import db
from app.core.errors import Missing
from app.core.mixins import ClientScoped, OwnedByUser, SelfScoped, SoftDeletes
from app.core.security.principal import Principal, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_with_deleted: ContextVar[bool] = ContextVar("with_deleted", default=False)
_unscoped: ContextVar[bool] = ContextVar("unscoped", default=False)
_provider: list[Callable[[int], sa.Select[Any]]] = []


def set_granted_clients(provider: Callable[[int], sa.Select[Any]]) -> None:
    """Say how a user id becomes `select(client id)` of the clients granted to it; set by the clients feature."""
    _provider[:] = [provider]


def granted_client_ids(principal: Principal) -> sa.Select[Any] | None:
    """A select of the client ids this principal reaches; None when it reaches all of them.

    Explicit scope for Core statements, which the listener does not see.
    """
    if principal.reaches_all:
        return None if principal.focus is None else sa.select(sa.literal(principal.focus))
    if principal.user_id is None or not _provider:
        return sa.select(sa.literal(0)).where(sa.false())
    ids = _provider[0](principal.user_id)
    if principal.focus is not None:
        ids = ids.where(ids.selected_columns[0] == principal.focus)
    return ids


@contextmanager
def with_deleted() -> Iterator[None]:
    """Deleted rows are rows inside this block: trash, restore, purge, history."""
    token = _with_deleted.set(True)
    try:
        yield
    finally:
        _with_deleted.reset(token)


@contextmanager
def unscoped(reason: str) -> Iterator[None]:
    """Rows of all clients are visible inside this block; `reason` says why to whoever greps for this."""
    del reason
    token = _unscoped.set(True)
    try:
        yield
    finally:
        _unscoped.reset(token)


def _options() -> list[Any]:
    options: list[Any] = []
    if not _with_deleted.get():
        options.append(_criteria(SoftDeletes, lambda cls: cls.deleted_at.is_(None)))
    if not _unscoped.get():
        options += _scope_options(current())
    return options


def _criteria(mixin: type, where: Any) -> Any:
    return with_loader_criteria(mixin, where, include_aliases=True, propagate_to_loaders=False)


def _scope_options(principal: Principal | None) -> list[Any]:
    if principal is None:
        return [_criteria(mixin, lambda cls: sa.false()) for mixin in (ClientScoped, SelfScoped, OwnedByUser)]
    options = _owner_options(principal)
    ids = granted_client_ids(principal)
    if ids is not None:
        options.append(_criteria(ClientScoped, lambda cls: cls.client_id.in_(ids)))
        options.append(_criteria(SelfScoped, lambda cls: cls.id.in_(ids)))
    return options


def _owner_options(principal: Principal) -> list[Any]:
    if principal.system:
        return []
    user_id = -1 if principal.user_id is None else principal.user_id
    return [
        with_loader_criteria(cls, cls.user_id == user_id, include_aliases=True, propagate_to_loaders=False)
        for cls in _owned_classes()
        if cls.__see_all__ not in principal.permissions
    ]


def _owned_classes() -> list[Any]:
    return [cls for cls in OwnedByUser.__subclasses__() if hasattr(cls, "__table__")]


def _scope_every_query(state: ORMExecuteState) -> None:
    if state.is_column_load or not (state.is_select or state.is_update or state.is_delete):
        return
    options = _options()
    if options:
        state.statement = state.statement.options(*options)


def _check_foreign_keys(session: Session, _context: Any, _instances: Any) -> None:
    """A foreign key may only point at a live row inside the actor's scope and the row's own client."""
    if _unscoped.get():
        return
    for obj in list(session.new) + list(session.dirty):
        for relation in sa.inspect(type(obj)).relationships:
            if relation.direction.name == "MANYTOONE" and issubclass(relation.mapper.class_, ClientScoped | SelfScoped):
                _check_relation(session, obj, relation)


def _check_relation(session: Session, obj: Any, relation: Any) -> None:
    column = next(iter(relation.local_columns))
    key = sa.inspect(type(obj)).get_property_by_column(column).key
    target = relation.mapper.class_
    linked = obj.__dict__.get(relation.key)
    value = getattr(obj, key)
    history = sa.inspect(obj).attrs
    changed = history[key].history.has_changes() or history[relation.key].history.has_changes()
    if not changed or (linked is None and value is None) or (linked is not None and linked in session.new):
        return
    wanted = linked.id if linked is not None else value
    owner = target.client_id if issubclass(target, ClientScoped) else target.id
    with session.no_autoflush:
        found = session.execute(sa.select(owner).where(target.id == wanted)).scalar_one_or_none()
        client = obj.client.id if obj.__dict__.get("client") is not None else getattr(obj, "client_id", None)
    if found is None or (issubclass(target, ClientScoped) and client is not None and found != client):
        raise Missing(fields={relation.key: f"{target.__name__} {wanted} does not exist here"})


def install() -> None:
    """Attach the listeners to the application's session, once."""
    if not event.contains(db.session, "do_orm_execute", _scope_every_query):
        event.listen(db.session, "do_orm_execute", _scope_every_query)
        event.listen(db.session, "before_flush", _check_foreign_keys)
