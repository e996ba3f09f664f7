"""Roles and permissions in the database, made by the set-up step (PLT-03). Running it again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_permissionview_role,
)

from app.core.db import db

ADMIN = "Admin"
BUILT_IN = (ADMIN, "Manager", "Agent", "Guest")
Pair = tuple[str, str]  # (permission, resource)


def sync(known: set[Pair], defaults: Mapping[str, set[Pair]]) -> dict[str, int]:
    """Make what is missing: permissions, the built-in roles, and their default rights.

    `known` are all (permission, resource) pairs of the application, `defaults` what each role starts with. A right an admin
    took away stays away: defaults are given only with a new role or a new permission. Admin always holds all. Returns counts.
    """
    made = _add_pairs(known)
    ids = _pair_ids()
    result = {"permissions": len(made), "roles": 0, "rights": 0}
    for name in BUILT_IN:
        role_id, new = _role(name)
        result["roles"] += new
        wanted = known if name == ADMIN else {p for p in defaults.get(name, set()) if new or p in made}
        result["rights"] += _grant(role_id, [ids[pair] for pair in wanted if pair in ids])
    _drop_unknown(known)
    db.session.commit()
    return result


def _names(model: Any) -> dict[str, int]:
    return dict(db.session.execute(sa.select(model.name, model.id)).tuples().all())


def _ensure(model: Any, names: set[str]) -> dict[str, int]:
    missing = sorted(names - set(_names(model)))
    if missing:
        db.session.execute(sa.insert(model), [{"name": name} for name in missing])
    return _names(model)


def _pair_ids() -> dict[Pair, int]:
    query = (
        sa.select(Permission.name, ViewMenu.name, PermissionView.id)
        .select_from(PermissionView)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
    )
    return {(permission, view): pk for permission, view, pk in db.session.execute(query)}


def _add_pairs(known: set[Pair]) -> set[Pair]:
    permissions = _ensure(Permission, {permission for permission, _view in known})
    views = _ensure(ViewMenu, {view for _permission, view in known})
    made = known - set(_pair_ids())
    if made:
        rows = [{"permission_id": permissions[p], "view_menu_id": views[v]} for p, v in sorted(made)]
        db.session.execute(sa.insert(PermissionView), rows)
    return made


def _role(name: str) -> tuple[int, bool]:
    found = db.session.scalar(sa.select(Role.id).where(Role.name == name))
    if found is not None:
        return found, False
    role = Role(name=name)
    db.session.add(role)
    db.session.flush()
    return role.id, True


def _grant(role_id: int, pair_ids: list[int]) -> int:
    table = assoc_permissionview_role
    held = set(db.session.scalars(sa.select(table.c.permission_view_id).where(table.c.role_id == role_id)))
    rows = [{"permission_view_id": pk, "role_id": role_id} for pk in sorted(set(pair_ids) - held)]
    if rows:
        db.session.execute(sa.insert(table), rows)
    return len(rows)


def _drop_unknown(known: set[Pair]) -> None:
    """Pairs that no view declares any more, with the grants of them."""
    stale = [pk for pair, pk in _pair_ids().items() if pair not in known]
    if stale:
        table = assoc_permissionview_role
        db.session.execute(sa.delete(table).where(table.c.permission_view_id.in_(stale)))
        db.session.execute(sa.delete(PermissionView).where(PermissionView.id.in_(stale)))
