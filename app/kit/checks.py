"""Start-up checks of the declarations: a wrong name is an error with the resource, the name and the nearest right one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa

from app.core.mixins import SoftDeletes
from app.core.security.rights import BUILT_IN
from app.kit.fields import Field, field_of
from app.kit.filters import operators_for
from app.kit.menus import AREAS
from app.kit.resource import Resource


class BadDeclaration(Exception):
    """A resource names something that does not exist."""


def require_sound(resources: Iterable[Resource]) -> None:
    """Raise BadDeclaration with every problem at once."""
    found = problems(resources)
    if found:
        raise BadDeclaration("\n".join(found))


def problems(resources: Iterable[Resource]) -> list[str]:
    """A sentence per problem."""
    listed = list(resources)
    found = [text for resource in listed for text in check(resource)]
    for attribute in ("name", "url"):
        values = [getattr(r, attribute) for r in listed]
        found += [
            f"Two resources have the {attribute} {v!r}." for v in sorted({v for v in values if values.count(v) > 1})
        ]
    return found


def check(resource: Resource) -> list[str]:
    """The problems of one resource."""
    found = [*_names(resource), *_roles(resource), *_relations(resource)]
    if resource.area not in AREAS:
        found.append(f"{resource.name}: there is no menu area {resource.area!r}{nearest(resource.area, AREAS)}.")
    if resource.trash is not None and resource.writable and not issubclass(resource.model, SoftDeletes):
        found.append(f"{resource.name}: it has a trash, but {resource.model.__name__} has no SoftDeletes.")
    if not resource.url.startswith("/") or resource.url.endswith("/"):
        found.append(f"{resource.name}: the url {resource.url!r} begins with a slash and ends without one.")
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'owner'?` or nothing."""
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def known_names(model: type[Any]) -> list[str]:
    """Every attribute a declaration may name."""
    mapper = sa.inspect(model)
    return [*mapper.column_attrs.keys(), *mapper.relationships.keys(), *mapper.all_orm_descriptors.keys()]


def _names(resource: Resource) -> list[str]:
    transfer = resource.transfer
    used = {
        "list": resource.list,
        "form": resource.field_names(),
        "search": resource.search,
        "filters": resource.filters,
        "more": resource.more,
        "sort": (resource.sort.lstrip("-"),),
        "title": (resource.title,),
        "labels": tuple(resource.labels),
        "readonly": resource.readonly,
        "show": tuple(n for s in resource.show or () for n in s.names),
        "unique": tuple(n for names in resource.unique for n in names),
        "transfer": (*transfer.columns, *transfer.key, *transfer.required) if transfer else (),
    }
    found = []
    for option, names in used.items():
        for name in names:
            found += _check_name(resource, option, name)
    return found


def _check_name(resource: Resource, option: str, name: str) -> list[str]:
    try:
        field = field_of(resource.model, name)
    except (AttributeError, KeyError):
        guess = nearest(name, known_names(resource.model))
        return [f"{resource.name}: {option} names {name!r}, which {resource.model.__name__} does not have{guess}."]
    return [f"{resource.name}: {option} {text}" for text in _fits(option, name, field)]


def _fits(option: str, name: str, field: Field) -> list[str]:
    if option == "filters" and (field.column is None or not operators_for(field)):
        return [f"cannot filter by {name!r}, it is no column."]
    if option in ("form", "search") and field.column is None:
        return [f"cannot use {name!r}, it is no column."]
    return []


def _roles(resource: Resource) -> list[str]:
    verbs = resource.verbs()
    found = []
    for role, text in resource.rights.items():
        if role not in BUILT_IN:
            found.append(f"{resource.name}: rights name the role {role!r}{nearest(role, BUILT_IN)}.")
        wrong = [v for v in text.split() if v not in verbs and v not in _own_verbs(resource)]
        found += [
            f"{resource.name}: rights of {role} name {v!r}, which it does not have{nearest(v, verbs)}." for v in wrong
        ]
    return found


def _own_verbs(resource: Resource) -> set[str]:
    """Verbs that the resource's own view or API maps its routes to."""
    found: set[str] = {"reach_all"}
    for cls in (resource.view, resource.api):
        found |= set((getattr(cls, "method_permission_name", None) or {}).values())
    return found


def _relations(resource: Resource) -> list[str]:
    relations = sa.inspect(resource.model).relationships.keys()
    wanted = [*resource.parents(), *(resource.trash.cascade if resource.trash else ())]
    return [
        f"{resource.name}: {name!r} is no relationship of {resource.model.__name__}{nearest(name, relations)}."
        for name in wanted
        if name not in relations
    ]
