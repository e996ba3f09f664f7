"""Which stored row a row of the file stands for, and which earlier row of the file (CON-09, CON-10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from app.core.naming import name_key
from app.kit.fields import field_of, in_sentence
from app.kit.importing import store
from app.kit.importing.hooks import Draft
from app.kit.importing.mapping import key_columns
from app.kit.resource import Resource


class Matcher:
    """The first key field that a row fills decides; it is compared within the row's client."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.keys = key_columns(resource)

    def values(self, draft: Draft) -> list[tuple[str, str, Any]]:
        """(field, attribute, comparable value) of each key field the row fills, the deciding one first."""
        found = [(name, attribute, _comparable(draft.values, name, attribute)) for name, attribute in self.keys]
        return [entry for entry in found if entry[2] not in (None, "")]

    def differs(self, name: str, values: store.Row, row: store.Row) -> bool:
        """Whether a field of `values` says something else than `row`; another writing of the same key is no difference."""
        if values[name] == row.get(name):
            return False
        attribute = dict(self.keys).get(name, name)
        return attribute == name or _comparable(values, name, attribute) != _comparable(row, name, attribute)

    def match(self, drafts: Sequence[Draft]) -> None:
        """Set `stored` of every draft whose row exists. A key that several rows share is refused: nobody knows whom it means."""
        wanted: dict[str, dict[int | None, set[Any]]] = {}
        for draft in drafts:
            for _name, attribute, value in self.values(draft)[:1]:
                wanted.setdefault(attribute, {}).setdefault(draft.client_id, set()).add(value)
        found = {a: store.rows_by_key(self.resource.model, a, by_client) for a, by_client in wanted.items()}
        for draft in drafts:
            for name, attribute, value in self.values(draft)[:1]:
                self._settle(draft, name, found[attribute].get((draft.client_id, value), []))

    def _settle(self, draft: Draft, name: str, rows: list[store.Row]) -> None:
        draft.stored = rows[0] if rows else None
        if len(rows) > 1:
            label = field_of(self.resource.model, name, self.resource.labels).label
            what = in_sentence(self.resource.plural)
            draft.refuse(name, _("%(n)s %(what)s have this value in “%(field)s”.", n=len(rows), what=what, field=label))

    def claims(self, draft: Draft) -> list[str]:
        """The names under which later rows of the file find this one, the deciding one first."""
        own = [f"{draft.client_id}:{attribute}:{value}" for _name, attribute, value in self.values(draft)]
        return [f"id:{draft.stored['id']}", *own] if draft.stored else own


def _comparable(values: store.Row, name: str, attribute: str) -> Any:
    """The form in which two values of a key field are the same; empty when there is none."""
    return name_key(str(values.get(name) or "")) if attribute.endswith("_key") else values.get(attribute)
