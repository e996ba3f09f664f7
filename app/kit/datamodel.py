"""Flask-AppBuilder's data interface over our write path, so that whatever FAB itself saves is scoped, audited and soft."""

from __future__ import annotations

from typing import Any

from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.core.db import db
from app.core.security.principal import actor
from app.kit import writes
from app.kit.resource import Resource


class ResourceInterface(SQLAInterface):
    """The only write seam FAB's views and APIs reach. Reads are scoped by the session itself."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.model, db.session)
        self.resource = resource

    def add(self, item: Any, raise_exception: bool = False, commit: bool = True) -> bool:
        """Store a new row with its checks."""
        with writes.refusals(self.resource):
            db.session.add(item)
            writes.check_unique(self.resource, item)
            db.session.flush()
        self._finish(commit)
        return True

    def edit(self, item: Any, raise_exception: bool = False, commit: bool = True) -> bool:
        """Store a changed row with its checks."""
        writes.update(self.resource, item, {}, actor=actor())
        self._finish(commit)
        return True

    def delete(self, item: Any, raise_exception: bool = False, commit: bool = True) -> bool:
        """Move a row to the trash."""
        writes.delete(self.resource, item, actor=actor())
        self._finish(commit)
        return True

    def delete_all(self, items: list[Any]) -> bool:
        """Move rows to the trash, all or none."""
        for item in items:
            writes.delete(self.resource, item, actor=actor())
        self._finish(True)
        return True

    def _finish(self, commit: bool) -> None:
        if commit:
            db.session.commit()
