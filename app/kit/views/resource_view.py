"""The pages every entity gets: list, record, add, edit, delete, restore, actions, look-up – on FAB's ModelView.

FAB gives blueprint, permissions and forms; reading and writing are ours, because FAB's own handlers share filters between
threads, load action rows unscoped, fail open on bad filters and order by any attribute (reliability.md).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import wtforms
from flask import Response, abort, flash, request, send_file, stream_with_context
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.views import ModelView
from flask_babel import gettext as _

from app.core import storage
from app.core.db import db
from app.core.errors import BadQuery
from app.core.security.principal import Principal, acting_as, actor
from app.core.security.scope import with_deleted
from app.kit import exporting
from app.kit.cells import cell
from app.kit.datamodel import ResourceInterface
from app.kit.fields import field_of, title_of
from app.kit.history import history
from app.kit.listing import ListRequest, eager, fetch, read_request, where
from app.kit.pages import Cell, Fact, Link, ListPage, Section, ShowPage, Tab
from app.kit.resource import Resource
from app.kit.views import list_page
from app.kit.views.writing import WritingView

LOOKUP_SIZE = 20


class ResourceView(WritingView, ModelView):
    """Subclass it with a `resource`; the kit makes one for each resource that has no `view` of its own."""

    resource: Resource
    default_view = "list"
    exclude_route_methods = {"download"}
    method_permission_name = {
        "list": "see",
        "show": "see",
        "lookup": "see",
        "export": "export",
        "picture": "see",
        "action": "see",
        "action_post": "bulk",
        "add": "add",
        "edit": "edit",
        "delete": "delete",
        "restore": "restore",
    }

    def __init__(self) -> None:
        resource = self.resource
        self.datamodel = ResourceInterface(resource)
        self.route_base = resource.url
        self.class_permission_name = resource.name
        self.list_columns = [n for n in resource.list if "." not in n]
        self.show_columns = self.add_columns = self.edit_columns = list(resource.field_names()) or self.list_columns
        self.order_columns = self.search_columns = self.list_columns
        verbs = resource.verbs()
        hidden = {m for m, verb in self.method_permission_name.items() if verb not in verbs}
        self.exclude_route_methods = {*self.exclude_route_methods, *hidden}
        self.base_permissions = [f"can_{verb}" for verb in verbs]
        super().__init__()

    def _init_forms(self) -> None:
        """Our forms instead of FAB's, whose relation fields load whole tables."""
        self.search_form = self.add_form = self.edit_form = wtforms.Form

    # -- reading -------------------------------------------------------------------------------------------------

    @expose("/")
    @has_access
    def list(self) -> Any:
        """The list."""
        page = self.list_page()
        return self.render_template("kit/list.html", page=page), 400 if page.errors else 200

    def list_page(self) -> ListPage:
        """The list as data; features add tabs and buttons here."""
        try:
            asked = read_request(request.args)
        except BadQuery as error:
            page = list_page.build(self.resource, ListRequest(), actor())
            page.errors, page.rows, page.empty = [error.message], [], None
            return page
        return list_page.build(self.resource, asked, actor())

    def matching(self, args: Any) -> Any:
        """The SQL condition of the list that `args` describe; BadQuery for what is not understood."""
        return where(self.resource, read_request(args))

    @expose("/<int:pk>")
    @has_access
    def show(self, pk: int) -> Any:
        """The record with its facts and tabs."""
        return self.render_template("kit/show.html", page=self.show_page(self.load(pk)))

    def load(self, pk: int, *, deleted: bool = False) -> Any:
        """The row, or 404: absent, deleted and foreign rows answer alike."""
        model = self.resource.model
        names = [name for section in self.sections() for name in section.names]
        query = sa.select(model).where(model.id == pk).options(*eager(self.resource, names))
        if deleted:
            with with_deleted():
                row = db.session.scalar(query.where(model.deleted_at.is_not(None)))
        else:
            row = db.session.scalar(query)
        if row is None:
            abort(404)
        return row

    def sections(self) -> tuple[Any, ...]:
        """The sections of the record page."""
        return self.resource.form if self.resource.show is None else self.resource.show

    def show_page(self, row: Any) -> ShowPage:
        """The record as data."""
        resource, principal = self.resource, actor()
        children = list_page.child_tabs(resource, principal)
        active = request.args.get("tab") or (children[0][0].name if children else "history")
        page = ShowPage(
            name=resource.name,
            title=title_of(row),
            icon=resource.icon,
            list_label=str(resource.plural),
            list_url=f"{resource.url}/",
            sections=[Section(str(s.label), self._facts(s, row)) for s in self.sections()],
            badges=self.badges(row),
            actions=self.record_actions(row, principal),
            tabs=self._tabs(row, children, active),
        )
        child = next((pair for pair in children if pair[0].name == active), None)
        if child is not None:
            page.children = list_page.child_page(*child, row, self._child_request(active), principal, self._url(row.id))
        else:
            page.history = history(resource, row)
        return page

    def _child_request(self, tab: str) -> ListRequest:
        try:
            asked = read_request(request.args)
        except BadQuery as error:
            flash(error.message, "warning")
            asked = ListRequest()
        return ListRequest(page=asked.page, size=25, sort=asked.sort, q=asked.q, extra=(("tab", tab),))

    def _facts(self, section: Any, row: Any) -> Any:
        fields = [field_of(self.resource.model, name, self.resource.labels) for name in section.names]
        return [Fact(field.name, str(field.label), cell(field, row)) for field in fields]

    def badges(self, row: Any) -> Any:
        """The states drawn beside the record's name."""
        names = [n for n in self.resource.list if field_of(self.resource.model, n).kind == "choice"]
        found: Any = [cell(field_of(self.resource.model, n), row) for n in names]
        return [badge for badge in found if isinstance(badge, Cell) and badge.text]

    def record_actions(self, row: Any, principal: Principal) -> Any:
        """The buttons of the record's header; one of them is primary."""
        links: Any = list_page.row_links(self.resource, row, principal)
        return [
            Link(k.label, k.url, k.icon, "primary" if k.icon == "pencil" else k.style, k.method, confirm=k.confirm)
            for k in links
        ]

    def _tabs(self, row: Any, children: Any, active: str) -> Any:
        url = self._url(row.id)
        tabs: Any = [Tab(str(c.plural), f"{url}?tab={c.name}", c.name == active, icon=c.icon) for c, _name in children]
        known = {c.name for c, _name in children}
        return [*tabs, Tab(_("History"), f"{url}?tab=history", active not in known, icon="history")]

    def _url(self, pk: int | None = None, verb: str = "") -> str:
        parts = [self.resource.url, str(pk) if pk else "", verb]
        return "/".join(p for p in parts if p)

    @expose("/lookup")
    @has_access
    def lookup(self) -> Any:
        """Search for pickers: {"results": [{"id", "text"}]}, at most 20."""
        resource = self.resource
        asked = ListRequest(q=request.args.get("q", "")[:100], size=LOOKUP_SIZE, sort=self._title_sort())
        result = fetch(resource, asked)
        return {"results": [{"id": row.id, "text": title_of(row)} for row in result.rows]}

    def _title_sort(self) -> str:
        return self.resource.title if self.resource.title in self.resource.list else self.resource.sort

    @expose("/<int:pk>/picture/<string:name>")
    @has_access
    def picture(self, pk: int, name: str) -> Any:
        """A picture of the row; it can do nothing but be shown, whatever it holds."""
        row = self.load(pk)
        known = name in self.resource.field_names() and field_of(self.resource.model, name).kind == "image"
        path = storage.path_of(getattr(row, name) or "") if known else None
        if path is None:
            abort(404)
        answer = send_file(path, mimetype="image/png", max_age=3600)
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        answer.headers["Cache-Control"] = "private, max-age=3600"
        return answer

    @expose("/export.csv")
    @has_access
    def export(self) -> Any:
        """The list as filtered, as a CSV file; BadQuery for a filter that is not understood."""
        lines = stream_with_context(_as_actor(exporting.csv_lines(self.resource, self.matching(request.args))))
        name = f"{self.resource.url.strip('/')}.csv"
        return Response(lines, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _as_actor(lines: Any) -> Any:
    """`lines`, made as who asks for them: they are drawn after the request has ended and forgotten its principal."""
    principal = actor()

    def drawn() -> Any:
        with acting_as(principal):
            yield from lines

    return drawn()
