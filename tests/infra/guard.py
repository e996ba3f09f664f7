"""Run a server until the test run is over, however that ends: `guard.py PROCESS USER FOLDER COMMAND…`.

SIGTERM to the guard, or the end of PROCESS, stops the server: SIGINT first (PostgreSQL's fast stop), SIGKILL
after 10 s. Then FOLDER is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time


def main() -> int:
    watched, user, folder, command = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    server = subprocess.Popen(command, user=user or None)
    while server.poll() is None and not stopping and alive(watched):
        time.sleep(0.1)
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
    code = server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return code


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
