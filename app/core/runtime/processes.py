"""Child processes that cannot outlive this one, and stopping them with their descendants."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process signal `number` when its parent, of process id `parent`, ends.

    Linux alone can; elsewhere this does nothing. See prctl(2), PR_SET_PDEATHSIG.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), number)


@dataclass
class Child:
    """A child process, the leader of a process group of its own. `code`: exit code, or minus the signal that ended it."""

    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        """The code when it has ended, else None."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for its end; tells whether it came."""
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def stop(self, *, grace: float) -> bool:
        """Ask it to stop, wait `grace` seconds, then kill what is left of its group. True when it stopped by itself."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        in_time = self.wait(grace)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS answers "not permitted" for a group of zombies
            pass
        self.wait(5)
        return in_time


def fork_child(run: Callable[[], object]) -> Child:
    """Run `run()` in a fork of this process; it shares what is already loaded, writes to our standard error, dies with us.

    Its own group keeps Ctrl-C in the terminal from reaching it: the parent alone decides the order in which all stop.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_child(parent, run)
    return Child(pid)


def _be_child(parent: int, run: Callable[[], object]) -> None:
    code = 1
    try:
        os.setsid()
        die_with_parent(parent)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # the parent's clean-up is not ours


def leave_connections(app: Flask) -> None:
    """Give this fork engines without connections: one used by two processes mixes up their answers."""
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose(close=False)
