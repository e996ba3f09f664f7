"""Choices of clients, of access to them and of invitations."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.core.choices import Choice


class ClientKind(Choice):
    COMPANY = "company", _l("Company")
    INDIVIDUAL = "individual", _l("Individual")


class ClientState(Choice):
    """Whether the client can be worked in; a client being deleted cannot be entered (CLI-10)."""

    OPEN = "open", _l("Open"), "ok"
    DELETING = "deleting", _l("Being deleted"), "bad"


class AccessLevel(Choice):
    OWNER = "owner", _l("Owner"), "info"
    MANAGER = "manager", _l("Manager")
    MEMBER = "member", _l("Member")
    GUEST = "guest", _l("Guest")


class InvitationState(Choice):
    INVITED = "invited", _l("Invited"), "info"
    ACCEPTED = "accepted", _l("Accepted"), "ok"
    WITHDRAWN = "withdrawn", _l("Withdrawn")


class Bar(Choice):
    """Colour of a client's progress bar (CLI-04)."""

    GREY = "grey", _l("No campaign")
    GREEN = "green", _l("On track"), "ok"
    RED = "red", _l("Low"), "bad"
    RED_EMPTY = "red_empty", _l("Nobody enrolled"), "bad"
