"""A real browser for the tests: Chromium as installed, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = (
    "/usr/bin",
    "/usr/lib/chromium",
    "/snap/bin",
    "/opt/google/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS",
)

# Chromium looks for its maker's hosts at every start, which only costs time where there is no network.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)


def find_chromium() -> str | None:
    """The path of a Chromium: the variable CHROMIUM, else the search path and the usual places; None when there is none."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given if os.access(given, os.X_OK) else None
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    return next((found for name in NAMES if (found := shutil.which(name, path=path))), None)


@contextmanager
def browser_running() -> Iterator[Browser]:
    """A headless Chromium. Raises RuntimeError when there is none."""
    from playwright.sync_api import sync_playwright

    executable = find_chromium()
    if executable is None:
        raise RuntimeError("No Chromium: install the package chromium, or set CHROMIUM to its path.")
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=flags)
        try:
            yield browser
        finally:
            browser.close()
