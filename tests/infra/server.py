"""The application on a loopback port: quickly in a thread of the test's own process, or for real with gunicorn."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Flask

ROOT = Path(__file__).resolve().parents[2]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing; the application logs its requests."""


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve `app` from threads of this process on a free port; gives `http://127.0.0.1:PORT`."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def free_port() -> int:
    """A port of the loopback address that nobody listened on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of a Steward that has nothing in common with others on this machine."""
    kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL", "BASE_URL"}}
    return {
        **kept,
        "STEWARD_HOME": str(home),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SAMPLE": "0",
        "WORKERS": "1",
        **more,
    }


@contextmanager
def command_running(
    *command: str, env: Mapping[str, str], log: Path, seconds: float = 60
) -> Iterator[subprocess.Popen[str]]:
    """`run.py COMMAND…` until the block ends; entered when GET /health answers on env's PORT."""
    with log.open("a") as output:
        child = subprocess.Popen(
            [sys.executable, "run.py", *command],
            cwd=ROOT,
            env=dict(env),
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        await_url(f"http://127.0.0.1:{env['PORT']}/health", child, log, seconds)
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def status_of(url: str) -> int:
    """The status with which `url` answers; 0 when nobody does."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def await_url(url: str, child: subprocess.Popen[str], log: Path, seconds: float = 60) -> None:
    """Wait until `url` answers with 200. Raises AssertionError with the log's end when it does not."""
    end = time.monotonic() + seconds
    while status_of(url) != 200:
        assert child.poll() is None, f"ended with {child.returncode}:\n{log.read_text()[-4000:]}"
        assert time.monotonic() < end, f"no answer in {seconds} s:\n{log.read_text()[-4000:]}"
        time.sleep(0.05)
