"""Mail accounts and their health, campaigns with their steps, enrolments, and what was done for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.core import columns
from app.core.clock import utcnow
from app.core.mixins import ClientScoped, Entity, SoftDeletes
from app.core.naming import key_of_row, name_key
from app.features.campaigns.enums import (
    AccountState,
    ActivityKind,
    CampaignStatus,
    EnrolmentState,
    FindingKind,
    Severity,
    StepKind,
)

LIVE = sa.text("deleted_at IS NULL")
UNTOUCHED = sa.text("deleted_at IS NULL AND contacted_at IS NULL")
DUE = sa.text("deleted_at IS NULL AND next_due_at IS NOT NULL")


class MailAccount(Entity, ClientScoped, SoftDeletes):
    """A mailbox a client's campaigns send from (CMP-05)."""

    __tablename__ = "mail_account"
    __table_args__ = (
        sa.Index("uq_mail_account_live", "client_id", "address", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),
        sa.CheckConstraint("daily_limit > 0", name="daily_limit"),
    )

    address: Mapped[str] = columns.email(nullable=False)  # lower case
    sender_name: Mapped[str | None] = columns.text(200)
    state: Mapped[AccountState] = columns.choice(AccountState, nullable=False, default=AccountState.DISCONNECTED)
    daily_limit: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=100, info={"least": 1})  # mails a day
    last_checked_at: Mapped[datetime | None] = columns.moment()
    last_error: Mapped[str | None] = columns.text(500)

    findings: Mapped[list[MailHealthFinding]] = relationship(foreign_keys="MailHealthFinding.account_id", viewonly=True)

    @validates("address")
    def _lower(self, _attribute: str, value: str) -> str:
        return (value or "").strip().lower()

    def __str__(self) -> str:
        return self.address


class MailHealthFinding(Entity, ClientScoped, SoftDeletes):
    """Something wrong with a mail account, and its remedy (CLI-11)."""

    __tablename__ = "mail_health_finding"
    __table_args__ = (
        sa.Index(
            "uq_mail_health_finding_live", "account_id", "kind", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
    )

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("mail_account.id", ondelete="CASCADE"), nullable=False)
    kind: Mapped[FindingKind] = columns.choice(FindingKind, nullable=False)
    severity: Mapped[Severity] = columns.choice(Severity, nullable=False)
    text: Mapped[str] = columns.text(300, nullable=False)
    remedy: Mapped[str | None] = columns.text(500)
    record: Mapped[str | None] = columns.text(500)  # a DNS record to set
    found_at: Mapped[datetime] = columns.moment(nullable=False, default=utcnow)

    account: Mapped[MailAccount] = relationship(foreign_keys=[account_id])

    def __str__(self) -> str:
        return self.text


class Campaign(Entity, ClientScoped, SoftDeletes):
    """A sequence of steps done for each contact enrolled in it."""

    __tablename__ = "campaign"
    __table_args__ = (
        sa.Index(
            "uq_campaign_live_name", "client_id", "name_key", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
        sa.Index(
            "ix_campaign_client_status", "client_id", "status", "name_key", sqlite_where=LIVE, postgresql_where=LIVE
        ),
        sa.Index("ix_campaign_name", "name_key", "id", sqlite_where=LIVE, postgresql_where=LIVE),
    )

    name: Mapped[str] = columns.text(200, nullable=False)
    name_key: Mapped[str] = mapped_column(sa.String(400), nullable=False, default=key_of_row)
    status: Mapped[CampaignStatus] = columns.choice(CampaignStatus, nullable=False, default=CampaignStatus.DRAFT)
    status_reason: Mapped[str | None] = columns.text(200)  # why it is where it is, when nobody chose it
    started_at: Mapped[datetime | None] = columns.moment()
    notes: Mapped[str | None] = columns.long_text()

    steps: Mapped[list[CampaignStep]] = relationship(
        foreign_keys="CampaignStep.campaign_id", viewonly=True, order_by="CampaignStep.position"
    )
    enrolments: Mapped[list[Enrolment]] = relationship(foreign_keys="Enrolment.campaign_id", viewonly=True)

    @validates("name")
    def _keep_key(self, _attribute: str, value: str) -> str:
        self.name_key = name_key(value)
        return value

    def __str__(self) -> str:
        return self.name


def _first() -> int:
    return 1  # computed, so that forms ask for a position without filling one in: empty means after the last


class CampaignStep(Entity, ClientScoped, SoftDeletes):
    """One step of a campaign, `delay_hours` after the one before."""

    __tablename__ = "campaign_step"
    __table_args__ = (
        sa.Index(
            "uq_campaign_step_live", "campaign_id", "position", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
        sa.CheckConstraint("position >= 1", name="position"),
        sa.CheckConstraint("delay_hours >= 0", name="delay_hours"),
    )

    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id", ondelete="CASCADE"), nullable=False)
    position: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=_first, info={"least": 1})
    kind: Mapped[StepKind] = columns.choice(StepKind, nullable=False, default=StepKind.EMAIL)
    subject: Mapped[str | None] = columns.text(200)
    body: Mapped[str | None] = columns.long_text()
    delay_hours: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0, info={"least": 0})

    campaign: Mapped[Campaign] = relationship(foreign_keys=[campaign_id])

    def __str__(self) -> str:
        return f"{self.position}. {self.kind.label}"


class Enrolment(Entity, ClientScoped, SoftDeletes):
    """One contact in one campaign. To be contacted while `contacted_at` is empty (CLI-03).

    A live enrolment has a live contact and a live campaign: it is deleted and restored along with either.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        sa.Index(
            "uq_enrolment_live", "contact_id", "campaign_id", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
        sa.Index("ix_enrolment_campaign", "campaign_id", "id", sqlite_where=LIVE, postgresql_where=LIVE),
        sa.Index(
            "ix_enrolment_untouched",
            "client_id",
            "campaign_id",
            "id",
            sqlite_where=UNTOUCHED,
            postgresql_where=UNTOUCHED,
        ),
        sa.Index("ix_enrolment_due", "next_due_at", "id", sqlite_where=DUE, postgresql_where=DUE),
    )

    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), nullable=False, index=True)
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id", ondelete="CASCADE"), nullable=False)
    state: Mapped[EnrolmentState] = columns.choice(EnrolmentState, nullable=False, default=EnrolmentState.ACTIVE)
    position: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)  # steps done
    contacted_at: Mapped[datetime | None] = columns.moment()
    next_due_at: Mapped[datetime | None] = columns.moment()

    contact: Mapped[Any] = relationship("Contact", foreign_keys=[contact_id])
    campaign: Mapped[Campaign] = relationship(foreign_keys=[campaign_id])

    def __str__(self) -> str:
        return f"{self.contact or self.contact_id}, {self.campaign or self.campaign_id}"


class Activity(Entity, ClientScoped):
    """What was done for a contact, once and for all: no deletion, no edit."""

    __tablename__ = "activity"
    __audited__ = False  # it is a record itself
    __table_args__ = (
        sa.Index("ix_activity_client_at", "client_id", "at", "id"),
        sa.Index("ix_activity_contact_at", "contact_id", "at"),
        sa.Index("ix_activity_enrolment", "enrolment_id"),
        sa.Index("ix_activity_campaign", "campaign_id", "kind", "at"),
    )

    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), nullable=False)
    enrolment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("enrolment.id", ondelete="SET NULL"))
    campaign_id: Mapped[int | None] = mapped_column(sa.ForeignKey("campaign.id", ondelete="SET NULL"))
    kind: Mapped[ActivityKind] = columns.choice(ActivityKind, nullable=False)
    at: Mapped[datetime] = columns.moment(nullable=False, default=utcnow)
    result: Mapped[str | None] = columns.text(300)
    provider_id: Mapped[str | None] = mapped_column(sa.String(200), unique=True)  # what makes a report idempotent

    contact: Mapped[Any] = relationship("Contact", foreign_keys=[contact_id])
    enrolment: Mapped[Enrolment | None] = relationship(foreign_keys=[enrolment_id])
    campaign: Mapped[Campaign | None] = relationship(foreign_keys=[campaign_id])

    def __str__(self) -> str:
        return str(self.kind.label)


# The numbers of the Clients overview, maintained by counters.py in the transaction that changes the rows. They are
# tables without a class, so that no ORM query can read them around the row scope.
campaign_counter = sa.Table(
    "campaign_counter",
    Model.metadata,
    sa.Column("campaign_id", sa.ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("client_id", sa.ForeignKey("client.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("running", sa.Boolean, nullable=False, default=False),  # status running, and live
    sa.Column("enrolled", sa.Integer, nullable=False, default=0),  # live enrolments
    sa.Column("untouched", sa.Integer, nullable=False, default=0),  # of these, with contacted_at empty
)

client_counter = sa.Table(
    "client_counter",
    Model.metadata,
    sa.Column("client_id", sa.ForeignKey("client.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("stored", sa.Integer, nullable=False, default=0),  # live contacts
    sa.Column("connected", sa.Integer, nullable=False, default=0),  # of these, with first_action_at set
    sa.Column("running_campaigns", sa.Integer, nullable=False, default=0),
    sa.Column("enrolled", sa.Integer, nullable=False, default=0),  # over running campaigns
    sa.Column("to_be_contacted", sa.Integer, nullable=False, default=0),  # over running campaigns
)
