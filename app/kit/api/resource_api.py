"""`/api/v1/<resource>/` on FAB's ModelRestApi: its routes, OpenAPI and decorators; our reading and writing."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from flask import Response, request
from flask_appbuilder.api import ModelRestApi
from flask_babel import gettext as _

from app.core.db import db
from app.core.errors import DomainError, Missing, Stale
from app.core.problems import Problems, problem
from app.core.security.principal import actor
from app.kit import filters, writes
from app.kit.api.schemas import in_schema, out_schema, values_from
from app.kit.datamodel import ResourceInterface
from app.kit.fields import field_of
from app.kit.listing import MAX_SIZE, ListRequest, eager, fetch, sortable
from app.kit.resource import Resource

# FAB's and Superset's names of operators, for programs that know them.
ALIASES = {"ct": "contains", "sw": "starts", "rel_o_m": "eq", "nct": "neq", "ne": "neq", "gte": "ge", "lte": "le"}


class ResourceApi(Problems, ModelRestApi):
    """Subclass it with a `resource`; the kit makes one for each resource that has no `api` of its own."""

    resource: Resource
    allow_browser_login = True  # unsafe methods then need the CSRF token, see core/security/web
    method_permission_name = {
        "get_list": "see",
        "get": "see",
        "info": "see",
        "post": "add",
        "put": "edit",
        "delete": "delete",
    }

    def __init__(self) -> None:
        resource = self.resource
        self.datamodel = ResourceInterface(resource)
        self.resource_name = self.class_permission_name = resource.name
        verbs = resource.verbs()
        self.base_permissions = [f"can_{verb}" for verb in verbs]
        self.exclude_route_methods = {m for m, verb in self.method_permission_name.items() if verb not in verbs}
        self._declare_columns()
        super().__init__()

    def _declare_columns(self) -> None:
        """Allow-lists instead of FAB's default of all columns and relations."""
        resource, name = self.resource, self.__class__.__name__
        shown = dict.fromkeys((*resource.list, *resource.more, *resource.field_names(), "created_at", "updated_at"))
        self.list_columns = self.show_columns = ["id", "version", *(n for n in shown if "." not in n)]
        self.add_columns = list(resource.field_names())
        self.edit_columns = [n for n in self.add_columns if n not in resource.readonly]
        self.order_columns = list(sortable(resource))
        self.search_columns = ["id"]
        self.label_columns = {n: str(n) for n in shown}
        out = out_schema(resource, shown, f"{name}Out")
        self.list_model_schema = self.show_model_schema = out
        self.add_model_schema = in_schema(resource, adding=True, label=f"{name}In")
        self.edit_model_schema = in_schema(resource, adding=False, label=f"{name}Change")

    # -- reading -------------------------------------------------------------------------------------------------

    def info_headless(self, **kwargs: Any) -> Response:
        """Columns, filters and the caller's rights; no look-up of related rows."""
        resource, principal = self.resource, actor()
        fields = [field_of(resource.model, n, resource.labels) for n in resource.filters]
        return self.response(
            200,
            permissions=[v for v in resource.verbs() if principal.can(v, resource.name)],
            add_columns=[_described(resource, n) for n in self.add_columns],
            edit_columns=[_described(resource, n) for n in self.edit_columns],
            filters={f.name: [op.name for op in filters.operators_for(f)] for f in fields},
            order_columns=self.order_columns,
        )

    def get_list_headless(self, **kwargs: Any) -> Response:
        """One page: {"count", "exact", "ids", "result"}."""
        try:
            asked = read_rison(kwargs.get("rison", {}))
            result = fetch(self.resource, asked)
            schema = self._selected(kwargs.get("rison", {}))
        except DomainError as error:
            return refused(error)
        rows = schema.dump(result.rows, many=True)
        ids = [row.id for row in result.rows]
        return self.response(200, count=result.total, exact=result.exact, ids=ids, result=rows)

    def _selected(self, asked: dict[str, Any]) -> Any:
        wanted = [c for c in asked.get("columns", []) if c in self.list_columns]
        return (
            out_schema(self.resource, [c for c in wanted if c not in ("id", "version")], "Part")
            if wanted
            else self.list_model_schema
        )

    def get_headless(self, pk: Any, **kwargs: Any) -> Response:
        """One row, or 404: absent, deleted and foreign rows answer alike."""
        try:
            row = self.row(pk)
        except DomainError as error:
            return refused(error)
        return self.response(200, id=row.id, result=self._selected(kwargs.get("rison", {})).dump(row))

    def row(self, pk: Any) -> Any:
        """The row of an id in the URL; Missing when there is none for the caller."""
        model = self.resource.model
        text = str(pk)
        found = None
        if text.isascii() and text.isdigit() and len(text) < 10:
            query = sa.select(model).where(model.id == int(text)).options(*eager(self.resource, self.show_columns))
            found = db.session.scalar(query)
        if found is None:
            raise Missing(_("There is nothing here."))
        return found

    # -- writing -------------------------------------------------------------------------------------------------

    def _write(self, write: Any) -> Response:
        """Run a write and commit; a refusal becomes a problem document, never SQL."""
        try:
            response: Response = write()
            db.session.commit()
            return response
        except ma.ValidationError as error:
            db.session.rollback()
            return problem(422, _("Some fields were refused."), errors=error.messages)
        except DomainError as error:
            db.session.rollback()
            return refused(error)

    def _body(self, schema: Any) -> dict[str, Any]:
        data = request.get_json(silent=True)
        if not isinstance(data, dict):
            raise DomainError(_("The body must be a JSON object."))
        return dict(schema.load(data))

    def post_headless(self) -> Response:
        """Create a row from the form's fields."""

        def write() -> Response:
            values = values_from(self.resource, self._body(self.add_model_schema))
            row = writes.create(self.resource, values, actor=actor())
            return self.response(201, id=row.id, result=self.show_model_schema.dump(row))

        return self._write(write)

    def put_headless(self, pk: Any) -> Response:
        """Change any part of a row. With `version`, 409 when somebody saved it since (PLT-21)."""

        def write() -> Response:
            row = self.row(pk)
            loaded = self._body(self.edit_model_schema)
            version = loaded.pop("version", None)
            writes.update(self.resource, row, values_from(self.resource, loaded), actor=actor(), version=version)
            db.session.flush()
            return self.response(200, id=row.id, result=self.show_model_schema.dump(row))

        return self._write(write)

    def delete_headless(self, pk: Any) -> Response:
        """Move a row to the trash."""

        def write() -> Response:
            writes.delete(self.resource, self.row(pk), actor=actor())
            return self.response(200, message="OK")

        return self._write(write)


def refused(error: DomainError) -> Response:
    """A domain error as a problem document."""
    more: dict[str, Any] = {"errors": error.fields} if error.fields else {}
    if isinstance(error, Stale):
        more["version"] = error.theirs
    return problem(error.status, error.message, **more)


def read_rison(asked: dict[str, Any]) -> ListRequest:
    """FAB's list arguments: filters [{col, opr, value}], order_column, order_direction, page (from 0), page_size, and our
    `filter` (JSON of the filter language) and `search`.
    """
    parts = [
        {"field": f["col"], "op": ALIASES.get(f["opr"], f["opr"]), "value": f["value"]}
        for f in asked.get("filters", [])
    ]
    if isinstance(asked.get("filter"), dict):
        parts.append(asked["filter"])
    column = asked.get("order_column", "")
    down = "-" if asked.get("order_direction", "asc") == "desc" else ""
    size = int(asked.get("page_size", 25) or 25)
    return ListRequest(
        json=json.dumps({"and": parts}) if parts else "",
        q=str(asked.get("search", ""))[:200],
        sort=f"{down}{column}" if column else "",
        page=max(0, int(asked.get("page", 0) or 0)) + 1,
        size=min(size, MAX_SIZE) if size > 0 else MAX_SIZE,
    )


def _described(resource: Resource, name: str) -> dict[str, Any]:
    field = field_of(resource.model, name, resource.labels)
    found: dict[str, Any] = {"name": name, "label": str(field.label), "type": field.kind, "required": field.required}
    if field.enum:
        found["choices"] = [m.value for m in field.enum]
    return found
