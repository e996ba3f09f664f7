"""Operations and notifications as resources: lists, filters, permissions and the read-only API follow."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.core.notifications import Notification
from app.core.operations.models import Operation
from app.features.platform.notifications_view import NotificationView
from app.features.platform.operations_actions import ACTIONS
from app.features.platform.operations_view import OperationView
from app.kit.resource import Resource

OPERATIONS = Resource(
    model=Operation,
    name="operation",
    area="data",
    order=10,
    label=_l("Operation"),
    plural=_l("Operations"),
    url="/operations",
    icon="activity",
    list=("name", "kind", "state", "total", "failed", "created_at", "user", "finished_at"),
    more=("reference", "succeeded", "skipped", "started_at", "error"),
    labels={
        "kind": _l("Type"),
        "state": _l("Status"),
        "total": _l("Progress"),
        "failed": _l("Errors"),
        "user": _l("Scheduled by"),
        "finished_at": _l("Completed"),
        "reference": _l("Reference"),
    },
    search=("name",),
    filters=("kind", "state", "user", "created_at", "finished_at", "reference"),
    sort="-created_at",
    rights={
        "Manager": "see pause resume cancel retry reach_all",
        "Agent": "see pause resume cancel retry",
        "Guest": "see",
    },
    actions=ACTIONS,
    writable=False,
    trash=None,
    view=OperationView,
    empty=(_l("No operations yet"), _l("Imports, bulk changes and everything else that takes a while shows up here.")),
)

NOTIFICATIONS = Resource(
    model=Notification,
    name="notification",
    area="data",
    label=_l("Notification"),
    plural=_l("Notifications"),
    url="/notifications",
    icon="bell",
    list=("title", "text", "created_at", "read_at"),
    labels={"title": _l("Notification"), "text": _l("Details"), "read_at": _l("Read")},
    title="title",
    search=("title", "text"),
    filters=("created_at", "read_at"),
    sort="-created_at",
    rights={"Manager": "see", "Agent": "see", "Guest": "see"},
    writable=False,
    trash=None,
    menu=False,
    view=NotificationView,
    empty=(_l("No notifications yet"), _l("What runs in the background tells you here when it is done.")),
)
