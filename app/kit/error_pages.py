"""Every error in the console's look with its reference number; for the API as a problem document (RFC 9457)."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.core.clock import utcnow
from app.core.db import db
from app.core.errors import BadQuery, Clash, DomainError, NotAllowed, Stale
from app.core.logs import request_id
from app.core.problems import problem
from app.core.security.principal import current
from app.kit.pages import Link

log = logging.getLogger(__name__)


def wants_json() -> bool:
    """Programs get problem documents."""
    return request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"


def page(code: int, title: str, text: str, retry_after: int = 0) -> tuple[str, int]:
    """The error page, or the same in JSON."""
    if wants_json():
        return problem(code, text or title), code  # type: ignore[return-value]
    actions = [Link(_("Start page"), "/", "home", style="primary")]
    values = {"code": code, "title": title, "text": text, "reference": request_id(), "actions": actions}
    return render_template("kit/error.html", **values, happened=utcnow(), retry_after=retry_after), code


def _texts(code: int) -> tuple[str, str]:
    known = {
        400: (_("This request cannot be understood"), _("Something in the address or the form is not right.")),
        401: (_("You are not signed in"), _("Sign in and try again.")),
        403: (_("This is not part of your role"), _("An admin can change what your role may do.")),
        404: (_("There is nothing here"), _("The record may be deleted, or it is not one you can see.")),
        405: (_("This cannot be done here"), _("The page does not take this kind of request.")),
        413: (_("This is too large"), _("Files up to 64 MB can be uploaded.")),
        429: (_("Too many tries"), _("Wait a minute, then try again.")),
    }
    return known.get(code, (_("This could not be done"), ""))


def _http(error: HTTPException) -> Any:
    if isinstance(error, InternalServerError):
        return _unexpected(getattr(error, "original_exception", None) or error)
    if error.code is not None and 300 <= error.code < 400:
        return error
    if error.code == 403 and current_user.is_authenticated:
        return _no_right()
    return page(error.code or 500, *_texts(error.code or 500))


def _no_right(text: str = "") -> Any:
    title, default = _texts(403)
    if wants_json() or current() is None:
        return page(403, title, text or default)
    return render_template(
        "kit/no_right.html", title=title, text=text or default, reference=request_id(), actions=[]
    ), 403


def _csrf(error: CSRFError) -> Any:
    text = _("The form was open too long or came from elsewhere. Go back, reload the page and send it again.")
    return page(400, _("This form has expired"), text)


def _domain(error: DomainError) -> Any:
    db.session.rollback()
    if wants_json():
        return problem(error.status, error.message)
    if isinstance(error, NotAllowed):
        return _no_right(error.message)
    if isinstance(error, BadQuery) or request.method in ("GET", "HEAD"):
        return page(error.status, _texts(error.status)[0], error.message)
    title = _("Somebody was faster") if isinstance(error, Stale | Clash) else _("This was refused")
    return page(error.status, title, error.message)


def _unexpected(error: BaseException) -> Any:
    db.session.rollback()
    log.error("unexpected error", exc_info=error)
    text = _("What you typed is kept: go back to it. If this happens again, tell us the reference.")
    if isinstance(error, OperationalError):
        return page(503, _("The database does not answer"), text, retry_after=20)
    return page(500, _("This page could not be loaded"), text)


def install(app: Flask, appbuilder: Any) -> None:
    """Register the handlers, and the same for JWT failures."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(Exception, _unexpected)
    jwt = appbuilder.sm.jwt_manager
    for register in (jwt.unauthorized_loader, jwt.invalid_token_loader):
        register(lambda reason: problem(401, _("Sign in first.") + f" {reason}"))
    jwt.expired_token_loader(lambda _header, _data: problem(401, _("This sign-in has expired.")))
    jwt.user_lookup_error_loader(lambda _header, _data: problem(401, _("This user may not sign in.")))
