"""Fixtures of every test.

| Fixture | Gives |
|---|---|
| `app` | the application, one per process, on a database that is new in each test and an empty Redis |
| `db` | the `db` object inside a pushed application context; commit what a request shall see |
| `client`, `admin` | a test client nobody / `admin` is signed in to |
| `sign_in` | `sign_in(username, password) -> client` |
| `make_app` | `make_app(environ, **settings) -> Flask`: another application on the same database |
| `redis_url` | this process's Redis, emptied before each test |
| `live_server` | base URL of `app` served from threads of this process |
| `browser`, `page` | Chromium, and a fresh page of 1280 × 800; mark such tests `browser` |
| `database` | "sqlite" or "postgresql" |

The database is as `run.py init` leaves it: user `admin` with the password ADMIN_PASSWORD, no sample. `app` pushes no
context: requests and jobs push their own, as in life. A test that sends requests writes in `with app.app_context():`
blocks of its own rather than with `db`, or both share one session and the test proves nothing.

Markers: `both_databases` runs a test on SQLite and again on PostgreSQL; `postgres` on PostgreSQL alone; `soak` runs with
`make soak` only. What cannot run here is skipped and listed at the end of the run. With STEWARD_REQUIRE_ALL=1 it fails.
CSRF checks and rate limits are off in `app`; `make_app({}, WTF_CSRF_ENABLED=True)` has them.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra import browser as browsers
from tests.infra import postgres, shared
from tests.infra.databases import ADMIN_PASSWORD, PostgresDatabase, SqliteDatabase, close_connections
from tests.infra.redis import redis_running
from tests.infra.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, Page

SETTINGS = {"TESTING": True, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False, "AUTH_RATE_LIMITED": False}


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    shared.folder()
    shared.main_process()


def pytest_unconfigure(config: pytest.Config) -> None:
    if os.getpid() == shared.main_process():
        postgres.stop_server()
        shutil.rmtree(shared.folder(), ignore_errors=True)


# Files whose tests share something costly (a browser's page, worker processes): each stays on one worker of the run.
TOGETHER = ("tests/e2e/", "tests/core/runtime/", "tests/core/operations/", "tests/infra/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(TOGETHER):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
        if item.get_closest_marker("soak") and not os.environ.get("STEWARD_SOAK"):
            item.add_marker(pytest.mark.skip(reason="runs with make soak"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run once per engine; `postgres` ones on PostgreSQL."""
    if "database" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker
    if marked("both_databases"):
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)
    elif marked("postgres"):
        metafunc.parametrize("database", ["postgresql"], indirect=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what could not run: a green run that left half out must not look like one that did not."""
    lines = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        lines.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    missing = {reason: names for reason, names in lines.items() if "make soak" not in reason}
    if missing:
        terminalreporter.section("NOT RUN ON THIS MACHINE", sep="!", red=True, bold=True)
        for reason, names in sorted(missing.items()):
            terminalreporter.line(f"{len(names)} tests: {reason}")
            terminalreporter.line("    " + "\n    ".join(sorted(names)[:20]))


def cannot_run(reason: str) -> None:
    """Skip the test, to be listed at the end; fail it where everything has to run."""
    if os.environ.get("STEWARD_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def process_folder() -> Path:
    """A folder of this process of the run."""
    path = shared.folder() / os.environ.get("PYTEST_XDIST_WORKER", "main")
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture(scope="session")
def _redis() -> Iterator[str]:
    with redis_running() as url:
        yield url


@pytest.fixture
def redis_url(_redis: str) -> str:
    import redis

    with redis.Redis.from_url(_redis) as connection:
        connection.flushall()
    return _redis


@pytest.fixture(scope="session")
def _databases(process_folder: Path) -> Callable[[str], Any]:
    made: dict[str, Any] = {}

    def get(kind: str) -> Any:
        if kind not in made:
            worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
            made[kind] = SqliteDatabase(process_folder) if kind == "sqlite" else PostgresDatabase(worker)
        return made[kind]

    return get


@pytest.fixture(scope="session")
def _applications(_databases: Callable[[str], Any], _redis: str, process_folder: Path) -> Callable[[str], Flask]:
    made: dict[str, Flask] = {}

    def get(kind: str) -> Flask:
        if kind not in made:
            made[kind] = _make_app(_databases(kind).url, _redis, process_folder, {}, SETTINGS)
        return made[kind]

    return get


def _make_app(url: str, redis_url: str, home: Path, environ: Mapping[str, str], settings: Mapping[str, Any]) -> Flask:
    from app.factory import create_app
    from config import Config

    base = {
        "STEWARD_HOME": str(home),
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "LOG_LEVEL": "WARNING",
        "SAMPLE": "0",
    }
    return create_app(Config({**base, **environ}, **settings))


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    kind = str(getattr(request, "param", "sqlite"))
    if kind == "postgresql":
        try:
            postgres.server_url()
        except postgres.PostgresMissing as error:
            cannot_run(str(error))
    return kind


@pytest.fixture
def app(
    database: str, _databases: Callable[[str], Any], _applications: Callable[[str], Flask], redis_url: str
) -> Iterator[Flask]:
    app = _applications(database)
    close_connections(app)
    _databases(database).renew()
    yield app
    close_connections(app)


@pytest.fixture
def make_app(
    app: Flask, database: str, _databases: Callable[[str], Any], redis_url: str, tmp_path: Path
) -> Iterator[Callable[..., Flask]]:
    made: list[Flask] = []

    def make(environ: Mapping[str, str] | None = None, **settings: Any) -> Flask:
        values = {**SETTINGS, **settings}
        made.append(_make_app(_databases(database).url, redis_url, tmp_path, environ or {}, values))
        return made[-1]

    yield make
    for other in made:
        close_connections(other)


@pytest.fixture
def db(app: Flask) -> Iterator[Any]:
    with app.app_context():
        yield app.extensions["sqlalchemy"]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., FlaskClient]:
    def sign_in(username: str, password: str = ADMIN_PASSWORD) -> FlaskClient:
        client = app.test_client()
        answer = client.post("/login/", data={"username": username, "password": password})
        with client.session_transaction() as session:  # FAB redirects after a wrong password too
            assert "_user_id" in session, f"{username} cannot sign in: {answer.status_code}"
        return client

    return sign_in


@pytest.fixture
def admin(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("admin")


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if browsers.find_chromium() is None:
        cannot_run("No Chromium: install the package chromium, or set CHROMIUM to its path.")
    with browsers.browser_running() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()
