"""Reading and writing many rows of one entity by a few statements each. Reads are scoped like every query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.core import audit, events
from app.core.audit import BOOKKEEPING, REDACTED, plain
from app.core.clock import utcnow
from app.core.db import db
from app.core.security.principal import Principal
from app.kit.importing.relations import slices
from app.kit.resource import Resource

Row = dict[str, Any]


@cache
def attributes(model: Any) -> tuple[str, ...]:
    """The attributes that are columns."""
    return tuple(sa.inspect(model).column_attrs.keys())


def _select(model: Any) -> Any:
    return sa.select(*(getattr(model, name) for name in attributes(model)))


def rows_by_id(model: type[Any], ids: Iterable[int], *, lock: bool = False) -> dict[int, Row]:
    """Live rows inside the scope, each as {attribute: value}; with `lock` nobody else changes them until the commit."""
    found: dict[int, Row] = {}
    for some in slices(set(ids)):
        query = _select(model).where(model.id.in_(some)).order_by(model.id)
        for row in db.session.execute(query.with_for_update() if lock else query):
            found[row.id] = dict(row._mapping)
    return found


Place = tuple[int | None, Any]


def rows_by_key(model: type[Any], attribute: str, wanted: Mapping[int | None, set[Any]]) -> dict[Place, list[Row]]:
    """Live rows whose `attribute` is among the values wanted for their client ({client id or None: values}), by both."""
    found: dict[Place, list[Row]] = {}
    scoped = None not in wanted
    for values in slices(set().union(*wanted.values())):
        query = _select(model).where(getattr(model, attribute).in_(values)).order_by(model.id)
        for clients in slices(wanted) if scoped else [[]]:
            for row in db.session.execute(query.where(model.client_id.in_(clients)) if scoped else query):
                place = (row.client_id if scoped else None, getattr(row, attribute))
                found.setdefault(place, []).append(dict(row._mapping))
    return found


def reachable(model: type[Any], ids: Iterable[int]) -> set[int]:
    """Those of the ids that are live rows inside the scope."""
    return {pk for some in slices(set(ids)) for pk in db.session.scalars(sa.select(model.id).where(model.id.in_(some)))}


def insert(resource: Resource, rows: Sequence[Row], actor: Principal) -> list[int]:
    """Insert whole rows; their ids in the same order. Audited, and told by `events.rows_created`."""
    model: Any = resource.model
    filled = [_filled(model, row, actor) for row in rows]
    ids: list[int] = [0] * len(rows)
    for places in _alike(filled).values():
        for place, pk in zip(places, _inserted(model.__table__, [filled[i] for i in places]), strict=True):
            ids[place] = pk
    stored = [{**row, "id": pk} for row, pk in zip(filled, ids, strict=True)]
    audit.record(_created(resource, row) for row in stored)
    events.rows_created.send(model, rows=stored)
    return ids


def _inserted(table: Any, rows: list[Row]) -> list[int]:
    """Insert rows of the same columns; their ids in order.

    SQLite returns no ids in order but one by one. There the transaction is the only writer, so it can give them itself.
    """
    if db.session.connection().dialect.name == "sqlite":
        first = (db.session.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1
        ids = list(range(first, first + len(rows)))
        db.session.execute(sa.insert(table), [{**row, "id": pk} for row, pk in zip(rows, ids, strict=True)])
        return ids
    statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(db.session.scalars(statement, rows))


def _alike(rows: Sequence[Row]) -> dict[tuple[str, ...], list[int]]:
    """{columns: places of the rows that give them}, so that one statement serves many rows."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(tuple(sorted(row)), []).append(place)
    return groups


def _filled(model: Any, row: Row, actor: Principal) -> Row:
    """The row with plain defaults; columns whose default is computed are left to the database layer."""
    now = utcnow()
    own = {
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "created_by_id": actor.user_id,
        "updated_by_id": actor.user_id,
    }
    return {**defaults(model), **row, **{name: value for name, value in own.items() if name in attributes(model)}}


@cache
def defaults(model: Any) -> Row:
    """What a new row holds where nobody says otherwise; columns with a computed default are not among them."""
    found: Row = {}
    for column in model.__table__.columns:  # type: ignore[attr-defined]
        if column.primary_key or (column.default is not None and not column.default.is_scalar):
            continue
        if column.default is not None or column.nullable:
            found[column.key] = column.default.arg if column.default is not None else None
    return found


def update(resource: Resource, changes: Sequence[tuple[Row, Row]], actor: Principal) -> None:
    """Change rows: (row as stored and locked, {attribute: new value}) each. Audited."""
    table = resource.model.__table__  # type: ignore[attr-defined]
    stamp = {"updated_at": utcnow(), "updated_by_id": actor.user_id}
    groups: dict[tuple[str, ...], list[Row]] = {}
    for stored, new in changes:
        groups.setdefault(tuple(sorted(new)), []).append(
            {"row": stored["id"]} | {f"new_{k}": v for k, v in new.items()}
        )
    for names, parameters in groups.items():
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        values |= {"version": table.c.version + 1, **stamp}
        db.session.connection().execute(
            sa.update(table).where(table.c.id == sa.bindparam("row")).values(values), parameters
        )
    audit.record(_updated(resource, stored, new) for stored, new in changes)


def difference(before: Row, after: Row) -> Row:
    """{attribute: new value} where two rows differ, bookkeeping left out."""
    return {name: value for name, value in after.items() if name not in BOOKKEEPING and before.get(name) != value}


def _client_of(resource: Resource, row: Row) -> Any:
    return row["id"] if resource.model.__tablename__ == "client" else row.get("client_id")  # type: ignore[attr-defined]


def _pairs(model: Any, before: Row, after: Row) -> dict[str, list[Any]]:
    hidden = model.__audit_redact__
    pairs = {name: [plain(before.get(name)), plain(value)] for name, value in difference(before, after).items()}
    return {
        name: [REDACTED, REDACTED] if name in hidden else pair for name, pair in pairs.items() if pair[0] != pair[1]
    }


def _created(resource: Resource, row: Row) -> dict[str, Any]:
    changes = _pairs(resource.model, {}, {name: value for name, value in row.items() if value is not None})
    return _entry("create", resource, row, changes)


def _updated(resource: Resource, stored: Row, new: Row) -> dict[str, Any]:
    return _entry("update", resource, {**stored, **new}, _pairs(resource.model, stored, new))


def _entry(action: str, resource: Resource, row: Row, changes: dict[str, list[Any]]) -> dict[str, Any]:
    name, title = resource.model.__tablename__, str(row.get(resource.title) or "")  # type: ignore[attr-defined]
    return audit.entry(action, name, row["id"], client_id=_client_of(resource, row), title=title, changes=changes)
