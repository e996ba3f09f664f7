"""What an operation does: handlers, registered by name. Nothing that is not registered can run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.operations.states import ItemState, Plan

if TYPE_CHECKING:
    from app.core.operations.models import Operation


REASONS: dict[str, Any] = {
    "error": _l("Unexpected error"),
    "clash": _l("Clash"),
    "domainerror": _l("Refused"),
    "notallowed": _l("Not allowed"),
    "missing": _l("Not found"),
    "stale": _l("Edited meanwhile"),
}


class Item(NamedTuple):
    """One row to deal with, as a handler sees it. The fields are the columns of OperationItem."""

    id: int
    position: int
    entity: str | None
    row_id: int | None
    target_id: int | None
    client_id: int | None
    plan: Plan | None
    payload: Any
    attempts: int


class Outcome(NamedTuple):
    """What became of one row.

    `before` and `after` are {column: JSON value} of what was changed, for undo; `row_id` and `title` are set where the
    row came to be by this very step.
    """

    state: ItemState
    code: str | None = None
    reason: str | None = None
    before: Any = None
    after: Any = None
    row_id: int | None = None
    target_id: int | None = None
    title: str | None = None


DONE = Outcome(ItemState.SUCCEEDED)


def done(**more: Any) -> Outcome:
    """The row is dealt with. `more`: before, after, row_id, target_id, title."""
    return Outcome(ItemState.SUCCEEDED, **more)


def failed(code: str, reason: Any) -> Outcome:
    """The row could not be dealt with; `code` groups the reasons, `reason` is for the user."""
    return Outcome(ItemState.FAILED, code[:40], str(reason)[:500])


def skipped(code: str, reason: Any) -> Outcome:
    """The row was left alone on purpose."""
    return Outcome(ItemState.SKIPPED, code[:40], str(reason)[:500])


class Handler:
    """How one kind of operation works. Subclass, set `kind` and `label`, and `register` an instance.

    Everything runs as the operation's actor, inside the engine's transaction: no commit, no rollback, no effect
    outside the database but by `events.after_commit` or the outbox. A step whose transaction is lost is repeated.
    """

    kind: ClassVar[str]
    label: ClassVar[Any]
    chunk: ClassVar[int] = 500  # rows a transaction
    reasons: ClassVar[dict[str, Any]] = {}  # its own reason codes in words

    def required(self, operation: Operation) -> tuple[str, str] | None:
        """The right the actor must still have, such as ("bulk", "contact"); None for none."""
        return ("bulk", operation.resource) if operation.resource else None

    def prepare(self, operation: Operation) -> Iterable[list[dict[str, Any]]]:
        """Lists of new items ({position, entity, row_id, title, plan, payload, state, …}), for a draft submitted without.

        It only reads; each list is written and committed by the engine, which begins anew when a worker dies. An empty
        list now and then keeps the lease during long reading.
        """
        raise NotImplementedError(f"{self.kind} has neither items nor a way to find them")

    def run(self, operation: Operation, items: Sequence[Item]) -> Sequence[Outcome]:
        """Deal with the items; one outcome each, in their order.

        When it raises, its changes are taken back and it is called again with one item at a time; what then raises
        is that row's reason.
        """
        raise NotImplementedError

    def finish(self, operation: Operation) -> None:
        """After the last row, in the transaction that sets the operation done."""

    def cancelled(self, operation: Operation) -> None:
        """In the transaction that cancels the operation."""

    def summary(self, operation: Operation) -> str:
        """What the notification at the end says."""
        return _(
            "%(succeeded)s successful, %(failed)s with errors, %(skipped)s skipped",
            succeeded=operation.succeeded,
            failed=operation.failed,
            skipped=operation.skipped,
        )

    def facts(self, operation: Operation) -> list[tuple[str, str]]:
        """Settings as (label, value) for the details page, already in words."""
        return []

    def reason_label(self, code: str) -> str:
        """A reason code in words."""
        return str(self.reasons.get(code) or REASONS.get(code) or code.replace("_", " ").capitalize())

    def links(self, operation: Operation) -> list[tuple[str, str]]:
        """Files and pages that belong to it as (label, URL)."""
        return []

    def url(self, operation: Operation) -> str:
        """Where its notification leads."""
        return f"/operations/{operation.id}"


_handlers: dict[str, Handler] = {}


def register(handler: Handler) -> Handler:
    """Make a kind of operation known. ValueError when another handler has the name."""
    known = _handlers.setdefault(handler.kind, handler)
    if type(known) is not type(handler):
        raise ValueError(f"{handler.kind} is already handled by {type(known).__name__}")
    return handler


def handler_of(kind: str) -> Handler:
    """The handler of a kind; LookupError when none is registered."""
    if kind not in _handlers:
        raise LookupError(f"no handler is registered for {kind}")
    return _handlers[kind]


class _Gone(Handler):
    """Stands in for the handler of a kind whose feature is no longer here: its operations can be read and cancelled."""

    kind, label = "", _l("Unknown")


def known_or_gone(kind: str) -> Handler:
    """The handler of a kind for showing, cancelling and telling, never for running."""
    return _handlers.get(kind) or _Gone()


def kinds() -> dict[str, Any]:
    """All known kinds and their labels."""
    return {kind: handler.label for kind, handler in sorted(_handlers.items())}
