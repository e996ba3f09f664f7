"""The web part: gunicorn, told what it needs in code instead of a settings file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from sqlalchemy import event

from app.core.runtime.processes import die_with_parent, leave_connections

if TYPE_CHECKING:
    from flask import Flask

THREADS = 4  # per process: a slow database answer must not stop the next request
LONGEST_STATEMENT = 60  # seconds


class WebLog(Logger):  # type: ignore[misc]
    """gunicorn's log, written by our handlers; the lines about requests are ours (app.core.logs.RequestLog)."""

    def setup(self, cfg: Any) -> None:
        """Leave the loggers as setup_logging made them."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing: RequestLog has written the line."""


class WebServer(BaseApplication):  # type: ignore[misc]
    """Serves an application that is made already: its processes are forks and share it."""

    def __init__(self, app: Flask, *, host: str, port: int, workers: int) -> None:
        self.app = app
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "preload_app": True,
            "timeout": 90,  # seconds without a sign of life of a process
            "graceful_timeout": 3,
            "keepalive": 5,
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
            "control_socket_disable": True,
            "proc_name": "steward-web",
            "post_fork": _after_fork,
            "pre_fork": _remember_master,
            "logger_class": WebLog,
        }
        super().__init__()

    def load_config(self) -> None:
        """Take our options; gunicorn calls this."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application; gunicorn calls this, once."""
        leave_connections(self.app)
        _limit_statements(self.app)
        return self.app


def _limit_statements(app: Flask) -> None:
    """Let PostgreSQL give up a page's statement in the end; migrations, recounts and imports may take longer."""

    def add_limit(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["options"] = f"{parameters.get('options', '')} -c statement_timeout={LONGEST_STATEMENT}s"

    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            if engine.dialect.name == "postgresql":
                event.listen(engine, "do_connect", add_limit)


def _remember_master(server: Any, worker: Any) -> None:
    worker.steward_master = os.getpid()


def _after_fork(server: Any, worker: Any) -> None:
    """In the new process: end with the master, and share no connection with it."""
    die_with_parent(worker.steward_master)
    leave_connections(server.app.app)
