"""The Clients overview as data (CLI-01 to CLI-06, CLI-10); what the template gets is told in templates/clients/overview.html."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import format_date, format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.errors import BadQuery
from app.core.security.principal import Principal
from app.features.clients import queries
from app.features.clients.enums import ClientState
from app.features.clients.models import Client
from app.features.clients.progress import bar, percent_done
from app.kit import listing
from app.kit.listing import ListRequest, ListResult
from app.kit.pages import Chip, Column, Count, Empty, Link, ListPage, Tab
from app.kit.resource import Resource
from app.kit.template_globals import initials
from app.kit.views import list_page

BASE = "/clients/"
HEALTH = {"bad": _l("Disconnected"), "warn": _l("With a warning"), "ok": _l("All in order")}
_COLUMNS = (
    ("client", _l("Client"), "name", "start"),
    ("owner", _l("Owner"), "owner", "start"),
    ("connected", _l("Connected"), "connected", "end"),
    ("stored", _l("Stored"), "stored", "end"),
    ("campaigns", _l("Campaigns"), "campaigns", "end"),
    ("to_be_contacted", _l("To be contacted"), "to_be_contacted", "start"),
    ("mailboxes", _l("Mailboxes"), "", "start"),
    ("added", _l("Added"), "added", "end"),
    ("active", _l("On"), "", "start"),
)
_SORT_LABELS = {
    "name": _l("Name"), "owner": _l("Owner"), "connected": _l("Connected"), "stored": _l("Stored"),
    "campaigns": _l("Running campaigns"), "to_be_contacted": _l("To be contacted"), "contacted": _l("Contacted"),
    "progress": _l("Progress"), "added": _l("Added"),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    initials: str


@dataclass(frozen=True)
class OverviewRow:
    """One client; every number with the URL of exactly its rows."""

    id: int
    name: str
    owner: Person | None
    owner_url: str
    connected: int
    connected_url: str
    stored: int
    stored_url: str
    campaigns: int
    campaigns_url: str
    to_be_contacted: int
    to_be_contacted_url: str
    enrolled: int
    contacted: int
    percent_done: int
    bar: str
    mailboxes: queries.Health
    mailboxes_url: str
    added: datetime
    added_text: str
    active: bool
    blocked: str
    open_url: str
    expand_url: str
    row_url: str
    switch_url: str
    enter_url: str
    clean_url: str
    delete_url: str
    can_switch: bool
    can_clean: bool
    can_enter: bool
    can_delete: bool
    delete_reason: str


@dataclass
class OverviewPage(ListPage):
    """The overview; `stored` is the use of the stored-prospect limit, None where there is no limit."""

    stored: Any = None


def build(resource: Resource, asked: ListRequest, principal: Principal) -> OverviewPage:
    """The page. What is wrong with the request is told in `errors`, and no row is shown until it is right."""
    tab, tabs = tab_of(asked), queries.tabs()
    try:
        rows, result = _fetch(resource, asked, tab)
    except BadQuery as error:
        rows, result = [], ListResult([], 0, asked, errors=[error.message])
    page = OverviewPage(
        name=resource.name, title=str(resource.plural), icon=resource.icon, url=BASE, columns=columns(asked),
        rows=rows_of(rows, principal),
        count=Count(format_decimal(result.total)), pager=list_page.pager_of(ListResult(list(rows), result.total, asked), BASE),
        search=asked.q, search_hint=_("Search clients"), tabs=_tabs(asked, tab, tabs), chips=_chips(resource, asked),
        filter_spec=[*list_page.filter_spec(resource), _health_spec()], sorts=_sorts(asked),
        actions=[*_sample_link(tabs, principal), *list_page.actions(resource, principal)],
        bulk=list_page.bulk(resource, principal), errors=result.errors,
    )  # fmt: skip
    page.total_label = ngettext("%(n)s client", "%(n)s clients", result.total, n=page.count.text)
    page.sort_label = next((tab.label for tab in page.sorts if tab.active), "")
    page.empty = None if page.rows or page.errors else _empty(resource, asked, principal, tabs)
    return page


def _empty(resource: Resource, asked: ListRequest, principal: Principal, tabs: queries.Tabs) -> Any:
    """Who is granted nothing yet is told who can change that."""
    if tabs.active or tabs.inactive or principal.reaches_all or principal.can("add", resource.name):
        return list_page.empty_of(resource, asked, principal, BASE)
    return Empty(
        _("No client is open to you yet"), _("The owner of a client or an admin can give you access to it."), []
    )


def tab_of(asked: ListRequest) -> str:
    """ "active" or "inactive"."""
    return "inactive" if dict(asked.extra).get("tab") == "inactive" else "active"


def _fetch(resource: Resource, asked: ListRequest, tab: str) -> tuple[Any, ListResult]:
    where = sa.and_(condition(resource, asked), Client.active.is_(tab == "active"))
    total = queries.total(where)
    last = max(1, -(-total // asked.size))
    if asked.page > last:
        raise BadQuery(_("There is no page %(page)s; the last one is %(last)s.", page=asked.page, last=last))
    rows = queries.overview_rows(where, asked.sort or "name", limit=asked.size, offset=(asked.page - 1) * asked.size)
    return rows, ListResult(list(rows), total, asked)


def condition(resource: Resource, asked: ListRequest) -> Any:
    """The SQL condition of a request: the kit's filters and search, and `f=health:eq:bad|warn|ok`."""
    health = [queries.has_health(_health_value(term)) for term in asked.terms if _is_health(term)]
    plain = replace(asked, terms=tuple(term for term in asked.terms if not _is_health(term)))
    return sa.and_(listing.where(resource, plain), *health)


def _is_health(term: str) -> bool:
    return term.partition(":")[0] == "health"


def _health_value(term: str) -> str:
    _field, op, value = (*term.split(":", 2), "", "")[:3]
    if op != "eq" or value not in HEALTH:
        raise BadQuery(_("“%(term)s” is not a filter; health is bad, warn or ok.", term=term[:60]))
    return value


def _health_spec() -> dict[str, Any]:
    choices = [{"value": value, "label": str(label)} for value, label in HEALTH.items()]
    ops = [{"name": "eq", "label": _("is"), "arity": 1, "days": False}]
    return {"field": "health", "label": _("Mailboxes"), "kind": "choice", "ops": ops, "choices": choices}


def _chips(resource: Resource, asked: ListRequest) -> list[Chip]:
    """The kit's chips, with those of `health` in words."""
    return [_health_chip(chip) if chip.field == "health" else chip for chip in list_page.chips(resource, asked, BASE)]


def _health_chip(chip: Chip) -> Chip:
    try:
        value = _health_value(f"{chip.field}:{chip.op}:{chip.value}")
    except BadQuery as error:
        return replace(chip, error=error.message)
    return replace(chip, field_label=_("Mailboxes"), op_label=_("is"), value_label=str(HEALTH[value]), error="")


def _sample_link(tabs: queries.Tabs, principal: Principal) -> list[Link]:
    if not (tabs.sample and principal.reaches_all and principal.can("delete", "client")):
        return []
    return [
        Link(_("Remove the sample"), f"{BASE}sample/remove", "eraser", hint=_("Erase the sample agency and all in it"))
    ]


def _tabs(asked: ListRequest, tab: str, counts: queries.Tabs) -> list[Tab]:
    one = asked.url(BASE, extra=(), page=1)
    two = asked.url(BASE, extra=(("tab", "inactive"),), page=1)
    return [
        Tab(_("Active"), one, tab == "active", format_decimal(counts.active)),
        Tab(_("Inactive"), two, tab == "inactive", format_decimal(counts.inactive)),
    ]


def columns(asked: ListRequest) -> list[Column]:
    """The head of the table."""
    now, found = asked.sort or "name", []
    for name, label, sort, align in _COLUMNS:
        state = {sort: "asc", f"-{sort}": "desc"}.get(now, "") if sort else ""
        turned = f"-{sort}" if state == "asc" else sort
        found.append(Column(name, str(label), align, asked.url(BASE, sort=turned, page=1) if sort else "", state))
    return found


def _sorts(asked: ListRequest) -> list[Tab]:
    now, found = asked.sort or "name", []
    for name, label in _SORT_LABELS.items():
        up, down = (_("A–Z"), _("Z–A")) if name in ("name", "owner") else (_("low to high"), _("high to low"))
        up, down = (_("oldest first"), _("newest first")) if name == "added" else (up, down)
        for value, words in ((name, up), (f"-{name}", down)):
            found.append(Tab(f"{label} {words}", asked.url(BASE, sort=value, page=1), value == now))
    return found


def rows_of(rows: Any, principal: Principal) -> list[Any]:
    """The `OverviewRow`s as drawn, their mail health read in one query."""
    health = queries.health_of([row.id for row in rows])
    return [_row(row, health.get(row.id, queries.Health()), principal) for row in rows]


def _row(row: Any, health: queries.Health, principal: Principal) -> OverviewRow:
    return OverviewRow(
        id=row.id, name=row.name, owner=person(row.owner_id, row.first_name, row.last_name),
        owner_url=f"{BASE}?f=owner:eq:{row.owner_id}" if row.owner_id else "",
        connected=row.connected, stored=row.stored, campaigns=row.running_campaigns, to_be_contacted=row.to_be_contacted,
        enrolled=row.enrolled, contacted=row.enrolled - row.to_be_contacted,
        percent_done=percent_done(row.enrolled, row.to_be_contacted),
        bar=bar(row.running_campaigns, row.enrolled, row.to_be_contacted).value, mailboxes=health,
        added=row.created_at, added_text=format_date(row.created_at, "d MMM y"), active=row.active,
        blocked=_("Being deleted") if row.state is ClientState.DELETING else "",
        **_doors(row.id), **_links(row), **_rights(row, principal),
    )  # fmt: skip


def _doors(client_id: int) -> dict[str, Any]:
    """Every number is a door to exactly the rows it counts."""
    own = f"f=client:eq:{client_id}"
    return {
        "connected_url": f"/contacts/?{own}&f=first_action_at:notempty",
        "stored_url": f"/contacts/?{own}",
        "campaigns_url": f"/campaigns/?{own}&f=status:eq:running",
        "to_be_contacted_url": f"/enrolments/?{own}&f=campaign.status:eq:running&f=contacted_at:empty",
        "mailboxes_url": f"/mail-accounts/?{own}",
    }


def _links(row: Any) -> dict[str, Any]:
    own = f"{BASE}{row.id}"
    return {
        "open_url": own,
        "expand_url": f"{own}/expand",
        "row_url": f"{own}/row",
        "switch_url": f"{own}/switch?to={'off' if row.active else 'on'}",
        "enter_url": f"{own}/enter",
        # Cleaning by hand: the client's contacts, where rows are chosen; for active clients only (CLI-07).
        "clean_url": f"/contacts/?f=client:eq:{row.id}" if row.active else "",
        "delete_url": f"{own}/delete",
    }


def _rights(row: Any, principal: Principal) -> dict[str, Any]:
    ruling = principal.reaches_all or (principal.user_id is not None and principal.user_id == row.owner_id)
    return {
        "can_switch": ruling and principal.can("switch_off" if row.active else "switch_on", "client"),
        "can_clean": principal.can("delete", "contact") and principal.can("bulk", "contact"),
        "can_enter": principal.can("enter", "client"),
        "can_delete": ruling and principal.can("delete", "client"),
        "delete_reason": _("Switch it off before you delete it") if row.active else "",
    }


def person(user_id: int | None, first: str | None, last: str | None) -> Person | None:
    """A user as drawn; None for nobody."""
    if user_id is None:
        return None
    name = f"{first or ''} {last or ''}".strip()
    return Person(user_id, name, initials(name))
