"""What the actor is told when an operation ends (PLT-17)."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.notifications import notify
from app.core.operations.handlers import known_or_gone
from app.core.operations.models import Operation
from app.core.operations.states import State

_TITLES = {
    State.DONE: lambda name: _("%(name)s is done", name=name),
    State.FAILED: lambda name: _("%(name)s has stopped", name=name),
    State.CANCELLED: lambda name: _("%(name)s was cancelled", name=name),
    State.PLANNED: lambda name: _("%(name)s waits for your confirmation", name=name),
}


def announce(operation: Operation) -> None:
    """Notify the actor of the state the operation is in, within the current transaction."""
    if operation.user_id is None or operation.state not in _TITLES:
        return
    handler = known_or_gone(operation.kind)
    text = operation.error if operation.state == State.FAILED else handler.summary(operation)
    notify(
        operation.user_id,
        _TITLES[operation.state](operation.name),
        text=text,
        url=handler.url(operation),
        tone=_tone(operation),
        kind="operation",
        operation_id=operation.id,
    )


def _tone(operation: Operation) -> str:
    if operation.state == State.DONE:
        return "warn" if operation.failed else "ok"
    return {State.FAILED: "bad", State.CANCELLED: "warn"}.get(operation.state, "info")
