"""Made-up clients, contacts, campaigns and enrolments in any number, the same for the same seed.

Rows are written past the ORM: a driver's executemany on SQLite, COPY on PostgreSQL; the counters are rebuilt after it.
Addresses end in .example (RFC 2606), phone numbers are from ranges kept for fiction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import sqlalchemy as sa

from app.core import audit
from app.core.db import db
from app.core.naming import name_key
from app.features.campaigns.enums import CampaignStatus, EnrolmentState, StepKind
from app.features.campaigns.models import Campaign, CampaignStep, Enrolment
from app.features.campaigns.recount import rebuild
from app.features.clients.demo_words import CAMPAIGNS, CITIES, COMPANY, FIRST, LAST, TITLES, TRADE
from app.features.clients.enums import AccessLevel, ClientKind, ClientState
from app.features.clients.models import Client, ClientAccess
from app.features.contacts.enums import ContactStatus, Interest
from app.features.contacts.models import Contact

_DONE = (0.0, 0.35, 0.6, 0.84, 0.86, 0.95, 1.0)  # shares of a campaign that were contacted: every bar colour occurs
_STATUSES = (
    *[CampaignStatus.RUNNING] * 5, CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.STOPPED, CampaignStatus.COMPLETED,
)  # fmt: skip
EPOCH = datetime(2025, 1, 6, 9, tzinfo=UTC)
BATCH = 10_000
CAMPAIGNS_PER_CLIENT = 3


@dataclass
class Run:
    """One campaign over a stretch of its client's contacts: `size` of them from `start`, the first `done` contacted."""

    campaign_id: int
    status: CampaignStatus
    start: int
    size: int
    done: int


@dataclass
class Plan:
    """One client: its contacts are `people` ids from `first_contact`."""

    client_id: int
    first_contact: int
    people: int
    runs: list[Run]


def chance(seed: int) -> Random:
    """The same numbers for the same seed."""
    return Random(seed)


def company_name(rng: Random, number: int) -> str:
    """A company's name; `number` keeps it unique."""
    return f"{rng.choice(COMPANY)} {rng.choice(TRADE)} {number}"


def person_values(rng: Random, number: int) -> dict[str, Any]:
    """A contact's values; `number` keeps the address unique."""
    first, last, (city, country) = rng.choice(FIRST), rng.choice(LAST), rng.choice(CITIES)
    company = f"{rng.choice(COMPANY)} {rng.choice(TRADE)}"
    address = f"{_ascii(first)}.{_ascii(last)}{number}@{_ascii(company)}.example"
    phone = f"020 7946 {rng.randrange(1000):04d}" if country == "GB" else ""
    return {
        "first_name": first, "last_name": last, "name": f"{first} {last}", "company": company, "job_title": rng.choice(TITLES),
        "email": address, "email_key": address, "phone": phone or None, "city": city, "country": country,
        "phone_e164": f"+44{phone.replace(' ', '')[1:]}" if phone else None,
    }  # fmt: skip


@cache
def _ascii(text: str) -> str:
    plain = text.translate(str.maketrans("éíëüöäß’", "eieuoas-"))
    return "".join(c for c in plain.lower() if c.isascii() and c.isalnum())


def generate(*, clients: int, contacts: int, enrolments: int, seed: int, owner_id: int | None = None) -> dict[str, int]:
    """Write the rows in the current transaction and rebuild the counters. No commit. Returns what was made.

    Raises ValueError for more enrolments than contacts times campaigns can hold.
    """
    rng = chance(seed)
    _hold()
    plans = _plan(rng, clients, contacts, enrolments)
    _load(Client, _client_rows(rng, plans, owner_id))
    if owner_id:
        _load(ClientAccess, (_base() | _grant(plan, owner_id) for plan in plans))
    _load(Campaign, _campaign_rows(rng, plans))
    _load(CampaignStep, _step_rows(plans))
    _load(Contact, _contact_rows(rng, plans))
    _load(Enrolment, _enrolment_rows(plans))
    _set_sequences()
    rebuild()
    sizes = {
        "clients": clients,
        "campaigns": sum(len(p.runs) for p in plans),
        "contacts": contacts,
        "enrolments": enrolments,
    }
    audit.record([audit.entry("create", "demo", 0, title=f"{clients} demo clients", changes={"seed": [None, seed]})])
    return sizes


def _plan(rng: Random, clients: int, contacts: int, enrolments: int) -> list[Plan]:
    people = _share(contacts, [rng.paretovariate(1.2) for _ in range(clients)])
    room = [CAMPAIGNS_PER_CLIENT * n for n in people]
    if enrolments > sum(room):
        raise ValueError(
            f"{contacts} contacts in {CAMPAIGNS_PER_CLIENT} campaigns each hold at most {sum(room)} enrolments"
        )
    wanted = _fill(enrolments, room)
    ids = {model: _next_id(model) for model in (Client, Contact, Campaign)}
    plans, contact, campaign = [], ids[Contact], ids[Campaign]
    for index, (n, total) in enumerate(zip(people, wanted, strict=True)):
        runs = [_run(rng, campaign + k, n, size) for k, size in enumerate(_fill(total, [n] * CAMPAIGNS_PER_CLIENT))]
        plans.append(Plan(ids[Client] + index, contact, n, runs))
        contact, campaign = contact + n, campaign + CAMPAIGNS_PER_CLIENT
    return plans


def _run(rng: Random, campaign_id: int, people: int, size: int) -> Run:
    status = rng.choice(_STATUSES)
    done = 0 if status is CampaignStatus.DRAFT else int(size * rng.choice(_DONE))
    return Run(campaign_id, status, rng.randrange(people) if people else 0, size, done)


def _share(total: int, weights: list[float]) -> list[int]:
    """Split `total` by weight into whole numbers that add up to it."""
    whole = sum(weights) or 1.0
    parts = [int(total * w / whole) for w in weights]
    for index in range(total - sum(parts)):
        parts[index % len(parts)] += 1
    return parts


def _fill(total: int, room: list[int]) -> list[int]:
    """Split `total` in proportion to `room`, nowhere more than there is."""
    parts = [total * r // max(1, sum(room)) for r in room]
    left = total - sum(parts)
    for index, most in enumerate(room):
        more = min(left, most - parts[index])
        parts[index], left = parts[index] + more, left - more
    return parts


def _base(at: datetime = EPOCH) -> dict[str, Any]:
    return {"created_at": at, "updated_at": at, "version": 1}


def _grant(plan: Plan, owner_id: int) -> dict[str, Any]:
    return {"client_id": plan.client_id, "user_id": owner_id, "level": AccessLevel.OWNER.value}


def _client_rows(rng: Random, plans: list[Plan], owner_id: int | None) -> Iterator[dict[str, Any]]:
    for plan in plans:
        name = company_name(rng, plan.client_id)
        yield _base(EPOCH + timedelta(days=rng.randrange(600))) | {
            "id": plan.client_id, "name": name, "name_key": name_key(name), "kind": ClientKind.COMPANY.value,
            "owner_id": owner_id, "active": True, "state": ClientState.OPEN.value,
            "time_zone": "Europe/London", "currency": "GBP", "language": "en",
            "country": "GB", "sample": False,
        }  # fmt: skip


def _campaign_rows(rng: Random, plans: list[Plan]) -> Iterator[dict[str, Any]]:
    for plan in plans:
        for run, title in zip(plan.runs, rng.sample(CAMPAIGNS, len(plan.runs)), strict=True):
            started = None if run.status is CampaignStatus.DRAFT else EPOCH + timedelta(days=rng.randrange(600))
            yield _base() | {
                "id": run.campaign_id, "client_id": plan.client_id, "name": title, "name_key": name_key(title),
                "status": run.status.value, "started_at": started,
            }  # fmt: skip


def _step_rows(plans: list[Plan]) -> Iterator[dict[str, Any]]:
    for plan in plans:
        for run in plan.runs:
            yield _base() | {
                "client_id": plan.client_id, "campaign_id": run.campaign_id, "position": 1, "kind": StepKind.EMAIL.value,
                "subject": "A short question", "delay_hours": 0,
            }  # fmt: skip


def _contact_rows(rng: Random, plans: list[Plan]) -> Iterator[dict[str, Any]]:
    fixed = _base() | {"status": ContactStatus.NEW.value, "interest": Interest.UNKNOWN.value, "source": "demo"}
    fixed |= dict.fromkeys(("is_new", "archived", "no_email", "no_phone", "no_linkedin"), False)
    for plan in plans:
        touched = bytearray(plan.people)
        for run in plan.runs:
            for step in range(run.done):
                touched[(run.start + step) % plan.people] = 1
        for index in range(plan.people):
            at = EPOCH if touched[index] else None
            number = plan.first_contact + index
            own = {"id": number, "client_id": plan.client_id, "first_action_at": at, "last_activity_at": at}
            yield fixed | own | person_values(rng, number)


def _enrolment_rows(plans: list[Plan]) -> Iterator[dict[str, Any]]:
    fixed = _base() | {"state": EnrolmentState.ACTIVE.value}
    for plan in plans:
        for run in plan.runs:
            own = fixed | {"client_id": plan.client_id, "campaign_id": run.campaign_id}
            for step in range(run.size):
                contact = plan.first_contact + (run.start + step) % plan.people
                done = step < run.done
                yield own | {"contact_id": contact, "contacted_at": EPOCH if done else None, "position": int(done)}


def _hold() -> None:
    """Nobody else may take the ids we number; SQLite has one writer anyway."""
    if _postgres():
        names = ", ".join(m.__tablename__ for m in (Client, Campaign, Contact))
        db.session.execute(sa.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _postgres() -> bool:
    return db.session.connection().dialect.name == "postgresql"


def _next_id(model: type[Any]) -> int:
    return (db.session.execute(sa.select(sa.func.max(model.__table__.c.id))).scalar() or 0) + 1


def _set_sequences() -> None:
    for model in (Client, Contact, Campaign) if _postgres() else ():
        table = model.__tablename__
        query = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
        db.session.execute(sa.text(query))


def _load(model: type[Any], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows, all with the same keys, in batches."""
    listed = iter(rows)
    first = next(listed, None)
    if first is None:
        return
    names = tuple(first)
    copy = _copy if _postgres() else _insert_many
    batch = [tuple(first.values())]
    for row in listed:
        batch.append(tuple(row[name] for name in names))
        if len(batch) == BATCH:
            copy(model.__tablename__, names, batch)
            batch = []
    if batch:
        copy(model.__tablename__, names, batch)


def _insert_many(table: str, names: tuple[str, ...], batch: list[tuple[Any, ...]]) -> None:
    """SQLite stores moments as SQLAlchemy writes them: without zone, with six decimals."""
    moments = [i for i, value in enumerate(names) if value.endswith("_at")]
    plain = [_as_text(row, moments) for row in batch]
    marks = ", ".join("?" for _ in names)
    db.session.connection().exec_driver_sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", plain)  # noqa: S608


def _as_text(row: tuple[Any, ...], moments: list[int]) -> tuple[Any, ...]:
    values = list(row)
    for index in moments:
        if values[index] is not None:
            values[index] = _moment(values[index])
    return tuple(values)


@cache
def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f")


def _copy(table: str, names: tuple[str, ...], batch: list[tuple[Any, ...]]) -> None:
    cursor = db.session.connection().connection.cursor()
    with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as target:
        for row in batch:
            target.write_row(row)


def analyse() -> None:
    """Let the database look at its new sizes, so that it chooses its ways by them."""
    db.session.execute(sa.text("ANALYZE"))
    db.session.commit()
