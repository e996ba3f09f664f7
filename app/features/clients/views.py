"""The Clients overview and what is done from it, beside the pages every entity gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import abort, flash, redirect, request, session
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from app.core.db import db
from app.core.errors import BadQuery, DomainError, NotAllowed
from app.core.security.principal import Principal, actor
from app.features.clients import access, expander, overview, queries, sample, services
from app.features.clients.enums import ClientState
from app.features.clients.models import Client, GuestInvitation
from app.kit.fields import user_name
from app.kit.listing import ListRequest, read_request
from app.kit.pages import ConfirmPage, Link
from app.kit.views.resource_view import ResourceView

_OWN_ROUTES = {
    "expand": "see", "row": "see", "switch": "see", "owner": "change_owner", "access": "grant", "withdraw": "grant",
    "people": "grant", "invite": "grant", "uninvite": "grant", "enter": "enter", "leave": "see", "remove_sample": "delete",
}  # fmt: skip


class ClientView(ResourceView):
    """`/clients/`."""

    method_permission_name = ResourceView.method_permission_name | _OWN_ROUTES

    def __init__(self) -> None:
        super().__init__()
        self.exclude_route_methods = self.exclude_route_methods - set(_OWN_ROUTES)
        extra = sorted({f"can_{verb}" for verb in _OWN_ROUTES.values()} - set(self.base_permissions))
        self.base_permissions = [*self.base_permissions, *extra]

    @expose("/")
    @has_access
    def list(self) -> Any:
        """The overview (CLI-01)."""
        try:
            page = overview.build(self.resource, read_request(request.args, keep=("tab",)), actor())
        except BadQuery as error:
            page = overview.build(self.resource, ListRequest(), actor())
            page.errors, page.rows, page.empty = [error.message], [], None
        return self.render_template("clients/overview.html", page=page), 400 if page.errors else 200

    def matching(self, args: Any) -> Any:
        """The clients of the tab and the filters that `args` describe."""
        asked = read_request(args, keep=("tab",))
        return sa.and_(overview.condition(self.resource, asked), Client.active.is_(overview.tab_of(asked) == "active"))

    @expose("/<int:pk>/row")
    @has_access
    def row(self, pk: int) -> Any:
        """One row anew, after a change."""
        rows = overview.rows_of(queries.overview_rows(Client.id == pk, "name", limit=1), actor())
        if not rows:
            abort(404)
        pick = actor().can("bulk", "client")
        return self.render_template(
            "clients/_row.html", row=rows[0], columns=overview.columns(ListRequest()), pick=pick
        )

    @expose("/<int:pk>/expand")
    @has_access
    def expand(self, pk: int) -> Any:
        """Owner, mail accounts and people with access (CLI-09)."""
        part = request.headers.get("X-Fragment") == "1"
        template = "clients/_expander.html" if part else "clients/expander_page.html"
        return self.render_template(template, client=expander.build(self.load(pk), actor()))

    @expose("/<int:pk>/switch", methods=["GET", "POST"])
    @has_access
    def switch(self, pk: int) -> Any:
        """Ask, then switch off or on (CLI-06). `to` says which, so that a second click changes nothing."""
        client, to = self.load(pk), request.args.get("to", "")
        if to not in ("on", "off"):
            raise BadQuery(_("Say whether to switch the client on or off."))
        if not actor().can(f"switch_{to}", "client"):
            raise NotAllowed(_("Your role may not do this."))
        if request.method == "GET":
            services.require_rule(client, actor())
            return self.confirm(_switch_question(client, to))
        verb = services.switched_off if to == "off" else services.switched_on
        return self._do(lambda: verb(client, actor=actor()))

    @expose("/<int:pk>/owner", methods=["POST"])
    @has_access
    def owner(self, pk: int) -> Any:
        """Hand the client to another owner."""
        client, wanted = self.load(pk), _whole(request.values.get("owner_id"))
        undo = self._undo(pk, "owner", owner_id=[client.owner_id]) if client.owner_id else ""

        def change() -> str:
            services.change_owner(client, wanted, actor=actor())
            db.session.flush()
            return _("%(name)s has a new owner.", name=client.name)

        return self._do(change, undo)

    def _undo(self, pk: int, verb: str, **values: Any) -> str:
        """The address that takes a change back; a script posts to it without a body."""
        return f"{self._url(pk, verb)}?{urlencode(values, doseq=True)}"

    @expose("/<int:pk>/access", methods=["POST"])
    @has_access
    def access(self, pk: int) -> Any:
        """Give several users access."""
        client = self.load(pk)
        wanted = [_whole(raw) or 0 for raw in request.values.getlist("user_id")]

        def grant() -> str:
            made = len(access.grant_access(client, wanted, actor=actor()))
            return ngettext("%(num)s person has access now.", "%(num)s people have access now.", made)

        return self._do(grant, self._undo(pk, "access/withdraw", user_id=wanted))

    @expose("/<int:pk>/access/withdraw", methods=["POST"])
    @has_access
    def withdraw(self, pk: int) -> Any:
        """Take users' access."""
        client = self.load(pk)
        people = [_whole(raw) or 0 for raw in request.values.getlist("user_id")]

        def take() -> str:
            if not access.withdraw_access(client, people, actor=actor()):
                abort(404)
            return _("Access withdrawn.")

        return self._do(take, self._undo(pk, "access", user_id=people))

    @expose("/<int:pk>/people")
    @has_access
    def people(self, pk: int) -> Any:
        """Search for users without access: {"results": [{"id", "text"}]}."""
        client = self.load(pk)
        services.require_rule(client, actor())
        found = queries.people_without_access(client.id, request.args.get("q", "")[:100])
        return {"results": [{"id": user.id, "text": user_name(user)} for user in found]}

    @expose("/<int:pk>/invite", methods=["POST"])
    @has_access
    def invite(self, pk: int) -> Any:
        """Ask a guest in by e-mail."""
        client = self.load(pk)

        def ask() -> str:
            invitation = access.invite_guest(client, request.form.get("email", ""), actor=actor())
            return _("%(address)s is noted as invited.", address=invitation.email)

        return self._do(ask)

    @expose("/<int:pk>/invitations/<int:invitation_id>/withdraw", methods=["POST"])
    @has_access
    def uninvite(self, pk: int, invitation_id: int) -> Any:
        """Take an invitation back."""
        own = sa.and_(GuestInvitation.id == invitation_id, GuestInvitation.client_id == self.load(pk).id)
        invitation = db.session.scalar(sa.select(GuestInvitation).where(own))
        if invitation is None:
            abort(404)

        def take() -> str:
            access.withdraw_invitation(invitation, actor=actor())
            return _("Invitation withdrawn.")

        return self._do(take)

    @expose("/<int:pk>/enter", methods=["POST"])
    @has_access
    def enter(self, pk: int) -> Any:
        """Scope the whole console to this client (CLI-10)."""
        client = self.load(pk)
        if client.state is ClientState.DELETING:
            raise DomainError(_("“%(name)s” is being deleted and cannot be entered.", name=client.name))
        session["focus"] = client.id
        return redirect(self._url(client.id))

    @expose("/leave", methods=["POST"])
    @has_access
    def leave(self) -> Any:
        """Back to all clients."""
        session.pop("focus", None)
        return redirect(overview.BASE)

    @expose("/sample/remove", methods=["GET", "POST"])
    @has_access
    def remove_sample(self) -> Any:
        """Erase the sample agency: for who reaches all clients only."""
        if not actor().reaches_all:
            raise NotAllowed(_("Only somebody who reaches all clients may remove the sample."))
        if request.method == "GET":
            return self.confirm(_sample_question())
        session.pop("focus", None)

        def erase() -> str:
            gone = sample.remove()
            return ngettext("%(num)s sample client is gone.", "%(num)s sample clients are gone.", gone)

        return self._do(erase)

    def record_actions(self, row: Any, principal: Principal) -> Any:
        """Entering first, then what every record has."""
        links = super().record_actions(row, principal)
        if not principal.can("enter", "client") or row.state is ClientState.DELETING or principal.focus == row.id:
            return links
        return [Link(_("Enter"), f"{overview.BASE}{row.id}/enter", "login-2", method="post"), *links]

    def added(self, row: Any) -> str:
        """Its page, which lies outside of the client that was entered."""
        session.pop("focus", None)
        return super().added(row)

    def _prefilled(self) -> dict[str, Any]:
        """Who adds a client owns it, unless they choose somebody else."""
        return {"owner": actor().user_id} | super()._prefilled()

    def _do(self, verb: Callable[[], str], undo: str = "") -> Any:
        """Run and commit; answer a script in JSON, a browser without one with the page it came from."""
        by_script = request.headers.get("X-Fragment") == "1"
        try:
            message = self._attempt(verb)
        except DomainError as error:
            if by_script:
                return {"error": error.message}, error.status
            raise
        if by_script:
            return {"message": message, "undo_url": undo or None}
        flash({"text": message, "undo_url": undo}, "success")  # type: ignore[arg-type]
        return redirect(overview.BASE)


def _switch_question(client: Client, to: str) -> ConfirmPage:
    """What switching means, before it is done."""
    if to == "off":
        return _off_question(client)
    url = f"{overview.BASE}{client.id}/switch?to=on"
    title, body = (
        _("Switch %(name)s on?", name=client.name),
        [_("Its campaigns stay stopped until somebody starts them.")],
    )
    return ConfirmPage(
        title, body, Link(_("Switch on"), url, "power", "primary", "post"), Link(_("Keep off"), overview.BASE)
    )


def _off_question(client: Client) -> ConfirmPage:
    """What stops and what stays, in numbers (CLI-06)."""
    numbers = queries.numbers_of(client.id)
    running = numbers.running_campaigns
    stops = ngettext("%(num)s running campaign stops at once;", "%(num)s running campaigns stop at once;", running)
    left = ngettext(
        "%(num)s person will not be contacted.", "%(num)s people will not be contacted.", numbers.to_be_contacted
    )
    body = [
        f"{stops} {left}" if running else _("No campaign is running."),
        _(
            "All data stays, and its %(n)s stored prospects still count towards the limit.",
            n=format_decimal(numbers.stored),
        ),
        _("Switching on again does not restart the campaigns."),
    ]
    submit = Link(_("Switch off"), f"{overview.BASE}{client.id}/switch?to=off", "power", "danger", "post")
    url = f"/campaigns/?f=client:eq:{client.id}&f=status:eq:running"
    shown = ngettext("Show the %(num)s campaign", "Show the %(num)s campaigns", running)
    links = [Link(shown, url)] if running else []
    title = _("Switch %(name)s off?", name=client.name)
    return ConfirmPage(title, body, submit, Link(_("Keep on"), overview.BASE), links=links)


def _sample_question() -> ConfirmPage:
    """What removing the sample takes along."""
    clients, contacts = sample.sizes()
    body = [
        _("%(clients)s clients with %(contacts)s contacts and all that belongs to them are erased, for good.",
          clients=format_decimal(clients), contacts=format_decimal(contacts)),
        _("What you added to sample clients goes too. Your own clients stay as they are."),
    ]  # fmt: skip
    erase = Link(_("Remove the sample"), f"{overview.BASE}sample/remove", "eraser", "danger", "post")
    return ConfirmPage(_("Remove the sample agency?"), body, erase, Link(_("Keep it"), overview.BASE))


def _whole(raw: str | None) -> int | None:
    """A row's id as posted; None for anything else."""
    text = raw or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
