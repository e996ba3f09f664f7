"""Errors of the API as problem documents (RFC 9457)."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

from flask import Response, json, make_response

from app.core.logs import request_id


def problem(status: int, detail: str = "", **more: Any) -> Response:
    """`application/problem+json` with type, title, status, detail and the request's reference; `more` adds members."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    body |= {"reference": request_id(), **more}
    response = make_response(json.dumps(body), status)
    response.headers["Content-Type"] = "application/problem+json"
    return response


class Problems:
    """Replaces FAB's message bodies; its responses and descriptions keep their places."""

    def response_400(self, message: Any = None) -> Response:
        if isinstance(message, dict):
            return problem(400, "Some fields were refused.", errors=message)
        return problem(400, str(message or "The request cannot be understood."))

    def response_401(self) -> Response:
        return problem(401, "Sign in first.")

    def response_403(self) -> Response:
        return problem(403, "Your role may not do this.")

    def response_404(self) -> Response:
        return problem(404, "There is nothing here.")

    def response_422(self, message: Any = None) -> Response:
        if isinstance(message, dict):
            return problem(422, "Some fields were refused.", errors=message)
        return problem(422, str(message or "The request was refused."))

    def response_500(self, message: Any = None) -> Response:
        """FAB answers every exception with this; nesting without end and text that is no Unicode are the caller's fault."""
        error = sys.exc_info()[1]
        if isinstance(error, RecursionError):
            return problem(400, "The request is nested too deep.")
        if isinstance(error, UnicodeEncodeError):
            return problem(400, "The request holds characters that cannot be stored.")
        return problem(500, "Something went wrong. The reference is in the log.")
