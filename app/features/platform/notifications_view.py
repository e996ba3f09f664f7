"""The bell: unread count, popover, mark read, and the list of all notifications (PLT-08)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import redirect, request
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import format_decimal
from flask_babel import gettext as _

from app.core.db import db, set_reading
from app.core.errors import BadQuery
from app.core.notifications import Notification, latest, mark_read, unread_count
from app.core.security.principal import actor
from app.features.platform.operations_queries import running_of
from app.kit.progress import percent
from app.kit.template_globals import relative
from app.kit.views.resource_view import ResourceView

if TYPE_CHECKING:
    from app.core.operations.models import Operation
    from app.kit.pages import Link

SHOWN = 20
ICONS = {"ok": "circle-check", "warn": "alert-triangle", "bad": "alert-circle"}


@dataclass(frozen=True)
class Entry:
    """One entry of the popover, see the head of `notifications/popover.html`."""

    id: int
    title: str
    text: str
    icon: str
    tone: str
    url: str
    unread: bool = False
    percent: int | None = None
    action: Link | None = None


def note_entry(note: Notification) -> Entry:
    """A notification; following it marks it as read."""
    text = " · ".join(part for part in (note.text, relative(note.created_at)) if part)
    icon = ICONS.get(note.tone, "info-circle")
    return Entry(note.id, note.title, text, icon, note.tone, f"/notifications/{note.id}", note.read_at is None)


def running_entry(operation: Operation) -> Entry:
    """An operation that has not ended, with its bar."""
    counts = _("%(done)s of %(total)s", done=format_decimal(operation.done), total=format_decimal(operation.total))
    text = f"{operation.state.label} · {counts}"
    return Entry(
        -operation.id,
        operation.name,
        text,
        "activity",
        "info",
        f"/operations/{operation.id}",
        percent=percent(operation),
    )


class NotificationView(ResourceView):
    """Everybody sees their own; the scope sees to it."""

    method_permission_name = {
        **ResourceView.method_permission_name,
        "unread": "see",
        "popover": "see",
        "read": "see",
    }

    @expose("/unread")
    @has_access
    def unread(self) -> Any:
        """{"unread": n}, asked for every 20 seconds: one index look-up."""
        return {"unread": unread_count(actor())}

    @expose("/popover")
    @has_access
    def popover(self) -> Any:
        """The newest, with what runs now on top."""
        principal = actor()
        notes = latest(principal, SHOWN)
        running = running_of(principal.user_id or 0, 3) if principal.can("see", "operation") else []
        entries = [*map(running_entry, running), *map(note_entry, notes)]
        mark_all = "/notifications/read" if any(e.unread for e in entries) else ""
        return self.render_template(
            "notifications/popover.html", notifications=entries, mark_all_url=mark_all, all_url="/notifications/"
        )

    @expose("/read", methods=["POST"])
    @has_access
    def read(self) -> Any:
        """Mark one (`id`) or all as read. Another user's id marks nothing, like an absent one."""
        raw = request.form.get("id", "")
        if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 10):
            raise BadQuery(_("“%(raw)s” is no notification.", raw=raw[:40]))
        mark_read(actor(), int(raw) if raw else None)
        db.session.commit()
        if request.accept_mimetypes.best == "application/json":
            return {"unread": unread_count(actor())}
        return redirect("/notifications/")

    @expose("/<int:pk>")
    @has_access
    def show(self, pk: int) -> Any:
        """Mark it as read and go to what it is about."""
        note = self.load(pk)
        target, was_read = note.url or "/notifications/", note.read_at is not None
        if not was_read:
            db.session.rollback()
            set_reading(False)  # this request has read; now it writes one row
            mark_read(actor(), pk)
            db.session.commit()
        return redirect(target)
