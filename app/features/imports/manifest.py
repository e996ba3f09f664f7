"""What the imports feature adds: the wizard, the command and the kind of operation behind both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.commands import runbook
from app.core.operations.handlers import register
from app.features.imports.commands import import_command
from app.features.imports.views import ImportView
from app.kit import error_pages
from app.kit.importing import source
from app.kit.importing.flow import HANDLER
from app.kit.menus import Entry
from app.kit.resource import Feature

if TYPE_CHECKING:
    from flask import Flask

_DRAINED = 256 * 2**20  # bytes read and thrown away, so that the browser listens to the answer


def setup(app: Flask) -> None:
    """Make imports known to the engine, clear old files away, and say on the upload page that a file is too large."""
    register(HANDLER)
    runbook(app).add_tick("uploads", lambda _app: source.clear_away(), every=6 * 3600)
    app.register_error_handler(RequestEntityTooLarge, _too_large)


def _too_large(error: RequestEntityTooLarge) -> Any:
    if request.path != "/imports/new":
        return error_pages.page(error.code, _("This is too large"), _("Files up to 64 MB can be uploaded."))
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, _DRAINED)
    while left > 0 and (read := len(stream.read(min(left, 2**20)))):
        left -= read
    name = request.args.get("resource", "")
    return redirect(f"/imports/new?resource={name if name.isidentifier() else ''}&refused=too_large", 303)


FEATURE = Feature(
    "imports",
    views=(ImportView,),
    commands=(import_command,),
    setup=setup,
    menu=(Entry("data", _l("Imports"), "/imports/", "database-import", ("see", "imports"), 20),),
    rights={"Manager": (("can_see", "imports"),)},
)
