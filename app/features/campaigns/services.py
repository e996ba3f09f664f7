"""Verbs on campaigns, their steps and mail accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash, DomainError
from app.core.naming import name_key
from app.core.security.principal import Principal
from app.core.security.scope import unscoped, with_deleted
from app.features.campaigns.enums import CampaignStatus
from app.features.campaigns.models import Campaign, CampaignStep, MailAccount
from app.kit import trash
from app.kit.checked import checked

CLIENT_SWITCHED_OFF = "client switched off"
_l("client switched off")  # shown translated, stored as it is

NEXT: dict[CampaignStatus, frozenset[CampaignStatus]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.RUNNING}),
    CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.STOPPED, CampaignStatus.COMPLETED}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.STOPPED}),
    CampaignStatus.STOPPED: frozenset({CampaignStatus.RUNNING}),
    CampaignStatus.COMPLETED: frozenset(),
}


def create_campaign(values: Mapping[str, Any], *, actor: Principal) -> Campaign:
    """A new draft. Raises Clash for a name the client has already."""
    del actor
    campaign = Campaign(**checked(Campaign, values))
    campaign.status = CampaignStatus.DRAFT
    _require_free_name(campaign)
    db.session.add(campaign)
    return campaign


def update_campaign(campaign: Campaign, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a campaign; its status by `start`, `pause`, `stop` and `complete` only, its client never."""
    values = checked(Campaign, values)
    if values.get("client_id", campaign.client_id) != campaign.client_id:
        raise DomainError(fields={"client": _("A campaign stays with its client.")})
    wanted = values.pop("status", None)
    with db.session.no_autoflush:
        for name, value in values.items():
            if getattr(campaign, name) != value:
                setattr(campaign, name, value)
        _require_free_name(campaign)
    if wanted is not None and wanted != campaign.status:
        set_status(campaign, CampaignStatus(wanted), actor=actor)


def _require_free_name(campaign: Campaign) -> None:
    if not name_key(campaign.name):
        raise DomainError(fields={"name": _("A campaign needs a name.")})
    client_id = campaign.client.id if campaign.client is not None else campaign.client_id
    query = sa.select(Campaign.id).where(Campaign.client_id == client_id, Campaign.name_key == name_key(campaign.name))
    with db.session.no_autoflush:
        taken = db.session.scalar(query.where(Campaign.id != campaign.id) if campaign.id else query)
    if taken:
        raise Clash(fields={"name": _("This client has a campaign “%(name)s” already.", name=campaign.name)})


def may_go(status: str) -> Callable[[Campaign], bool]:
    """Whether the way to `status` is open for a campaign: decides which verbs are offered."""
    return lambda campaign: CampaignStatus(status) in NEXT[campaign.status]


def set_status(campaign: Campaign, status: CampaignStatus, *, actor: Principal, reason: str | None = None) -> None:
    """Move a campaign to another status.

    Raises DomainError naming both states when the way is closed; a refused start gives every reason at once.
    """
    del actor
    problems = [] if status in NEXT[campaign.status] else [_closed(campaign.status, status)]
    if status is CampaignStatus.RUNNING:
        problems += _obstacles(campaign)
    if problems:
        raise DomainError(" ".join(problems))
    campaign.status, campaign.status_reason = status, reason
    if status is CampaignStatus.RUNNING:
        campaign.started_at = campaign.started_at or utcnow()


def _closed(now: CampaignStatus, wanted: CampaignStatus) -> str:
    return _("A campaign cannot go from “%(now)s” to “%(wanted)s”.", now=now.label, wanted=wanted.label)


def _obstacles(campaign: Campaign) -> list[str]:
    """Why this campaign cannot run."""
    found = []
    if not campaign.client.active:
        found.append(_("The client is switched off."))
    if db.session.scalar(sa.select(sa.func.count(CampaignStep.id)).where(CampaignStep.campaign_id == campaign.id)) == 0:
        found.append(_("The campaign has no step."))
    return found


def start(campaign: Campaign, *, actor: Principal) -> str:
    """Run a draft, paused or stopped campaign."""
    set_status(campaign, CampaignStatus.RUNNING, actor=actor)
    return _("“%(name)s” is running.", name=campaign.name)


def pause(campaign: Campaign, *, actor: Principal) -> str:
    """Hold a running campaign."""
    set_status(campaign, CampaignStatus.PAUSED, actor=actor)
    return _("“%(name)s” is paused.", name=campaign.name)


def stop(campaign: Campaign, *, actor: Principal) -> str:
    """End a running or paused campaign; it may be started again."""
    set_status(campaign, CampaignStatus.STOPPED, actor=actor)
    return _("“%(name)s” is stopped.", name=campaign.name)


def complete(campaign: Campaign, *, actor: Principal) -> str:
    """End a running campaign for good."""
    set_status(campaign, CampaignStatus.COMPLETED, actor=actor)
    return _("“%(name)s” is completed.", name=campaign.name)


def stop_all(client_id: int, *, reason: str, actor: Principal) -> int:
    """Stop every running campaign of a client, and those in the trash, so that none comes back running (CLI-06).

    Returns how many live ones were stopped.
    """
    with with_deleted(), unscoped("the client's own campaigns, whoever switches it off"):
        query = sa.select(Campaign).where(Campaign.client_id == client_id, Campaign.status == CampaignStatus.RUNNING)
        running = list(db.session.scalars(query.order_by(Campaign.id)))
    for campaign in running:
        set_status(campaign, CampaignStatus.STOPPED, actor=actor, reason=reason)
    return sum(campaign.deleted_at is None for campaign in running)


def create_step(values: Mapping[str, Any], *, actor: Principal) -> CampaignStep:
    """A new step, at the end unless a position is given; within the campaign's client."""
    del actor
    values = checked(CampaignStep, values)
    campaign = db.session.scalar(sa.select(Campaign).where(Campaign.id == values.get("campaign_id")))
    if campaign is None:
        raise DomainError(fields={"campaign": _("Choose a campaign.")})
    values["client_id"] = campaign.client_id
    if not values.get("position"):
        last = sa.select(sa.func.max(CampaignStep.position)).where(CampaignStep.campaign_id == campaign.id)
        values["position"] = (db.session.scalar(last) or 0) + 1
    step = CampaignStep(**values)
    db.session.add(step)
    return step


def update_step(step: CampaignStep, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a step; it stays in its campaign."""
    del actor
    values = checked(CampaignStep, values)
    if values.get("campaign_id", step.campaign_id) != step.campaign_id:
        raise DomainError(fields={"campaign": _("A step stays in its campaign.")})
    if values.get("position", step.position) is None:
        values.pop("position")
    for name, value in values.items():
        if getattr(step, name) != value:
            setattr(step, name, value)


def delete_step(step: CampaignStep, *, actor: Principal) -> None:
    """Move a step to the trash; a running campaign keeps at least one."""
    others = sa.select(sa.func.count(CampaignStep.id)).where(CampaignStep.campaign_id == step.campaign_id)
    if step.campaign.status is CampaignStatus.RUNNING and db.session.scalar(others) == 1:
        raise DomainError(_("A running campaign needs a step. Pause it first."))
    trash.delete(step, cascade=(), actor=actor)


def create_mail_account(values: Mapping[str, Any], *, actor: Principal) -> MailAccount:
    """A mailbox, not connected yet. Raises Clash for an address the client has already."""
    del actor
    account = MailAccount(**checked(MailAccount, values))
    _require_free_address(account)
    db.session.add(account)
    return account


def update_mail_account(account: MailAccount, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change a mailbox; it stays with its client."""
    del actor
    values = checked(MailAccount, values)
    if values.get("client_id", account.client_id) != account.client_id:
        raise DomainError(fields={"client": _("A mail account stays with its client.")})
    with db.session.no_autoflush:
        for name, value in values.items():
            if getattr(account, name) != value:
                setattr(account, name, value)
        _require_free_address(account)


def _require_free_address(account: MailAccount) -> None:
    if not account.address:
        raise DomainError(fields={"address": _("A mail account needs an address.")})
    client_id = account.client.id if account.client is not None else account.client_id
    same = sa.select(MailAccount.id).where(MailAccount.client_id == client_id, MailAccount.address == account.address)
    with db.session.no_autoflush:
        taken = db.session.scalar(same.where(MailAccount.id != account.id) if account.id else same)
    if taken:
        raise Clash(
            fields={"address": _("This client has the mail account %(address)s already.", address=account.address)}
        )
