"""The matrix of a role: what it may do with each entity, as data for `templates/roles/matrix.html` (PLT-03)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.core.mixins import ClientScoped, SelfScoped
from app.core.security.principal import REACH_ALL
from app.core.security.rights import Pair
from app.kit import registry
from app.kit.menus import AREAS
from app.kit.pages import Link, Tab
from app.kit.resource import CRUD

COLUMNS: dict[str, Any] = {
    "see": _l("See"),
    "add": _l("Add"),
    "edit": _l("Edit"),
    "delete": _l("Delete"),
    "restore": _l("Restore"),
    "export": _l("Export"),
    "import": _l("Import"),
    "bulk": _l("Bulk"),
}
assert tuple(COLUMNS) == CRUD

SPECIAL: dict[str, Any] = {
    "reach_all": _l("Everybody's"),
    "reset_password": _l("Reset password"),
    "deactivate": _l("Switch off"),
    "activate": _l("Switch on"),
}


@dataclass(frozen=True)
class MatrixCell:
    """One right. `name` is "can_edit:contact", empty where the entity has no such action."""

    name: str
    label: str
    checked: bool = False


@dataclass(frozen=True)
class MatrixEntity:
    """One row. `scope` says whose rows the role reaches; empty for what belongs to no client."""

    name: str
    label: str
    icon: str
    scope: str
    cells: list[MatrixCell]
    more: list[MatrixCell]


@dataclass(frozen=True)
class MatrixGroup:
    """The entities of one menu area."""

    label: str
    entities: list[MatrixEntity]


@dataclass
class MatrixPage:
    """`roles/matrix.html`; the template's head says what each part is."""

    title: str
    people_text: str
    tabs: list[Tab]
    actions: list[Link]
    groups: list[MatrixGroup]
    action: str
    version: str
    can_save: bool
    locked: str = ""
    columns: list[tuple[str, str]] = field(
        default_factory=lambda: [(verb, str(label)) for verb, label in COLUMNS.items()]
    )
    list_label: str = field(default_factory=lambda: _("Roles"))
    list_url: str = "/roles/"


@dataclass(frozen=True)
class _Known:
    """What is known of a name that rights are given on."""

    label: str
    area: str
    icon: str
    scoped: bool = False


def groups(pairs: Collection[Pair], held: Collection[Pair]) -> list[MatrixGroup]:
    """Every right there is, by menu area; `held` are checked. Names that no menu knows come last."""
    names = {name for _permission, name in pairs}
    known = {name: _known(name) for name in names}
    found = []
    for area, label in (*AREAS.items(), ("", _("Technical"))):
        inside = sorted((n for n in names if known[n].area == area), key=lambda n: (_place(n), known[n].label))
        entities = [_entity(name, known[name], pairs, held) for name in inside]
        if entities:
            found.append(MatrixGroup(str(label) or _("General"), entities))
    return found


def people_text(count: int) -> str:
    """ "14 people"."""
    return ngettext("%(num)s person", "%(num)s people", count)


def _place(name: str) -> int:
    orders = {resource.name: resource.order for resource in registry.resources()}
    return orders.get(name, 1000)


def _known(name: str) -> _Known:
    resource = next((r for r in registry.resources() if r.name == name), None)
    if resource is not None:
        scoped = issubclass(resource.model, ClientScoped | SelfScoped)
        return _Known(str(resource.plural), resource.area, resource.icon, scoped)
    for feature in registry.features():
        for entry in feature.menu:
            if entry.right[1] == name:
                return _Known(str(entry.label), entry.area, entry.icon)
    return _Known(_in_words(name), "", "settings")


def _in_words(name: str) -> str:
    """ "MenuApi" as "Menu api", in the reader's language where the catalogue has it (`tools/messages.py`)."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name.replace("_", " ")).strip()
    return _(spaced[:1].upper() + spaced[1:])


def _entity(name: str, known: _Known, pairs: Collection[Pair], held: Collection[Pair]) -> MatrixEntity:
    cells = [_cell(f"can_{verb}", name, str(label), known, pairs, held) for verb, label in COLUMNS.items()]
    basic = {f"can_{verb}" for verb in COLUMNS}
    special = sorted(permission for permission, on in pairs if on == name and permission not in basic)
    more = [_cell(p, name, _special_label((p, name)), known, pairs, held) for p in special]
    return MatrixEntity(name, known.label, known.icon, _scope(known, held), cells, more)


def _special_label(pair: Pair) -> str:
    if pair == REACH_ALL:
        return _("All clients")
    verb = pair[0].removeprefix("can_")
    return str(SPECIAL.get(verb) or _in_words(verb))


def _cell(
    permission: str, name: str, label: str, known: _Known, pairs: Collection[Pair], held: Collection[Pair]
) -> MatrixCell:
    pair = (permission, name)
    if pair not in pairs:
        return MatrixCell("", label)
    spoken = label if permission.removeprefix("can_") not in COLUMNS else f"{label}: {known.label}"
    return MatrixCell(":".join(pair), spoken, pair in held)


def _scope(known: _Known, held: Collection[Pair]) -> str:
    if not known.scoped:
        return ""
    return _("All") if REACH_ALL in held else _("Granted")
