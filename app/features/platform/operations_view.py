"""`/operations/`: the monitor and the page of one operation (BLK-02, BLK-03)."""

from __future__ import annotations

from typing import Any

from flask import make_response, request
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access

from app.core.errors import BadQuery
from app.core.operations.models import Operation
from app.core.operations.states import WORKABLE
from app.core.security.principal import actor
from app.features.platform import operations_pages as pages
from app.kit.listing import ListRequest, read_request, rows_of
from app.kit.progress import progress
from app.kit.views import list_page
from app.kit.views.resource_view import ResourceView


class OperationView(ResourceView):
    """Reading is the kit's, drawing is ours; the verbs are the resource's row actions."""

    method_permission_name = {**ResourceView.method_permission_name, "progress": "see"}

    @expose("/")
    @has_access
    def list(self) -> Any:
        """The monitor."""
        page = self.list_page()
        return self.render_template("operations/list.html", page=page), 400 if page.errors else 200

    def list_page(self) -> pages.MonitorPage:
        """The generic list; tabs narrow it by state."""
        tab = request.args.get("tab", "")
        shown = Operation.state.in_(pages.TABS[tab]) if tab in pages.TABS else None
        try:
            asked, errors = read_request(request.args, keep=("tab",)), []
        except BadQuery as error:
            asked, errors = ListRequest(), [error.message]
        page = list_page.build(self.resource, asked, actor(), extra=shown)
        if errors:
            page.errors, page.rows, page.empty = errors, [], None
        return pages.monitor(page, rows_of(self.resource, [row.id for row in page.rows]), asked, tab)

    @expose("/<int:pk>")
    @has_access
    def show(self, pk: int) -> Any:
        """One operation: live progress, rows by outcome with their reasons, settings."""
        operation = self.load(pk)
        links = self.record_actions(operation, actor())
        tab, reason = request.args.get("tab", ""), request.args.get("reason", "")
        page = pages.show(operation, read_request(request.args), tab, reason, links)
        return self.render_template("operations/show.html", page=page)

    @expose("/<int:pk>/progress")
    @has_access
    def progress(self, pk: int) -> Any:
        """The live head alone; `X-Done: 1` says that it will not change by itself any more."""
        operation = self.load(pk)
        found = progress(operation, request.path)
        response = make_response(self.render_template("operations/_progress.html", progress=found))
        if operation.state not in WORKABLE:
            response.headers["X-Done"] = "1"
        return response
