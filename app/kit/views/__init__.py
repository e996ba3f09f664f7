"""The generated pages of an entity. Features that need more subclass `ResourceView`."""

from app.kit.views.resource_view import ResourceView

__all__ = ["ResourceView"]
