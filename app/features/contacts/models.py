"""Contacts, the people known to a client, and leads, the forms they submitted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core import columns
from app.core.clock import utcnow
from app.core.mixins import USER_TABLE, ClientScoped, Entity, SoftDeletes
from app.features.contacts.enums import ContactStatus, Interest, LeadStatus

LIVE = sa.text("deleted_at IS NULL")
CONNECTED = sa.text("deleted_at IS NULL AND first_action_at IS NOT NULL")


def full_name(first: str | None, last: str | None, *others: str | None) -> str:
    """The name a contact is listed under: first and last name, else the first of `others` that says something."""
    name = " ".join(part.strip() for part in (first, last) if part and part.strip())
    return name or next((other.strip() for other in others if other and other.strip()), "")


def email_key(email: str | None) -> str | None:
    """The form in which two addresses are the same; None for none."""
    return (email or "").strip().casefold()[:254] or None  # folding may lengthen what fits


def _name_of_row(context: Any) -> str:
    row = context.get_current_parameters()
    return full_name(*(row.get(key) for key in ("first_name", "last_name", "company", "email", "phone")))


def _email_key_of_row(context: Any) -> str | None:
    return email_key(context.get_current_parameters().get("email"))


class Contact(Entity, ClientScoped, SoftDeletes):
    """A person known to a client; stored while live, connected once `first_action_at` is set (CLI-02)."""

    __tablename__ = "contact"
    __table_args__ = (
        sa.Index(
            "uq_contact_live_email", "client_id", "email_key", unique=True, sqlite_where=LIVE, postgresql_where=LIVE
        ),
        sa.Index("ix_contact_client_name", "client_id", "name", "id", sqlite_where=LIVE, postgresql_where=LIVE),
        sa.Index("ix_contact_name", "name", "id", sqlite_where=LIVE, postgresql_where=LIVE),
        sa.Index("ix_contact_connected", "client_id", "name", "id", sqlite_where=CONNECTED, postgresql_where=CONNECTED),
        sa.Index("ix_contact_phone", "client_id", "phone_e164", sqlite_where=LIVE, postgresql_where=LIVE),
    )

    first_name: Mapped[str | None] = columns.text(100)
    last_name: Mapped[str | None] = columns.text(100)
    name: Mapped[str] = columns.text(254, nullable=False, default=_name_of_row)  # for lists: kept from its parts
    company: Mapped[str | None] = columns.text(200)
    job_title: Mapped[str | None] = columns.text(200)
    email: Mapped[str | None] = columns.email()
    email_key: Mapped[str | None] = mapped_column(sa.String(254), default=_email_key_of_row)
    phone: Mapped[str | None] = columns.phone()
    phone_e164: Mapped[str | None] = mapped_column(sa.String(16))
    street: Mapped[str | None] = columns.text(200)
    city: Mapped[str | None] = columns.text(100)
    region: Mapped[str | None] = columns.text(100)
    postal_code: Mapped[str | None] = columns.text(20)
    country: Mapped[str | None] = columns.country()
    time_zone: Mapped[str | None] = columns.time_zone()
    language: Mapped[str | None] = columns.language()
    source: Mapped[str | None] = columns.text(100)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey(f"{USER_TABLE}.id", ondelete="SET NULL"), index=True)
    status: Mapped[ContactStatus] = columns.choice(ContactStatus, nullable=False, default=ContactStatus.NEW)
    interest: Mapped[Interest] = columns.choice(Interest, nullable=False, default=Interest.UNKNOWN)
    is_new: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    archived: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    no_email: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)  # do not contact by e-mail
    no_phone: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)  # nor by call or SMS
    no_linkedin: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    first_action_at: Mapped[datetime | None] = columns.moment()
    last_activity_at: Mapped[datetime | None] = columns.moment()
    notes: Mapped[str | None] = columns.long_text()

    owner: Mapped[Any] = relationship(User, foreign_keys=[owner_id])
    leads: Mapped[list[Lead]] = relationship(foreign_keys="Lead.contact_id", viewonly=True)
    enrolments: Mapped[list[Any]] = relationship("Enrolment", foreign_keys="Enrolment.contact_id", viewonly=True)
    activities: Mapped[list[Any]] = relationship("Activity", foreign_keys="Activity.contact_id", viewonly=True)

    def __str__(self) -> str:
        return self.name


@event.listens_for(Contact, "before_insert")
@event.listens_for(Contact, "before_update")
def _keep_derived(_mapper: Any, _connection: Any, contact: Contact) -> None:
    contact.name = full_name(contact.first_name, contact.last_name, contact.company, contact.email, contact.phone)
    contact.email_key = email_key(contact.email)


class Lead(Entity, ClientScoped, SoftDeletes):
    """One submitted form, as it came (CON-01)."""

    __tablename__ = "lead"
    __table_args__ = (
        sa.Index("ix_lead_client_received", "client_id", "received_at", "id", sqlite_where=LIVE, postgresql_where=LIVE),
    )

    name: Mapped[str | None] = columns.text(200)
    email: Mapped[str | None] = columns.email()
    phone: Mapped[str | None] = columns.phone()
    phone_e164: Mapped[str | None] = mapped_column(sa.String(16))
    form: Mapped[str | None] = columns.text(200)
    campaign: Mapped[str | None] = columns.text(200)  # as the form named it; need not be one of ours
    source: Mapped[str | None] = columns.text(100)
    status: Mapped[LeadStatus] = columns.choice(LeadStatus, nullable=False, default=LeadStatus.NEW)
    received_at: Mapped[datetime] = columns.moment(nullable=False, default=utcnow)
    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True)

    contact: Mapped[Contact | None] = relationship(foreign_keys=[contact_id])

    def __str__(self) -> str:
        return self.name or self.email or self.phone or f"#{self.id}"
