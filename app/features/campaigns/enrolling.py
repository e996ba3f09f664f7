"""Enrolling contacts into campaigns, and recording what was done for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import Clash, DomainError, Missing
from app.core.security.principal import Principal
from app.core.security.scope import unscoped
from app.features.campaigns import counters
from app.features.campaigns.enums import CONNECTING, CONTACTING, ActivityKind, CampaignStatus
from app.features.campaigns.models import Activity, Campaign, Enrolment
from app.features.contacts.models import Contact

CHUNK = 500  # ids bound in one statement


@dataclass(frozen=True)
class Enrolled:
    """What `enrol` did: new enrolments, contacts that were in the campaign already, ids that are none of its client's."""

    added: int
    present: int
    unknown: int


def enrol(contact_ids: Iterable[int], campaign: Campaign, *, actor: Principal) -> Enrolled:
    """Put contacts of the campaign's client into it; who is in it already stays as they are.

    Raises DomainError for a completed campaign.
    """
    del actor
    _require_open(campaign)
    wanted = sorted(set(contact_ids))
    added = present = found = 0
    for begin in range(0, len(wanted), CHUNK):
        known, fresh = _split(wanted[begin : begin + CHUNK], campaign)
        found, present, added = found + len(known), present + len(known) - len(fresh), added + len(fresh)
        db.session.add_all(
            Enrolment(client_id=campaign.client_id, contact_id=i, campaign_id=campaign.id) for i in fresh
        )
        db.session.flush()
    return Enrolled(added, present, len(wanted) - found)


def _require_open(campaign: Campaign) -> None:
    if campaign.status is CampaignStatus.COMPLETED:
        raise DomainError(_("“%(name)s” is completed and takes nobody in.", name=campaign.name))


def _split(ids: list[int], campaign: Campaign) -> tuple[list[int], list[int]]:
    """(ids that are live contacts of the campaign's client, those of them who are not in it yet)."""
    known = sa.select(Contact.id).where(Contact.id.in_(ids), Contact.client_id == campaign.client_id)
    inside = sa.select(Enrolment.contact_id).where(Enrolment.contact_id.in_(ids), Enrolment.campaign_id == campaign.id)
    listed, taken = list(db.session.scalars(known)), set(db.session.scalars(inside))
    return listed, [i for i in listed if i not in taken]


def create_enrolment(values: Mapping[str, Any], *, actor: Principal) -> Enrolment:
    """One enrolment by hand. Raises Missing, Clash when the contact is in the campaign, DomainError across clients."""
    del actor
    campaign = db.session.scalar(sa.select(Campaign).where(Campaign.id == values.get("campaign_id")))
    contact = db.session.scalar(sa.select(Contact).where(Contact.id == values.get("contact_id")))
    if campaign is None or contact is None:
        missing = "campaign" if campaign is None else "contact"
        raise Missing(fields={missing: _("This row does not exist.")})
    if campaign.client_id != contact.client_id:
        raise DomainError(fields={"contact": _("The contact belongs to another client than the campaign.")})
    _require_open(campaign)
    if not _split([contact.id], campaign)[1]:
        raise Clash(fields={"contact": _("%(name)s is in this campaign already.", name=contact.name)})
    enrolment = Enrolment(**{**values, "client_id": campaign.client_id})
    db.session.add(enrolment)
    return enrolment


def update_enrolment(enrolment: Enrolment, values: Mapping[str, Any], *, actor: Principal) -> None:
    """Change an enrolment; whom and what it joins stays."""
    del actor
    for name in ("client_id", "contact_id", "campaign_id"):
        if values.get(name, getattr(enrolment, name)) != getattr(enrolment, name):
            raise DomainError(fields={name.removesuffix("_id"): _("An enrolment stays with its contact and campaign.")})
    for name, value in values.items():
        if getattr(enrolment, name) != value:
            setattr(enrolment, name, value)


def record_activity(
    kind: ActivityKind,
    contact: Contact,
    *,
    enrolment: Enrolment | None = None,
    at: datetime | None = None,
    result: str | None = None,
    provider_id: str | None = None,
) -> Activity:
    """Note that something was done for a contact, with what follows for "connected" and "to be contacted" (CLI-02, CLI-03).

    `at` is aware, default now. The same `provider_id` again changes nothing and returns the first record. Raises
    DomainError when the enrolment is another contact's.
    """
    if enrolment is not None and enrolment.contact_id != contact.id:
        raise DomainError(_("The enrolment belongs to another contact."))
    activity = Activity(
        client_id=contact.client_id,
        contact_id=contact.id,
        enrolment_id=enrolment.id if enrolment else None,
        campaign_id=enrolment.campaign_id if enrolment else None,
        kind=kind,
        at=at or utcnow(),
        result=result,
        provider_id=provider_id,
    )
    known = _store_once(activity)
    if known is not None:
        return known
    _touch_contact(contact, activity)
    if enrolment is not None and kind in CONTACTING:
        _touch_enrolment(enrolment, activity.at)
    return activity


def _store_once(activity: Activity) -> Activity | None:
    """Store it, unless its provider_id is known; then return the stored one. Decided by the unique constraint."""
    if activity.provider_id is None:
        db.session.add(activity)
        db.session.flush()
        return None
    known = _by_provider_id(activity.provider_id)
    if known is not None:
        return known
    try:
        with db.session.begin_nested():
            db.session.add(activity)
        return None
    except IntegrityError:
        known = _by_provider_id(activity.provider_id)
        if known is None:
            raise
        return known


def _by_provider_id(provider_id: str) -> Activity | None:
    with unscoped("the provider's id is unique over all clients"):
        return db.session.scalar(sa.select(Activity).where(Activity.provider_id == provider_id))


def _touch_contact(contact: Contact, activity: Activity) -> None:
    """Set first and last action by conditional updates, so that two activities at once neither clash nor count twice."""
    table = Contact.__table__
    own = table.c.id == contact.id
    later = sa.or_(table.c.last_activity_at.is_(None), table.c.last_activity_at < activity.at)
    db.session.execute(sa.update(table).where(own, later).values(last_activity_at=activity.at))
    if activity.kind in CONNECTING:
        first = sa.update(table).where(own, table.c.first_action_at.is_(None)).values(first_action_at=activity.at)
        row = db.session.execute(first.returning(table.c.client_id, table.c.deleted_at)).one_or_none()
        if row is not None and row.deleted_at is None:
            counters.contacts_changed({row.client_id: (0, 1)})
    db.session.expire(contact, ["first_action_at", "last_activity_at"])


def _touch_enrolment(enrolment: Enrolment, at: datetime) -> None:
    table = Enrolment.__table__
    first = sa.update(table).where(table.c.id == enrolment.id, table.c.contacted_at.is_(None)).values(contacted_at=at)
    row = db.session.execute(first.returning(table.c.campaign_id, table.c.deleted_at)).one_or_none()
    if row is not None and row.deleted_at is None:
        counters.enrolments_changed({row.campaign_id: (0, -1)})
    db.session.expire(enrolment, ["contacted_at"])
