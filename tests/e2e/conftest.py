"""One console per module, and pages on which the browser may find nothing to complain about."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.console import Console, Visitor
from tests.infra.databases import close_connections, sqlite_template
from tests.infra.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def console(_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """An application of its own, set up and without the sample."""
    import redis

    with redis.Redis.from_url(_redis) as connection:
        connection.flushall()
    folder = tmp_path_factory.mktemp("console")
    environ = _environ(folder, _redis)
    from app.factory import create_app
    from config import Config

    app = create_app(Config(environ))
    with serving(app) as url:
        yield Console(app, url, folder, environ)
    close_connections(app)


def _environ(folder: Path, redis_url: str) -> dict[str, str]:
    database = folder / "steward.db"
    shutil.copyfile(sqlite_template(), database)
    return {
        "STEWARD_HOME": str(folder),
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": redis_url,
        "LOG_LEVEL": "ERROR",
        "SAMPLE": "0",
    }


@pytest.fixture
def visit(browser: Browser, console: Console) -> Iterator[Callable[..., Visitor]]:
    """visit(username="admin", **options of a browser context) -> a Visitor; at the end none may have a complaint."""
    visitors: list[Visitor] = []

    def start(username: str = "admin", **options: Any) -> Visitor:
        size = {"width": 1280, "height": 800}
        visitors.append(console.open(browser, username, **{"viewport": size, **options}))
        return visitors[-1]

    yield start
    for visitor in visitors:
        visitor.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
