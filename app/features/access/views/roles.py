"""The roles: a readable matrix each, and adding, renaming, deleting them (PLT-03)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core.db import db
from app.core.errors import BadQuery, DomainError, Stale
from app.core.security.principal import actor
from app.core.security.rights import ADMIN, BUILT_IN, Pair
from app.features.access import role_services as services
from app.features.access.forms import NewRoleForm, RoleNameForm, offer
from app.features.access.matrix import MatrixPage, groups, people_text
from app.features.access.queries import all_roles, holders, pair_ids, pairs_of_roles, people_per_role
from app.kit.pages import ConfirmPage, FormPage, Link, Tab
from app.kit.views.writing import has_errors, show_errors

URL = "/roles/"


class RolesView(BaseView):
    """`/roles/`: who may see it is the role's `can_see` on "role", who may change it `can_edit`."""

    route_base = "/roles"
    default_view = "index"
    class_permission_name = "role"
    base_permissions = ["can_see", "can_add", "can_edit", "can_delete"]
    method_permission_name = {
        "index": "see",
        "show": "see",
        "save": "edit",
        "add": "add",
        "rename": "edit",
        "delete": "delete",
    }

    @expose("/")
    @has_access
    def index(self) -> Any:
        """The first role's matrix."""
        return self._matrix(all_roles()[0])

    @expose("/<int:pk>")
    @has_access
    def show(self, pk: int) -> Any:
        """One role's matrix."""
        return self._matrix(_load(pk))

    @expose("/<int:pk>", methods=["POST"])
    @has_access
    def save(self, pk: int) -> Any:
        """Store the checked rights, all at once; a form that is older than the role changes nothing."""
        role = _load(pk)
        try:
            gained, lost = services.set_rights(role, _checked(), actor=actor(), seen=request.form.get("version", ""))
            db.session.commit()
        except Stale as error:
            db.session.rollback()
            flash(error.message, "warning")
            return self._matrix(_load(pk)), 409
        if gained or lost:
            flash(_changed_text(gained + lost, role.name), "success")
        return redirect(f"{URL}{pk}")

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """A new role, cloned from another."""
        wanted = _number(request.args.get("from", ""))
        form = NewRoleForm(request.form if request.method == "POST" else None, source=wanted)
        offer(form.source, all_roles())
        if request.method == "POST" and form.validate():
            role = _saving(form, lambda: services.create_role(form.name.data, _load(form.source.data), actor=actor()))
            if role is not None:
                flash(_("%(name)s added", name=role.name), "success")
                return redirect(f"{URL}{role.id}")
        return self._form(form, _("Add role"), ["name", "source"], _("Add role"), URL)

    @expose("/<int:pk>/rename", methods=["GET", "POST"])
    @has_access
    def rename(self, pk: int) -> Any:
        """Give a role another name."""
        role = _load(pk)
        form = RoleNameForm(request.form if request.method == "POST" else None, name=role.name)
        rename = lambda: services.rename_role(role, form.name.data, actor=actor())  # noqa: E731
        if request.method == "POST" and form.validate() and _saving(form, rename):
            return redirect(f"{URL}{pk}")
        return self._form(form, _("Rename %(name)s", name=_load(pk).name), ["name"], _("Rename"), f"{URL}{pk}")

    @expose("/<int:pk>/delete", methods=["GET", "POST"])
    @has_access
    def delete(self, pk: int) -> Any:
        """Ask, then delete a role that nobody holds."""
        role = _load(pk)
        if request.method == "POST":
            name = role.name
            services.delete_role(role, actor=actor())
            db.session.commit()
            flash(_("%(name)s deleted", name=name), "success")
            return redirect(URL)
        page = ConfirmPage(
            title=_("Delete the role %(name)s?", name=role.name),
            body=[_("Nobody has it. Its rights are listed in the audit trail.")],
            submit=Link(_("Delete"), f"{URL}{pk}/delete", "trash", "danger", "post"),
            cancel=Link(_("Keep"), f"{URL}{pk}"),
        )
        return self.render_template("kit/confirm.html", page=page, fragment=request.headers.get("X-Fragment") == "1")

    def _matrix(self, role: Role) -> Any:
        held, people = pairs_of_roles([role.id]), people_per_role()
        page = MatrixPage(
            title=role.name,
            people_text=people_text(people.get(role.id, 0)),
            tabs=[_tab(one, role, people) for one in all_roles()],
            actions=_actions(role),
            groups=groups(set(pair_ids()), held),
            action=f"{URL}{role.id}",
            version=services.version(held),
            can_save=actor().can("edit", "role"),
            locked=_("Admin always has every right, so that nobody is locked out.") if role.name == ADMIN else "",
        )
        return self.render_template("roles/matrix.html", page=page)

    def _form(self, form: Any, title: str, names: list[str], submit: str, back: str) -> Any:
        page = FormPage(
            name="role",
            title=title,
            icon="shield-lock",
            list_label=_("Roles"),
            list_url=URL,
            form=form,
            sections=[("", names)],
            submit_label=submit,
            cancel_url=back,
        )
        return self.render_template("kit/form.html", page=page), 422 if has_errors(form) else 200


def _changed_text(num: int, name: str) -> str:
    return ngettext("%(num)s right of %(name)s changed", "%(num)s rights of %(name)s changed", num, name=name)


def _load(pk: int) -> Role:
    role = db.session.get(Role, pk)
    if role is None:
        abort(404)
    return role


def _checked() -> set[Pair]:
    """The rights the form names."""
    names = [name for name in request.form if ":" in name]
    return {(permission, on) for permission, on in (name.split(":", 1) for name in names)}


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadQuery(_("“%(raw)s” is not a number.", raw=text[:40]))
    return int(text)


def _saving(form: Any, write: Any) -> Any:
    try:
        result = write()
        db.session.commit()
        return result if result is not None else True
    except DomainError as error:
        db.session.rollback()
        show_errors(form, error)
        return None


def _tab(role: Role, active: Role, people: dict[int, int]) -> Tab:
    return Tab(role.name, f"{URL}{role.id}", role.id == active.id, count=str(people.get(role.id, 0)))


def _actions(role: Role) -> list[Link]:
    principal, custom = actor(), role.name not in BUILT_IN
    links = []
    if principal.can("see", "user"):
        links.append(Link(_("People"), f"/people/?role={role.id}", "users"))
    if custom and principal.can("edit", "role"):
        links.append(Link(_("Rename"), f"{URL}{role.id}/rename", "pencil"))
    if custom and principal.can("delete", "role") and not holders(role.id):
        links.append(Link(_("Delete"), f"{URL}{role.id}/delete", "trash", style="danger"))
    if principal.can("add", "role"):
        links.append(Link(_("Add role"), f"{URL}add?from={role.id}", "plus"))
    return links
