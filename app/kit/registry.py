"""The entities and features of this application, in the order they were declared."""

from __future__ import annotations

from typing import Any

from app.kit.resource import Feature, Resource

_resources: dict[str, Resource] = {}
_features: dict[str, Feature] = {}


def add_feature(feature: Feature) -> None:
    """Register a feature and its resources; declaring the same one again replaces it."""
    _features[feature.name] = feature
    for resource in feature.resources:
        add_resource(resource)


def add_resource(resource: Resource) -> None:
    """Register one resource; possible while the process runs (PLT-23)."""
    _resources[resource.name] = resource


def remove_resource(name: str) -> None:
    """Forget a resource."""
    _resources.pop(name, None)


def features() -> list[Feature]:
    """All features."""
    return list(_features.values())


def resources() -> list[Resource]:
    """All resources."""
    return list(_resources.values())


def get(name: str) -> Resource:
    """The resource of that name; KeyError when there is none."""
    return _resources[name]


def find(name: str) -> Resource | None:
    """The resource of that name, or None."""
    return _resources.get(name)


def of_model(model: type[Any]) -> Resource | None:
    """The resource declared for a model class, or None."""
    return next((r for r in _resources.values() if r.model is model), None)


def children_of(parent: Resource) -> list[tuple[Resource, str]]:
    """(resource, its relationship to the parent) of all that show as tabs on `parent`'s page."""
    found = [(r, name) for r in _resources.values() for name in r.parents() if target_of(r, name) is parent.model]
    return sorted(found, key=lambda pair: pair[0].order)


def target_of(resource: Resource, relation: str) -> type[Any]:
    """The model class a relationship of `resource` leads to."""
    found: type[Any] = getattr(resource.model, relation).property.mapper.class_
    return found
