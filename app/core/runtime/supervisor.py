"""The supervisor: starts Redis, sets up, starts the other parts, restarts what dies and stops all in the right order.

The application is loaded once, here, and the parts are forks of this process: so they start, and start again, at once
and share memory. This process itself opens no connection to the database and runs no thread.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from app.core.runtime import redis_server
from app.core.runtime.processes import Child, fork_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config import Config

log = logging.getLogger(__name__)

LONGEST_START = 120.0  # seconds from the start of the parts until pages answer
_WAIT_FOR_WORKER = 15.0  # seconds that pages which answer already wait for the rest
_TRIES_AT_START = 4  # deaths of one part before the first page, after which we give up
_LONGEST_PAUSE = 30.0  # seconds before a restart
_HEALTHY = 60.0  # seconds of life after which a part's earlier deaths are forgotten


class StartError(RuntimeError):
    """Steward cannot start; the message is for the person at the terminal."""


@dataclass
class Part:
    """One process of the group: `run` is what it does, `grace` the seconds it has to stop."""

    name: str
    run: Callable[[], object]
    grace: float
    child: Child | None = None
    started: float = 0.0
    deaths: int = 0
    restart_at: float = 0.0

    def start(self) -> None:
        """Start it now."""
        self.child = fork_child(self._work)
        self.started = time.monotonic()

    def _work(self) -> None:
        os.environ["STEWARD_PART"] = self.name
        self.run()

    def stop(self) -> None:
        """Stop it and whatever it started."""
        if self.child is not None:
            if not self.child.stop(grace=self.grace):
                log.warning("%s did not stop in %.0f s and was ended", self.name, self.grace)
            self.child = None

    def restart_if_dead(self) -> None:
        """Notice its death, and start it again when the pause is over: 0.5 s, doubled with each death in a row."""
        now = time.monotonic()
        if self.child is None:
            if now >= self.restart_at:
                self.start()
            return
        code = self.child.poll()
        if code is None:
            return
        self.deaths = 1 if now - self.started > _HEALTHY else self.deaths + 1
        pause = min(_LONGEST_PAUSE, 0.5 * 2 ** (self.deaths - 1))
        log.error("%s ended with %s; starting it again in %.1f s", self.name, _ending(code), pause)
        self.stop()
        self.restart_at = now + pause


@dataclass
class Supervisor:
    """Runs the parts of one STEWARD_HOME.

    `load` makes the application; what it returns does the work of the part it is called with: "init", "web", "worker"
    or "scheduler".
    """

    config: Config
    load: Callable[[], Callable[[str], object]]
    stopping: bool = False
    parts: list[Part] = field(default_factory=list)
    _lock: IO[str] | None = None

    def run(self) -> int:
        """Start everything, watch it until SIGINT or SIGTERM, stop it. Returns the exit code.

        Raises StartError when it cannot start.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        with _only_one(self.config) as lock:
            _check_port(self.config.HOST, self.config.PORT)
            lock.write(f"process {os.getpid()}, {self.config.BASE_URL}")
            lock.flush()
            self._lock = lock
            try:
                self._start()
                self._watch()
            finally:
                self._stop()
        return 0

    def _on_signal(self, number: int, _frame: object) -> None:
        log.info("Stopping on %s", signal.Signals(number).name)
        self.stopping = True

    def _start(self) -> None:
        if self.config.EMBEDDED_REDIS:
            self._start_redis()
        elif not redis_server.answers(self.config.REDIS_URL):
            raise StartError("Redis does not answer at REDIS_URL.")
        work = self.load()
        self._await_redis()
        self._set_up(work)
        if self.stopping:
            return
        for name, grace in (("web", 4.0), ("worker", 4.0), ("scheduler", 2.0)):
            self._add(self._part(name, work, grace))
        self._wait_for_pages()

    def _part(self, name: str, work: Callable[[str], object], grace: float) -> Part:
        def run() -> None:
            assert self._lock is not None
            self._lock.close()  # or the parts would keep it when we are killed
            work(name)

        return Part(name, run, grace)

    def _add(self, part: Part) -> None:
        part.start()
        self.parts.append(part)

    def _start_redis(self) -> None:
        try:
            settings = redis_server.write_settings(
                self.config.REDIS_SOCKET, self.config.REDIS_PASSWORD, self.config.STEWARD_HOME / "redis"
            )
            command = [redis_server.executable(), str(settings)]
        except (redis_server.RedisError, OSError) as error:
            raise StartError(f"The embedded Redis cannot be started: {error}") from error
        self._add(Part("redis", lambda: os.execv(command[0], command), grace=2.0))

    def _await_redis(self) -> None:
        end = time.monotonic() + 15
        while not self.stopping and not redis_server.answers(self.config.REDIS_URL):
            if time.monotonic() > end or self._gave_up():
                words = redis_server.last_words(self.config.STEWARD_HOME / "redis")
                raise StartError(f"The embedded Redis does not answer. Its log ends with:\n{words}")
            time.sleep(0.02)

    def _set_up(self, work: Callable[[str], object]) -> None:
        part = self._part("init", work, grace=5.0)
        part.start()
        assert part.child is not None
        while part.child.poll() is None and not self.stopping:
            time.sleep(0.02)
        code = part.child.poll()
        part.stop()
        if code and not self.stopping:
            raise StartError(f"Setting up ended with {_ending(code)}; the lines above say why.")

    def _wait_for_pages(self) -> None:
        begin, pages_since = time.monotonic(), 0.0
        while not self.stopping:
            now = time.monotonic()
            pages_since = pages_since or (now if self._answers("/health") else 0.0)
            ready = bool(pages_since) and self._answers("/ready")
            if ready or (pages_since and now - pages_since > _WAIT_FOR_WORKER):
                self._announce(ready)
                return
            if now - begin > LONGEST_START or self._gave_up():
                raise StartError("Steward did not come up; the lines above say why.")
            self._restart_the_dead()
            time.sleep(0.05)

    def _answers(self, path: str) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.config.HOST, self.config.HOST)
        address = f"http://[{host}]" if ":" in host else f"http://{host}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands before ourselves
        try:
            with opener.open(f"{address}:{self.config.PORT}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _announce(self, ready: bool) -> None:
        if not ready:
            log.warning("Pages answer, but /ready does not; background work may stand still")
        host = f"[{self.config.HOST}]" if ":" in self.config.HOST else self.config.HOST
        print(f"Steward is ready at http://{host}:{self.config.PORT}", flush=True)

    def _gave_up(self) -> bool:
        return any(part.deaths >= _TRIES_AT_START for part in self.parts) or self._died_at_once("redis")

    def _died_at_once(self, name: str) -> bool:
        return any(
            part.name == name and part.child is not None and part.child.poll() is not None and part.deaths == 0
            for part in self.parts
        )

    def _restart_the_dead(self) -> None:
        for part in self.parts:
            part.restart_if_dead()

    def _watch(self) -> None:
        while not self.stopping:
            self._restart_the_dead()
            time.sleep(0.1)

    def _stop(self) -> None:
        # Web first, so that nothing new comes in; Redis last, because the others speak to it while they stop.
        order = {"web": 0, "scheduler": 1, "worker": 2, "redis": 3}
        for part in sorted(self.parts, key=lambda part: order[part.name]):
            part.stop()
        log.info("Stopped")


@contextmanager
def _only_one(config: Config) -> Iterator[IO[str]]:
    path = config.STEWARD_HOME / "steward.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise StartError(
                f"Steward is already running in {config.STEWARD_HOME} ({lock.read().strip() or 'starting'})."
                " Stop it first, or set STEWARD_HOME to another folder."
            ) from error
        lock.truncate(0)
        yield lock
        lock.truncate(0)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(_port_trouble(host, port, error)) from error


def _port_trouble(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use. Stop what uses it, or choose another: PORT={port + 1} make run"
    if error.errno == errno.EACCES:
        return f"Port {port} needs an administrator. Choose one above 1023: PORT=8080 make run"
    return f"HOST {host}, PORT {port} cannot be listened on: {error.strerror or error}."


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
