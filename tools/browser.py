"""Make sure that the browser tests find Chromium: take the one that is there, else install Debian's when we may.

Never fails: the browser tests themselves say what is missing, loudly.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.infra.browser import find_chromium  # noqa: E402


def install() -> None:
    """Install Debian's Chromium with apt-get; what apt-get says goes to standard error."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-q", "update"],
        ["apt-get", "-qq", "-y", "--no-install-recommends", "install", "chromium"],
    ):
        subprocess.run(command, env=environment, check=False, stdout=sys.stderr, timeout=900)


def main() -> None:
    """Look, install, say."""
    if find_chromium() is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium for the browser tests", file=sys.stderr)
        install()
    if find_chromium() is None:
        print("No Chromium: install the package chromium, or set CHROMIUM to its path.", file=sys.stderr)


if __name__ == "__main__":
    main()
