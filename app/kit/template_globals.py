"""What every template can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flask import Flask, current_app, url_for
from flask_babel import format_datetime, get_locale
from flask_babel import gettext as _

from app.core.security.principal import current
from app.kit.menus import menu
from app.kit.zones import relative


@dataclass(frozen=True)
class Focus:
    """The client the console is entered for."""

    name: str
    initials: str
    leave_url: str


def initials(name: str) -> str:
    """Two letters for an avatar."""
    words = [w for w in name.replace("&", " ").split() if w[0].isalnum()]
    return "".join(w[0] for w in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()


def focus() -> Focus | None:
    """The entered client's name and the way back; its feature says the name."""
    principal = current()
    if principal is None or principal.focus is None:
        return None
    # A client that was deleted or withdrawn meanwhile leaves nothing to see but the way out.
    name = current_app.extensions.get("client_name", str)(principal.focus) or _("Gone client")
    return Focus(name, initials(name), "/clients/leave")


def unread() -> int:
    """Unread notifications of the acting user."""
    counter = current_app.extensions.get("unread_notifications")
    return counter() if counter and current() is not None else 0


_urls: dict[str, str] = {}


def asset(path: str) -> str:
    """URL of a static file with a hash of its content, so that it can be cached for good.

    A page asks some two hundred times, once for each icon: outside of development the answer is kept.
    """
    if path in _urls and not current_app.debug:
        return _urls[path]
    _urls[path] = _hashed_url(path)
    return _urls[path]


def _hashed_url(path: str) -> str:
    file = Path(str(current_app.static_folder)) / path
    if not file.is_file():
        return url_for("static", filename=path)
    return url_for("static", filename=path, v=sha256(file.read_bytes()).hexdigest()[:12])


def install(app: Flask) -> None:
    """Add the globals and filters to Jinja."""
    app.jinja_env.globals.update(
        menu=menu, focus=focus, unread=unread, asset=asset, get_locale=get_locale, viewing_as=lambda: None
    )
    app.jinja_env.filters.update(relative=relative, datetimeformat=format_datetime, initials=initials)
    app.jinja_env.add_extension("jinja2.ext.do")
