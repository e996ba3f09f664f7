"""The words of an operation: its states, the states of its items, what a plan says about a row (BLK-02, BLK-03)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.core.choices import Choice


class State(Choice):
    """The life of an operation: draft → (queued → running → planned →) queued → running → done.

    `planned` has its items and waits for a person to confirm them; `failed` may be resumed.
    """

    DRAFT = "draft", _l("Draft"), "neutral"
    PLANNED = "planned", _l("Waiting for you"), "info"
    QUEUED = "queued", _l("Queued"), "neutral"
    RUNNING = "running", _l("Running"), "info"
    PAUSED = "paused", _l("Paused"), "warn"
    DONE = "done", _l("Done"), "ok"
    FAILED = "failed", _l("Failed"), "bad"
    CANCELLED = "cancelled", _l("Cancelled"), "neutral"


WORKABLE = (State.QUEUED, State.RUNNING)
LIVE = (State.PLANNED, State.QUEUED, State.RUNNING, State.PAUSED)
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class ItemState(Choice):
    """What became of one row."""

    PENDING = "pending", _l("Waiting"), "neutral"
    SUCCEEDED = "succeeded", _l("Successful"), "ok"
    FAILED = "failed", _l("Error"), "bad"
    SKIPPED = "skipped", _l("Skipped"), "neutral"


class Plan(Choice):
    """What a plan says will be done with a row of a file (BLK-01, CON-09)."""

    CREATE = "create", _l("Create"), "ok"
    UPDATE = "update", _l("Update"), "info"
    MERGE = "merge", _l("Merge"), "merge"
    DUPLICATE = "duplicate", _l("Duplicate"), "neutral"
    SKIP = "skip", _l("Skip"), "neutral"
    ERROR = "error", _l("Error"), "bad"


class Delivery(Choice):
    """Where a message to the outside stands; `unknown` = a crash came between sending and noting it."""

    PENDING = "pending", _l("Waiting"), "neutral"
    SENDING = "sending", _l("Sending"), "info"
    SENT = "sent", _l("Sent"), "ok"
    UNKNOWN = "unknown", _l("Unknown"), "warn"
    FAILED = "failed", _l("Failed"), "bad"
