"""What the contacts feature adds."""

from __future__ import annotations

from app.features.contacts.resources import CONTACTS, LEADS
from app.kit.resource import Feature

FEATURE = Feature("contacts", resources=(CONTACTS, LEADS))
