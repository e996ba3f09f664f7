"""All rights of the application, from its views and declarations, and what each built-in role starts with."""

from __future__ import annotations

from typing import Any

from app.core.security import rights
from app.core.security.rights import Pair
from app.kit import registry
from app.kit.resource import Resource


def known_pairs(appbuilder: Any) -> set[Pair]:
    """Every (permission, name) some view checks, and row scope."""
    pairs = {(p, view.class_permission_name) for view in appbuilder.baseviews for p in view.base_permissions or ()}
    for resource in registry.resources():
        pairs |= {(f"can_{verb}", resource.name) for verb in resource.verbs()}
        pairs |= _declared(resource)
    pairs.add(("can_reach_all", "client"))
    return pairs


def _declared(resource: Resource) -> set[Pair]:
    return {(f"can_{verb}", resource.name) for verbs in resource.rights.values() for verb in verbs.split()}


def defaults() -> dict[str, set[Pair]]:
    """What each role starts with, from the resources' `rights`."""
    found: dict[str, set[Pair]] = {name: set() for name in rights.BUILT_IN}
    for resource in registry.resources():
        for role, verbs in resource.rights.items():
            found.setdefault(role, set()).update((f"can_{verb}", resource.name) for verb in verbs.split())
    for feature in registry.features():
        for role, pairs in feature.rights.items():
            found.setdefault(role, set()).update(pairs)
    return found


def sync(appbuilder: Any) -> dict[str, int]:
    """Bring the database's roles and permissions up to the application (idempotent)."""
    return rights.sync(known_pairs(appbuilder), defaults())
