"""Signing in and out with a user name or e-mail address and a password (PLT-03)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app, flash, g, redirect, request, session
from flask_appbuilder.baseviews import expose
from flask_appbuilder.const import FLAMSG_ERR_SEC_ACCESS_DENIED
from flask_appbuilder.security.decorators import no_cache
from flask_appbuilder.security.forms import LoginForm_db
from flask_appbuilder.security.sqla.models import User
from flask_appbuilder.security.views import AuthDBView as FabAuthView
from flask_babel import gettext as _
from flask_login import login_user, logout_user

from app.core.db import db
from app.core.text import storable_part


def local_target(target: str) -> str:
    """The path to go to after signing in: `target` where it is a page of this console, else the first page.

    Browsers read `/\\host` and `//host` as another host and skip control characters, so none of these is a path.
    """
    if any(ord(c) < 33 for c in target) or target.startswith(("//", "/\\", "\\")):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.netloc and (parts.scheme not in ("http", "https") or parts.netloc != request.host):
        return "/"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and (parts.netloc or not parts.scheme)
    return path if inside else "/"


STAMP = "stamp"  # in the session and in tokens: which password they were issued for


def stamp(user: Any) -> str:
    """Changes with the user's password and tells nothing about it."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"{user.id}:{user.password}".encode(), hashlib.sha256).hexdigest()[:32]


def keep_signed_in(user: Any) -> None:
    """Bind this session to the user's present password; every other session ends when that changes."""
    session[STAMP] = stamp(user)


def renew_session() -> None:
    """Nothing of the old session lives on in the new one, its CSRF token included, but the language somebody chose."""
    language = session.get("locale")
    session.clear()
    if language:
        session["locale"] = language


def address_tried() -> str:
    """The address a sign-in comes from: what the rate limit counts."""
    return f"address {request.remote_addr or ''}"


def account_tried() -> str:
    """The account a sign-in tries: one key whether it is named by user name or by e-mail address, known or not."""
    body: Any = request.get_json(silent=True) if request.is_json else request.form
    name = str(body.get("username") or "") if hasattr(body, "get") else ""
    name = storable_part(name.strip().lower())[:320]
    same = sa.or_(sa.func.lower(User.username) == name, sa.func.lower(User.email) == name)
    found = db.session.scalar(sa.select(User.id).where(same).order_by(User.id).limit(1))
    return f"account {found}" if found is not None else f"name {name}"


def _soften_refusal() -> None:
    """Who opens a page before signing in is asked to, once, where FAB says that access is denied, once per page."""
    flashes = session.pop("_flashes", [])
    kept = [pair for pair in flashes if str(pair[1]) != str(FLAMSG_ERR_SEC_ACCESS_DENIED)]
    if kept != flashes:
        kept.append(("info", _("Sign in to see this page.")))
    if kept:
        session["_flashes"] = list(dict.fromkeys(map(tuple, kept)))


class AuthDBView(FabAuthView):
    """FAB's sign-in with its balanced timing; a refused try keeps the name, a new session keeps nothing of the old one."""

    @expose("/login/", methods=["GET", "POST"])
    @no_cache
    def login(self) -> Any:
        """The sign-in page and its check."""
        target = local_target(request.args.get("next", ""))
        if g.user is not None and g.user.is_authenticated:
            return redirect(target)
        form = LoginForm_db()
        if request.method == "GET":
            _soften_refusal()
            return self._page(form), 200
        if not form.validate():
            return self._page(form), 422
        user = current_app.appbuilder.sm.auth_user_db(form.username.data.strip(), form.password.data)  # type: ignore[attr-defined]
        if not user:
            flash(_("The name or the password is wrong."), "danger")
            return self._page(form), 401
        renew_session()
        login_user(user, remember=False)
        keep_signed_in(user)
        return redirect(target)

    def _page(self, form: Any) -> Any:
        return self.render_template(self.login_template, title=_("Sign in"), form=form, appbuilder=self.appbuilder)

    @expose("/logout/")
    def logout(self) -> Any:
        """End the session."""
        logout_user()
        renew_session()
        return redirect("/login/")
