"""Who acts: the principal every query, write and audit entry asks for (PLT-03, PLT-04).

A request builds it from the signed-in user, a job from the operation's actor, a command from its `--as` user. Without
one, scoped queries return nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    User,
    ViewMenu,
    assoc_group_role,
    assoc_permissionview_role,
    assoc_user_group,
    assoc_user_role,
)

from app.core.db import db

if TYPE_CHECKING:
    from collections.abc import Iterator

REACH_ALL = ("can_reach_all", "client")


@dataclass(frozen=True)
class Principal:
    """An actor and their rights.

    `permissions` holds (permission, resource) pairs such as ("can_edit", "contact"); `focus` is the id of the client
    the console is entered for (CLI-10), None for all. `system` may do everything.
    """

    user_id: int | None
    name: str
    permissions: frozenset[tuple[str, str]] = frozenset()
    focus: int | None = None
    system: bool = False

    def can(self, action: str, resource: str) -> bool:
        """May this actor do `action` ("edit") to rows of `resource` ("contact")?"""
        return self.system or (f"can_{action}", resource) in self.permissions

    @property
    def reaches_all(self) -> bool:
        """Sees the rows of every client, not only granted ones."""
        return self.system or REACH_ALL in self.permissions

    def entered(self, client_id: int | None) -> Principal:
        """The same actor with the console scoped to one client."""
        return replace(self, focus=client_id)


_current: ContextVar[Principal | None] = ContextVar("principal", default=None)


def current() -> Principal | None:
    """The acting principal, None when nobody acts."""
    return _current.get()


def actor() -> Principal:
    """The acting principal; LookupError when nobody acts, because a write without an actor is a bug."""
    principal = _current.get()
    if principal is None:
        raise LookupError("no principal: wrap this in acting_as(...) or system(...)")
    return principal


def set_current(principal: Principal | None) -> None:
    """For the request life cycle, which begins and ends in different callbacks."""
    _current.set(principal)


@contextmanager
def acting_as(principal: Principal) -> Iterator[Principal]:
    """Act as `principal` inside the block."""
    token = _current.set(principal)
    try:
        yield principal
    finally:
        _current.reset(token)


@contextmanager
def system(reason: str) -> Iterator[Principal]:
    """Act as the system itself: all rights, all rows. `reason` is for whoever greps for this."""
    with acting_as(Principal(user_id=None, name=f"Steward ({reason})", system=True)) as principal:
        yield principal


def permissions_of(user_id: int) -> frozenset[tuple[str, str]]:
    """All (permission, resource) pairs of a user, through roles and groups, in one query."""
    direct = sa.select(assoc_user_role.c.role_id).where(assoc_user_role.c.user_id == user_id)
    grouped = (
        sa.select(assoc_group_role.c.role_id)
        .join(assoc_user_group, assoc_user_group.c.group_id == assoc_group_role.c.group_id)
        .where(assoc_user_group.c.user_id == user_id)
    )
    held = assoc_permissionview_role.c
    query = (
        sa.select(Permission.name, ViewMenu.name)
        .select_from(PermissionView)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .join(assoc_permissionview_role, held.permission_view_id == PermissionView.id)
        .where(held.role_id.in_(direct.union_all(grouped)))
        .distinct()
    )
    return frozenset((permission, view) for permission, view in db.session.execute(query))


def principal_for(user: User, focus: int | None = None) -> Principal:
    """The principal of a user. An inactive user gets no right at all."""
    rights = permissions_of(user.id) if user.is_active else frozenset()
    name = f"{user.first_name} {user.last_name}".strip() or user.username
    return Principal(user_id=user.id, name=name, permissions=rights, focus=focus)


def principal_by_id(user_id: int) -> Principal:
    """The principal of a stored user; LookupError when the user is gone or switched off."""
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        raise LookupError(f"user {user_id} is gone or switched off")
    return principal_for(user)
