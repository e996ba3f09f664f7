"""Errors that a user can understand: raised by services, drawn in one place as a flash, a field error or a problem document."""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal with a reason in the user's words.

    `message` is already translated; `fields` maps field names to messages shown beside them; `status` is the HTTP status.
    """

    status = 422

    def __init__(self, message: str = "", fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message or "; ".join((fields or {}).values()))
        self.message = message or "; ".join((fields or {}).values())
        self.fields: dict[str, str] = dict(fields or {})


class NotAllowed(DomainError):
    """The actor may see the row but not do this to it."""

    status = 403


class Missing(DomainError):
    """The row does not exist for this actor: absent, deleted or out of scope, all alike (PLT-04)."""

    status = 404


class Clash(DomainError):
    """A value that must be unique is taken."""

    status = 409


class BadQuery(DomainError):
    """A filter, sort, page or search value in the URL that cannot be understood; nothing is widened silently."""

    status = 400


class Stale(DomainError):
    """Somebody else saved the row in between (PLT-21). `theirs` is the version now stored."""

    status = 409

    def __init__(self, message: str, theirs: int) -> None:
        super().__init__(message)
        self.theirs = theirs
