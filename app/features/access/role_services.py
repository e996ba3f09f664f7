"""Roles: adding by cloning, renaming, deleting, and the rights they give (PLT-03). Every change is in the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, assoc_permissionview_role
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import audit
from app.core.db import db
from app.core.errors import Clash, DomainError, NotAllowed, Stale
from app.core.security.principal import Principal
from app.core.security.rights import ADMIN, BUILT_IN, Pair
from app.features.access.queries import holders, pair_ids, pairs_of_roles

ENTITY = "role"
LONGEST = 64  # characters of a role's name


def create_role(name: str, source: Role, *, actor: Principal) -> Role:
    """A new role with the rights of `source`. Raises DomainError for a bad name, NotAllowed for rights beyond one's own."""
    _may(actor, "add")
    name = _checked_name(name, None)
    pairs = pairs_of_roles([source.id])
    _require_held(pairs, actor)
    role = Role(name=name)
    db.session.add(role)
    db.session.flush()
    _insert(role, pairs)
    with audit.because(_("cloned from %(name)s", name=source.name)):
        _trail("create", role, {"name": [None, name]})
    return role


def rename_role(role: Role, name: str, *, actor: Principal) -> None:
    """Give a role another name. Raises DomainError for a built-in role or a bad name."""
    _may(actor, "edit")
    _require_custom(role)
    before, name = role.name, _checked_name(name, role.id)
    if name != before:
        role.name = name
        db.session.flush()
        _trail("update", role, {"name": [before, name]})


def delete_role(role: Role, *, actor: Principal) -> None:
    """Delete a role that nobody holds. Raises DomainError for a built-in one, or one with people in it."""
    _may(actor, "delete")
    _require_custom(role)
    people = holders(role.id)
    if people:
        text = ngettext("%(num)s person has this role.", "%(num)s people have this role.", people)
        raise Clash(text + " " + _("Give them another one first."))
    _trail("erase", role, {"name": [role.name, None]})
    db.session.execute(sa.delete(assoc_permissionview_role).where(assoc_permissionview_role.c.role_id == role.id))
    db.session.execute(sa.delete(Role).where(Role.id == role.id).execution_options(synchronize_session=False))
    db.session.expunge(role)


def set_rights(role: Role, wanted: Collection[Pair], *, actor: Principal, seen: str | None = None) -> tuple[int, int]:
    """Make `wanted` the rights of a role; returns how many came and went. `seen` = `version` of what the form showed.

    Raises NotAllowed for Admin and for a right the actor does not hold, DomainError for an unknown right, Stale.
    """
    _may(actor, "edit")
    if role.name == ADMIN:
        raise NotAllowed(_("Admin always has every right."))
    held, known = pairs_of_roles([role.id]), pair_ids()
    if seen is not None and seen != version(held):
        raise Stale(_("Somebody else changed this role in between. What is stored now is shown."), 0)
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise DomainError(_("There is no right %(name)s.", name=":".join(unknown[0])[:80]))
    gained, lost = set(wanted) - held, held - set(wanted)
    _require_held(gained, actor)
    _insert(role, gained)
    _remove(role, [known[pair] for pair in lost])
    if gained or lost:
        changes = {":".join(pair): [pair in lost, pair in gained] for pair in sorted(gained | lost)}
        _trail("update", role, changes)
    return len(gained), len(lost)


def version(held: Collection[Pair]) -> str:
    """A short name of a set of rights, so that a form can tell whether it has changed since."""
    return sha256("\n".join(sorted(":".join(pair) for pair in held)).encode()).hexdigest()[:16]


def _may(actor: Principal, verb: str) -> None:
    if not actor.can(verb, ENTITY):
        raise NotAllowed(_("Your role may not do this."))


def _require_custom(role: Role) -> None:
    if role.name in BUILT_IN:
        raise DomainError(_("%(name)s is built in: it keeps its name and stays.", name=role.name))


def _require_held(pairs: Collection[Pair], actor: Principal) -> None:
    """Nobody gives a right they do not have."""
    if not actor.system and not set(pairs) <= actor.permissions:
        raise NotAllowed(_("You can only give rights that you have yourself."))


def _checked_name(name: str, own_id: int | None) -> str:
    text = " ".join((name or "").split())
    if not text or len(text) > LONGEST or not text.isprintable():
        raise DomainError(fields={"name": _("A role's name has 1 to %(n)s characters.", n=LONGEST)})
    same = sa.select(Role.id).where(sa.func.lower(Role.name) == text.lower(), Role.id != (own_id or 0))
    if db.session.scalar(same) is not None:
        raise Clash(fields={"name": _("There is a role “%(name)s” already.", name=text)})
    return text


def _insert(role: Role, pairs: Collection[Pair]) -> None:
    known = pair_ids()
    rows = [{"role_id": role.id, "permission_view_id": known[pair]} for pair in sorted(pairs)]
    if rows:
        db.session.execute(sa.insert(assoc_permissionview_role), rows)


def _remove(role: Role, ids: Collection[int]) -> None:
    held = assoc_permissionview_role.c
    if ids:
        gone = sa.delete(assoc_permissionview_role).where(
            held.role_id == role.id, held.permission_view_id.in_(list(ids))
        )
        db.session.execute(gone)


def _trail(action: str, role: Role, changes: Mapping[str, Any]) -> None:
    audit.record([audit.entry(action, ENTITY, role.id, title=role.name, changes=dict(changes))])
