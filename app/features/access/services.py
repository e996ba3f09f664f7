"""People: adding, changing, switching off and on, setting passwords (PLT-03, SET-02).

Nobody gives what they do not hold themselves: a role with more rights than the actor's cannot be given, and a person
with more rights cannot be changed, because changing their password or e-mail address is taking over their account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from werkzeug.security import check_password_hash, generate_password_hash

from app.core import audit
from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash, DomainError, NotAllowed, Stale
from app.core.security.principal import Principal
from app.core.security.rights import ADMIN
from app.features.access.queries import is_admin, other_active_admins, pairs_of_roles, rights_of
from app.kit.fields import field_of, user_name
from app.kit.forms import check_email, clean

ENTITY = "user"
LEAST_PASSWORD = 10  # characters
MOST_PASSWORD = 200  # characters: scrypt hashes whatever it is given
SHOWN = ("first_name", "last_name", "username", "email")


def create_user(values: Mapping[str, Any], *, actor: Principal) -> User:
    """Add a person. `values`: first_name, last_name, username, email, password, role_ids.

    Raises DomainError with a message per field; Clash for a name or address that is taken; NotAllowed for a role
    with more rights than the actor's.
    """
    _may(actor, "add")
    known = _checked(values)
    roles = _roles(values.get("role_ids", ()), actor)
    check_password(values.get("password") or "", known)
    _require_free(known, None)
    now = utcnow().replace(tzinfo=None)
    user = User(**known, active=True, password=_hash(values["password"]), created_on=now, changed_on=now)
    user.created_by_fk = user.changed_by_fk = actor.user_id
    user.roles = roles
    db.session.add(user)
    db.session.flush()
    told: dict[str, Any] = {name: [None, value] for name, value in known.items()}
    told["role"] = [None, _names(roles)]
    _trail("create", user, told)
    return user


def update_user(user: User, values: Mapping[str, Any], *, actor: Principal, seen: str | None = None) -> None:
    """Change a person's names, address and roles. `seen` is the `stamp` the form was filled from.

    Raises as `create_user`; Stale when somebody saved the person since.
    """
    _may(actor, "edit")
    require_power_over(user, actor)
    if seen is not None and seen != stamp(user):
        raise Stale(_("Somebody else saved this person in between."), 0)
    known = _checked(values, user)
    _require_free(known, user.id)
    changes = _assign(user, known)
    if "role_ids" in values:
        changes |= _change_roles(user, values["role_ids"], actor)
    _finish(user, changes, actor)


def update_profile(user: User, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change one's own first and last name. Raises NotAllowed for somebody else's."""
    _require_self(user, actor)
    known = _checked({name: values[name] for name in ("first_name", "last_name")}, user)
    _finish(user, _assign(user, {name: known[name] for name in ("first_name", "last_name")}), actor)


def deactivate(user: User, *, actor: Principal) -> str:
    """Switch a person off: they cannot sign in, what they own stays theirs. Says so.

    Raises NotAllowed, or DomainError for oneself and for the last active Admin.
    """
    require_power_over(user, actor)
    if user.id == actor.user_id:
        raise DomainError(_("You cannot switch yourself off. Ask another admin."))
    if user.active:
        _require_another_admin(user)
        user.active = False
        _finish(user, {"active": [True, False]}, actor)
    return _("%(name)s is switched off", name=user_name(user))


def activate(user: User, *, actor: Principal) -> str:
    """Switch a person on again. Says so."""
    require_power_over(user, actor)
    if not user.active:
        user.active, user.fail_login_count = True, 0
        _finish(user, {"active": [False, True]}, actor)
    return _("%(name)s is switched on", name=user_name(user))


def set_password(user: User, password: str, *, actor: Principal) -> None:
    """Give a person a new password. Raises NotAllowed for a person with more rights, DomainError for a weak password."""
    _may(actor, "reset_password")
    require_power_over(user, actor)
    _store_password(user, password, actor)


def change_password(user: User, present: str, password: str, *, actor: Principal) -> None:
    """Change one's own password. Raises DomainError when the present one is wrong or the new one is weak."""
    _require_self(user, actor)
    if not check_password_hash(user.password or "", present):
        raise DomainError(fields={"present": _("This is not your present password.")})
    _store_password(user, password, actor)


def check_password(password: str, known: Mapping[str, Any]) -> None:
    """Raise DomainError unless the password is long enough and is not the person's own name or address."""
    if len(password) < LEAST_PASSWORD:
        raise DomainError(fields={"password": _("The password has at least %(n)s characters.", n=LEAST_PASSWORD)})
    if len(password) > MOST_PASSWORD:
        raise DomainError(fields={"password": _("The password has at most %(n)s characters.", n=MOST_PASSWORD)})
    if password.strip("\x00 ") == "" or password.lower() in {str(value).lower() for value in known.values()}:
        raise DomainError(fields={"password": _("This password is too easy to guess.")})


def require_power_over(user: User, actor: Principal) -> None:
    """Raise NotAllowed unless the actor holds every right of this person, and Admin where the person does."""
    if actor.system or user.id == actor.user_id:
        return
    if is_admin(user.id) and not is_admin(actor.user_id):
        raise NotAllowed(_("Only an admin can change an admin."))
    if not rights_of(user.id) <= actor.permissions:
        raise NotAllowed(_("%(name)s has rights that you do not have.", name=user_name(user)))


def stamp(user: User) -> str:
    """When a person was last saved, as a form carries it."""
    return user.changed_on.isoformat() if user.changed_on else ""


def _may(actor: Principal, verb: str) -> None:
    if not actor.can(verb, ENTITY):
        raise NotAllowed(_("Your role may not do this."))


def _require_self(user: User, actor: Principal) -> None:
    if user.id != actor.user_id:
        raise NotAllowed(_("This is somebody else's profile."))


def _checked(values: Mapping[str, Any], user: User | None = None) -> dict[str, str]:
    """The four texts, normalised. What a user has stays as it is, even where it would not be taken today."""
    found, problems = {}, {}
    for name in SHOWN:
        before = getattr(user, name) if user is not None else None
        text = str(values.get(name, before) or "").strip()
        try:
            found[name] = text if text and text == before else _clean(name, text)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise DomainError(fields=problems)
    return found


def _clean(name: str, text: str) -> str:
    if not text:
        raise ValueError(_("This is needed."))
    text = str(clean(field_of(User, name), text))
    return check_email(text).lower() if name == "email" else text


def _require_free(known: Mapping[str, str], own_id: int | None) -> None:
    """A user name or address may not be another's user name or address: people sign in with either."""
    problems = {}
    for name in ("username", "email"):
        value = known[name].lower()
        same = sa.or_(sa.func.lower(User.username) == value, sa.func.lower(User.email) == value)
        with db.session.no_autoflush:
            taken = db.session.scalar(sa.select(User.id).where(same, User.id != (own_id or 0)).limit(1))
        if taken is not None:
            problems[name] = _("“%(value)s” is taken.", value=known[name])
    if problems:
        raise Clash(fields=problems)


def _roles(role_ids: Collection[int], actor: Principal) -> list[Role]:
    found = list(db.session.scalars(sa.select(Role).where(Role.id.in_(list(role_ids)))))
    if not found or len(found) != len(set(role_ids)):
        raise DomainError(fields={"role_ids": _("Choose at least one role.")})
    if not actor.system:
        _require_givable(found, actor)
    return found


def _require_givable(roles: Collection[Role], actor: Principal) -> None:
    if any(role.name == ADMIN for role in roles) and not is_admin(actor.user_id):
        raise NotAllowed(_("Only an admin can make an admin."))
    if not pairs_of_roles([role.id for role in roles]) <= actor.permissions:
        raise NotAllowed(_("This role has rights that you do not have."))


def _change_roles(user: User, role_ids: Collection[int], actor: Principal) -> dict[str, Any]:
    before = {role.id for role in user.roles}
    if set(role_ids) == before:
        return {}
    names = _names(user.roles)
    roles = _roles(role_ids, actor)
    if not any(role.name == ADMIN for role in roles):
        _require_another_admin(user)
    user.roles = roles
    return {"role": [names, _names(roles)]}


def _require_another_admin(user: User) -> None:
    if is_admin(user.id) and user.active and other_active_admins(user.id) == 0:
        raise DomainError(_("This is the last admin. Make somebody else an admin first."))


def _assign(user: User, known: Mapping[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, value in known.items():
        before = getattr(user, name)
        if before != value:
            setattr(user, name, value)
            changes[name] = [before, value]
    return changes


def _store_password(user: User, password: str, actor: Principal) -> None:
    check_password(password, {name: getattr(user, name) for name in SHOWN})
    user.password = _hash(password)
    _finish(user, {"password": [audit.REDACTED, audit.REDACTED]}, actor)


def _finish(user: User, changes: dict[str, Any], actor: Principal) -> None:
    if not changes:
        return
    user.changed_on, user.changed_by_fk = utcnow().replace(tzinfo=None), actor.user_id
    db.session.flush()
    _trail("update", user, changes)


def _trail(action: str, user: User, changes: Mapping[str, Any]) -> None:
    audit.record([audit.entry(action, ENTITY, user.id, title=user_name(user), changes=dict(changes))])


def _names(roles: Collection[Role]) -> str:
    return ", ".join(sorted(role.name for role in roles))


def _hash(password: str) -> str:
    return generate_password_hash(password, method="scrypt")
