"""From the file's rows to drafts: cells read by kind, relations and clients found, the feature's own reading done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _

from app.kit.fields import Field
from app.kit.importing import store
from app.kit.importing.coerce import as_text, coerce
from app.kit.importing.hooks import Draft, ImportHooks
from app.kit.importing.mapping import Rules, client_scoped, fields_of
from app.kit.importing.reader import Row
from app.kit.importing.relations import Relations
from app.kit.resource import Resource


class DraftReader:
    """Reads chunks of one file under one set of rules."""

    def __init__(self, resource: Resource, rules: Rules, hooks: ImportHooks) -> None:
        fields = fields_of(resource)
        mapped = [(index, fields[name]) for index, name in sorted(rules.columns.items()) if name in fields]
        self._scoped = client_scoped(resource)
        self._client = next(((i, f) for i, f in mapped if self._scoped and f.name == "client"), None)
        self._columns = [pair for pair in mapped if pair != self._client]
        self._client_field = fields.get("client")
        self._rules, self._hooks = rules, hooks
        self._relations = Relations()

    def read(self, rows: Sequence[Row]) -> list[Draft]:
        """One draft per row, in order; what cannot be read is noted in its `errors`."""
        drafts = [Draft(row.number, {}) for row in rows]
        if self._scoped:
            self._find_clients(rows, drafts)
        for index, field in self._columns:
            if field.target is not None:
                self._relations.learn(field, _filled(row.cells[index] for row in rows))
        for row, draft in zip(rows, drafts, strict=True):
            self._read_row(row, draft)
        self._hooks.read([draft for draft in drafts if not draft.errors])
        return drafts

    def _read_row(self, row: Row, draft: Draft) -> None:
        for index, field in self._columns:
            value = row.cells[index]
            if value is None:
                continue
            try:
                draft.values[field.key] = self._value(field, value, draft)
            except ValueError as error:
                draft.refuse(field.name, error, as_text(value))

    def _value(self, field: Field, value: Any, draft: Draft) -> Any:
        if field.target is not None:
            return self._relations.find(field, value, draft.client_id)
        return coerce(field, value, dates=self._rules.dates)

    def _find_clients(self, rows: Sequence[Row], drafts: Sequence[Draft]) -> None:
        fixed = self._fixed_client()
        if self._client is not None:
            self._relations.learn(self._client[1], _filled(row.cells[self._client[0]] for row in rows))
        for row, draft in zip(rows, drafts, strict=True):
            cell = row.cells[self._client[0]] if self._client else None
            draft.client_id = self._client_of(cell, draft) if cell is not None else fixed
            if draft.client_id is None and not draft.errors:
                draft.refuse("client", _("This row names no client."))

    def _fixed_client(self) -> int | None:
        """The chosen client, if the actor reaches it."""
        wanted, target = self._rules.client_id, self._client_field and self._client_field.target
        return wanted if wanted is not None and target and store.reachable(target, [wanted]) else None

    def _client_of(self, cell: Any, draft: Draft) -> int | None:
        assert self._client is not None
        try:
            return self._relations.find(self._client[1], cell, None)
        except ValueError as error:
            draft.refuse("client", error, as_text(cell))
            return None


def _filled(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]
