"""Redis carries calls, not truth: it may be away, forget everything, or hold what we never wrote (PLT-07)."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core import jobs
from app.core.db import db
from app.core.operations import lifecycle, queue
from app.core.operations.states import State
from app.core.runtime.jobs import QUEUE, run_worker
from app.core.runtime.processes import fork_child
from app.core.runtime.redis_server import executable
from tests.core.operations.bench import again, close, hits, operation_over, stored


@pytest.fixture
def redis(app, tmp_path):
    """A real Redis on a socket, known to the application."""
    socket = tmp_path / "r.sock"
    server = subprocess.Popen(
        [executable(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    client = Redis(unix_socket_path=str(socket))
    end = time.monotonic() + 10
    while not socket.exists() and time.monotonic() < end:
        time.sleep(0.02)
    app.config["REDIS_URL"] = f"unix://{socket}"
    yield client
    server.terminate()
    server.wait(5)


def worker(app, *, burst=True):
    close()
    return fork_child(lambda: run_worker(app, burst=burst))


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_the_commit_calls_a_worker_and_a_rollback_does_not(app, agent, redis):
    number = operation_over(agent, 300)
    assert queue.waiting() == {number}
    operation = again(number)
    lifecycle.pause(operation)
    lifecycle.resume(operation)
    db.session.rollback()
    assert len(redis.lrange(f"rq:queue:{QUEUE}", 0, -1)) == 1
    child = worker(app)
    assert child.wait(20)
    assert stored(number).state == State.DONE
    assert hits() == {1: 300}


def test_without_redis_nothing_goes_wrong_for_the_user_and_the_reaper_makes_it_good(app, agent, redis):
    socket = app.config["REDIS_URL"]
    app.config["REDIS_URL"] = "unix:///nowhere.sock"
    number = operation_over(agent, 300)
    assert stored(number).state == State.QUEUED
    app.config["REDIS_URL"] = socket
    app.extensions.pop("operations_redis")
    assert jobs.reap() == [number]
    assert jobs.reap() == []  # one call is enough
    assert worker(app).wait(20)
    assert hits() == {1: 300}


def test_a_flushed_redis_forgets_nothing_that_matters(app, agent, redis):
    number = operation_over(agent, 1000, pause=0.02)
    child = worker(app, burst=False)
    until(lambda: stored(number).succeeded > 100)
    os.kill(child.pid, signal.SIGKILL)  # the work horse goes with it
    assert child.wait(5)
    redis.flushall()
    until(lambda: jobs.reap() == [number], 5)
    assert stored(number).succeeded < 1000
    assert worker(app).wait(20)
    assert stored(number).state == State.DONE
    assert hits() == {1: 1000}


def test_a_worker_asked_to_stop_ends_after_its_chunk_and_hands_the_rest_on(app, agent, redis):
    number = operation_over(agent, 3000, pause=0.1)
    child = worker(app, burst=False)
    until(lambda: stored(number).succeeded > 0)
    close()
    began = time.monotonic()
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait(6)
    assert time.monotonic() - began < 3
    assert (stored(number).state, stored(number).lease_token) == (State.RUNNING, None)
    assert 0 < stored(number).succeeded < 3000


@pytest.mark.parametrize("name", ["os.mkdir", "app.core.jobs.reap", "app.core.jobs.os.mkdir"])
def test_a_forged_job_runs_nothing(app, redis, tmp_path, name):
    target = tmp_path / "forged"
    forged = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
    job = forged.enqueue_call("os.mkdir", args=[str(target)])
    redis.hset(job.key, "data", JSONSerializer.dumps([name, None, [str(target)], {}]))
    redis.hset(job.key, "success_callback_name", "os.mkdir")
    assert worker(app).wait(20)
    assert not target.exists()
    assert Job.fetch(job.id, connection=redis, serializer=JSONSerializer).is_failed


def test_pickle_is_never_read(app, redis, tmp_path):
    target = tmp_path / "forged"
    Queue(QUEUE, connection=redis).enqueue_call("os.mkdir", args=[str(target)])  # RQ's default serializer
    worker(app).wait(20)
    assert not target.exists()
