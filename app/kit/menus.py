"""The sidebar: what this user may see, from the declarations, with no query of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l

from app.core.security.principal import Principal, current
from app.kit import registry
from app.kit.pages import MenuGroup, MenuItem

AREAS: dict[str, Any] = {
    "home": "",
    "agency": _l("Agency"),
    "people": _l("People"),
    "work": _l("Work"),
    "data": _l("Data"),
    "admin": _l("Admin"),
}


@dataclass(frozen=True)
class Entry:
    """A page in the sidebar that is no entity's list. `right` = (verb, resource) it needs."""

    area: str
    label: Any
    url: str
    icon: str
    right: tuple[str, str]
    order: int = 100


def entries() -> list[Entry]:
    """Every page a menu can hold, by area and order."""
    found = [
        Entry(r.area, r.plural, f"{r.url}/", r.icon, ("see", r.name), r.order) for r in registry.resources() if r.menu
    ]
    found += [entry for feature in registry.features() for entry in feature.menu]
    return sorted(found, key=lambda e: (list(AREAS).index(e.area), e.order))


def menu() -> list[MenuGroup]:
    """The sidebar of the acting user."""
    principal = current()
    if principal is None:
        return []
    groups = []
    for area, label in AREAS.items():
        items = [_item(e) for e in entries() if e.area == area and _allowed(e, principal)]
        if items:
            groups.append(MenuGroup(str(label), items))
    return groups


def _allowed(entry: Entry, principal: Principal) -> bool:
    return principal.can(*entry.right)


def _item(entry: Entry) -> MenuItem:
    return MenuItem(str(entry.label), entry.url, entry.icon, active=request.path.startswith(entry.url))
