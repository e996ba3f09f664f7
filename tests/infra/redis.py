"""A real Redis for each process of a test run, empty at the start of each test."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.runtime import redis_server
from app.core.runtime.processes import fork_child

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def redis_running() -> Iterator[str]:
    """A private redis-server on a Unix socket; gives its URL, stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="steward-redis-") as folder:
        socket = Path(folder) / "redis.sock"
        settings = redis_server.write_settings(socket, "test", Path(folder))
        command = [redis_server.executable(), str(settings)]
        child = fork_child(lambda: os.execv(command[0], command))
        url = f"unix://:test@{socket}?db=0"
        end = time.monotonic() + 15
        while not redis_server.answers(url):
            assert child.poll() is None and time.monotonic() < end, redis_server.last_words(Path(folder))
            time.sleep(0.02)
        try:
            yield url
        finally:
            child.stop(grace=3)
