"""Who holds what: roles of people, people of roles, rights of both."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    User,
    ViewMenu,
    assoc_permissionview_role,
    assoc_user_role,
)

from app.core.db import db
from app.core.security.principal import permissions_of
from app.core.security.rights import ADMIN, BUILT_IN, Pair


def all_roles() -> list[Role]:
    """Every role: the built-in ones in their order, then the others by name."""
    found = list(db.session.scalars(sa.select(Role)))
    place = {name: index for index, name in enumerate(BUILT_IN)}
    return sorted(found, key=lambda role: (place.get(role.name, len(place)), role.name.lower()))


def people_per_role() -> dict[int, int]:
    """{role id: number of active people who hold it}."""
    held = assoc_user_role.c
    query = (
        sa.select(held.role_id, sa.func.count(held.user_id.distinct()))
        .join(User, User.id == held.user_id)
        .where(User.active.is_(True))
        .group_by(held.role_id)
    )
    return dict(map(tuple, db.session.execute(query)))


def holders(role_id: int) -> int:
    """How many people hold a role, switched-off ones included."""
    query = sa.select(sa.func.count()).select_from(assoc_user_role).where(assoc_user_role.c.role_id == role_id)
    return int(db.session.scalar(query) or 0)


def role_names_of(user_ids: Iterable[int]) -> dict[int, list[str]]:
    """{user id: names of the roles}, in one query."""
    held = assoc_user_role.c
    query = sa.select(held.user_id, Role.name).join(Role, Role.id == held.role_id).order_by(Role.name)
    found: dict[int, list[str]] = {}
    for user_id, name in db.session.execute(query.where(held.user_id.in_(list(user_ids)))):
        found.setdefault(user_id, []).append(name)
    return found


def pair_ids() -> dict[Pair, int]:
    """{(permission, resource): id} of everything a role can be given."""
    query = (
        sa.select(Permission.name, ViewMenu.name, PermissionView.id)
        .select_from(PermissionView)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
    )
    return {(permission, view): pk for permission, view, pk in db.session.execute(query)}


def pairs_of_roles(role_ids: Iterable[int]) -> set[Pair]:
    """What these roles give together."""
    held = assoc_permissionview_role.c
    ids = set(db.session.scalars(sa.select(held.permission_view_id).where(held.role_id.in_(list(role_ids)))))
    return {pair for pair, pk in pair_ids().items() if pk in ids}


def is_admin(user_id: int | None) -> bool:
    """Does this user hold the role Admin?"""
    held = assoc_user_role.c
    query = (
        sa.select(held.user_id).join(Role, Role.id == held.role_id).where(held.user_id == user_id, Role.name == ADMIN)
    )
    return db.session.scalar(query.limit(1)) is not None


def other_active_admins(user_id: int) -> int:
    """How many active people hold Admin beside this one. Locks the role until the transaction ends, so that two admins
    cannot remove each other at the same moment.
    """
    role_id = db.session.scalar(sa.select(Role.id).where(Role.name == ADMIN).with_for_update())
    held = assoc_user_role.c
    query = (
        sa.select(sa.func.count(User.id.distinct()))
        .join(assoc_user_role, held.user_id == User.id)
        .where(held.role_id == role_id, User.active.is_(True), User.id != user_id)
    )
    return int(db.session.scalar(query) or 0)


def rights_of(user_id: int) -> frozenset[Pair]:
    """What a user's roles give them, whether they are switched on or not."""
    return permissions_of(user_id)
