"""Clients and access to them, declared."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.features.clients import access, services
from app.features.clients.api import ClientApi
from app.features.clients.importing import ClientImport
from app.features.clients.models import Client, ClientAccess, GuestInvitation
from app.features.clients.views import ClientView
from app.kit.resource import Resource, RowAction, Section, Service, Transfer, Trash

_BILLING = tuple(f"billing_{part}" for part in ("street", "postal_code", "city", "region", "country"))
_VISIT = tuple(f"visit_{part}" for part in ("street", "postal_code", "city", "region", "country"))
_PLACE = ("time_zone", "language", "currency", "country")
_STOPS = _l("All its campaigns stop. Its data stays and counts towards the limit of stored prospects.")

CLIENTS = Resource(
    model=Client, name="client", area="agency", label=_l("Client"), plural=_l("Clients"), url="/clients",
    icon="building", order=10, list=("name", "owner", "kind", "active", "email", "phone", "country", "created_at"),
    search=("name", "email"), filters=("owner", "active", "kind", "country", "time_zone", "created_at"), sort="name",
    form=(Section(_l("Client"), "name", "kind", "owner", "email", "phone", "website", "logo"),
          Section(_l("Place and language"), *_PLACE), Section(_l("Billing address"), *_BILLING),
          Section(_l("Visiting address"), *_VISIT), Section(_l("More"), "stored_limit", "notes")),
    unique=(("name",),),
    labels={"created_at": _l("Added"), "stored_limit": _l("Share of stored prospects"), "website": _l("Website"),
            **{f"{kind}_{part}": label for kind in ("billing", "visit") for part, label in {
                "street": _l("Street"), "postal_code": _l("Postal code"), "city": _l("City"), "region": _l("Region"),
                "country": _l("Country")}.items()}},
    rights={"Manager": "see add edit delete restore export import bulk switch_off switch_on change_owner grant enter",
            "Agent": "see edit switch_off switch_on change_owner grant enter", "Guest": "see enter"},
    service=Service(create=services.create_client, update=services.update_client, delete=services.delete_client,
                    restore=services.restore_client),
    trash=Trash(cascade=services.BELONGINGS),
    actions=(RowAction("switch_off", _l("Switch off"), services.switched_off, "player-stop", lambda c: c.active, _STOPS),
             RowAction("switch_on", _l("Switch on"), services.switched_on, "player-play", lambda c: not c.active)),
    transfer=Transfer(columns=("name", "kind", "owner", "email", "phone", "website", *_PLACE, *_BILLING, *_VISIT, "notes"),
                      key=("name",), required=("name",), prepare=ClientImport,
                      aliases={"name": ("client", "company", "client name"), "email": ("e-mail address", "mail"),
                               "phone": ("telephone",), "website": ("web", "url", "homepage")}),
    empty=(_l("No clients yet"), _l("Add the first company or person the agency works for, or import a spreadsheet.")),
    view=ClientView, api=ClientApi,
)  # fmt: skip

CLIENT_ACCESS = Resource(
    model=ClientAccess, name="client_access", area="admin", label=_l("Access"), plural=_l("Access"), url="/client-access",
    icon="users", menu=False, title="user", list=("user", "client", "level", "created_at"), sort="-created_at",
    filters=("client", "user", "level", "created_at"), form=(Section(_l("Access"), "client", "user", "level"),),
    readonly=("client", "user"), unique=(("client", "user"),), parent="client", labels={"created_at": _l("Since")},
    rights={"Manager": "see add edit delete restore", "Agent": "see"},
    service=Service(create=access.create_access, update=access.update_access, delete=access.delete_access,
                    restore=access.restore_access),
)  # fmt: skip

INVITATIONS = Resource(
    model=GuestInvitation, name="guest_invitation", area="admin", label=_l("Invitation"), plural=_l("Invitations"),
    url="/invitations", icon="mail-forward", menu=False, title="email", list=("email", "client", "state", "invited_at"),
    search=("email",), filters=("client", "state", "invited_at"), sort="-invited_at", writable=False, trash=None,
    show=(Section(_l("Invitation"), "email", "client", "state", "invited_at", "user"),), parent="client",
    labels={"invited_at": _l("Invited")}, rights={"Manager": "see", "Agent": "see"},
)  # fmt: skip
