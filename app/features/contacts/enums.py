"""Choices of contacts and leads."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.core.choices import Choice


class ContactStatus(Choice):
    NEW = "new", _l("New"), "info"
    NURTURING = "nurturing", _l("Nurturing"), "neutral"
    QUALIFIED = "qualified", _l("Qualified"), "ok"
    WON = "won", _l("Won"), "ok"
    LOST = "lost", _l("Lost"), "bad"


class Interest(Choice):
    """Interest shown in a reply (CMP-06)."""

    UNKNOWN = "unknown", _l("Unknown")
    INTERESTED = "interested", _l("Interested"), "ok"
    MAYBE_LATER = "maybe_later", _l("Maybe later"), "warn"
    NOT_INTERESTED = "not_interested", _l("Not interested"), "bad"


class LeadStatus(Choice):
    NEW = "new", _l("New"), "info"
    MERGED = "merged", _l("Turned into a contact"), "merge"
    DUPLICATE = "duplicate", _l("Duplicate"), "warn"
    REJECTED = "rejected", _l("Rejected"), "bad"
