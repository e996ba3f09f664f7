"""What this feature contributes: people, roles, the audit trail."""

from flask_babel import lazy_gettext as _l

from app.features.access.views.audit import AuditView
from app.features.access.views.people import PeopleView
from app.features.access.views.roles import RolesView
from app.kit import hardening
from app.kit.menus import Entry
from app.kit.resource import Feature

FEATURE = Feature(
    name="access",
    views=(PeopleView, RolesView, AuditView),
    setup=hardening.install,
    menu=(
        Entry("admin", _l("People"), "/people/", "users", ("see", "user"), 10),
        Entry("admin", _l("Roles"), "/roles/", "shield-lock", ("see", "role"), 20),
        Entry("admin", _l("Audit trail"), "/audit/", "history", ("see", "audit"), 30),
    ),
)
