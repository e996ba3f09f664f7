"""Views and APIs for every declared resource. Class names are stable: FAB keys blueprints and endpoints on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.kit.api import ResourceApi
from app.kit.resource import Feature, Resource
from app.kit.views.resource_view import ResourceView


def view_class(resource: Resource) -> type[Any]:
    """`ContactView`: the declared class, or a generated one."""
    base = resource.view or ResourceView
    return type(f"{resource.model.__name__}View", (base,), {"resource": resource})


def api_class(resource: Resource) -> type[Any]:
    """`ContactApi`: the declared class, or a generated one."""
    base = resource.api or ResourceApi
    return type(f"{resource.model.__name__}Api", (base,), {"resource": resource})


def add_views(appbuilder: Any, features: Iterable[Feature]) -> None:
    """Register every feature's pages and APIs with Flask-AppBuilder."""
    for feature in features:
        for resource in feature.resources:
            appbuilder.add_view_no_menu(view_class(resource))
            appbuilder.add_api(api_class(resource))
        for view in feature.views:
            appbuilder.add_view_no_menu(view)
