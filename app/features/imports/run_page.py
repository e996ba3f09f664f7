"""Step 4, live and as a result, and the list of one's imports."""

from __future__ import annotations

from urllib.parse import urlencode

from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _

from app.core.operations.models import Operation
from app.core.operations.states import WORKABLE, State
from app.core.security.principal import Principal
from app.features.imports import plan_page
from app.features.imports.frame import base_url, frame, steps, title_of
from app.features.imports.pages import Recent, RunPage, UploadPage
from app.kit import registry
from app.kit.fields import in_sentence
from app.kit.importing import flow, handler
from app.kit.importing.source import ACCEPT, LIMITS
from app.kit.pages import Cell, Column, Count, Empty, Link, ListPage, Pager, Row
from app.kit.progress import progress, state_cell
from app.kit.resource import Resource

RECENT = 5
SIZE = 50


def build(operation: Operation) -> RunPage:
    """Progress while it plans or runs; the outcomes once it is done."""
    planning = flow.step_of(operation) == flow.Step.PLANNING
    page = RunPage(**vars(frame(operation, "plan" if planning else "run")))
    page.progress = progress(operation, f"{base_url(operation)}/progress")
    if planning and operation.state in WORKABLE:
        page.progress.message = _("Computing the plan. Nothing is written yet.")
        page.progress.total = format_decimal(flow.source_of(operation).count)
    if operation.state == State.FAILED:
        page.errors = [operation.error]
    if not planning and operation.state not in WORKABLE:
        found = handler.results(operation)
        page.tiles = plan_page.tiles(operation, found, ran=True)
        page.links = [*plan_page.downloads(operation, found), *_links(operation)]
    elif planning and operation.state not in WORKABLE:
        page.links = [Link(_("Back to columns"), f"{base_url(operation)}/columns", "arrow-left")]
    return page


def _links(operation: Operation) -> list[Link]:
    resource = registry.get(operation.resource)
    again = Link(_("Import another file"), f"/imports/new?resource={resource.name}", "file-import")
    details = Link(_("Details"), f"/operations/{operation.id}", "list-details")
    return [
        again,
        details,
        Link(_("Open %(what)s", what=in_sentence(resource.plural)), f"{resource.url}/", resource.icon),
    ]


def upload(resource: Resource, form: object, actor: Principal, errors: list[str]) -> UploadPage:
    """Step 1."""
    url = f"/imports/new?resource={resource.name}"
    rows, size = format_decimal(LIMITS.rows), LIMITS.file_bytes // 2**20
    example = Link(_("Example file"), f"/imports/example/{resource.name}.xlsx", "download")
    return UploadPage(
        title=title_of(resource),
        steps=steps("file", {}),
        cancel_url="/imports/",
        errors=errors,
        action=url,
        form=form,
        accept=ACCEPT,
        limits=_("Up to %(size)s MB and %(rows)s rows, as .xlsx, .xls, .ods or .csv", size=size, rows=rows),
        templates=[example],
        recent=[_recent(o) for o in flow.mine(actor, RECENT) if o.resource == resource.name],
    )


def _recent(operation: Operation) -> Recent:
    rows = format_decimal(flow.source_of(operation).count)
    text = _("%(rows)s rows, %(when)s", rows=rows, when=format_datetime(operation.created_at, "d MMM y HH:mm"))
    return Recent(flow.source_of(operation).name, text, base_url(operation), state_cell(operation))


def overview(actor: Principal, number: int, search: str) -> ListPage:
    """One's own imports."""
    listed = flow.mine(actor, SIZE + 1, (number - 1) * SIZE, search)
    more, shown = len(listed) > SIZE, listed[:SIZE]
    actions = importable(actor)
    first = (number - 1) * SIZE
    url, query = "/imports/", urlencode({"q": search} if search else {})
    labels = (_("File"), _("What"), _("State"), _("Rows"), _("Started"))
    return ListPage(
        name="import",
        title=_("Imports"),
        icon="database-import",
        url=url,
        columns=[Column(str(i), label, "end" if i == 3 else "start") for i, label in enumerate(labels)],
        rows=[_row(operation) for operation in shown],
        count=Count(format_decimal(first + len(shown)) + ("+" if more else ""), exact=not more),
        pager=Pager(
            first=first + 1 if shown else 0,
            last=first + len(shown),
            page=number,
            size=SIZE,
            prev_url=f"{url}?page={number - 1}&{query}" if number > 1 else "",
            next_url=f"{url}?page={number + 1}&{query}" if more else "",
        ),
        search=search,
        search_hint=_("Search imports"),
        actions=actions,
        empty=None if shown else _nothing(search, actions),
    )


def _nothing(search: str, actions: list[Link]) -> Empty:
    if search:
        return Empty(_("No imports match"), _("Change or clear the search to see more."), [])
    text = _("Bring in a spreadsheet; nothing is written before you have seen the plan.")
    return Empty(_("No imports yet"), text, actions)


def importable(actor: Principal) -> list[Link]:
    """A button for everything this user may import."""
    allowed = [r for r in registry.resources() if r.transfer is not None and actor.can("import", r.name)]
    return [
        Link(title_of(r), f"/imports/new?resource={r.name}", r.icon, style="primary" if i == 0 else "default")
        for i, r in enumerate(allowed)
    ]


def _row(operation: Operation) -> Row:
    source, resource = flow.source_of(operation), registry.find(operation.resource)
    what = str(resource.plural) if resource else operation.resource
    cells = [
        Cell("text", source.name),
        Cell("text", what),
        state_cell(operation),
        Cell("number", format_decimal(source.count), source.count),
        Cell("datetime", format_datetime(operation.created_at, "d MMM y HH:mm"), operation.created_at),
    ]
    links = []
    if flow.step_of(operation) != flow.Step.RUN and operation.state not in WORKABLE:
        ask = _("Forget this import and its file?")
        links = [
            Link(_("Discard"), f"{base_url(operation)}/discard", "trash", style="danger", method="post", confirm=ask)
        ]
    return Row(operation.id, source.name, base_url(operation), cells, links=links, selectable=False)
