"""What Flask-AppBuilder would let through, looked for in the finished route map (reliability.md).

The kit's `ResourceView` replaces FAB's own list, form and action handlers. These checks notice when one of those comes
back: by a stock view, a route that was left in, or columns that nobody chose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask_appbuilder.baseviews import BaseCRUDView, BaseModelView
from flask_appbuilder.security.sqla.models import User
from flask_appbuilder.views import ModelView

from app.core.commands import runbook
from app.kit.views.resource_view import ResourceView

# Handlers whose FAB originals share filters between threads, load rows without the scope, fail open or show SQL.
HANDLERS = ("list", "show", "add", "edit", "delete", "action", "action_post")
SECRET = frozenset({"password"})


def problems(app: Flask) -> list[str]:
    """A sentence per hole that is open in this application."""
    views = app.appbuilder.baseviews  # type: ignore[attr-defined]
    return [text for view in views for text in _view_problems(view)] + list(_route_problems(app))


def _view_problems(view: Any) -> Iterator[str]:
    name = type(view).__name__
    if isinstance(view, BaseModelView) and not isinstance(view, ResourceView):
        yield f"{name} is one of Flask-AppBuilder's model views; make it a ResourceView."
        return
    for handler in HANDLERS:
        own = getattr(type(view), handler, None)
        stock = [getattr(base, handler, None) for base in (ModelView, BaseCRUDView)]
        if own is not None and own in stock and handler not in view.exclude_route_methods:
            yield f"{name}.{handler} is Flask-AppBuilder's own handler."
    for kind in ("list", "show", "add", "edit", "search", "order"):
        shown = SECRET & set(getattr(view, f"{kind}_columns", None) or ())
        if shown and getattr(getattr(view, "datamodel", None), "obj", None) is User:
            yield f"{name}.{kind}_columns name {', '.join(sorted(shown))}."


def _route_problems(app: Flask) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        handler = rule.endpoint.rpartition(".")[2]
        if handler == "download":
            yield f"{rule} hands out any uploaded file."
        if handler in ("action", "action_post", "restore") and "GET" in (rule.methods or ()):
            yield f"{rule} changes rows on GET."


def install(app: Flask) -> None:
    """Make the checks part of `run.py check`."""
    runbook(app).add_check("views", problems)
