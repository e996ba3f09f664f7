"""Campaigns and what belongs to them, declared."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.features.campaigns import enrolling, services
from app.features.campaigns.models import (
    Activity,
    Campaign,
    CampaignStep,
    Enrolment,
    MailAccount,
    MailHealthFinding,
)
from app.features.campaigns.services import may_go
from app.kit.resource import Resource, RowAction, Section, Service, Trash

_STATUS_VERBS = (
    RowAction("start", _l("Start"), services.start, "player-play", shown=may_go("running")),
    RowAction("pause", _l("Pause"), services.pause, "player-pause", shown=may_go("paused")),
    RowAction("stop", _l("Stop"), services.stop, "player-stop", shown=may_go("stopped"), confirm=_l("Stop this campaign?")),
    RowAction("complete", _l("Complete"), services.complete, "check", shown=may_go("completed"),
              confirm=_l("Complete this campaign? It cannot be started again."), bulk=False),
)  # fmt: skip

CAMPAIGNS = Resource(
    model=Campaign, name="campaign", area="agency", label=_l("Campaign"), plural=_l("Campaigns"), url="/campaigns",
    icon="speakerphone", order=20, list=("name", "client", "status", "status_reason", "started_at", "created_at"),
    search=("name",), filters=("client", "status", "started_at", "created_at"), sort="name",
    form=(Section(_l("Campaign"), "client", "name", "notes"),),
    show=(Section(_l("Campaign"), "client", "name", "status", "status_reason", "started_at", "notes"),),
    readonly=("client",), unique=(("client", "name"),), parent="client",
    labels={"started_at": _l("Started"), "status_reason": _l("Reason")},
    rights={"Manager": "see add edit delete restore bulk start pause stop complete",
            "Agent": "see add edit start pause stop", "Guest": "see"},
    service=Service(create=services.create_campaign, update=services.update_campaign),
    trash=Trash(cascade=("enrolments", "steps")), actions=_STATUS_VERBS,
    empty=(_l("No campaigns yet"), _l("A campaign contacts people of one client, step by step.")),
)  # fmt: skip

CAMPAIGN_STEPS = Resource(
    model=CampaignStep, name="campaign_step", area="agency", label=_l("Step"), plural=_l("Steps"), url="/campaign-steps",
    icon="list-numbers", order=11, menu=False, title="position", sort="position",
    list=("position", "kind", "subject", "delay_hours", "campaign", "client"), filters=("campaign", "client", "kind"),
    search=("subject",), form=(Section(_l("Step"), "campaign", "position", "kind", "delay_hours", "subject", "body"),),
    readonly=("campaign",), unique=(("campaign", "position"),), parent="campaign",
    labels={"delay_hours": _l("Delay in hours")}, help={"position": _l("Empty: after the last step.")},
    rights={"Manager": "see add edit delete restore bulk", "Agent": "see add edit delete", "Guest": "see"},
    service=Service(create=services.create_step, update=services.update_step, delete=services.delete_step),
)  # fmt: skip

ENROLMENTS = Resource(
    model=Enrolment, name="enrolment", area="people", label=_l("Enrolment"), plural=_l("Enrolments"), url="/enrolments",
    icon="user-plus", order=15, menu=False, title="contact", sort="-id",
    list=("contact", "campaign", "client", "campaign.status", "state", "contacted_at", "created_at"),
    filters=("client", "campaign", "campaign.status", "contact", "state", "contacted_at", "created_at"),
    form=(Section(_l("Enrolment"), "contact", "campaign", "state"),),
    show=(Section(_l("Enrolment"), "client", "contact", "campaign", "state", "position", "contacted_at", "next_due_at"),),
    readonly=("contact", "campaign"), unique=(("contact", "campaign"),), parent=("campaign", "contact"),
    labels={"contacted_at": _l("First contacted"), "campaign.status": _l("Campaign status"), "position": _l("Steps done"),
            "next_due_at": _l("Next step due")},
    rights={"Manager": "see add edit delete restore bulk", "Agent": "see add edit", "Guest": "see"},
    service=Service(create=enrolling.create_enrolment, update=enrolling.update_enrolment),
    empty=(_l("Nobody is enrolled"), _l("Enrol contacts into a campaign to contact them.")),
)  # fmt: skip

ACTIVITIES = Resource(
    model=Activity, name="activity", area="people", label=_l("Activity"), plural=_l("Activities"), url="/activities",
    icon="activity", order=16, menu=False, title="kind", sort="-at", writable=False, trash=None, parent=("contact", "campaign"),
    list=("at", "kind", "contact", "campaign", "client", "result"),
    filters=("client", "kind", "contact", "campaign", "at"), labels={"at": _l("When")},
    show=(Section(_l("Activity"), "at", "kind", "client", "contact", "campaign", "result"),),
    rights={"Manager": "see", "Agent": "see", "Guest": "see"},
    empty=(_l("Nothing was done yet"), _l("E-mails, messages and tasks appear here once they are done.")),
)  # fmt: skip

MAIL_ACCOUNTS = Resource(
    model=MailAccount, name="mail_account", area="agency", label=_l("Mail account"), plural=_l("Mail accounts"),
    url="/mail-accounts", icon="mail", order=30, title="address", sort="address",
    list=("address", "client", "state", "daily_limit", "last_checked_at", "last_error"),
    search=("address", "sender_name"), filters=("client", "state", "last_checked_at"),
    form=(Section(_l("Mail account"), "client", "address", "sender_name", "daily_limit"),),
    show=(Section(_l("Mail account"), "client", "address", "sender_name", "state", "daily_limit", "last_checked_at",
                  "last_error"),),
    readonly=("client",), unique=(("client", "address"),), parent="client",
    labels={"daily_limit": _l("Mails a day"), "last_checked_at": _l("Checked"), "last_error": _l("Last error")},
    rights={"Manager": "see add edit delete restore bulk", "Agent": "see", "Guest": "see"},
    service=Service(create=services.create_mail_account, update=services.update_mail_account),
    trash=Trash(cascade=("findings",)),
    empty=(_l("No mail accounts yet"), _l("Add the mailbox that a client's campaigns send from.")),
)  # fmt: skip

FINDINGS = Resource(
    model=MailHealthFinding, name="mail_health_finding", area="agency", label=_l("Finding"), plural=_l("Findings"),
    url="/mail-health", icon="heartbeat", menu=False, title="text", sort="-found_at", writable=False, trash=None,
    parent="account", list=("text", "severity", "kind", "account", "client", "found_at"),
    filters=("client", "severity", "kind", "account", "found_at"), labels={"found_at": _l("Found")},
    show=(Section(_l("Finding"), "client", "account", "kind", "severity", "text", "remedy", "record", "found_at"),),
    rights={"Manager": "see", "Agent": "see", "Guest": "see"},
)  # fmt: skip
