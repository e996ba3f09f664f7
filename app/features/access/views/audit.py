"""The audit trail as one searchable list; nothing in the console changes it (PLT-10)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import request
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.audit import AuditEntry
from app.core.errors import BadQuery
from app.core.security.principal import Principal, actor
from app.core.security.scope import granted_client_ids
from app.kit import registry
from app.kit.fields import label_of
from app.kit.listing import ListRequest, read_request
from app.kit.pages import Cell, ListPage, Row
from app.kit.resource import Resource
from app.kit.views import list_page

TRAIL = Resource(
    model=AuditEntry,
    name="audit",
    area="admin",
    label=_l("Change"),
    plural=_l("Audit trail"),
    url="/audit",
    icon="history",
    list=("at", "actor", "action", "entity", "title", "reason"),
    more=("changes", "address", "request_id", "user_id", "entity_id", "operation_id"),
    search=("actor", "title", "reason"),
    filters=("at", "actor", "user_id", "action", "entity", "entity_id", "client_id", "title", "reason", "operation_id"),
    sort="-id",
    title="title",
    labels={
        "at": _l("When"),
        "actor": _l("Who"),
        "user_id": _l("User no."),
        "action": _l("What"),
        "entity": _l("Kind"),
        "entity_id": _l("Record no."),
        "client_id": _l("Client no."),
        "title": _l("Record"),
        "reason": _l("Reason"),
        "operation_id": _l("Operation no."),
        "changes": _l("Changes"),
        "address": _l("Address"),
        "request_id": _l("Reference"),
    },
    trash=None,
    writable=False,
    empty=(_l("Nothing has been changed yet"), _l("Every change is listed here, with who made it and when.")),
)

ACTIONS: dict[str, Any] = {
    "create": _l("Created"),
    "update": _l("Changed"),
    "delete": _l("Moved to the trash"),
    "restore": _l("Restored"),
    "erase": _l("Erased"),
}
OWN_PAGES = {"user": ("/people", _l("Person")), "role": ("/roles", _l("Role"))}


class AuditView(BaseView):
    """`/audit/`, for whoever holds `can_see` on "audit"; without "all clients" only the changes of granted clients."""

    route_base = "/audit"
    default_view = "list"
    class_permission_name = "audit"
    base_permissions = ["can_see"]
    method_permission_name = {"list": "see"}

    @expose("/")
    @has_access
    def list(self) -> Any:
        """The list."""
        page = _page(actor())
        return self.render_template("kit/list.html", page=page), 400 if page.errors else 200


def _page(principal: Principal) -> ListPage:
    try:
        asked = read_request(request.args)
    except BadQuery as error:
        page = list_page.build(TRAIL, ListRequest(), principal)
        page.errors, page.rows, page.empty = [error.message], [], None
        return page
    page = list_page.build(TRAIL, asked, principal, extra=_reach(principal))
    page.total_label = _("%(n)s changes", n=page.count.text)
    page.sort_label = page.sort_label if asked.sort else _("Newest first")
    for row in page.rows:
        _finish(row)
    return page


def _reach(principal: Principal) -> Any:
    """Entries are of no client's table: the scope is said here."""
    ids = granted_client_ids(principal)
    return sa.true() if ids is None else AuditEntry.client_id.in_(ids)


def _finish(row: Row) -> None:
    """Words instead of codes, a link to the record, no page of the entry itself."""
    cells = dict(zip(TRAIL.list, row.cells, strict=True))
    more = dict(zip(TRAIL.more, (cell for _label, cell in row.more), strict=True))
    action, entity, title = cells["action"].text, cells["entity"].text, cells["title"].text
    base, label = _record_page(entity)
    url = f"{base}/{more['entity_id'].value}" if base and action != "erase" else ""
    cells["action"] = Cell("text", str(ACTIONS.get(action, action)))
    cells["entity"] = Cell("text", label)
    cells["title"] = Cell("relation", title or _("No. %(n)s", n=more["entity_id"].text), url=url)
    row.url, row.cells = "", [cells[name] for name in TRAIL.list]
    row.more = [(label, cell) for label, cell in row.more if cell.text]


def _record_page(entity: str) -> tuple[str, str]:
    """(URL of its records, what it is called) of a name in the trail; no URL for what has no page or no right."""
    if entity in OWN_PAGES:
        base, label = OWN_PAGES[entity]
        return base if actor().can("see", entity) else "", str(label)
    found = next((r for r in registry.resources() if r.model.__tablename__ == entity), None)
    if found is None:
        return "", str(label_of(entity))
    return found.url if actor().can("see", found.name) else "", str(found.label)
