"""Clients, who may work in them, and guests invited to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.core import columns
from app.core.clock import utcnow
from app.core.mixins import USER_TABLE, ClientScoped, Entity, SelfScoped, SoftDeletes
from app.core.naming import key_of_row, name_key
from app.features.clients.enums import AccessLevel, ClientKind, ClientState, InvitationState

LIVE = sa.text("deleted_at IS NULL")


class Client(Entity, SelfScoped, SoftDeletes):
    """A company or person the agency works for (CLI-12)."""

    __tablename__ = "client"
    __table_args__ = (
        sa.Index("uq_client_live_name", "name_key", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),
        sa.Index("ix_client_active_name", "active", "name_key", "id", sqlite_where=LIVE, postgresql_where=LIVE),
        sa.CheckConstraint("stored_limit IS NULL OR stored_limit >= 0", name="stored_limit"),
    )

    name: Mapped[str] = columns.text(200, nullable=False)
    name_key: Mapped[str] = mapped_column(sa.String(400), nullable=False, default=key_of_row)
    kind: Mapped[ClientKind] = columns.choice(ClientKind, nullable=False, default=ClientKind.COMPANY)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="SET NULL"), index=True)
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    state: Mapped[ClientState] = columns.choice(ClientState, nullable=False, default=ClientState.OPEN)
    time_zone: Mapped[str] = columns.time_zone(nullable=False, default="UTC")
    currency: Mapped[str] = columns.currency(nullable=False, default="EUR")
    language: Mapped[str] = columns.language(nullable=False, default="en")
    country: Mapped[str | None] = columns.country()
    email: Mapped[str | None] = columns.email()
    phone: Mapped[str | None] = columns.phone()
    phone_e164: Mapped[str | None] = mapped_column(sa.String(16))
    website: Mapped[str | None] = columns.url()
    billing_street: Mapped[str | None] = columns.text(200)
    billing_city: Mapped[str | None] = columns.text(100)
    billing_region: Mapped[str | None] = columns.text(100)
    billing_postal_code: Mapped[str | None] = columns.text(20)
    billing_country: Mapped[str | None] = columns.country()
    visit_street: Mapped[str | None] = columns.text(200)
    visit_city: Mapped[str | None] = columns.text(100)
    visit_region: Mapped[str | None] = columns.text(100)
    visit_postal_code: Mapped[str | None] = columns.text(20)
    visit_country: Mapped[str | None] = columns.country()
    notes: Mapped[str | None] = columns.long_text()
    logo: Mapped[str | None] = columns.image()
    stored_limit: Mapped[int | None] = mapped_column(sa.Integer, info={"least": 0})  # its share of that limit
    sample: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)  # part of the sample agency

    owner: Mapped[Any] = relationship(User, foreign_keys=[owner_id])
    access: Mapped[list[ClientAccess]] = relationship(foreign_keys="ClientAccess.client_id", viewonly=True)
    invitations: Mapped[list[GuestInvitation]] = relationship(foreign_keys="GuestInvitation.client_id", viewonly=True)
    # Deleted and restored along with the client; named here for the trash, never loaded whole.
    contacts: Mapped[list[Any]] = relationship("Contact", foreign_keys="Contact.client_id", viewonly=True)
    leads: Mapped[list[Any]] = relationship("Lead", foreign_keys="Lead.client_id", viewonly=True)
    campaigns: Mapped[list[Any]] = relationship("Campaign", foreign_keys="Campaign.client_id", viewonly=True)
    campaign_steps: Mapped[list[Any]] = relationship(
        "CampaignStep", foreign_keys="CampaignStep.client_id", viewonly=True
    )
    enrolments: Mapped[list[Any]] = relationship("Enrolment", foreign_keys="Enrolment.client_id", viewonly=True)
    mail_accounts: Mapped[list[Any]] = relationship("MailAccount", foreign_keys="MailAccount.client_id", viewonly=True)
    findings: Mapped[list[Any]] = relationship(
        "MailHealthFinding", foreign_keys="MailHealthFinding.client_id", viewonly=True
    )

    @validates("name")
    def _keep_key(self, _attribute: str, value: str) -> str:
        self.name_key = name_key(value)
        return value

    def __str__(self) -> str:
        return self.name


class ClientAccess(Entity, ClientScoped, SoftDeletes):
    """A user's right to work in a client (CLI-09). The owner always has one, of level owner."""

    __tablename__ = "client_access"
    __table_args__ = (
        sa.Index(
            "uq_client_access_live", "client_id", "user_id", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
        # What row scope asks in every query: the clients of a user.
        sa.Index("ix_client_access_user", "user_id", "client_id", sqlite_where=LIVE, postgresql_where=LIVE),
    )

    user_id: Mapped[int] = mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="CASCADE"), nullable=False)
    level: Mapped[AccessLevel] = columns.choice(AccessLevel, nullable=False, default=AccessLevel.MEMBER)

    user: Mapped[Any] = relationship(User, foreign_keys=[user_id])

    def __str__(self) -> str:
        return f"{self.user or self.user_id}, {self.level.label}"


class GuestInvitation(Entity, ClientScoped, SoftDeletes):
    """A guest asked into a client by e-mail (CLI-09); becomes a user with access when accepted."""

    __tablename__ = "guest_invitation"
    __table_args__ = (
        sa.Index(
            "uq_guest_invitation_live", "client_id", "email", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
    )

    email: Mapped[str] = columns.email(nullable=False)  # lower case
    state: Mapped[InvitationState] = columns.choice(InvitationState, nullable=False, default=InvitationState.INVITED)
    invited_at: Mapped[datetime] = columns.moment(nullable=False, default=utcnow)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="SET NULL"))

    user: Mapped[Any] = relationship(User, foreign_keys=[user_id])

    def __str__(self) -> str:
        return self.email
