"""`run.py export`: the rows and rights of the user it is run as (contract.md)."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from click.testing import CliRunner

from app.kit.commands import export_command
from tests.factories import clients, contacts
from tests.factories.people import user


@pytest.fixture
def agency(db: Any) -> Any:
    wool = clients.client(name="Wool")
    for name in ("Ann", "Bob"):
        contacts.contact(wool, first_name=name, company=f"{name} Ltd")
    user("Powerless")
    db.session.commit()
    return wool


def run(*words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(export_command, list(words))
    return result.exit_code, json.loads(result.output) if result.output.startswith("{") else {"usage": result.output}


def test_a_filtered_export_holds_exactly_its_rows(agency: Any, tmp_path: Any) -> None:
    file = tmp_path / "contacts.csv"
    wanted = json.dumps({"field": "company", "op": "starts", "value": "Ann"})
    code, answer = run("contact", "--as", "admin", "--filter", wanted, "-o", str(file))
    assert (code, answer["rows"]) == (0, 1)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["first_name"] for row in rows] == ["Ann"]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["contact", "--as", "nobody-here", "-o", "x.csv"], 1, "no active user"),
        (["contact", "--as", "admin", "--filter", "{", "-o", "x.csv"], 1, "not valid JSON"),
        (["nosuch", "--as", "admin", "-o", "x.csv"], 2, "there are client, contact"),
        (["contact", "--as", "admin", "-o", "x.pdf"], 2, ".csv"),
        (["contact", "-o", "x.csv"], 2, "--as"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_right_exit_code(
    agency: Any, tmp_path: Any, monkeypatch: Any, words: list[str], code: int, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    got, answer = run(*words)
    assert got == code
    assert reason in " ".join(str(value) for value in answer.values())
    assert list(tmp_path.iterdir()) == []


def test_who_may_not_export_gets_no_file(agency: Any, db: Any, tmp_path: Any) -> None:
    name = user("Rightless").username
    db.session.commit()
    code, answer = run("contact", "--as", name, "-o", str(tmp_path / "x.csv"))
    assert code == 1 and "may not export" in answer["refused"]
    assert list(tmp_path.iterdir()) == []
