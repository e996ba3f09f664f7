"""What the processes of one test run share: a folder, and a lock for making something in it once."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = "STEWARD_TEST_FOLDER"


def folder() -> Path:
    """The run's folder: made by the first process, inherited by pytest-xdist's workers through the environment."""
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="steward-test-")
    return Path(os.environ[_FOLDER])


@contextmanager
def once(name: str) -> Iterator[Path | None]:
    """Hold the lock of `name`; gives the path to create when nobody has yet, else None.

    What fails inside the block leaves no trace, so that the next process tries again.
    """
    path = folder() / name
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield None if path.exists() else path


def start_guarded(command: list[str], *, user: str | None, folder: Path, log: Path) -> int:
    """Start a server under a guard; returns the guard's id.

    The guard stops it and removes `folder` when this test run's first process ends, however that comes.
    """
    guard = [sys.executable, str(Path(__file__).with_name("guard.py")), str(main_process()), user or "", str(folder)]
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*guard, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    child.returncode = 0  # we wait for it ourselves, in `stop`; this keeps Popen from complaining
    return child.pid


def main_process() -> int:
    """The id of the process that the user started: pytest itself, not a worker of pytest-xdist."""
    return int(os.environ.setdefault("STEWARD_TEST_MAIN", str(os.getpid())))


def stop(pid: int, *, seconds: float = 15) -> None:
    """Ask the process to stop and wait until it is gone; end it when that takes longer than `seconds`."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + patience
        while time.monotonic() < end and _alive(pid):
            time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
