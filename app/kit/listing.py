"""From a request to one page of rows: strict reading, ids first and rows after, a capped count (performance.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from app.core.db import db
from app.core.errors import BadQuery
from app.core.text import row_id
from app.kit import filters
from app.kit.fields import Field, field_of
from app.kit.resource import Resource

SIZES = (25, 50, 100)
MAX_SIZE = 100
COUNT_CAP = 10_000
MAX_PAGE = 1_000_000
OWN_ARGS = ("f", "filter", "q", "sort", "page", "size", "exact")


@dataclass(frozen=True)
class ListRequest:
    """What a list was asked for. `terms` are the raw `f=` terms, kept so that a wrong one is shown, not lost."""

    terms: tuple[str, ...] = ()
    json: str = ""
    q: str = ""
    sort: str = ""
    page: int = 1
    size: int = 50
    exact: bool = False
    extra: tuple[tuple[str, str], ...] = ()  # other arguments of the page, carried along

    def url(self, base: str, **change: Any) -> str:
        """The list's URL with some arguments changed; page 1 and defaults are left out."""
        now = replace(self, **change)
        pairs: list[tuple[str, Any]] = [("f", term) for term in now.terms]
        pairs += [("filter", now.json), ("q", now.q), ("sort", now.sort)]
        pairs += [("page", now.page if now.page > 1 else ""), ("size", now.size if now.size != 50 else "")]
        pairs += [("exact", "1" if now.exact else ""), *now.extra]
        query = urlencode([(key, value) for key, value in pairs if value != ""], safe=":,")
        return f"{base}?{query}" if query else base


def read_request(args: Mapping[str, Any], keep: Collection[str] = ()) -> ListRequest:
    """Read a URL's arguments; BadQuery for a page or size that is none."""
    terms = args.getlist("f") if hasattr(args, "getlist") else args.get("f", [])
    return ListRequest(
        terms=tuple(terms),
        json=str(args.get("filter", "")),
        q=str(args.get("q", "")).strip()[:200],
        sort=str(args.get("sort", "")),
        page=_number(args.get("page", ""), 1, MAX_PAGE, _("page")),
        size=min(_number(args.get("size", ""), 50, MAX_PAGE, _("page size")), MAX_SIZE),
        exact=args.get("exact") == "1",
        extra=tuple((key, str(args[key])) for key in keep if args.get(key)),
    )


def _number(raw: Any, default: int, most: int, what: str) -> int:
    if raw in ("", None):
        return default
    text = str(raw)
    if row_id(text) is None or not 1 <= int(text) <= most:
        raise BadQuery(_("“%(raw)s” is not a %(what)s number.", raw=text[:40], what=what))
    return int(text)


@dataclass
class ListResult:
    """One page of rows. `total` is capped at COUNT_CAP + 1 unless an exact count was asked for."""

    rows: list[Any]
    total: int
    request: ListRequest
    exact: bool = True
    errors: list[str] = field(default_factory=list)

    @property
    def last_page(self) -> int:
        return max(1, -(-self.total // self.request.size))


def allowed_filters(resource: Resource) -> set[str]:
    """The field names a user may filter this resource by."""
    return {*resource.filters, "id"}


def conditions(resource: Resource, request: ListRequest) -> filters.Group:
    """The filter of a request: its terms and its JSON together."""
    groups: list[Any] = [filters.from_url(request.terms)]
    if request.json:
        groups.append(filters.from_json(request.json))
    return filters.Group("and", tuple(groups))


def where(resource: Resource, request: ListRequest) -> Any:
    """The SQL condition of a request over `resource`; BadQuery when any part of it is not understood."""
    clause = filters.compile_filter(
        resource.model, conditions(resource, request), allowed_filters(resource), resource.labels
    )
    return sa.and_(clause, filters.search_clause(resource.model, resource.search, request.q))


def sortable(resource: Resource) -> dict[str, Field]:
    """Columns a list may be ordered by: those it shows or filters, stored in the database."""
    names = (*resource.list, *resource.more, *resource.filters, resource.sort.lstrip("-"), "id")
    names += ("created_at",) if hasattr(resource.model, "created_at") else ()
    found = {}
    for name in dict.fromkeys(names):
        f = field_of(resource.model, name, resource.labels) if "." not in name else None
        if f is not None and f.column is not None and f.kind not in ("long", "json"):
            found[name] = f
    return found


def order(resource: Resource, sort: str) -> list[Any]:
    """ORDER BY for `name` or `-name`, made total by the id; BadQuery for a column that may not be ordered by."""
    name, down = sort.lstrip("-"), sort.startswith("-")
    found = sortable(resource).get(name)
    if found is None:
        raise BadQuery(_("This list cannot be sorted by “%(name)s”.", name=name[:60]))
    column = _sort_column(found)
    ordered = column.desc().nulls_last() if down else column.asc().nulls_last()
    return [ordered, resource.model.id.desc() if down else resource.model.id.asc()]


def _sort_column(f: Field) -> Any:
    if f.kind == "person":
        target = f.target.__table__.alias()  # type: ignore[union-attr]
        return sa.select(target.c.first_name).where(target.c.id == f.column).scalar_subquery()
    if f.target is not None and hasattr(f.target, "name"):
        target = f.target.__table__.alias()  # type: ignore[attr-defined]
        return sa.select(target.c.name).where(target.c.id == f.column).scalar_subquery()
    # Where the model keeps a folded key beside a text, that sorts as people expect and is indexed.
    return getattr(f.model, f"{f.name}_key", f.column)


def eager(resource: Resource, names: Collection[str]) -> list[Any]:
    """Loader options so that the shown relations cost no query per row."""
    relations = sa.inspect(resource.model).relationships
    return [
        joinedload(getattr(resource.model, n.split(".")[0]))
        for n in dict.fromkeys(names)
        if n.split(".")[0] in relations
    ]


def count(resource: Resource, clause: Any, *, exact: bool) -> tuple[int, bool]:
    """(rows, whether that is all of them): counted up to COUNT_CAP, or to the end when `exact`."""
    model = resource.model
    if exact:
        return int(db.session.scalar(sa.select(sa.func.count(model.id)).where(clause)) or 0), True
    capped = sa.select(model.id).where(clause).limit(COUNT_CAP + 1).subquery()
    total = int(db.session.scalar(sa.select(sa.func.count()).select_from(capped)) or 0)
    return total, total <= COUNT_CAP


def fetch(resource: Resource, request: ListRequest, *, extra: Any = None) -> ListResult:
    """One page. BadQuery for anything not understood, a page behind the last included."""
    clause = where(resource, request)
    if extra is not None:
        clause = sa.and_(clause, extra)
    ordering = order(resource, request.sort or resource.sort)
    total, exact = count(resource, clause, exact=request.exact)
    start = (request.page - 1) * request.size
    if start and start >= total and exact:
        last = max(1, -(-total // request.size))
        raise BadQuery(_("There is no page %(page)s; the last one is %(last)s.", page=request.page, last=last))
    ids = list(
        db.session.scalars(
            sa.select(resource.model.id).where(clause).order_by(*ordering).offset(start).limit(request.size)
        )
    )
    return ListResult(rows_of(resource, ids), total, request, exact)


def rows_of(resource: Resource, ids: list[int]) -> list[Any]:
    """Rows by id, in that order, with what a list shows of their relations."""
    if not ids:
        return []
    shown = (*resource.list, *resource.more)
    query = sa.select(resource.model).where(resource.model.id.in_(ids)).options(*eager(resource, shown))
    found = {row.id: row for row in db.session.scalars(query).unique()}
    return [found[i] for i in ids if i in found]
