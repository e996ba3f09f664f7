"""The wake-up calls on Redis: "work on operation N" and nothing else (PLT-07)."""

from __future__ import annotations

import logging

from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from app.core.runtime.jobs import QUEUE, ListedJob

log = logging.getLogger(__name__)

WORK = "app.core.jobs.work_on_operation"


def _queue() -> Queue:
    """The queue on this process's client, which gives up after a second instead of holding a request."""
    client: Redis | None = current_app.extensions.get("operations_redis")
    if client is None:
        once_more = Retry(NoBackoff(), 1)  # for the connection that a restarted Redis left behind
        url = current_app.config["REDIS_URL"]
        client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5, retry=once_more)
        current_app.extensions["operations_redis"] = client
    return Queue(QUEUE, connection=client, job_class=ListedJob, serializer=JSONSerializer)


def enqueue(*operation_ids: int) -> bool:
    """Put wake-up calls on the queue; False when Redis is away, which the reaper makes good."""
    try:
        queue = _queue()
        for operation_id in operation_ids:
            queue.enqueue_call(
                WORK,
                args=[operation_id],
                timeout=-1,  # RQ's alarm would strike anywhere; the engine works in slices instead
                result_ttl=0,
                failure_ttl=3600,
                description=f"operation {operation_id}",
            )
    except RedisError as error:
        log.warning("Redis is away (%s); operations %s wait for the reaper", error, list(operation_ids))
        return False
    return True


def waiting() -> set[int]:
    """The ids of operations that already have a call on the queue; empty when Redis is away."""
    try:
        queue = _queue()
        jobs = ListedJob.fetch_many(queue.job_ids, connection=queue.connection, serializer=JSONSerializer)
    except RedisError:
        return set()
    return {int(job.args[0]) for job in jobs if job is not None and job.func_name == WORK}
