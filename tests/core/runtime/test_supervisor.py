"""`run.py run` as a person meets it: it starts, says so once, restarts what dies, stops all, leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.infra.databases import sqlite_template
from tests.infra.server import ROOT, await_url, environment, free_port, status_of

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]


class Running:
    """A started Steward, its environment, and where it says what."""

    def __init__(self, home: Path, **more: str) -> None:
        home.mkdir(exist_ok=True)
        self.port = free_port()
        self.home = home
        self.env = environment(home, self.port, STEWARD_ADMIN_PASSWORD="quiet-river-42", LOG_LEVEL="INFO", **more)
        self.log = home / "stderr"
        self.out = home / "stdout"
        with self.log.open("w") as errors, self.out.open("w") as output:
            self.child = subprocess.Popen(
                [sys.executable, "run.py", "run"], cwd=ROOT, env=self.env, stdout=output, stderr=errors
            )

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def await_ready(self) -> None:
        await_url(self.url("/ready"), self.child, self.log, 60)
        wait(lambda: "is ready" in self.out.read_text())

    def parts(self) -> dict[str, psutil.Process]:
        """redis, web, worker and scheduler by name: started in this order, and restarted ones come last."""
        children = sorted(psutil.Process(self.child.pid).children(), key=lambda process: process.pid)
        redis = [process for process in children if "redis-server" in " ".join(process.cmdline())]
        others = [process for process in children if process not in redis]
        return dict(zip(("redis", "web", "worker", "scheduler"), [*redis, *others], strict=True))

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.child.pid).children(recursive=True)

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait(30)


def wait(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose database is set up already, so that the tests are about the processes."""
    (tmp_path / "steward.db").write_bytes(sqlite_template().read_bytes())
    return tmp_path


@pytest.fixture
def running(home: Path) -> Iterator[Running]:
    steward = Running(home)
    try:
        steward.await_ready()
        yield steward
    finally:
        steward.stop()


def test_it_says_one_line_and_stops_cleanly(running: Running) -> None:
    assert running.out.read_text() == f"Steward is ready at {running.url()}\n"
    assert status_of(running.url("/login/")) == 200
    family = running.family()
    assert len(family) >= 5  # redis, web and its process, worker, scheduler
    began = time.monotonic()
    running.child.send_signal(signal.SIGINT)
    assert running.child.wait(20) == 0
    assert time.monotonic() - began < 12
    assert living(family) == []
    assert not (running.home / "redis.sock").exists()


@pytest.mark.parametrize("part", ["web", "worker", "redis"])
def test_a_part_that_is_killed_comes_back(running: Running, part: str) -> None:
    victim = running.parts()[part]
    orphans = victim.children(recursive=True)
    victim.kill()
    wait(lambda: f"{part} ended with signal SIGKILL" in running.log.read_text())
    assert living(orphans) == []
    wait(lambda: len(psutil.Process(running.child.pid).children()) == 4)
    wait(lambda: status_of(running.url("/ready")) == 200, 40)
    running.child.terminate()
    assert running.child.wait(20) == 0


def test_nothing_outlives_a_killed_supervisor(running: Running) -> None:
    family = running.family()
    running.child.kill()
    running.child.wait()
    wait(lambda: living(family) == [], 5)
    again = Running(running.home)  # and the lock, the socket and the port are free
    try:
        again.await_ready()
    finally:
        again.stop()


def test_a_second_start_in_the_same_home_says_so(running: Running) -> None:
    second = subprocess.run(
        [sys.executable, "run.py", "run"], cwd=ROOT, env=running.env, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert second.stdout == ""
    assert f"Steward is already running in {running.home}" in second.stderr
    assert str(running.child.pid) in second.stderr
    assert status_of(running.url("/health")) == 200


def test_a_busy_port_is_named(running: Running, tmp_path: Path) -> None:
    env = {**running.env, "STEWARD_HOME": str(tmp_path / "other")}
    other = subprocess.run(
        [sys.executable, "run.py", "run"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert other.returncode == 1
    assert f"Port {running.port} on 127.0.0.1 is in use" in other.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis does not answer"),
        ("DATABASE_URL", "sqlite:////nonexistent/folder/x.db", "Setting up ended with"),
        ("PORT", "x", "PORT is 'x'"),
    ],
)
def test_what_keeps_it_from_starting_is_said(home: Path, variable: str, value: str, message: str) -> None:
    env = {**environment(home, free_port()), variable: value}
    done = subprocess.run(
        [sys.executable, "run.py", "run"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=90
    )
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert "ready" not in done.stdout


def test_the_redis_is_private(running: Running) -> None:
    import redis

    from config import Config

    config = Config(running.env)
    with redis.Redis.from_url(config.REDIS_URL) as connection:
        assert connection.ping()
        assert connection.config_get("port")["port"] == "0"
    with pytest.raises(redis.AuthenticationError), redis.Redis(unix_socket_path=str(config.REDIS_SOCKET)) as stranger:
        stranger.ping()
    assert config.REDIS_SOCKET.stat().st_mode & 0o077 == 0
    assert config.REDIS_PASSWORD not in running.log.read_text()
    for process in running.family():
        assert config.REDIS_PASSWORD not in " ".join(process.cmdline())
