"""Step 3: what would become of every row, and afterwards what became of it (sheet 05b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import format_datetime, format_decimal, ngettext
from flask_babel import gettext as _

from app.core.db import db
from app.core.errors import BadQuery
from app.core.operations.models import Operation
from app.core.operations.states import ItemState, Plan
from app.core.security.principal import actor
from app.core.text import row_id
from app.features.imports.frame import base_url, frame
from app.features.imports.pages import PlanPage, PlanRow, Tile, Usage
from app.kit import registry
from app.kit.cells import words
from app.kit.fields import Field, field_of
from app.kit.fields import title_of as row_title
from app.kit.importing import flow, handler, mapping, report
from app.kit.importing.jsonable import value_of
from app.kit.importing.mapping import fields_of
from app.kit.importing.relations import slices
from app.kit.pages import Cell, Change, Count, Empty, Link, Pager
from app.kit.resource import Resource

SIZE = 50
ICONS = {
    Plan.CREATE: "circle-plus",
    Plan.UPDATE: "pencil",
    Plan.MERGE: "arrow-merge",
    Plan.DUPLICATE: "copy",
    Plan.SKIP: "circle-minus",
    Plan.ERROR: "alert-circle",
}


def build(operation: Operation, args: Mapping[str, str], errors: Sequence[str] = ()) -> PlanPage:
    """One page of the plan. BadQuery for a page or tile that is none."""
    plan, search, number = (
        _shown(args.get("show", "")),
        args.get("q", "").strip()[:100],
        page_number(args.get("page", "")),
    )
    listed, total = report.page_of(operation.id, plan, search, (number - 1) * SIZE, SIZE)
    if number > 1 and not listed:
        raise BadQuery(_("There is no page %(page)s.", page=number))
    ran = flow.step_of(operation) == flow.Step.RUN
    found = handler.results(operation) if ran else handler.planned(operation)
    writes, url = flow.to_write(operation), f"{base_url(operation)}/plan"
    return PlanPage(
        **vars(frame(operation, "plan", errors)),
        headline=_headline(operation, writes, found, ran),
        intro=_intro(operation, ran),
        usage=None if ran else _usage(operation),
        tiles=tiles(operation, found, plan, ran),
        search=search,
        search_hint=_("Search rows"),
        url=f"{url}?show={plan.value}" if plan else url,
        downloads=downloads(operation, found),
        rows=_Rows(operation, listed).build(),
        pager=_pager(url, plan, search, number, len(listed), total),
        count=Count(format_decimal(total)),
        total_label=ngettext("%(num)s row", "%(num)s rows", total),
        empty=None if listed else _nothing(plan, search),
        action=url,
        token=flow.token(operation),
        submit_label=_("Imported") if ran else _submit_label(writes),
        blocked=_("This import was started already.") if ran else flow.blocked(operation, actor()),
        back_url=f"{base_url(operation)}/run" if ran else f"{base_url(operation)}/columns",
        back_label=_("Back to the result") if ran else _("Back to columns"),
        footnote=_footnote(found[Plan.ERROR]),
    )


def _submit_label(writes: int) -> str:
    return ngettext("Import %(n)s row", "Import %(n)s rows", writes, n=format_decimal(writes))


def _shown(value: str) -> Plan | None:
    if value in ("", "all"):
        return None
    if value not in list(Plan):
        raise BadQuery(_("There is no outcome “%(value)s”.", value=value[:40]))
    return Plan(value)


def page_number(value: str) -> int:
    """A page number in the URL; BadQuery for what is none."""
    if value == "":
        return 1
    number = row_id(value)
    if number is None or not 1 <= number <= 100_000:
        raise BadQuery(_("“%(raw)s” is not a page number.", raw=value[:40]))
    return number


def _headline(operation: Operation, writes: int, found: dict[Plan, int], ran: bool) -> str:
    total = format_decimal(operation.total)
    if ran:
        done = found[Plan.CREATE] + found[Plan.UPDATE] + found[Plan.MERGE]
        return _("%(n)s of %(total)s rows imported", n=format_decimal(done), total=total)
    return _("%(n)s of %(total)s rows will be imported", n=format_decimal(writes), total=total)


def _intro(operation: Operation, ran: bool) -> str:
    if ran:
        return _("What became of each row.")
    at = format_datetime(operation.prepared_at, "d MMM y HH:mm")
    return _("Nothing is written yet. Computed on %(at)s.", at=at)


def _footnote(errors: int) -> str:
    if not errors:
        return ""
    return ngettext(
        "%(num)s row with errors is left out; download it to correct it.",
        "%(num)s rows with errors are left out; download them to correct them.",
        errors,
    )


def _usage(operation: Operation) -> Usage | None:
    room = next(iter(flow.rooms(operation, actor())), None)
    if room is None:
        return None
    percent = round(100 * room.used / max(1, room.limit))
    tone = "bad" if room.full else "warn" if percent >= 80 else "ok"
    return Usage(room.label, percent, format_decimal(room.used), format_decimal(room.limit), tone)


def tiles(operation: Operation, found: dict[Plan, int], active: Plan | None = None, ran: bool = False) -> list[Tile]:
    """All rows, then each outcome."""
    url = f"{base_url(operation)}/plan"
    hints = {
        Plan.CREATE: _("new"),
        Plan.UPDATE: _("exist already"),
        Plan.MERGE: _("go into another row"),
        Plan.DUPLICATE: _("nothing changes"),
        Plan.SKIP: _("left alone"),
        Plan.ERROR: _("not imported"),
    }
    every = Tile(
        _("All"), format_decimal(operation.total), _("rows"), "list-check", "", url, active is None and not ran
    )
    return [
        every,
        *(
            Tile(
                str(p.label),
                format_decimal(found[p]),
                hints[p],
                ICONS[p],
                _tone(p),
                f"{url}?show={p.value}",
                p is active,
            )
            for p in Plan
        ),
    ]


def _tone(plan: Plan) -> str:
    return "" if plan.tone == "neutral" else plan.tone


def downloads(operation: Operation, found: dict[Plan, int]) -> list[Link]:
    """The refused rows as a file."""
    if not found[Plan.ERROR]:
        return []
    label = ngettext("%(num)s error row", "%(num)s error rows", found[Plan.ERROR])
    return [Link(label, f"{base_url(operation)}/errors.csv", "download")]


def _nothing(plan: Plan | None, search: str) -> Empty:
    if search:
        return Empty(_("No row matches"), _("Change or clear the search to see more."))
    return Empty(_("No such row"), _("No row of the file ends like this."))


def _pager(url: str, plan: Plan | None, search: str, number: int, shown: int, total: int) -> Pager:
    def to(page: int) -> str:
        pairs = [("show", plan.value if plan else ""), ("q", search), ("page", str(page) if page > 1 else "")]
        return f"{url}?{urlencode([pair for pair in pairs if pair[1]])}"

    first = (number - 1) * SIZE + 1 if shown else 0
    last = first + shown - 1 if shown else 0
    return Pager(
        first, last, number, SIZE, to(number - 1) if number > 1 else "", to(number + 1) if last < total else ""
    )


class _Rows:
    """Rows of one page, with the names of what they refer to looked up at once."""

    def __init__(self, operation: Operation, items: Sequence[Any]) -> None:
        self.operation, self.items = operation, items
        self.resource: Resource = registry.get(operation.resource)
        self.rules = flow.rules_of(operation)
        self.columns = report.Columns(operation)
        self.fields = {field.key: field for field in fields_of(self.resource).values()}
        self.clients = self._names("client", {item.client_id for item in items if item.client_id})
        self.found = self._stored({item.row_id or item.target_id for item in items if item.row_id or item.target_id})

    def build(self) -> list[PlanRow]:
        """The rows."""
        self._related: dict[tuple[str, Any], str] = self._related_names()
        return [self._row(item) for item in self.items]

    def _row(self, item: Any) -> PlanRow:
        pk = item.row_id or item.target_id
        known = self.found.get(pk)
        failed = item.state == ItemState.FAILED
        plan = Plan.ERROR if failed else item.plan
        return PlanRow(
            number=item.position,
            outcome=Cell("badge", str(plan.label), plan.value, tone=plan.tone, icon=ICONS[plan]),
            title=item.title or _("Row %(n)s", n=item.position),
            subtitle=self._key(item),
            note=_("Stored as %(title)s", title=known) if known else "",
            url=f"{self.resource.url}/{pk}" if known else "",
            client=self.clients.get(item.client_id, ""),
            text=self._text(item, failed),
            changes=[] if failed else self._changes(item.payload.get("changes", {})),
            errors=self._errors(item) if failed else [],
            decision=self._decision(plan),
        )

    def _key(self, item: Any) -> str:
        text = report.key_text(self.rules, self.resource.name, item.payload.get("values", {}))
        return "" if text == item.title else text

    def _text(self, item: Any, failed: bool) -> str:
        if failed:
            return ""
        if item.plan == Plan.CREATE:
            return ngettext("%(num)s field", "%(num)s fields", len(item.payload["values"]))
        if item.plan == Plan.MERGE:
            return _("Goes into row %(row)s", row=item.payload["into"])
        kept = [str(self.fields[name].label) for name in item.payload.get("kept", {}) if name in self.fields]
        parts = [item.reason or "", _("Kept: %(fields)s.", fields=", ".join(kept)) if kept else ""]
        return " ".join(part for part in parts if part)

    def _errors(self, item: Any) -> list[str]:
        if item.plan == Plan.ERROR:
            return [self.columns.sentence(error) for error in item.payload["errors"]]
        return [item.reason or ""]

    def _decision(self, plan: Plan) -> str:
        if plan == Plan.UPDATE:
            return _("Fill empty") if self.rules.existing == mapping.FILL else _("Take from file")
        if plan == Plan.MERGE:
            return _("Last row wins") if self.rules.twins == mapping.LAST else _("First row wins")
        return {Plan.CREATE: _("Create"), Plan.DUPLICATE: _("Leave out"), Plan.SKIP: _("Leave alone")}.get(plan, "")

    def _changes(self, pairs: dict[str, list[Any]]) -> list[Change]:
        return [
            Change(str(field.label), self._words(field, pairs[name][0]), self._words(field, pairs[name][1]))
            for name, field in self.fields.items()
            if name in pairs
        ]

    def _words(self, field: Field, stored: Any) -> str:
        if stored is None or stored == "":
            return ""
        if field.target is not None:
            return self._related.get((field.name, stored), str(stored))
        return words(field, value_of(self.resource.model, field.key, stored))

    def _related_names(self) -> dict[tuple[str, Any], str]:
        wanted: dict[str, set[int]] = {}
        for item in self.items:
            for name, pair in item.payload.get("changes", {}).items():
                field = self.fields.get(name)
                if field is not None and field.target is not None:
                    wanted.setdefault(field.name, set()).update(v for v in pair if v is not None)
        return {(name, pk): title for name, ids in wanted.items() for pk, title in self._names(name, ids).items()}

    def _names(self, relation: str, ids: set[Any]) -> dict[int, str]:
        if not ids:
            return {}
        target: Any = field_of(self.resource.model, relation).target
        query = [db.session.scalars(sa.select(target).where(target.id.in_(some))) for some in slices(ids)]
        return {row.id: row_title(row) for rows in query for row in rows}

    def _stored(self, ids: set[Any]) -> dict[int, str]:
        model: Any = self.resource.model
        title = getattr(model, self.resource.title)
        if not ids or not actor().can("see", self.resource.name):
            return {}
        found = [db.session.execute(sa.select(model.id, title).where(model.id.in_(some))) for some in slices(ids)]
        return {pk: str(name) for rows in found for pk, name in rows}
