"""`/api/v1/client/`, and the overview as data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response
from flask_appbuilder.api import expose, protect, rison, safe
from flask_appbuilder.api.schemas import get_list_schema

from app.core.errors import BadQuery, DomainError
from app.features.clients import overview, queries
from app.features.clients.enums import Bar
from app.features.clients.progress import bar
from app.kit.api.resource_api import ResourceApi, read_rison, refused


class ClientApi(ResourceApi):
    """The generated API plus `overview`."""

    method_permission_name = ResourceApi.method_permission_name | {"overview": "see"}

    @expose("/overview", methods=["GET"])
    @protect()
    @safe
    @rison(get_list_schema)
    def overview(self, **kwargs: Any) -> Response:
        """The overview's rows
        ---
        get:
          description: Every client in reach with its numbers (CLI-01 to CLI-04), paged, filtered and sorted like a list.
          parameters:
          - in: query
            name: q
            content:
              application/json:
                schema:
                  $ref: '#/components/schemas/get_list_schema'
          responses:
            200:
              description: One page of rows
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      count:
                        type: integer
                      ids:
                        type: array
                        items:
                          type: integer
                      result:
                        type: array
                        items:
                          type: object
            400:
              $ref: '#/components/responses/400'
            401:
              $ref: '#/components/responses/401'
            403:
              $ref: '#/components/responses/403'
        """
        try:
            asked = read_rison(kwargs.get("rison", {}))
            where = sa.and_(overview.condition(self.resource, asked))
            total = queries.total(where)
            if asked.page > max(1, -(-total // asked.size)):
                raise BadQuery(f"There is no page {asked.page - 1}.")
            offset = (asked.page - 1) * asked.size
            rows = queries.overview_rows(where, asked.sort or "name", limit=asked.size, offset=offset)
        except DomainError as error:
            return refused(error)
        result = [_row(row) for row in rows]
        return self.response(200, count=total, ids=[row["id"] for row in result], result=result)


def _row(row: Any) -> dict[str, Any]:
    colour = bar(row.running_campaigns, row.enrolled, row.to_be_contacted)
    owner = overview.person(row.owner_id, row.first_name, row.last_name)
    contacted = row.enrolled - row.to_be_contacted
    return {
        "id": row.id,
        "name": row.name,
        "owner": {"id": owner.id, "name": owner.name} if owner else None,
        "active": row.active,
        "connected_prospects": row.connected,
        "stored_prospects": row.stored,
        "running_campaigns": row.running_campaigns,
        "enrolled": row.enrolled,
        "to_be_contacted": row.to_be_contacted,
        "progress": contacted / row.enrolled if row.enrolled else None,  # 0 to 1
        "bar": "red" if colour is Bar.RED_EMPTY else colour.value,
    }
