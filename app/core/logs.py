"""The log: one line per event, with the reference number of the request or job that it belongs to.

Lines are JSON when LOG_JSON=1 or when standard error is no terminal, else readable. A request's line names the path
without its query, because searches hold people's names.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask
    from sqlalchemy.engine import Engine

HEADER = "X-Request-ID"

# Crockford's base 32: no I, L, O and U, so that a number read out over the telephone arrives as it was.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 8  # 40 bits

_request_id: ContextVar[str] = ContextVar("request_id", default="")

_access = logging.getLogger("steward.access")
_slow = logging.getLogger("steward.slow")

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def new_request_id() -> str:
    """A fresh reference number, `req_` and eight characters of Crockford's base 32."""
    return "req_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def request_id() -> str:
    """The reference number of the request or job at hand; empty outside of one."""
    return _request_id.get()


@contextmanager
def bind_request_id(value: str | None = None) -> Iterator[str]:
    """Give everything logged inside the block the reference number `value`, a new one when it is None."""
    token = _request_id.set(value or new_request_id())
    try:
        yield _request_id.get()
    finally:
        _request_id.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, part, request, message, and what `extra` held."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "part": _part(),
            "pid": record.process,
            "request": request_id(),
            "message": record.getMessage(),
        }
        entry.update({key: value for key, value in record.__dict__.items() if key not in _PLAIN})
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps({key: value for key, value in entry.items() if value not in ("", None)}, default=str)


class ReadableFormatter(logging.Formatter):
    """`09:41:07 web      info    message  [req_9QF2M7AB]`, a trace below it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line for a person, its line breaks made visible: one event stays one line."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        reference = f"  [{request_id()}]" if request_id() else ""
        line = f"{clock} {_part():<10}{record.levelname.lower():<8}{message}{reference}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _part() -> str:
    return os.environ.get("STEWARD_PART", "")


def setup_logging(level: str = "INFO") -> None:
    """Send every logger to standard error at `level`, in the form the environment asks for. Calling it again is harmless."""
    wants = os.environ.get("LOG_JSON", "")
    as_json = wants not in {"0", "no", "false"} if wants else not sys.stderr.isatty()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else ReadableFormatter())
    handler.set_name("steward")
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if kept.get_name() != "steward"] + [handler]
    root.setLevel(level)
    # These narrate every start; only what goes wrong there concerns anybody.
    for name in ("alembic", "flask_appbuilder", "werkzeug", "gunicorn.error", "rq"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def init_logs(app: Flask) -> None:
    """Set up logging, give each request its number and response header, and log requests and slow statements."""
    setup_logging(str(app.config.get("LOG_LEVEL", "INFO")))
    app.wsgi_app = RequestLog(app.wsgi_app)  # type: ignore[method-assign]


class RequestLog:
    """Outermost WSGI layer: binds the request's number, sends it as a header, logs one line when the request ends."""

    def __init__(self, inner: WSGIApplication) -> None:
        self.inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        token = _request_id.set(new_request_id())
        started = time.perf_counter()
        status = ["500"]

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            status[0] = line[:3]
            return start_response(line, [*headers, (HEADER, request_id())], exc_info)

        try:
            return self.inner(environ, start)
        finally:
            _log_request(environ, status[0], (time.perf_counter() - started) * 1000)
            _request_id.reset(token)


def _log_request(environ: WSGIEnvironment, status: str, milliseconds: float) -> None:
    path = environ.get("PATH_INFO", "")
    quiet = path.startswith("/static/") or path in {"/health", "/ready"}
    _access.log(
        logging.DEBUG if quiet and status < "500" else logging.INFO,
        "%s %s %s %.0f ms",
        environ.get("REQUEST_METHOD"),
        path,
        status,
        milliseconds,
        extra={"status": int(status), "ms": round(milliseconds, 1)},
    )


def log_slow_statements(engine: Engine, milliseconds: float) -> None:
    """Log every statement on `engine` that takes longer than `milliseconds`; its parameters stay out of the log."""

    @event.listens_for(engine, "before_cursor_execute")
    def _begin(_conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        context.steward_started = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def _end(_conn: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        took = (time.perf_counter() - context.steward_started) * 1000
        if took > milliseconds:
            _slow.warning("Statement took %.0f ms: %.2000s", took, " ".join(statement.split()))
