"""Look-up of countries, languages, currencies and time zones for pickers: no data of ours, but for staff alone."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from flask_appbuilder.baseviews import BaseView, expose

from app.core.security.principal import current
from app.kit.codes import KINDS, choices

MOST = 50


class CodesView(BaseView):
    """`/codes/country?q=ger` answers like every other look-up: {"results": [{"id", "text"}]}, at most 50."""

    route_base = "/codes"
    default_view = "lookup"

    @expose("/<string:kind>")
    def lookup(self, kind: str) -> Any:
        """The codes whose code or name holds the text; those that begin with it first."""
        if current() is None:
            abort(401)
        if kind not in KINDS:
            abort(404)
        asked = request.args.get("q", "")[:60].strip().casefold().replace("_", " ")
        found = [(c, n) for c, n in choices(kind) if asked in n.casefold() or asked == c.casefold()]
        found.sort(key=lambda pair: (pair[0].casefold() != asked, not pair[1].casefold().startswith(asked)))
        return {"results": [{"id": code, "text": name} for code, name in found[:MOST]]}
