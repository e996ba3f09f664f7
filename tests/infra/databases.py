"""A set-up database for every test, made once per run and copied.

SQLite: a file, set up once, copied over for each test (a millisecond). PostgreSQL: a template database, set up once,
copied for each test that needs one (about 40 ms; no rows, sequences or settings of the last test survive it).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra import postgres, shared

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
ADMIN_PASSWORD = "quiet-river-42"  # the user `admin` in every database of the tests

TEMPLATE = "steward_template"


def sqlite_template() -> Path:
    """The file of a database on which `run.py init` ran, without the sample."""
    path = shared.folder() / "template.db"
    with shared.once("template.db") as missing:
        if missing is not None:
            draft = shared.folder() / "draft.db"
            set_up(f"sqlite:///{draft}")
            draft.rename(missing)
    return path


def postgres_template() -> str:
    """The name of a PostgreSQL database on which `run.py init` ran, without the sample. Raises PostgresMissing."""
    with shared.once("template.postgres") as missing:
        if missing is not None:
            set_up(postgres.create_database(TEMPLATE))
            missing.touch()
    return TEMPLATE


def set_up(url: str) -> None:
    """Run the set-up step on the database at `url`, in a process of its own: it leaves no connection behind."""
    import subprocess
    import sys

    home = shared.folder() / "setup"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": "",
        "STEWARD_HOME": str(home),
        "STEWARD_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "SAMPLE": "0",
        "LOG_LEVEL": "WARNING",
    }
    done = subprocess.run(
        [sys.executable, "run.py", "init"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run.py init failed:\n{done.stdout}{done.stderr}"


class SqliteDatabase:
    """This process's SQLite file; `renew` makes it the template's copy again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "test.db"
        self.url = f"sqlite:///{self.path}"
        self.renew()

    def renew(self) -> None:
        """Forget everything. No connection may be open."""
        for ending in ("-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        shutil.copyfile(sqlite_template(), self.path)


class PostgresDatabase:
    """This process's PostgreSQL database; `renew` makes it the template's copy again."""

    def __init__(self, worker: str) -> None:
        self.name = f"steward_{worker}"
        postgres_template()
        self.url = postgres.database_url(self.name)
        self.renew()

    def renew(self) -> None:
        """Forget everything; connections that are open are closed."""
        postgres.create_database(self.name, template=TEMPLATE)


def close_connections(app: Flask) -> None:
    """Close what the application holds open, so that its database can be replaced."""
    with app.app_context():
        database = app.extensions["sqlalchemy"]
        database.session.remove()
        for engine in database.engines.values():
            engine.dispose()
