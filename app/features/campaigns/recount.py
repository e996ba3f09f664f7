"""The counters counted anew from the rows, to prove them and to rebuild them after bulk generation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from app.core.db import db
from app.features.campaigns import counters
from app.features.campaigns.enums import CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment, campaign_counter, client_counter
from app.features.contacts.models import Contact


@dataclass(frozen=True)
class Difference:
    """A counter that is wrong: `found` is stored (None: no row), `expected` is what the rows say."""

    table: str
    id: int
    column: str
    expected: int
    found: int | None


def _expected_campaigns() -> Any:
    c, e = Campaign.__table__.c, Enrolment.__table__.c
    sums = (
        sa.select(e.campaign_id, sa.func.count().label("n"), sa.func.count(e.contacted_at).label("touched"))
        .where(e.deleted_at.is_(None))
        .group_by(e.campaign_id)
        .subquery()
    )
    n = sa.func.coalesce(sums.c.n, 0)
    running = sa.and_(c.status == CampaignStatus.RUNNING, c.deleted_at.is_(None))
    return (
        sa.select(
            c.id.label("campaign_id"),
            c.client_id,
            sa.case((running, sa.true()), else_=sa.false()).label("running"),
            n.label("enrolled"),
            (n - sa.func.coalesce(sums.c.touched, 0)).label("untouched"),
        )
        .select_from(Campaign.__table__.outerjoin(sums, sums.c.campaign_id == c.id))
        .subquery()
    )


def _expected_clients() -> Any:
    client, contact, campaigns = (
        Campaign.__table__.metadata.tables["client"],
        Contact.__table__.c,
        _expected_campaigns(),
    )
    people = (
        sa.select(contact.client_id, sa.func.count().label("n"), sa.func.count(contact.first_action_at).label("c"))
        .where(contact.deleted_at.is_(None))
        .group_by(contact.client_id)
        .subquery()
    )
    work = (
        sa.select(
            campaigns.c.client_id,
            sa.func.count().label("n"),
            sa.func.sum(campaigns.c.enrolled).label("e"),
            sa.func.sum(campaigns.c.untouched).label("u"),
        )
        .where(campaigns.c.running == sa.true())
        .group_by(campaigns.c.client_id)
        .subquery()
    )
    joined = client.outerjoin(people, people.c.client_id == client.c.id).outerjoin(
        work, work.c.client_id == client.c.id
    )
    parts = {
        "stored": people.c.n,
        "connected": people.c.c,
        "running_campaigns": work.c.n,
        "enrolled": work.c.e,
        "to_be_contacted": work.c.u,
    }
    return (
        sa.select(client.c.id.label("client_id"), *(sa.func.coalesce(v, 0).label(k) for k, v in parts.items()))
        .select_from(joined)
        .subquery()
    )


def _differences(table: sa.Table, key: str, expected: Any) -> list[Difference]:
    """Compared inside one statement, so that a commit in between cannot look like a difference."""
    names = [column.name for column in table.c if column.name != key]
    rows = sa.select(expected, *(table.c[name].label(f"found_{name}") for name in names)).select_from(
        expected.outerjoin(table, table.c[key] == expected.c[key])
    )
    wrong = [table.c[name].is_distinct_from(expected.c[name]) for name in names]
    found = db.session.execute(rows.where(sa.or_(*wrong)).order_by(expected.c[key])).mappings()
    listed = []
    for row in found:
        for name in names:
            wanted, have = int(row[name]), row[f"found_{name}"]
            if have is None or int(have) != wanted:
                listed.append(Difference(table.name, row[key], name, wanted, None if have is None else int(have)))
    return listed


def recount(*, check: bool) -> list[Difference]:
    """Every counter that differs from its rows; unless `check`, set right in this transaction. No commit."""
    db.session.flush()
    counters.apply_now()  # what this transaction itself has changed so far is no difference
    if not check:
        _lock()
    found = _differences(campaign_counter, "campaign_id", _expected_campaigns())
    found += _differences(client_counter, "client_id", _expected_clients())
    if found and not check:
        rebuild()
    return found


def rebuild() -> None:
    """Make both counter tables anew from the rows, in this transaction. No commit."""
    db.session.flush()
    counters.apply_now()  # noted changes are in the rows now counted, and must not be added at the commit
    _lock()
    for table in (campaign_counter, client_counter):
        db.session.execute(sa.delete(table))
    for table, expected in ((campaign_counter, _expected_campaigns()), (client_counter, _expected_clients())):
        names = [column.name for column in table.c]
        db.session.execute(sa.insert(table).from_select(names, sa.select(*(expected.c[k] for k in names))))


def _lock() -> None:
    """Hold back other transactions' counter updates; SQLite has one writer anyway."""
    if db.session.connection().dialect.name == "postgresql":
        db.session.execute(sa.text("LOCK TABLE campaign_counter, client_counter IN SHARE ROW EXCLUSIVE MODE"))


def as_rows(found: list[Difference]) -> list[dict[str, Any]]:
    """Differences as JSON values."""
    return [asdict(difference) for difference in found]
