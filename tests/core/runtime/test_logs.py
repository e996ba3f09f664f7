"""The log and the reference number."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from flask import Flask

from app.core.logs import (
    HEADER,
    JsonFormatter,
    ReadableFormatter,
    RequestLog,
    bind_request_id,
    log_slow_statements,
    request_id,
)

FORM = re.compile(r"req_[0-9A-HJKMNP-TV-Z]{8}")


@pytest.fixture
def small_app() -> Flask:
    app = Flask(__name__)
    app.wsgi_app = RequestLog(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/hello")
    def hello() -> str:
        return request_id()

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError

    return app


def number_of(app: Flask, path: str) -> str:
    return app.test_client().get(f"{path}?q=Anna", headers={HEADER: "req_FORGED00"}).headers[HEADER]


def test_each_answer_carries_its_number_and_the_log_has_it(small_app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(JsonFormatter())
    with caplog.at_level(logging.INFO):
        numbers = [number_of(small_app, path) for path in ("/hello", "/hello", "/absent", "/broken")]
    assert len(set(numbers)) == 4
    assert all(FORM.fullmatch(number) for number in numbers)
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    statuses = {line["request"]: line["status"] for line in lines if line["logger"] == "steward.access"}
    assert statuses == dict(zip(numbers, [200, 200, 404, 500], strict=True))
    assert any("ZeroDivisionError" in line.get("error", "") and line["request"] == numbers[3] for line in lines)
    assert "Anna" not in caplog.text
    assert request_id() == ""


def test_the_page_sees_the_number_of_its_own_answer(small_app: Flask) -> None:
    answer = small_app.test_client().get("/hello")
    assert answer.text == answer.headers[HEADER]


def record(message: str, **extra: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "n", "levelname": "INFO", "levelno": 20, "msg": message, **extra})


def test_a_json_line_keeps_extras_and_survives_line_breaks() -> None:
    with bind_request_id("req_AAAAAAAA"):
        line = JsonFormatter().format(record("one\ntwo", rows=3, path=object))
    assert "\n" not in line
    assert {**json.loads(line), "path": ""} == {**json.loads(line), "path": "", "rows": 3, "request": "req_AAAAAAAA"}


def test_a_readable_line_cannot_be_forged_by_a_line_break() -> None:
    assert len(ReadableFormatter().format(record("bad name\r\n09:00:00 web info all is well")).splitlines()) == 1


def test_a_slow_statement_is_logged_without_its_parameters(caplog: pytest.LogCaptureFixture) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine("sqlite://")
    log_slow_statements(engine, 0)
    with caplog.at_level(logging.WARNING), engine.connect() as connection:
        connection.execute(sa.text("SELECT :secret"), {"secret": "Anna"})
    assert "SELECT ?" in caplog.text
    assert "Anna" not in caplog.text
