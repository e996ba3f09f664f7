"""The people who use the console: their list, cards, forms, passwords, and one's own profile (SET-02, SET-03).

FAB's user views are replaced by the kit's, whose reading is strict and per request; columns are listed one by one, so
that a password hash is on no page, in no filter and in no order.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from app.core.db import db
from app.core.errors import BadQuery, DomainError, NotAllowed, Stale
from app.core.security.principal import actor
from app.core.security.sign_in import keep_signed_in
from app.features.access import services
from app.features.access.forms import NamesForm, NewPersonForm, OwnPasswordForm, PasswordForm, PersonForm, offer
from app.features.access.queries import all_roles, role_names_of
from app.kit.fields import title_of, user_name
from app.kit.filters.compiler import search_clause
from app.kit.history import entries_about
from app.kit.listing import ListRequest, read_request
from app.kit.pages import Cell, Column, Fact, FormPage, Link, ListPage, ShowPage, Tab
from app.kit.pages import Section as FactSection
from app.kit.resource import Resource, RowAction, Section
from app.kit.views import list_page
from app.kit.views.resource_view import LOOKUP_SIZE, ResourceView
from app.kit.views.writing import has_errors, show_errors

PEOPLE = Resource(
    model=User,
    name=services.ENTITY,
    area="admin",
    label=_l("Person"),
    plural=_l("People"),
    url="/people",
    icon="users",
    list=("first_name", "username", "email", "active", "last_login"),
    search=("first_name", "last_name", "username", "email"),
    filters=("first_name", "last_name", "username", "email", "active", "last_login"),
    sort="first_name",
    title="first_name",
    show=(Section(_l("Person"), "first_name", "last_name", "username", "email", "active", "last_login"),),
    labels={
        "first_name": _l("First name"),
        "last_name": _l("Last name"),
        "username": _l("User name"),
        "active": _l("May sign in"),
        "last_login": _l("Last sign-in"),
    },
    trash=None,
    actions=(
        RowAction(
            "deactivate",
            _l("Switch off"),
            services.deactivate,
            icon="user-off",
            shown=lambda user: bool(user.active),
            confirm=_l("They are signed out and cannot sign in again. What they own stays theirs."),
        ),
        RowAction(
            "activate", _l("Switch on"), services.activate, icon="user-check", shown=lambda user: not user.active
        ),
    ),
)
FIELDS = ("first_name", "last_name", "username", "email")


class PeopleView(ResourceView):
    """`/people/`. People are switched off, never deleted: what they did and own keeps its name."""

    resource = PEOPLE
    method_permission_name = {**ResourceView.method_permission_name, "password": "reset_password"}

    def __init__(self) -> None:
        super().__init__()
        self.base_permissions = [*self.base_permissions, "can_reset_password"]
        self.exclude_route_methods = self.exclude_route_methods - {"password"}

    # -- reading -------------------------------------------------------------------------------------------------

    def list_page(self) -> ListPage:
        """The list, filtered to one role where the URL says so, with the roles of each person."""
        try:
            asked, role_id = read_request(request.args, keep=("role",)), _role_asked()
        except BadQuery as error:
            page = list_page.build(self.resource, ListRequest(), actor())
            page.errors, page.rows, page.empty = [error.message], [], None
            return page
        extra = User.roles.any(Role.id == role_id) if role_id else None  # type: ignore[attr-defined]
        page = list_page.build(self.resource, asked, actor(), extra=extra)
        page.tabs = [Tab(_("All"), "/people/", role_id is None)]
        page.tabs += [Tab(role.name, f"/people/?role={role.id}", role.id == role_id) for role in all_roles()]
        return _with_roles(page)

    @expose("/lookup")
    @login_required
    def lookup(self) -> Any:
        """Active people by name, for whoever sees clients and so chooses owners: {"results": [{"id", "text"}]}."""
        if not (actor().can("see", "client") or actor().can("see", "user")):
            raise NotAllowed()
        clause = search_clause(User, ("first_name", "last_name"), request.args.get("q", "")[:100])
        order = (sa.func.lower(User.first_name), sa.func.lower(User.last_name), User.id)
        found = db.session.scalars(
            sa.select(User).where(clause, User.active.is_(True)).order_by(*order).limit(LOOKUP_SIZE)
        )
        return {"results": [{"id": user.id, "text": user_name(user)} for user in found]}

    def show_page(self, row: Any) -> ShowPage:
        """The card: facts, roles, history."""
        page = super().show_page(row)
        roles = ", ".join(role_names_of([row.id]).get(row.id, []))
        facts = [*page.sections[0].facts, Fact("roles", _("Roles"), Cell("text", roles))]
        page.sections = [FactSection(page.sections[0].label, facts)]
        page.history = entries_about(self.resource, services.ENTITY, row.id)
        if actor().can("reset_password", services.ENTITY):
            page.actions = [*page.actions, Link(_("Reset password"), f"/people/{row.id}/password", "key")]
        return page

    # -- writing -------------------------------------------------------------------------------------------------

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """A new person with roles and a first password."""
        form = NewPersonForm(request.form if request.method == "POST" else None)
        offer(form.role_ids, all_roles())
        if request.method == "POST" and form.validate():
            user = self._saving(
                form, lambda: services.create_user(_values(form, "role_ids", "password"), actor=actor())
            )
            if user is not None:
                flash(_("%(name)s added", name=title_of(user)), "success")
                return redirect(f"/people/{user.id}")
        sections = [(_("Person"), [*FIELDS]), (_("Access"), ["role_ids"]), (_("Password"), ["password", "repeated"])]
        return self._draw(form, _("Add person"), sections, _("Add person"), "/people/")

    @expose("/<int:pk>/edit", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: int) -> Any:
        """Names, address and roles of a person."""
        user = self.load(pk)
        services.require_power_over(user, actor())
        data = {name: getattr(user, name) for name in FIELDS}
        data |= {"role_ids": [role.id for role in user.roles], "seen": services.stamp(user)}
        form = PersonForm(request.form if request.method == "POST" else None, data=data)
        offer(form.role_ids, all_roles())
        if request.method == "POST" and form.validate():
            values = _values(form, "role_ids")
            write = lambda: services.update_user(user, values, actor=actor(), seen=form.seen.data)  # noqa: E731
            if self._saving(form, write) is not None:
                flash(_("%(name)s saved", name=user_name(user)), "success")
                return redirect(f"/people/{pk}")
        sections = [(_("Person"), [*FIELDS]), (_("Access"), ["role_ids", "seen"])]
        return self._draw(form, _("Edit %(name)s", name=user_name(self.load(pk))), sections, _("Save"), f"/people/{pk}")

    @expose("/<int:pk>/password", methods=["GET", "POST"])
    @has_access
    def password(self, pk: int) -> Any:
        """A new password for somebody who lost theirs."""
        user = self.load(pk)
        services.require_power_over(user, actor())
        form = PasswordForm(request.form if request.method == "POST" else None)
        if request.method == "POST" and form.validate():
            write = lambda: services.set_password(user, form.password.data, actor=actor())  # noqa: E731
            if self._saving(form, write) is not None:
                flash(_("%(name)s has a new password", name=user_name(user)), "success")
                return redirect(f"/people/{pk}")
        title = _("Reset the password of %(name)s", name=user_name(self.load(pk)))
        return self._draw(form, title, [("", ["password", "repeated"])], _("Reset password"), f"/people/{pk}")

    # -- one's own -----------------------------------------------------------------------------------------------

    @expose("/me", methods=["GET", "POST"])
    @login_required
    def userinfo(self) -> Any:
        """One's own profile. FAB knows this page by its name."""
        user = _myself()
        form = NamesForm(request.form if request.method == "POST" else None, obj=user)
        if request.method == "POST" and form.validate():
            write = lambda: services.update_profile(user, form.data, actor=actor())  # noqa: E731
            if self._saving(form, write) is not None:
                flash(_("Your profile is saved"), "success")
                return redirect("/people/me")
        return self._draw(form, _("Your profile"), [("", ["first_name", "last_name"])], _("Save"), "/", own=True)

    @expose("/me/password", methods=["GET", "POST"])
    @login_required
    def own_password(self) -> Any:
        """One's own new password."""
        user = _myself()
        form = OwnPasswordForm(request.form if request.method == "POST" else None)
        if request.method == "POST" and form.validate():
            present, new = form.present.data, form.password.data
            write = lambda: services.change_password(user, present, new, actor=actor())  # noqa: E731
            if self._saving(form, write) is not None:
                keep_signed_in(user)
                flash(_("Your password is changed"), "success")
                return redirect("/people/me")
        names = ["present", "password", "repeated"]
        return self._draw(form, _("Your password"), [("", names)], _("Change password"), "/people/me", own=True)

    def _saving(self, form: Any, write: Any) -> Any:
        """As the kit's, but a person saved meanwhile is said above the form: what was typed stays."""
        try:
            return super()._saving(form, write)
        except Stale as error:
            db.session.rollback()
            show_errors(form, DomainError(error.message + " " + _("Open the form again to see what changed.")))
            return None

    def _draw(self, form: Any, title: str, sections: Any, submit: str, back: str, *, own: bool = False) -> Any:
        page = FormPage(
            name=services.ENTITY,
            title=title,
            icon="users",
            list_label=_("Your profile") if own else str(self.resource.plural),
            list_url="/people/me" if own else "/people/",
            form=form,
            sections=sections,
            submit_label=submit,
            cancel_url=back,
        )
        template = "access/profile.html" if own else "kit/form.html"
        return self.render_template(template, page=page), 422 if has_errors(form) else 200


def _role_asked() -> int | None:
    raw = request.args.get("role", "")
    if not raw:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise BadQuery(_("“%(raw)s” is not a role.", raw=raw[:40]))
    return int(raw)


def _with_roles(page: ListPage) -> ListPage:
    """Full names instead of first ones, and the roles of each person from one query."""
    found = role_names_of([row.id for row in page.rows])
    names = _full_names([row.id for row in page.rows])
    page.columns.insert(1, Column("roles", _("Roles")))
    page.columns[0] = Column("first_name", _("Name"), "start", page.columns[0].sort_url, page.columns[0].sorted)
    for row in page.rows:
        row.title = names.get(row.id, row.title)
        row.cells[0] = Cell("person", row.title)
        row.cells.insert(1, Cell("text", ", ".join(found.get(row.id, []))))
    return page


def _full_names(ids: list[int]) -> dict[int, str]:
    query = sa.select(User.id, User.first_name, User.last_name).where(User.id.in_(ids))
    return {pk: f"{first} {last}".strip() for pk, first, last in db.session.execute(query)}


def _values(form: Any, *more: str) -> dict[str, Any]:
    return {name: form[name].data for name in (*FIELDS, *more)}


def _myself() -> User:
    user = db.session.get(User, current_user.id)
    if user is None:
        abort(404)
    return user
