"""The trash: deleted rows with who deleted them and when, and the way back (CON-17)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core.db import db
from app.core.errors import BadQuery, DomainError, NotAllowed
from app.core.security.principal import Principal, actor
from app.core.security.scope import with_deleted
from app.features.trash.queries import (
    deleted_by,
    deleted_row,
    is_deleted,
    matching_ids,
    resources_with_trash,
    trash_of,
)
from app.kit import writes
from app.kit.fields import in_sentence, title_of
from app.kit.listing import ListRequest, read_request
from app.kit.pages import Cell, Column, Empty, Link, ListPage, Row, Tab
from app.kit.resource import Resource
from app.kit.views import list_page
from app.kit.views.writing import MAX_SELECTED, selected_ids

TOLD = 5  # refusals told one by one; more are counted


class TrashView(BaseView):
    """`/trash/` and `/trash/<entity>/`: who may see it is `can_see` on "trash", who may restore is the entity's own right."""

    route_base = "/trash"
    default_view = "index"
    class_permission_name = "trash"
    base_permissions = ["can_see"]
    method_permission_name = dict.fromkeys(("index", "list", "restore", "restore_one"), "see")

    @expose("/")
    @has_access
    def index(self) -> Any:
        """The first entity's trash."""
        found = resources_with_trash(actor())
        if not found:
            raise NotAllowed(_("Your role sees nothing that can be deleted."))
        return self._draw(found[0])

    @expose("/<string:name>/")
    @has_access
    def list(self, name: str) -> Any:
        """One entity's trash."""
        return self._draw(_resource(name))

    def _draw(self, resource: Resource) -> Any:
        with with_deleted():
            page = _page(resource, actor())
        return self.render_template("trash/list.html", page=page), 400 if page.errors else 200

    @expose("/<string:name>/restore", methods=["POST"])
    @has_access
    def restore(self, name: str) -> Any:
        """Bring the selected rows back, each on its own: one that is refused does not hold up the others."""
        resource = _resource(name)
        _require_right(resource)
        ids = _selection(resource)
        _tell(resource, [_restore(resource, pk) for pk in ids])
        return redirect(f"/trash/{resource.name}/")

    @expose("/<string:name>/<int:pk>/restore", methods=["POST"])
    @has_access
    def restore_one(self, name: str, pk: int) -> Any:
        """Bring one row back; 404 for one that is not in the trash or not within reach."""
        resource = _resource(name)
        _require_right(resource)
        outcome = _restore(resource, pk)
        if outcome is None:
            abort(404)
        _tell(resource, [outcome])
        return redirect(f"/trash/{resource.name}/")


Outcome = tuple[bool, str] | None  # (restored, name or reason); None = not there


def _resource(name: str) -> Resource:
    found = next((r for r in resources_with_trash(actor()) if r.name == name), None)
    if found is None:
        abort(404)
    return found


def _require_right(resource: Resource) -> None:
    if not actor().can("restore", resource.name):
        raise NotAllowed(_("Your role may not restore %(what)s.", what=in_sentence(resource.plural)))


def _selection(resource: Resource) -> list[int]:
    """The chosen ids, or those of the whole filtered trash. BadQuery for none or too many."""
    if request.form.get("all") != "1":
        return selected_ids()
    ids = matching_ids(trash_of(resource), read_request(request.form), MAX_SELECTED + 1)
    if len(ids) > MAX_SELECTED:
        raise BadQuery(_("At most %(n)s rows can be restored at once.", n=MAX_SELECTED))
    return ids


def _restore(resource: Resource, pk: int) -> Outcome:
    """One row in a transaction of its own."""
    row = deleted_row(resource, pk)
    if row is None:
        return None
    with with_deleted():
        name = title_of(row)
    try:
        writes.restore(resource, row, actor=actor())
        db.session.commit()
    except DomainError as error:
        db.session.rollback()
        return False, f"{name}: {error.message}"
    return True, name


def _tell(resource: Resource, outcomes: list[Outcome]) -> None:
    done = [text for one in outcomes if one and one[0] for text in one[1:]]
    refused = [text for one in outcomes if one and not one[0] for text in one[1:]]
    gone = sum(one is None for one in outcomes)
    if len(done) == 1:
        flash(_("%(name)s restored", name=done[0]), "success")
    elif done:
        flash(ngettext("%(num)s row restored", "%(num)s rows restored", len(done)), "success")
    for text in refused[:TOLD]:
        flash(text, "warning")
    if len(refused) > TOLD:
        flash(
            ngettext("%(num)s more row was refused", "%(num)s more rows were refused", len(refused) - TOLD), "warning"
        )
    if gone:
        flash(ngettext("%(num)s row is not in the trash", "%(num)s rows are not in the trash", gone), "warning")


def _page(resource: Resource, principal: Principal) -> ListPage:
    listed, base = trash_of(resource), f"/trash/{resource.name}/"
    try:
        asked = read_request(request.args)
    except BadQuery as error:
        page = list_page.build(listed, ListRequest(), principal, base=base, extra=is_deleted(resource))
        page.errors, page.rows, page.empty = [error.message], [], None
    else:
        page = list_page.build(listed, asked, principal, base=base, extra=is_deleted(resource))
    return _finish(page, resource, principal)


def _finish(page: ListPage, resource: Resource, principal: Principal) -> ListPage:
    restores = principal.can("restore", resource.name)
    page.title, page.icon = _("Trash"), "trash"
    page.tabs = [
        Tab(str(r.plural), f"/trash/{r.name}/", r.name == resource.name) for r in resources_with_trash(principal)
    ]
    page.search_hint = _("Search the trash")
    page.columns.append(Column("deleted_by", _("Deleted by")))
    names = deleted_by(resource, [row.id for row in page.rows])
    for row in page.rows:
        _finish_row(row, resource, names.get(row.id, ""), restores)
    if restores:
        page.bulk = [Link(_("Restore"), f"/trash/{resource.name}/restore", "restore", method="post")]
    if page.empty is not None and not (page.chips or page.search):
        what = in_sentence(resource.plural)
        page.empty = Empty(
            _("No %(what)s in the trash", what=what), _("What is deleted waits here until it is restored.")
        )
    return page


def _finish_row(row: Row, resource: Resource, who: str, restores: bool) -> None:
    row.url = ""
    row.cells[0] = Cell("text", row.title)
    row.cells.append(Cell("person", who) if who else Cell("text", ""))
    row.selectable = restores
    if restores:
        row.links = [Link(_("Restore"), f"/trash/{resource.name}/{row.id}/restore", "restore", method="post")]
