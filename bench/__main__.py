"""How the pages' cost grows with the rows: the same pages over a small and a ten times larger agency, side by side in one run.

Only ratios count: machines are shared and drift. A page whose ratio is near 1 costs the same whatever the agency's size.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"small": (100, 10_000, 20_000), "large": (1_000, 100_000, 200_000)}  # clients, contacts, enrolments
PAGES = {
    "overview": "/clients/?size=25",
    "overview, by to be contacted": "/clients/?size=25&sort=-to_be_contacted",
    "contacts": "/contacts/?size=25",
    "contacts, filtered": "/contacts/?size=25&f=status:eq:new",
    "contacts, page 100": "/contacts/?size=25&page=100",
    "contacts, search": "/contacts/?size=25&q=anna",
    "record": "/contacts/7",
    "overview as data": "/api/v1/client/overview",
}
ROUNDS = 15


def fill(home: Path, clients: int, contacts: int, enrolments: int) -> None:
    """A set-up database with that many made-up rows."""
    environment = {**os.environ, "STEWARD_HOME": str(home), "SAMPLE": "0", "LOG_LEVEL": "ERROR", "DATABASE_URL": ""}
    sizes = ["--clients", str(clients), "--contacts", str(contacts), "--enrolments", str(enrolments), "--seed", "1"]
    for words in (["init"], ["demo", *sizes]):
        subprocess.run(
            [sys.executable, "run.py", *words], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )


def browser(home: Path) -> Any:
    """A test client in which the administrator is signed in."""
    from flask_appbuilder.security.sqla.models import User

    from app.core.db import db
    from app.core.security.sign_in import STAMP, stamp
    from app.factory import create_app
    from config import Config

    app = create_app(Config({"STEWARD_HOME": str(home), "LOG_LEVEL": "ERROR"}, RATELIMIT_ENABLED=False))
    client = app.test_client()
    with app.app_context():
        bound = stamp(db.session.get_one(User, 1))
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"], session[STAMP] = "1", True, bound
    return client


def milliseconds(client: Any, url: str) -> float:
    began = time.perf_counter()
    answer = client.get(url)
    assert answer.status_code == 200, url
    return (time.perf_counter() - began) * 1000


def say(name: str, value: float, unit: str, ratio_to: str = "") -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit, "ratio_to": ratio_to}), flush=True)


def main() -> None:
    """Fill both agencies, then ask them for each page in turn, so that a slow moment hits both."""
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        clients = {}
        for size, numbers in SIZES.items():
            home = Path(folder) / size
            began = time.perf_counter()
            fill(home, *numbers)
            say(f"fill {size}", numbers[1] / (time.perf_counter() - began), "contacts/s")
            clients[size] = browser(home)
        for name, url in PAGES.items():
            taken: dict[str, list[float]] = {size: [] for size in SIZES}
            for _round in range(ROUNDS):
                for size, client in clients.items():
                    taken[size].append(milliseconds(client, url))
            median = {size: statistics.median(values[2:]) for size, values in taken.items()}
            say(f"{name}, small", median["small"], "ms")
            say(f"{name}, large", median["large"], "ms")
            say(f"{name}, ten times the rows", median["large"] / median["small"], "x", f"{name}, small")


if __name__ == "__main__":
    main()
