"""What RQ runs: the one job "work on operation N", and the reaper that calls again whatever Redis forgot (PLT-07)."""

from __future__ import annotations

import signal
import threading
from typing import Any

from flask import Flask

from app.core.commands import runbook
from app.core.db import db, read_only_intent
from app.core.operations import engine, lease, queue
from app.core.runtime.jobs import allow_job

REAP_EVERY = 10.0  # seconds


def work_on_operation(operation_id: int) -> None:
    """The job. Works for a time slice and then lines up again behind the others; on SIGTERM it ends after its chunk."""
    if not isinstance(operation_id, int):
        raise TypeError("an operation is named by its id")
    stopping = threading.Event()
    with_signals = threading.current_thread() is threading.main_thread()
    previous: Any = signal.signal(signal.SIGTERM, lambda *_: stopping.set()) if with_signals else None
    try:
        more = engine.work(operation_id, stop=stopping.is_set)
    finally:
        if with_signals:
            signal.signal(signal.SIGTERM, previous)
    if more:
        queue.enqueue(operation_id)


def reap() -> list[int]:
    """Call the workers for every operation that is due, that nobody works on and that no call is waiting for."""
    with read_only_intent():
        due = lease.unfinished()
        db.session.rollback()
    forgotten = sorted(set(due) - queue.waiting()) if due else []
    if forgotten:
        queue.enqueue(*forgotten)
    return forgotten


def install(app: Flask) -> None:
    """Allow the job and have the scheduler reap."""
    allow_job(app, work_on_operation)
    runbook(app).add_tick("reaper", lambda _app: reap(), every=REAP_EVERY)
