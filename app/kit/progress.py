"""How far an operation is, as data for `operations/_progress.html` (PLT-17, BLK-03)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from flask_babel import format_datetime, format_decimal, format_timedelta
from flask_babel import gettext as _

from app.core.clock import utcnow
from app.core.operations.handlers import known_or_gone
from app.core.operations.states import WORKABLE, State
from app.kit.pages import Cell, Link

if TYPE_CHECKING:
    from app.core.operations.models import Operation

ICONS = {
    State.RUNNING: "loader",
    State.PAUSED: "player-pause",
    State.DONE: "circle-check",
    State.FAILED: "alert-circle",
    State.CANCELLED: "circle-minus",
    State.QUEUED: "clock",
    State.PLANNED: "list-check",
}


@dataclass(frozen=True)
class Segment:
    """A piece of the bar; tone is data, ok, warn, bad or muted."""

    percent: float
    tone: str
    label: str


@dataclass(frozen=True)
class Stat:
    """A figure above the bar."""

    label: str
    value: str
    hint: str = ""


@dataclass
class Progress:
    """See the template's head comment."""

    percent: int
    done: str
    total: str
    state: Cell
    poll_url: str = ""
    segments: list[Segment] = field(default_factory=list)
    stats: list[Stat] = field(default_factory=list)
    message: str = ""
    actions: list[Link] = field(default_factory=list)


def progress(operation: Operation, poll_url: str = "") -> Progress:
    """The live head. `poll_url` is where it is fetched again while the operation may still move by itself."""
    return Progress(
        percent=percent(operation),
        done=format_decimal(operation.done),
        total=format_decimal(operation.total),
        state=state_cell(operation),
        poll_url=poll_url if operation.state in WORKABLE else "",
        segments=segments(operation),
        stats=stats(operation),
        message=message(operation),
    )


def state_cell(operation: Operation) -> Cell:
    """The state as a badge."""
    state = operation.state
    return Cell("badge", str(state.label), state.value, tone=state.tone, icon=ICONS.get(state, ""))


def percent(operation: Operation) -> int:
    """Whole percent of the rows dealt with; 100 only when none is left."""
    if operation.total == 0:
        return 100 if operation.state == State.DONE else 0
    return operation.done * 100 // operation.total


def segments(operation: Operation) -> list[Segment]:
    """Successful, failed and skipped rows as pieces of the bar."""
    pieces = [
        (operation.succeeded, "data", _("Successful")),
        (operation.failed, "bad", _("Errors")),
        (operation.skipped, "muted", _("Skipped")),
    ]
    return [Segment(100 * n / operation.total, tone, label) for n, tone, label in pieces if n and operation.total]


def rate(operation: Operation) -> float:
    """Rows a second while it worked, pauses left out; 0 when it has not."""
    return operation.worked_rows / operation.worked_seconds if operation.worked_seconds > 0 else 0.0


def seconds_left(operation: Operation) -> float | None:
    """Seconds until the last row at this rate, the waits between batches included; None when nobody can say."""
    speed = rate(operation)
    if not speed or operation.state not in WORKABLE:
        return None
    working = operation.waiting / speed
    if not operation.batch_size:
        return working
    waits = max(0, operation.waiting - (operation.batch_left or 0) + operation.batch_size - 1) // operation.batch_size
    return working + waits * (operation.batch_every or 0)


def stats(operation: Operation) -> list[Stat]:
    """Time left, rate, elapsed."""
    found, left, speed = [], seconds_left(operation), rate(operation)
    if left is not None and operation.waiting:
        ends = format_datetime(utcnow() + timedelta(seconds=left), "HH:mm")
        found.append(
            Stat(_("Time left"), format_timedelta(timedelta(seconds=max(1, left))), _("ends about %(time)s", time=ends))
        )
    if speed:
        shown = format_decimal(round(speed, 1 if speed < 10 else None))
        found.append(Stat(_("Rate"), _("%(n)s rows/s", n=shown)))
    if operation.started_at:
        spent = (operation.finished_at or utcnow()) - operation.started_at
        since = format_datetime(operation.started_at, "d MMM HH:mm")
        found.append(
            Stat(_("Elapsed"), format_timedelta(max(spent, timedelta(seconds=1))), _("since %(time)s", time=since))
        )
    return found


def message(operation: Operation) -> str:
    """What it does now, or how it ended."""
    if operation.state == State.FAILED:
        return operation.error
    if operation.state == State.QUEUED and operation.not_before and operation.not_before > utcnow():
        return _("Goes on at %(time)s", time=format_datetime(operation.not_before, "d MMM y HH:mm"))
    if operation.state in WORKABLE and operation.prepared_at is None:
        return _("Finding the rows")
    if operation.state == State.QUEUED:
        return _("Waits for its turn")
    return known_or_gone(operation.kind).summary(operation) if operation.state == State.DONE else ""
