"""A console as a user meets it: production settings (strict CSP, CSRF, rate limits), one database for a whole module."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.db import db
from app.core.security.principal import system
from app.features.clients.access import grant_access
from app.features.clients.models import Client
from tests.infra.databases import ADMIN_PASSWORD, ROOT
from tests.security.world import person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Response

# Who waits for a page need not wait for its last byte: scripts are modules and run before this event.
LOADED = "domcontentloaded"


@dataclass
class Console:
    """A served application. `folder` is its own, for files of the test."""

    app: Flask
    url: str
    folder: Path
    environ: dict[str, str]
    sessions: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def acting(self) -> Iterator[Any]:
        """A request of the system's, committed at the end: `with console.acting() as actor:`."""
        with self.app.test_request_context(), system("a test prepares rows") as actor:
            yield actor
            db.session.commit()

    def person(self, username: str, role: str, *client_ids: int) -> None:
        """Somebody with ADMIN_PASSWORD and access to these clients; "jonas.weil" is Jonas Weil."""
        with self.acting() as actor:
            row = person(username, role)
            for client_id in client_ids:
                grant_access(db.session.get_one(Client, client_id), [row.id], actor=actor)

    def sign_in(self, page: Page, username: str = "admin") -> None:
        """By the form."""
        page.goto(f"{self.url}/login/", wait_until=LOADED)
        page.fill("#username", username)
        page.fill("#password", ADMIN_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url, wait_until=LOADED)

    def open(self, browser: Browser, username: str = "admin", **options: Any) -> Visitor:
        """A browser of its own in which somebody is signed in; the form is filled once per person."""
        context = browser.new_context(
            storage_state=self.sessions.get(username), **{"locale": "en-GB", "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(15_000)
        visitor = Visitor(self, context.new_page())
        if username not in self.sessions:
            self.sign_in(visitor.page, username)
            self.sessions[username] = context.storage_state()
        return visitor

    def work(self) -> None:
        """A worker process that does what is on the queue, and ends."""
        command = [sys.executable, "run.py", "worker", "--burst"]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **self.environ}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr


class Visitor:
    """A page with all that the browser complained about."""

    def __init__(self, console: Console, page: Page) -> None:
        self.console, self.page = console, page
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", self._broke)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    def goto(self, path: str) -> Response:
        """Open a page of the console."""
        answer = self.page.goto(self.console.url + path, wait_until="load")
        assert answer is not None
        return answer

    def close(self) -> None:
        """With the browser's context."""
        self.page.context.close()

    def _said(self, message: ConsoleMessage) -> None:
        # A refused request is reported without its address; `_answered` has it.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _broke(self, error: Error) -> None:
        self.complaints.append(f"{self.page.url}: {error.message}")

    def _answered(self, answer: Response) -> None:
        part = answer.request.resource_type != "document"
        if answer.status >= 500 or (part and answer.status >= 400 and answer.status != 409):
            self.complaints.append(f"{answer.status} {answer.request.method} {answer.url}")

    def _failed(self, request: Request) -> None:
        # Requests that a page began are given up when it is left.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self.complaints.append(f"{request.failure} {request.method} {request.url}")
