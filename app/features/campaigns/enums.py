"""Choices of campaigns, mail accounts, enrolments and activities."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.core.choices import Choice


class CampaignStatus(Choice):
    DRAFT = "draft", _l("Draft")
    RUNNING = "running", _l("Running"), "ok"
    PAUSED = "paused", _l("Paused"), "warn"
    STOPPED = "stopped", _l("Stopped"), "bad"
    COMPLETED = "completed", _l("Completed"), "info"


class StepKind(Choice):
    EMAIL = "email", _l("E-mail")
    LINKEDIN_INVITATION = "linkedin_invitation", _l("LinkedIn invitation")
    LINKEDIN_MESSAGE = "linkedin_message", _l("LinkedIn message")
    CALL = "call", _l("Call")
    SMS = "sms", _l("SMS")
    MANUAL = "manual", _l("Manual task")


class EnrolmentState(Choice):
    ACTIVE = "active", _l("Active"), "ok"
    FINISHED = "finished", _l("Finished"), "info"
    REPLIED = "replied", _l("Replied"), "merge"
    STOPPED = "stopped", _l("Stopped"), "bad"


class ActivityKind(Choice):
    """What was done for a contact; `CONTACTING` and `CONNECTING` say what it counts as."""

    EMAIL_SENT = "email_sent", _l("E-mail sent")
    LINKEDIN_INVITATION = "linkedin_invitation", _l("LinkedIn invitation sent")
    LINKEDIN_MESSAGE = "linkedin_message", _l("LinkedIn message sent")
    TASK_DONE = "task_done", _l("Task done"), "ok"
    TASK_IGNORED = "task_ignored", _l("Task ignored")
    ADDRESS_VALIDATED = "address_validated", _l("Address validated"), "info"


# The enrolment leaves "to be contacted" (CLI-03): an ignored task counts, a validated address does not.
CONTACTING = frozenset(ActivityKind) - {ActivityKind.ADDRESS_VALIDATED}
# The contact counts as connected (CLI-02): an action was performed, and ignoring a task performs none.
CONNECTING = frozenset(ActivityKind) - {ActivityKind.TASK_IGNORED}


class AccountState(Choice):
    CONNECTED = "connected", _l("Connected"), "ok"
    FAILING = "failing", _l("Failing"), "warn"
    DISCONNECTED = "disconnected", _l("Disconnected"), "bad"


class FindingKind(Choice):
    SPF = "spf", "SPF"
    DKIM = "dkim", "DKIM"
    DMARC = "dmarc", "DMARC"
    DOMAIN_AGE = "domain_age", _l("Domain age")
    CONNECTION = "connection", _l("Connection")


class Severity(Choice):
    RED = "red", _l("Disconnected"), "bad"
    ORANGE = "orange", _l("Needs attention"), "warn"
