"""The worker runs what is on the list and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.runtime.jobs import ListedJob, allow_job, job_queue, worker_alive

DONE: list[int] = []


def note(number: int) -> None:
    DONE.append(number)


def work(app: Any) -> None:
    queue = job_queue(app)
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer, job_class=ListedJob)
    with app.app_context():
        worker.work(burst=True, logging_level="ERROR")


def test_a_listed_job_runs_and_a_forged_one_does_not(app: Any, tmp_path: Path) -> None:
    DONE.clear()
    queue = job_queue(app)
    target = tmp_path / "forged"
    allow_job(app, note)
    queue.enqueue_call(f"{note.__module__}.{note.__qualname__}", args=[7], timeout=-1)
    forged = queue.enqueue_call("pathlib.Path.touch", args=[str(target)], timeout=-1)
    work(app)
    assert DONE == [7]
    assert not target.exists()
    assert Job.fetch(forged.id, connection=queue.connection, serializer=JSONSerializer).is_failed


def test_a_forged_call_back_does_not_run(app: Any, tmp_path: Path) -> None:
    DONE.clear()
    queue = job_queue(app)
    allow_job(app, note)
    job = queue.enqueue_call(f"{note.__module__}.{note.__qualname__}", args=[8], timeout=-1)
    queue.connection.hset(job.key, "success_callback_name", "builtins.print")
    work(app)
    assert DONE == [8]
    assert Job.fetch(job.id, connection=queue.connection, serializer=JSONSerializer).is_finished


def test_no_worker_means_not_alive(app: Any) -> None:
    assert worker_alive(app) is False
    app.config["REDIS_URL"], kept = "unix:///nowhere/redis.sock", app.config["REDIS_URL"]
    try:
        assert worker_alive(app) is False
    finally:
        app.config["REDIS_URL"] = kept
