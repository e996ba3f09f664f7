"""The ground the other tests stand on: isolation, both databases, a browser, a server."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.infra import postgres, shared
from tests.infra.server import status_of

MARK = "left behind"


def _leave_a_mark(db: Any) -> None:
    role = db.session.execute(sa.text("SELECT count(*) FROM ab_role WHERE name = :name"), {"name": MARK}).scalar()
    assert role == 0, "the last test's rows are still there"
    db.session.execute(sa.text("INSERT INTO ab_role (id, name) VALUES (9999, :name)"), {"name": MARK})
    db.session.commit()


@pytest.mark.both_databases
@pytest.mark.parametrize("_turn", [1, 2])
def test_each_test_has_the_database_to_itself(database: str, db: Any, _turn: int) -> None:
    assert db.engine.dialect.name == database
    _leave_a_mark(db)


@pytest.mark.parametrize("_turn", [1, 2])
def test_each_test_has_redis_to_itself(redis_url: str, _turn: int) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as connection:
        assert connection.incr("mark") == 1


def test_the_admin_can_sign_in_and_a_wrong_password_cannot(sign_in: Any) -> None:
    sign_in("admin")
    assert sign_in("admin").get("/").status_code in {200, 302}
    with pytest.raises(AssertionError, match="cannot sign in"):
        sign_in("admin", "wrong")


@pytest.mark.browser
def test_a_browser_opens_the_sign_in_page(page: Any, live_server: str) -> None:
    page.goto(f"{live_server}/login/")
    assert page.locator("input[type=password]").is_visible()


def test_the_live_server_is_gone_after_its_test(app: Any) -> None:
    from tests.infra.server import serving

    with serving(app) as url:
        assert status_of(f"{url}/health") == 200
    assert status_of(f"{url}/health") == 0


@pytest.mark.postgres
def test_a_database_server_does_not_outlive_its_test_run(tmp_path: Path) -> None:
    """Also when the run is killed."""
    code = (
        "import sys, time; sys.path.insert(0, '.')\n"
        "from tests.infra import postgres\n"
        "print(postgres.server_url(), flush=True); time.sleep(60)\n"
    )
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "STEWARD_TEST_FOLDER": str(tmp_path)}
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(shared.__file__).parents[2],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    url = run.stdout.readline().strip()
    folder = Path(url.partition("host=")[2])
    assert folder.exists()
    run.kill()
    run.communicate()
    end = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.postgres
def test_postgres_has_trigrams() -> None:
    import psycopg

    try:
        url = postgres.create_database("trigrams")
    except postgres.PostgresMissing as error:
        pytest.skip(str(error))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute("SELECT similarity('steward', 'stewart') > 0.5").fetchone() == (True,)
