"""The monitor's and an operation's pages as data (BLK-02, BLK-03; screen 04)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask_babel import format_datetime, format_decimal, ngettext
from flask_babel import gettext as _

from app.core.errors import BadQuery
from app.core.operations.handlers import kinds, known_or_gone
from app.core.operations.states import ENDED, LIVE, WORKABLE, ItemState
from app.core.security.principal import Principal, actor
from app.features.platform import operations_queries as queries
from app.kit.fields import title_of, user_name
from app.kit.pages import Cell, Column, Count, Empty, Fact, Link, ListPage, Pager, Row, Tab
from app.kit.progress import Progress, percent, progress, state_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.operations.models import Operation
    from app.kit.listing import ListRequest

SIZES = (25, 50)
TABS = {"progress": LIVE, "completed": ENDED}
OUTCOMES = {
    "successful": (ItemState.SUCCEEDED, "circle-check"),
    "errors": (ItemState.FAILED, "alert-circle"),
    "skipped": (ItemState.SKIPPED, "circle-minus"),
    "waiting": (ItemState.PENDING, "clock"),
}


@dataclass
class MonitorPage(ListPage):
    """A list that fetches itself again while something runs."""

    refresh: bool = False


@dataclass
class OperationPage:
    """See the head of `operations/show.html`."""

    title: str
    badge: Cell
    actions: list[Link]
    progress: Progress
    tabs: list[Tab]
    reasons: list[Tab]
    downloads: list[Link]
    items: ListPage
    settings: list[Fact]
    list_label: str
    list_url: str = "/operations/"
    settings_label: str = ""
    undo: Any = None
    errors: list[str] = field(default_factory=list)


# -- the monitor ---------------------------------------------------------------------------------------------------


def kind_label(kind: str) -> str:
    """What kind of operation it is, in words; the bare name when its feature is gone."""
    return str(kinds().get(kind, kind))


def monitor_cells(operation: Operation) -> list[Cell]:
    """The cells of one row, in the order of the resource's list."""
    user = operation.user
    return [
        Cell("text", operation.name),
        Cell("text", kind_label(operation.kind), operation.kind),
        state_cell(operation),
        progress_cell(operation),
        _errors_cell(operation),
        _moment(operation.scheduled_for or operation.created_at),
        Cell("person", user_name(user), user.id) if user is not None else Cell("text", ""),
        _moment(operation.finished_at),
    ]


def progress_cell(operation: Operation) -> Cell:
    """A bar with the numbers in words, red when every row failed."""
    text = _("%(done)s of %(total)s", done=format_decimal(operation.done), total=format_decimal(operation.total))
    ruined = 0 < operation.failed == operation.total
    return Cell("progress", text, percent(operation), tone="bad" if ruined else "data")


def _errors_cell(operation: Operation) -> Cell:
    if not operation.failed:
        return Cell("number", "", 0)
    url = f"/operations/{operation.id}?tab=errors"
    return Cell("number", format_decimal(operation.failed), operation.failed, url=url, tone="bad")


def _moment(value: Any) -> Cell:
    if value is None:
        return Cell("text", "")
    return Cell("datetime", format_datetime(value, "d MMM y HH:mm"), value, hint=format_datetime(value, "long"))


def monitor(page: ListPage, rows: Sequence[Operation], request: ListRequest, tab: str) -> MonitorPage:
    """The generic list page with tabs, the kinds as choices, and live cells."""
    for row, operation in zip(page.rows, rows, strict=True):
        row.cells = monitor_cells(operation)
    live = any(operation.state in WORKABLE for operation in rows)
    found = MonitorPage(**vars(page), refresh=live)
    found.tabs = [
        Tab(label, request.url(page.url, extra=(("tab", name),) if name else (), page=1), active=name == tab)
        for name, label in (("", _("All")), ("progress", _("In progress")), ("completed", _("Completed")))
    ]
    _name_kinds(found)
    return found


def _name_kinds(page: ListPage) -> None:
    """The filter editor and the chips name kinds in words."""
    known = kinds()
    for item in page.filter_spec:
        if item["field"] == "kind":
            item["choices"] = [{"value": kind, "label": str(label)} for kind, label in known.items()]
            item["ops"] = [op for op in item["ops"] if op["name"] in ("eq", "neq", "in", "notin")]
    page.chips = [
        replace(c, value_label=kind_label(c.value)) if c.field == "kind" and not c.error else c for c in page.chips
    ]


# -- one operation -------------------------------------------------------------------------------------------------


def show(operation: Operation, request: ListRequest, tab: str, reason: str, actions: list[Link]) -> OperationPage:
    """One operation with one page of its items. BadQuery for an unknown tab or a page behind the last."""
    tab = tab or ("errors" if operation.failed else "waiting" if operation.state in LIVE else "successful")
    if tab not in OUTCOMES:
        raise BadQuery(_("There is no tab “%(tab)s”.", tab=tab[:40]))
    url = f"/operations/{operation.id}"
    state, _icon = OUTCOMES[tab]
    handler = known_or_gone(operation.kind)
    known = queries.reasons(operation.id, state) if state in (ItemState.FAILED, ItemState.SKIPPED) else []
    total = sum(n for code, n in known if code == reason) if reason else _count(operation, state)
    return OperationPage(
        title=operation.name,
        badge=state_cell(operation),
        actions=actions,
        progress=progress(operation, f"{url}/progress"),
        tabs=_tabs(operation, url, tab),
        reasons=_reasons(operation, url, tab, reason, known),
        downloads=[Link(label, target, "download") for label, target in handler.links(operation)],
        items=_items(operation, request, tab, reason, total),
        settings=_facts(operation),
        list_label=_("Operations"),
        settings_label=_("Settings"),
    )


def _count(operation: Operation, state: ItemState) -> int:
    return operation.waiting if state is ItemState.PENDING else int(getattr(operation, state.value))


def _tabs(operation: Operation, url: str, active: str) -> list[Tab]:
    return [
        Tab(_tab_label(name), f"{url}?tab={name}", name == active, format_decimal(_count(operation, state)), icon)
        for name, (state, icon) in OUTCOMES.items()
    ]


def _tab_label(name: str) -> str:
    labels = {"successful": _("Successful"), "errors": _("Errors"), "skipped": _("Skipped"), "waiting": _("Waiting")}
    return labels[name]


def _reasons(operation: Operation, url: str, tab: str, active: str, known: list[tuple[str, int]]) -> list[Tab]:
    if len(known) < 2:
        return []
    base, handler = f"{url}?tab={tab}", known_or_gone(operation.kind)
    every = Tab(_("All reasons"), base, not active, format_decimal(sum(n for _code, n in known)))
    return [
        every,
        *(
            Tab(handler.reason_label(code), f"{base}&reason={code}", code == active, format_decimal(n))
            for code, n in known
        ),
    ]


def _items(operation: Operation, request: ListRequest, tab: str, reason: str, total: int) -> ListPage:
    size = request.size if request.size in SIZES else SIZES[0]
    start = (request.page - 1) * size
    if start and start >= total:
        raise BadQuery(_("There is no page %(page)s.", page=request.page))
    listed = queries.items(operation.id, OUTCOMES[tab][0], reason, offset=start, limit=size)
    behind = queries.rows_behind(listed)
    asked = replace(request, size=size, extra=(("tab", tab), *((("reason", reason),) if reason else ())))
    url = f"/operations/{operation.id}"
    return ListPage(
        name="operation_item",
        title=_tab_label(tab),
        icon="list",
        url=url,
        columns=[Column("row", _("Row")), Column("client", _("Client")), Column("reason", _("Reason")),
                 Column("tried", _("Tried"), align="end")],
        rows=[_item_row(operation, item, behind, actor()) for item in listed],
        count=Count(format_decimal(total)),
        pager=_pager(asked, url, start, len(listed), total),
        empty=None if listed else _nothing(operation, tab),
        total_label=ngettext("%(num)s row", "%(num)s rows", total),
    )  # fmt: skip


def _pager(request: ListRequest, url: str, start: int, shown: int, total: int) -> Pager:
    more = start + shown < total
    return Pager(
        first=start + 1 if shown else 0,
        last=start + shown,
        page=request.page,
        size=request.size,
        prev_url=request.url(url, page=request.page - 1) if request.page > 1 else "",
        next_url=request.url(url, page=request.page + 1) if more else "",
        sizes=[(size, request.url(url, size=size, page=1)) for size in SIZES],
    )


def _item_row(operation: Operation, item: Any, behind: dict[tuple[str, int], Any], principal: Principal) -> Row:
    row = behind.get((item.entity or "", item.row_id or item.target_id or 0))
    title = _item_title(operation, item, row, principal)
    resource = queries.resource_of(item.entity)
    linked = row is not None and resource is not None and getattr(row, "deleted_at", None) is None
    url = f"{resource.url}/{row.id}" if linked and row and resource and principal.can("see", resource.name) else ""
    client = getattr(row, "client", None)
    cells = [
        Cell("text", title),
        Cell("client", title_of(client), client.id) if client is not None else Cell("text", ""),
        Cell("text", _reason_words(operation, item)),
        Cell("number", _("%(n)s×", n=item.attempts) if item.attempts else "", item.attempts),
    ]
    return Row(id=item.id, title=title, url=url, cells=cells, selectable=False)


def _item_title(operation: Operation, item: Any, row: Any, principal: Principal) -> str:
    """The row's name now; what it was called when it was planned is told to the operation's own user alone."""
    if row is not None:
        return title_of(row)
    if item.title and operation.user_id == principal.user_id:
        return str(item.title)
    return _("Row %(n)s", n=format_decimal(item.row_id or item.position))


def _reason_words(operation: Operation, item: Any) -> str:
    if not item.reason_code:
        return ""
    label = known_or_gone(operation.kind).reason_label(item.reason_code)
    return f"{label} · {item.reason}" if item.reason and item.reason != label else label


def _nothing(operation: Operation, tab: str) -> Empty:
    if tab == "errors":
        return Empty(_("No errors"), _("Rows that could not be dealt with are listed here with the reason."))
    if tab == "waiting":
        return Empty(_("No row is waiting"), _("Every row has been dealt with."))
    return Empty(_("Nothing here"), _("No row of this operation ended like this."))


def _facts(operation: Operation) -> list[Fact]:
    user = operation.user
    pairs = [(_("Type"), kind_label(operation.kind)), *known_or_gone(operation.kind).facts(operation)]
    if operation.batch_size:
        mode = _("%(n)s rows every %(s)s seconds", n=format_decimal(operation.batch_size), s=operation.batch_every or 0)
        pairs.append((_("Mode"), mode))
    facts = [Fact(f"fact_{i}", str(label), Cell("text", str(value))) for i, (label, value) in enumerate(pairs)]
    if user is not None:
        facts.append(Fact("user", _("Scheduled by"), Cell("person", user_name(user), user.id)))
    facts.append(Fact("start", _("Start"), _moment(operation.scheduled_for or operation.created_at)))
    facts.append(Fact("reference", _("Operation"), Cell("text", operation.reference)))
    return facts
