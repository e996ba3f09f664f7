"""The scheduler: one process that calls the runbook's ticks when they are due. SQL decides what there is to do."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import TYPE_CHECKING

from app.core.commands import runbook
from app.core.logs import bind_request_id

if TYPE_CHECKING:
    from flask import Flask

    from app.core.commands import Tick

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 300.0  # seconds between two tries of a tick that keeps failing


class Scheduler:
    """Calls each tick at its interval until `stop` is set; one that fails is tried less and less often."""

    def __init__(self, app: Flask, ticks: list[Tick]) -> None:
        self.app = app
        self.stop = threading.Event()
        self._ticks = {tick.name: tick for tick in ticks}
        self._due = dict.fromkeys(self._ticks, 0.0)
        self._failures = dict.fromkeys(self._ticks, 0)

    def run(self) -> None:
        """Work until `stop` is set."""
        while not self.stop.is_set():
            now = time.monotonic()
            for name, due in self._due.items():
                if due <= now and not self.stop.is_set():
                    self._call(self._ticks[name])
            pause = min(self._due.values(), default=now + 60) - time.monotonic()
            self.stop.wait(max(0.05, min(pause, 60)))

    def _call(self, tick: Tick) -> None:
        try:
            with bind_request_id(), self.app.app_context():
                tick.run(self.app)
            self._failures[tick.name] = 0
        except Exception:  # one broken tick must not stop the others
            self._failures[tick.name] += 1
            log.exception("Tick %s failed", tick.name)
        pause = tick.every * 2 ** min(self._failures[tick.name], 10)
        self._due[tick.name] = time.monotonic() + min(pause, max(_LONGEST_PAUSE, tick.every))


def run_scheduler(app: Flask) -> None:
    """Run the runbook's ticks until SIGTERM or SIGINT."""
    scheduler = Scheduler(app, runbook(app).ticks)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.stop.set())
    log.info("Scheduler started with %d ticks", len(runbook(app).ticks))
    scheduler.run()
