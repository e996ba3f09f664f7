"""Notes for the counters: what each flush, and each deletion or restoring of many rows, changes.

Also keeps an enrolment's way back: when one of its two parents returns while the other is deleted, the enrolment joins
the other's deletion, so that it comes back with that one.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from app.core import events
from app.core.db import db
from app.features.campaigns import counters
from app.features.campaigns.enums import CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment
from app.features.contacts.models import Contact

_TRACKED: dict[type[Any], tuple[str, ...]] = {
    Contact: ("client_id", "deleted_at", "first_action_at"),
    Enrolment: ("campaign_id", "deleted_at", "contacted_at"),
    Campaign: ("client_id", "deleted_at", "status"),
}


def _values(obj: Any, model: type[Any], side: str) -> list[Any] | None:
    """The tracked values before or after this flush; None where there is no live row."""
    state = sa.inspect(obj)
    found = []
    for name in _TRACKED[model]:
        history = state.attrs[name].history
        changed = history.added if side == "after" else history.deleted
        kept = changed or history.unchanged
        found.append(kept[0] if kept else None)
    return found if found[1] is None else None


def _note(obj: Any, model: type[Any], *, new: bool, session: Session) -> None:
    before = None if new else _values(obj, model, "before")
    after = _values(obj, model, "after")
    if before != after:
        _WRITERS[model](counters.notes(session), obj, before, after)


def _note_contact(notes: counters.Notes, _obj: Any, before: list[Any] | None, after: list[Any] | None) -> None:
    for values, sign in ((before, -1), (after, 1)):
        if values:
            notes.client(values[0], sign, sign * (values[2] is not None))


def _note_enrolment(notes: counters.Notes, _obj: Any, before: list[Any] | None, after: list[Any] | None) -> None:
    for values, sign in ((before, -1), (after, 1)):
        if values:
            note = notes.campaign(values[0])
            note.enrolled += sign
            note.untouched += sign * (values[2] is None)


def _note_campaign(notes: counters.Notes, obj: Any, before: list[Any] | None, after: list[Any] | None) -> None:
    if before and after and before[0] != after[0]:
        raise RuntimeError("a campaign stays with its client")
    notes.campaign(obj.id).running = bool(after) and after[2] == CampaignStatus.RUNNING  # type: ignore[index]


_WRITERS = {Contact: _note_contact, Enrolment: _note_enrolment, Campaign: _note_campaign}


def _after_flush(session: Session, _context: Any) -> None:
    for objects, new in ((session.new, True), (session.dirty, False)):
        for obj in objects:
            model = type(obj)
            if model in _TRACKED:
                _note(obj, model, new=new, session=session)
                _hand_over_when_back(session, obj, model)
            elif new and model.__name__ == "Client":
                counters.notes(session).client(obj.id)


def _hand_over_when_back(session: Session, obj: Any, model: type[Any]) -> None:
    history = sa.inspect(obj).attrs.deletion_id.history
    if model is not Enrolment and history.deleted and history.deleted[0] and obj.deleted_at is None:
        _hand_over(session, history.deleted[0])


def _hand_over(session: Session, deletion_id: str) -> None:
    """Enrolments of this deletion whose other parent is in another one join that one."""
    own = Enrolment.__table__
    for parent, key in ((Campaign.__table__, own.c.campaign_id), (Contact.__table__, own.c.contact_id)):
        gone = sa.and_(parent.c.id == key, parent.c.deleted_at.is_not(None), parent.c.deletion_id != deletion_id)
        statement = (
            sa.update(own)
            .where(own.c.deletion_id == deletion_id, own.c.deleted_at.is_not(None), sa.exists().where(gone))
            .values(deletion_id=sa.select(parent.c.deletion_id).where(parent.c.id == key).scalar_subquery())
        )
        session.execute(statement)


def _no_live_row_is_erased(session: Session, _context: Any, _instances: Any) -> None:
    for obj in session.deleted:
        if type(obj) in _TRACKED and obj.deleted_at is None:
            raise RuntimeError(f"delete {type(obj).__name__} softly before erasing it, so that the counters know")


def _no_silent_bulk_write(state: ORMExecuteState) -> None:
    """An ORM statement over many rows would pass the counters by. Deletions tell by their signals."""
    if not (state.is_update or state.is_insert or state.is_delete) or state.bind_mapper is None:
        return
    model = state.bind_mapper.class_
    if model in _TRACKED and (not state.is_update or _touches(state, _TRACKED[model])):
        raise RuntimeError(f"write {model.__name__} with Core and tell app.features.campaigns.counters what changed")


def _touches(state: ORMExecuteState, names: tuple[str, ...]) -> bool:
    written = {getattr(column, "key", column) for column in state.statement._values or ()}  # type: ignore[attr-defined]
    for row in state.parameters if isinstance(state.parameters, list) else [state.parameters or {}]:
        written |= set(row)
    return bool(written & (set(names) - {"deleted_at"}))


def _many(sender: type[Any], deletion_id: str, sign: int) -> None:
    """Note rows of one deletion, all of them just deleted (sign -1) or just back (sign 1)."""
    table = sender.__table__  # type: ignore[attr-defined]
    gone = table.c.deleted_at.is_not(None) if sign < 0 else table.c.deleted_at.is_(None)
    rows = sa.and_(table.c.deletion_id == deletion_id, gone)
    if sender is Campaign:
        found = db.session.execute(sa.select(table.c.id, table.c.status).where(rows))
        counters.campaigns_changed({row.id: sign > 0 and row.status == CampaignStatus.RUNNING for row in found})
        return
    key, mark = (table.c.client_id, table.c.first_action_at) if sender is Contact else (table.c.campaign_id, None)
    part = sa.func.count(mark) if mark is not None else sa.func.count() - sa.func.count(table.c.contacted_at)
    found = db.session.execute(sa.select(key, sa.func.count(), part).where(rows).group_by(key))
    changes = {row[0]: (sign * row[1], sign * row[2]) for row in found}
    (counters.contacts_changed if sender is Contact else counters.enrolments_changed)(changes)


def _rows_deleted(sender: type[Any], deletion_id: str, **_more: Any) -> None:
    if sender in _TRACKED:
        _many(sender, deletion_id, -1)


def _rows_restoring(sender: type[Any], deletion_id: str, **_more: Any) -> None:
    if sender in (Contact, Campaign):
        _hand_over(db.session(), deletion_id)
    if sender in _TRACKED:
        _many(sender, deletion_id, 1)


def _rows_created(sender: type[Any], rows: list[dict[str, Any]], **_more: Any) -> None:
    """Contacts that Core inserted count like those the session inserts; other tracked rows are never made that way."""
    if sender is Contact:
        for row in rows:
            counters.notes().client(row["client_id"], 1, int(row["first_action_at"] is not None))
    elif sender in _TRACKED:
        raise RuntimeError(f"{sender.__name__} rows made by Core are not counted")


def _keep(_obj: Any, _value: Any, _old: Any, _initiator: Any) -> None:
    """Only there so that the value before a change is loaded, whatever the state of the row."""


def install() -> None:
    """Attach the listeners, once."""
    if event.contains(db.session, "after_flush", _after_flush):
        return
    for model, names in _TRACKED.items():
        for name in (*names, "deletion_id"):
            event.listen(getattr(model, name), "set", _keep, active_history=True)
    event.listen(db.session, "before_flush", _no_live_row_is_erased)
    event.listen(db.session, "do_orm_execute", _no_silent_bulk_write)
    event.listen(db.session, "after_flush", _after_flush)
    events.rows_deleted.connect(_rows_deleted)
    events.rows_restoring.connect(_rows_restoring)
    events.rows_created.connect(_rows_created)
    counters.install()  # after ours: it applies what this flush noted
