"""Contacts and leads, declared."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.features.contacts import services
from app.features.contacts.importing import ContactImport
from app.features.contacts.models import Contact, Lead
from app.kit.resource import Resource, Section, Service, Transfer, Trash

_PERSON = ("first_name", "last_name", "company", "job_title", "email", "phone")
_ADDRESS = ("street", "postal_code", "city", "region", "country", "time_zone", "language")
_HANDLING = ("owner", "status", "interest", "source", "is_new", "archived", "no_email", "no_phone", "no_linkedin")

CONTACTS = Resource(
    model=Contact, name="contact", area="people", label=_l("Contact"), plural=_l("Contacts"), url="/contacts",
    icon="address-book", order=10,
    list=("name", "company", "client", "status", "email", "phone", "owner", "last_activity_at"),
    more=("job_title", "interest", "city", "country", "source", "first_action_at"),
    search=("name", "company", "email", "phone"),
    filters=("client", "status", "interest", "owner", "company", "email", "city", "country", "source", "is_new",
             "archived", "first_action_at", "last_activity_at", "created_at"),
    sort="name",
    form=(Section(_l("Person"), "client", *_PERSON), Section(_l("Address"), *_ADDRESS),
          Section(_l("Handling"), *_HANDLING, "notes")),
    readonly=("client",), unique=(("client", "email"),), parent="client",
    labels={"first_action_at": _l("Connected since"), "last_activity_at": _l("Last activity"), "no_email": _l("No e-mails"),
            "no_phone": _l("No calls or SMS"), "no_linkedin": _l("No LinkedIn messages")},
    rights={"Manager": "see add edit delete restore export import bulk", "Agent": "see add edit bulk export", "Guest": "see"},
    service=Service(create=services.create_contact, update=services.update_contact),
    trash=Trash(cascade=("enrolments",)),
    transfer=Transfer(
        key=("email", "phone"), prepare=ContactImport,
        columns=(*_PERSON, *_ADDRESS, "owner", "status", "interest", "source", "notes"),
        aliases={"name": ("full name", "contact", "contact name", "person", "ansprechpartner"),
                 "first_name": ("given name", "forename", "vorname"),
                 "last_name": ("surname", "family name", "nachname"),
                 "email": ("e-mail address", "mail", "mail address", "e-mail-adresse"),
                 "phone": ("phone number", "telephone", "tel", "mobile", "mobile phone", "telefon", "handy"),
                 "company": ("organisation", "organization", "company name", "firma"),
                 "job_title": ("position", "title", "role"), "postal_code": ("zip", "zip code", "postcode", "plz"),
                 "street": ("address", "strasse"), "city": ("town", "ort"), "region": ("state", "county"),
                 "client": ("client name", "account", "kunde"), "notes": ("remark", "comment", "bemerkung")},
    ),
    empty=(_l("No contacts yet"), _l("Import a spreadsheet of them, or add the first one by hand.")),
)  # fmt: skip

LEADS = Resource(
    model=Lead, name="lead", area="people", label=_l("Lead"), plural=_l("Leads"), url="/leads", icon="forms", order=20,
    list=("name", "email", "phone", "client", "form", "campaign", "source", "status", "received_at"),
    search=("name", "email", "phone", "form"), sort="-received_at",
    filters=("client", "status", "form", "campaign", "source", "received_at", "contact"),
    form=(Section(_l("Lead"), "client", "name", "email", "phone"), Section(_l("Origin"), "form", "campaign", "source", "status")),
    show=(Section(_l("Lead"), "client", "name", "email", "phone", "status", "contact"),
          Section(_l("Origin"), "form", "campaign", "source", "received_at", "payload")),
    readonly=("client",), parent=("client", "contact"), labels={"received_at": _l("Received"), "payload": _l("As submitted")},
    rights={"Manager": "see add edit delete restore bulk", "Agent": "see add edit", "Guest": "see"},
    service=Service(create=services.create_lead, update=services.update_lead),
    empty=(_l("No leads yet"), _l("Each submitted form becomes a lead here.")),
)  # fmt: skip
