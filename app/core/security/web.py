"""What every request gets: its principal, a read or write transaction, CSRF for cookies on the API, security headers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request, send_from_directory, session
from flask.json.provider import DefaultJSONProvider
from flask_login import current_user
from flask_wtf import CSRFProtect
from werkzeug.routing import IntegerConverter
from werkzeug.security import safe_join

from app.core.db import set_reading
from app.core.security.principal import Principal, principal_for, set_current
from app.core.text import BIGGEST_ID

SAFE = ("GET", "HEAD", "OPTIONS")
csrf = CSRFProtect()


class RowNumber(IntegerConverter):
    """`<int:pk>` in a route: a number that a row can have; a larger one is an address where nothing is."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **{"max": BIGGEST_ID, **kw})


class Json(DefaultJSONProvider):
    """JSON bodies; one that is nested without end is malformed, not our fault."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read `s`; ValueError for what is no JSON."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deep") from None


def principal_of(user: Any, focus: int | None) -> Principal:
    """The principal of a signed-in user, made once a request."""
    cached: Principal | None = g.get("principal")
    if cached is None or cached.user_id != user.id:
        cached = g.principal = principal_for(user, focus)
    return cached


def focus_of_session() -> int | None:
    """The client the console is entered for (CLI-10). A client out of reach leaves nothing to see, not more."""
    value = session.get("focus")
    return value if isinstance(value, int) else None


def csp_nonce() -> str:
    """This response's script nonce."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    return str(g.csp_nonce)


def content_security_policy() -> str:
    """The strict policy of every page: own scripts by nonce, no inline style, no frame."""
    return (
        f"default-src 'none'; script-src 'nonce-{csp_nonce()}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _begin() -> None:
    set_current(None)
    set_reading(request.method in SAFE)


def _protect_api() -> None:
    """FAB exempts its API from CSRF, even with cookie sign-in. Who is known by a cookie needs the token, whatever else the
    request carries: FAB asks for a bearer header only where no cookie signs in.
    """
    if request.method in SAFE or not request.path.startswith("/api/"):
        return
    if current_app.config.get("WTF_CSRF_ENABLED", True) and current_user.is_authenticated:
        csrf.protect()


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", content_security_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if current_app.config.get("SESSION_COOKIE_SECURE"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if not request.path.startswith("/static/") or response.status_code >= 400:
        headers.setdefault("Cache-Control", "no-store")
    elif "v" in request.args and response.status_code == 200:
        headers["Cache-Control"] = "public, max-age=31536000, immutable"  # its address changes with its content
    return response


def _static(filename: str) -> Response:
    """A static file, from its compressed twin where the build made one and the browser takes it."""
    folder = Path(str(current_app.static_folder))
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    kind = kinds.get(Path(filename).suffix)
    if (
        kind is None
        or request.accept_encodings.quality("gzip") == 0
        or safe_join(str(folder), f"{filename}.gz") is None
    ):
        return current_app.send_static_file(filename)
    if not (folder / f"{filename}.gz").is_file():
        return current_app.send_static_file(filename)
    response = send_from_directory(folder, f"{filename}.gz", mimetype=kind, max_age=0)
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def _drop_history(response: Response) -> Response:
    """FAB keeps visited pages in the cookie until it outgrows 4 kB and the session is lost."""
    if "page_history" in session:
        del session["page_history"]
    return response


def _end(_error: Any) -> None:
    set_current(None)
    set_reading(False)


def install(app: Flask) -> None:
    """Attach the hooks. Must run before FAB's, whose own before_request asks who acts."""
    app.url_map.converters["int"] = RowNumber
    app.json = Json(app)
    csrf.init_app(app)
    app.before_request(_begin)
    app.after_request(_headers)
    app.teardown_request(_end)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.view_functions["static"] = _static


def install_after_fab(app: Flask) -> None:
    """The hooks that need FAB's user to be known."""
    app.before_request(_protect_api)
    app.after_request(_drop_history)
