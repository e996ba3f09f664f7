"""The generated REST API of an entity: the same columns, filters, rights and checks as its pages."""

from app.kit.api.resource_api import ResourceApi

__all__ = ["ResourceApi"]
