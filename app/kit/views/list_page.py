"""The list page of a resource as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from app.core.errors import BadQuery
from app.core.security.principal import Principal
from app.kit import codes, filters, registry
from app.kit.cells import cell
from app.kit.fields import Field, field_of, in_sentence, label_of, title_of
from app.kit.filters.compiler import resolve
from app.kit.forms import lookup_url
from app.kit.listing import (
    COUNT_CAP,
    SIZES,
    ListRequest,
    ListResult,
    allowed_filters,
    conditions,
    fetch,
    sortable,
)
from app.kit.pages import Chip, Column, Count, Empty, Link, ListPage, Pager, Row, Tab
from app.kit.resource import Resource

_PLAIN = ListRequest()


def build(
    resource: Resource, request: ListRequest, principal: Principal, *, base: str = "", extra: Any = None
) -> ListPage:
    """The page. What is wrong with the request is told in `errors`, and no row is shown until it is right."""
    base = base or f"{resource.url}/"
    try:
        result = fetch(resource, request, extra=extra)
    except BadQuery as error:
        result = ListResult([], 0, request, errors=[error.message])
    page = ListPage(
        name=resource.name,
        title=str(resource.plural),
        icon=resource.icon,
        url=base,
        columns=columns(resource, request, base),
        rows=rows_of(resource, result.rows, principal),
        count=count_of(result, base),
        pager=pager_of(result, base),
        search=request.q,
        search_hint=_("Search %(what)s", what=in_sentence(resource.plural)) if resource.search else "",
        chips=chips(resource, request, base),
        filter_spec=filter_spec(resource),
        sorts=sorts(resource, request, base),
        more_columns=[Column(f.name, str(f.label)) for f in _fields(resource, resource.more)],
        actions=actions(resource, principal, request),
        bulk=bulk(resource, principal),
        errors=result.errors,
    )
    counted = resource.label if result.total == 1 else resource.plural
    page.total_label = f"{page.count.text} {in_sentence(counted)}"
    page.sort_label = next((tab.label for tab in page.sorts if tab.active), "")
    page.empty = None if page.rows or result.errors else empty_of(resource, request, principal, base)
    return page


def _fields(resource: Resource, names: Sequence[str]) -> list[Field]:
    return [field_of(resource.model, name, resource.labels) for name in names]


def columns(resource: Resource, request: ListRequest, base: str) -> list[Column]:
    """The table's head with a link that sorts, or sorts the other way."""
    allowed, now = sortable(resource), request.sort or resource.sort
    found = []
    for field in _fields(resource, resource.list):
        state = {field.name: "asc", f"-{field.name}": "desc"}.get(now, "")
        turned = f"-{field.name}" if state == "asc" else field.name
        url = request.url(base, sort=turned, page=1) if field.name in allowed else ""
        found.append(Column(field.name, str(field.label), field.align, url, state))
    return found


def rows_of(resource: Resource, rows: Sequence[Any], principal: Principal) -> list[Row]:
    """The rows of the table with their menus."""
    shown, more = _fields(resource, resource.list), _fields(resource, resource.more)
    return [
        Row(
            id=row.id,
            title=title_of(row),
            url=f"{resource.url}/{row.id}",
            cells=[cell(field, row) for field in shown],
            more=[(str(field.label), cell(field, row)) for field in more],
            links=row_links(resource, row, principal),
        )
        for row in rows
    ]


def row_links(resource: Resource, row: Any, principal: Principal) -> list[Link]:
    """What this user may do to this row."""
    url = f"{resource.url}/{row.id}"
    links = []
    for action in resource.actions:
        if principal.can(action.name, resource.name) and (action.shown is None or action.shown(row)):
            target = f"{resource.url}/action/{action.name}/{row.id}"
            links.append(Link(str(action.label), target, action.icon, method="post", confirm=str(action.confirm)))
    if resource.writable and principal.can("edit", resource.name):
        links.append(Link(_("Edit"), f"{url}/edit", "pencil"))
    if resource.writable and resource.trash is not None and principal.can("delete", resource.name):
        links.append(Link(_("Delete"), f"{url}/delete", "trash", style="danger"))
    return links


def count_of(result: ListResult, base: str) -> Count:
    """ "1,234", or "10,000+" with the URL that counts exactly."""
    if result.exact:
        return Count(format_decimal(result.total))
    return Count(f"{format_decimal(COUNT_CAP)}+", exact=False, exact_url=result.request.url(base, exact=True))


def pager_of(result: ListResult, base: str) -> Pager:
    """Where this page is among the others."""
    request = result.request
    first = (request.page - 1) * request.size + 1 if result.rows else 0
    last = first + len(result.rows) - 1 if result.rows else 0
    more = last < result.total
    return Pager(
        first=first,
        last=last,
        page=request.page,
        size=request.size,
        prev_url=request.url(base, page=request.page - 1) if request.page > 1 else "",
        next_url=request.url(base, page=request.page + 1) if more and result.rows else "",
        sizes=[(size, request.url(base, size=size, page=1)) for size in SIZES],
    )


def chips(resource: Resource, request: ListRequest, base: str) -> list[Chip]:
    """The active conditions as sentences; one that cannot be understood says why instead of being dropped."""
    found = []
    for index, term in enumerate(request.terms):
        rest = request.terms[:index] + request.terms[index + 1 :]
        found.append(_chip(resource, term, request.url(base, terms=rest, page=1)))
    if request.json:
        found.append(_json_chip(resource, request, base))
    return found


def _chip(resource: Resource, term: str, remove: str) -> Chip:
    name, op, value = (*term.split(":", 2), "", "")[:3]
    try:
        condition = next(iter(filters.from_url([term]).conditions()))
        field, operator, values = resolve(resource.model, condition, allowed_filters(resource), resource.labels)
    except BadQuery as error:
        label = str(label_of(name, resource.labels)) if name in allowed_filters(resource) else name
        told = str(filters.OPERATORS[op].label) if op in filters.OPERATORS else op
        return Chip(name, op, value, label, told, value, remove, error=error.message)
    shown = ", ".join(value_words(field, v) for v in values)
    return Chip(name, op, value, str(field.label), str(operator.label), shown, remove)


def _json_chip(resource: Resource, request: ListRequest, base: str) -> Chip:
    remove = request.url(base, json="", page=1)
    try:
        n = sum(1 for _c in conditions(resource, ListRequest(json=request.json)).conditions())
    except BadQuery as error:
        return Chip("filter", "", request.json, _("Filter"), "", "", remove, error=error.message)
    return Chip("filter", "", request.json, _("Filter"), _("with"), _("%(n)s conditions", n=n), remove)


def value_words(field: Field, value: Any) -> str:
    """A filter's value as a person says it; a row outside the scope stays a number."""
    if field.target is not None:
        from app.core.db import db

        related = db.session.get(field.target, value)
        return title_of(related) if related is not None else str(value)
    if field.kind == "choice":
        return str(getattr(value, "label", value))
    if field.kind in codes.KINDS:
        return codes.name_of(field.kind, str(value))
    if field.kind == "boolean":
        return _("Yes") if value else _("No")
    return format_decimal(value) if isinstance(value, int) else str(value)


def filter_spec(resource: Resource) -> list[dict[str, Any]]:
    """What the filter editor offers: each field with its operators, choices or look-up."""
    spec = []
    for field in _fields(resource, resource.filters):
        item: dict[str, Any] = {"field": field.name, "label": str(field.label), "kind": field.kind}
        item["ops"] = [
            {"name": op.name, "label": str(op.label), "arity": op.arity, "days": op.days}
            for op in filters.operators_for(field)
        ]
        if field.enum:
            item["choices"] = [{"value": m.value, "label": str(getattr(m, "label", m.value))} for m in field.enum]
        if field.target is not None:
            item["lookup"] = lookup_url(field.target)
        if field.kind in codes.KINDS:
            item["lookup"] = f"/codes/{field.kind}"
        spec.append(item)
    return spec


def sorts(resource: Resource, request: ListRequest, base: str) -> list[Tab]:
    """The sort menu: every column both ways."""
    now = request.sort or resource.sort
    found = []
    for name, field in sortable(resource).items():
        up, down = _directions(field)
        for value, words in ((name, up), (f"-{name}", down)):
            found.append(Tab(f"{field.label} {words}", request.url(base, sort=value, page=1), active=value == now))
    return found


def _directions(field: Field) -> tuple[str, str]:
    if field.kind in ("number", "decimal", "money"):
        return _("low to high"), _("high to low")
    if field.kind in ("date", "datetime"):
        return _("oldest first"), _("newest first")
    return _("A–Z"), _("Z–A")


def actions(resource: Resource, principal: Principal, request: ListRequest = _PLAIN) -> list[Link]:
    """The buttons of the list's header; an export takes the rows as they are filtered."""
    links = []
    if resource.transfer and principal.can("export", resource.name):
        links.append(Link(_("Export"), request.url(f"{resource.url}/export.csv", page=1, sort=""), "file-export"))
    if resource.transfer and principal.can("import", resource.name):
        links.append(Link(_("Import"), f"/imports/new?resource={resource.name}", "database-import"))
    if resource.writable and principal.can("add", resource.name):
        label = _("Add %(what)s", what=in_sentence(resource.label))
        links.append(Link(label, f"{resource.url}/add", "plus", style="primary", key="c"))
    return links


def bulk(resource: Resource, principal: Principal) -> list[Link]:
    """What can be done to the selected rows; each posts to the same route with the action's name."""
    if not principal.can("bulk", resource.name):
        return []
    url = f"{resource.url}/action_post?action="
    links = [
        Link(str(a.label), url + a.name, a.icon, method="post", confirm=str(a.confirm))
        for a in resource.actions
        if a.bulk and principal.can(a.name, resource.name)
    ]
    if resource.trash is not None and principal.can("delete", resource.name):
        ask = _("Move the selected %(what)s to the trash?", what=in_sentence(resource.plural))
        links.append(Link(_("Delete"), url + "delete", "trash", style="danger", method="post", confirm=ask))
    return links


def empty_of(resource: Resource, request: ListRequest, principal: Principal, base: str) -> Empty:
    """Nothing there, or nothing that matches: different words, different next steps."""
    what = in_sentence(resource.plural)
    if request.terms or request.json or request.q:
        return Empty(
            _("No %(what)s match", what=what),
            _("Change or remove a filter to see more."),
            [Link(_("Show all %(what)s", what=what), base, "x")],
        )
    title, text = resource.empty or (_("No %(what)s yet", what=what), _("They appear here once there are some."))
    links = [link for link in actions(resource, principal) if link.method == "get"]
    return Empty(str(title), str(text), links)


def child_page(
    child: Resource, name: str, parent_row: Any, request: ListRequest, principal: Principal, base: str
) -> ListPage:
    """The rows of `child` whose relation `name` is a record, as a tab on its page, without what the page says already."""
    relation = field_of(child.model, name)
    page = build(child, request, principal, base=base, extra=relation.column == parent_row.id)
    known = {name, "client"} if hasattr(type(parent_row), "client_id") else {name}
    shown = [i for i, column in enumerate(page.columns) if column.name not in known]
    page.columns = [page.columns[i] for i in shown]
    for row in page.rows:
        row.cells = [row.cells[i] for i in shown]
    adding = [link for link in page.actions if link.style == "primary" and name in child.field_names()]
    page.actions = [Link(link.label, f"{link.url}?{name}={parent_row.id}", link.icon) for link in adding]
    if page.empty is not None:
        page.empty = replace(page.empty, links=[])
    page.bulk = []
    return page


def child_tabs(resource: Resource, principal: Principal) -> list[tuple[Resource, str]]:
    """(child, relation) this user may see; a related tab obeys its own permission."""
    return [(r, name) for r, name in registry.children_of(resource) if principal.can("see", r.name)]
