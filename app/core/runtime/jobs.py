"""RQ as we use it: JSON, one queue per worker, an allow-list of callables, and a work horse that dies with its worker.

RQ by itself runs a job neither at least nor at most once. So a job only says "work on operation N"; SQL knows what
there is to do, and the reaper enqueues again what Redis forgot.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import redis
from flask import current_app
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from app.core.commands import runbook
from app.core.logs import bind_request_id
from app.core.runtime.processes import die_with_parent, leave_connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from rq.executions import Execution

QUEUE = "steward"

_WORKER_TTL = 30  # seconds after which a silent worker counts as dead
_MAINTENANCE = 15  # seconds between two looks for abandoned jobs


_MONITORING = 10  # seconds between two signs of life during a job
_ALIVE = "steward:worker"  # the key that says a worker was there
_ALIVE_FOR = 40  # seconds; an idle worker gives a sign every 15


class JobRefused(RuntimeError):
    """A job names a callable that no feature registered with `runbook(app).allow_job`."""


class ListedJob(Job):
    """A job that runs only what is on the list, no call-backs and no webhooks.

    Whoever can write to Redis chooses neither code to run nor an address to call.
    """

    success_callback = None
    failure_callback = None
    stopped_callback = None

    def restore(self, raw_data: Any) -> None:
        """Read the record from Redis, without what our jobs never have."""
        super().restore(raw_data)
        self.webhooks = []

    def perform(self) -> Any:
        """Run it. Raises JobRefused for a callable that is not on the list."""
        if self.func_name not in runbook(current_app).jobs:  # type: ignore[arg-type]
            raise JobRefused(f"{self.func_name} is not on the list of jobs.")
        return super().perform()


class SteadyWorker(Worker):
    """A worker whose forks hold an application context, no inherited connection, and never outlive it."""

    app: Flask
    max_connection_wait_time = 5.0  # seconds between two tries to reach Redis

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Entry point of the fork; never returns."""
        die_with_parent(self.pid or 0)
        leave_connections(self.app)
        super().main_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """Tell the job at hand too, which RQ leaves alone: work on an operation ends after its chunk."""
        super().handle_warm_shutdown_request()
        if self.horse_pid and self.get_state() == WorkerStatus.BUSY:  # an idle worker remembers its last one
            try:
                os.kill(self.horse_pid, signal.SIGTERM)
            except ProcessLookupError:  # it ended just now
                pass

    def heartbeat(self, *arguments: Any, **options: Any) -> None:
        """RQ's sign of life, and ours: RQ's own list of workers stays empty when Redis has lost it."""
        super().heartbeat(*arguments, **options)
        self.connection.set(_ALIVE, self.name, ex=_ALIVE_FOR)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Do the job in an application context, with a reference number in every line it logs."""
        with bind_request_id(), self.app.app_context():
            return bool(super().perform_job(job, queue, execution))


def job_queue(app: Flask) -> Queue:
    """The queue that the worker works on. Enqueue with `job_timeout=-1`: RQ's alarm would strike anywhere."""
    connection = redis.Redis.from_url(app.config["REDIS_URL"])
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=ListedJob)


def worker_alive(app: Flask) -> bool:
    """Whether some worker gave a sign of life lately; False too when Redis does not answer. For GET /ready."""
    connection = redis.Redis.from_url(app.config["REDIS_URL"], socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(connection.exists(_ALIVE))
    except (redis.RedisError, OSError):
        return False
    finally:
        connection.close()


def allow_job(app: Flask, function: Callable[..., object]) -> None:
    """Let the worker run `function`, a module's own function, when a job names it."""
    runbook(app).jobs.add(f"{function.__module__}.{function.__qualname__}")


def run_worker(app: Flask, *, burst: bool = False) -> None:
    """Work until SIGTERM (finishes the job at hand) or, with `burst`, until the queue is empty."""
    leave_connections(app)
    queue = job_queue(app)
    worker = SteadyWorker(
        [queue],
        connection=queue.connection,
        serializer=JSONSerializer,
        job_class=ListedJob,
        name=f"{os.uname().nodename}-{os.getpid()}",
        worker_ttl=_WORKER_TTL,
        maintenance_interval=_MAINTENANCE,
        job_monitoring_interval=_MONITORING,
    )
    worker.app = app
    worker.log_job_description = False
    worker.work(burst=burst, logging_level="WARNING")
