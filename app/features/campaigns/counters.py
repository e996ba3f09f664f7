"""The overview's numbers, kept exact by the transaction that changes the rows (CLI-02 to CLI-04, performance.md).

Every write notes what it changes; the sums are applied once, just before the commit: campaigns in id order, then
clients in id order. So no two transactions wait for each other in a circle, and the row of a busy client is locked for
the length of a commit only. A rolled-back savepoint takes its notes along.

ORM writes are noted by `tracking.py`. Core writes over many rows call `contacts_changed`, `enrolments_changed` or
`campaigns_changed` with what the statement really changed (`RETURNING`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, SessionTransaction

from app.core.db import db
from app.features.campaigns.models import Campaign, campaign_counter, client_counter

_NOTES, _SAVED, _CLOSING = "counter_notes", "counter_saved", "counter_closing"


@dataclass
class CampaignNote:
    """What happened to one campaign: deltas, and the new value of `running` where it may have changed."""

    enrolled: int = 0
    untouched: int = 0
    running: bool | None = None


@dataclass
class Notes:
    """What the current transaction changes. `clients` maps an id to deltas of (stored, connected)."""

    clients: dict[int, list[int]] = field(default_factory=dict)
    campaigns: dict[int, CampaignNote] = field(default_factory=dict)

    def client(self, client_id: int, stored: int = 0, connected: int = 0) -> None:
        sums = self.clients.setdefault(client_id, [0, 0])
        sums[0] += stored
        sums[1] += connected

    def campaign(self, campaign_id: int) -> CampaignNote:
        return self.campaigns.setdefault(campaign_id, CampaignNote())


def notes(session: Session | None = None) -> Notes:
    """The notes of the current transaction."""
    found: Notes = (session or db.session()).info.setdefault(_NOTES, Notes())
    return found


def contacts_changed(changes: Mapping[int, tuple[int, int]]) -> None:
    """A Core write changed live contacts: {client id: (stored delta, connected delta)}."""
    for client_id, (stored, connected) in changes.items():
        notes().client(client_id, stored, connected)


def enrolments_changed(changes: Mapping[int, tuple[int, int]]) -> None:
    """A Core write changed live enrolments: {campaign id: (enrolled delta, untouched delta)}."""
    for campaign_id, (enrolled, untouched) in changes.items():
        note = notes().campaign(campaign_id)
        note.enrolled += enrolled
        note.untouched += untouched


def campaigns_changed(running: Mapping[int, bool]) -> None:
    """A Core write changed status or deletion of campaigns: {campaign id: live and running now}."""
    for campaign_id, value in running.items():
        notes().campaign(campaign_id).running = value


def clients_created(client_ids: Iterable[int]) -> None:
    """A Core write created clients, which begin at nought."""
    for client_id in client_ids:
        notes().client(client_id)


def apply_now(session: Session | None = None) -> None:
    """Write what is noted so far. Only for code that reads counters in the transaction that changed them."""
    session = session or db.session()
    pending: Notes | None = session.info.pop(_NOTES, None)
    if pending is None:
        return
    connection = session.connection()
    sums: dict[int, dict[str, int]] = {}
    for client_id, (stored, connected) in pending.clients.items():
        sums[client_id] = {"stored": stored, "connected": connected}
    for campaign_id in sorted(pending.campaigns):
        _apply_campaign(connection, campaign_id, pending.campaigns[campaign_id], sums)
    for client_id in sorted(sums):
        _apply_client(connection, client_id, sums[client_id])


def _apply_campaign(
    connection: Connection, campaign_id: int, note: CampaignNote, sums: dict[int, dict[str, int]]
) -> None:
    """Change one campaign's counters and add to `sums` what that means for its client."""
    row = _bump_campaign(connection, campaign_id, note)
    if row is None:
        return
    client = sums.setdefault(row.client_id, {})
    now = row.running if note.running is None else note.running
    before = (row.enrolled - note.enrolled, row.untouched - note.untouched) if row.running else (0, 0)
    after = (row.enrolled, row.untouched) if now else (0, 0)
    _add(client, "running_campaigns", int(now) - int(row.running))
    _add(client, "enrolled", after[0] - before[0])
    _add(client, "to_be_contacted", after[1] - before[1])
    if now != row.running:
        own = campaign_counter.c.campaign_id == campaign_id
        connection.execute(sa.update(campaign_counter).where(own).values(running=now))


def _add(sums: dict[str, int], key: str, delta: int) -> None:
    sums[key] = sums.get(key, 0) + delta


def _bump_campaign(connection: Connection, campaign_id: int, note: CampaignNote) -> Any:
    """The campaign's counters after the deltas, its row locked and `running` still as before; None when it is gone."""
    c = campaign_counter.c
    bump = (
        sa.update(campaign_counter)
        .where(c.campaign_id == campaign_id)
        .values(enrolled=c.enrolled + note.enrolled, untouched=c.untouched + note.untouched)
        .returning(c.client_id, c.running, c.enrolled, c.untouched)
    )
    row = connection.execute(bump).one_or_none()
    if row is None:
        _make_campaign_row(connection, campaign_id)
        row = connection.execute(bump).one_or_none()
    return row


def _make_campaign_row(connection: Connection, campaign_id: int) -> None:
    table = Campaign.__table__.c
    fresh = sa.select(table.id, table.client_id, sa.false(), sa.literal(0), sa.literal(0)).where(
        table.id == campaign_id
    )
    names = ["campaign_id", "client_id", "running", "enrolled", "untouched"]
    _insert_unless_there(connection, campaign_counter, names, fresh)


def _apply_client(connection: Connection, client_id: int, deltas: dict[str, int]) -> None:
    c = client_counter.c
    changed = {key: c[key] + delta for key, delta in deltas.items() if delta}
    if changed:
        bump = sa.update(client_counter).where(c.client_id == client_id).values(changed)
        if connection.execute(bump).rowcount:
            return
    _make_client_row(connection, client_id)
    if changed:
        connection.execute(bump)


def _make_client_row(connection: Connection, client_id: int) -> None:
    client = Campaign.__table__.metadata.tables["client"].c
    fresh = sa.select(client.id, *[sa.literal(0)] * 5).where(client.id == client_id)
    _insert_unless_there(connection, client_counter, client_counter.c.keys(), fresh)


def _insert_unless_there(connection: Connection, table: sa.Table, names: list[str], rows: Any) -> None:
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).from_select(names, rows).on_conflict_do_nothing())


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    session.info[_CLOSING] = True  # what is flushed from here on is applied at once
    apply_now(session)


def _after_flush(session: Session, _context: Any) -> None:
    if session.info.get(_CLOSING):
        apply_now(session)


def _begun(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_SAVED, []).append(deepcopy(session.info.get(_NOTES)))


def _committed(session: Session) -> None:
    if session.in_nested_transaction():
        session.info[_SAVED].pop()


def _rolled_back(session: Session, previous: SessionTransaction) -> None:
    if previous.nested and session.info.get(_SAVED):
        session.info[_NOTES] = session.info[_SAVED].pop()
        if session.info[_NOTES] is None:
            del session.info[_NOTES]


def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for key in (_NOTES, _SAVED, _CLOSING):
            session.info.pop(key, None)


def install() -> None:
    """Attach the listeners to the application's session, once."""
    if event.contains(db.session, "before_commit", _before_commit):
        return
    for name, listener in (
        ("before_commit", _before_commit),
        ("after_flush", _after_flush),
        ("after_transaction_create", _begun),
        ("after_commit", _committed),
        ("after_soft_rollback", _rolled_back),
        ("after_transaction_end", _ended),
    ):
        event.listen(db.session, name, listener)
