"""The verbs on an operation: pause, resume, cancel, retry (BLK-03). Each says what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.core.operations import lifecycle
from app.core.operations.states import WORKABLE, State
from app.kit.resource import RowAction

if TYPE_CHECKING:
    from app.core.operations.models import Operation
    from app.core.security.principal import Principal


def pause(operation: Operation, *, actor: Principal) -> str:
    """Stop after the rows at hand."""
    lifecycle.pause(operation)
    return _("%(name)s is paused", name=operation.name)


def resume(operation: Operation, *, actor: Principal) -> str:
    """Go on."""
    lifecycle.resume(operation)
    return _("%(name)s goes on", name=operation.name)


def cancel(operation: Operation, *, actor: Principal) -> str:
    """End it for good; what is done stays done."""
    lifecycle.cancel(operation)
    return _("%(name)s is cancelled. What was done stays done.", name=operation.name)


def retry(operation: Operation, *, actor: Principal) -> str:
    """Try the failed rows again."""
    count = lifecycle.retry_failed(operation)
    return ngettext("%(num)s row is tried again", "%(num)s rows are tried again", count)


ACTIONS = (
    RowAction("pause", _l("Pause"), pause, "player-pause", shown=lambda o: o.state in WORKABLE),
    RowAction("resume", _l("Resume"), resume, "player-play", shown=lambda o: o.state in (State.PAUSED, State.FAILED)),
    RowAction(
        "retry",
        _l("Retry failed rows"),
        retry,
        "refresh",
        shown=lambda o: o.failed > 0 and o.state in (State.DONE, State.FAILED),
    ),
    RowAction(
        "cancel",
        _l("Cancel"),
        cancel,
        "circle-x",
        shown=lambda o: o.state in (State.PLANNED, State.PAUSED, State.FAILED, *WORKABLE),
        confirm=_l("Cancel this operation? Rows that are done stay as they are; the others are left alone."),
    ),
)
