"""`run.py import`: JSON on standard output; 0 done, 1 refused, 2 not understood."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from app.core.db import db
from app.features.imports.commands import import_command
from app.kit.importing import source
from tests.features.imports import tables
from tests.features.imports.tables import HEAD, people


@pytest.fixture
def run(world):
    def run(*arguments):
        with world.app.app_context():
            answer = world.app.test_cli_runner().invoke(import_command, [str(a) for a in arguments])
        return answer.exit_code, answer.output

    return run


def rows_in(world, table):
    with world.app.app_context():
        return db.session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar()


def test_a_dry_run_prints_the_plan_and_leaves_no_trace(world, run, tmp_path):
    file = tables.xlsx(tmp_path / "p.xlsx", [HEAD, *people(3), ["X", None, "bad@", None, None, None]])
    code, output = run("contact", file, "--client", "Acme Solar", "--as", "admin", "--dry-run")
    answer = json.loads(output)
    assert (code, answer["dry_run"], answer["rows"]) == (0, True, 4)
    assert (answer["plan"]["create"], answer["plan"]["error"]) == (3, 1)
    assert answer["errors"][0] | {"message": ""} == {
        "row": 5, "column": "C", "heading": "E-mail", "field": "email", "value": "bad@", "message": "",
    }  # fmt: skip
    assert [rows_in(world, t) for t in ("contact", "operation", "operation_item", "notification")] == [0, 0, 0, 0]
    with world.app.app_context():
        assert not [p for p in source.folder().iterdir() if p.stat().st_mtime > file.stat().st_mtime]


def test_the_import_prints_its_result_which_is_the_plan_of_the_dry_run(world, run, tmp_path):
    file = tables.csv_file(
        tmp_path / "p.csv",
        [["Wer", "E-Mail-Adresse"], ["Ada", "a@x.example"], ["Bob", "b@x.example"], ["B", "b@x.example"]],
    )
    dry = json.loads(
        run("contact", file, "--client", "acme solar", "--as", "admin", "--map", "Wer=first_name", "--dry-run")[1]
    )
    code, output = run("contact", file, "--client", "acme solar", "--as", "admin", "--map", "Wer=first_name")
    answer = json.loads(output)
    assert (code, answer["state"]) == (0, "done")
    assert answer["result"] == dry["plan"] == answer["plan"]
    assert rows_in(world, "contact") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--client", "Nobody", "--as", "admin"), "no client “Nobody”"),
        (("--client", "Beta Dental", "--as", "ada"), "no client “Beta Dental”"),
        (("--as", "admin"), "Choose the client"),
        (("--client", "Acme Solar", "--as", "nobody"), "no active user"),
    ],
)
def test_what_is_refused_exits_with_one(world, run, tmp_path, arguments, said):
    file = tables.csv_file(tmp_path / "p.csv", [["E-mail"], ["a@x.example"]])
    code, output = run("contact", file, *arguments)
    assert code == 1
    assert said in json.loads(output)["refused"]
    assert rows_in(world, "operation") == 0


def test_a_file_that_is_none_and_a_missing_right_are_refused(world, run, tmp_path):
    bad = tmp_path / "p.xlsx"
    bad.write_bytes(b"%PDF-1.4")
    code, output = run("contact", bad, "--client", "Acme Solar", "--as", "admin")
    assert (code, "PDF" in json.loads(output)["refused"]) == (1, True)
    file = tables.csv_file(tmp_path / "c.csv", [["Name"], ["New"]])
    assert run("client", file, "--as", "ada")[0] == 1


def test_what_is_not_understood_exits_with_two(world, run, tmp_path):
    file = tables.csv_file(tmp_path / "p.csv", [["E-mail"], ["a@x.example"]])
    assert run("nothing", file, "--as", "admin")[0] == 2
    assert run("contact", tmp_path / "absent.csv", "--as", "admin")[0] == 2
    assert run("contact", file)[0] == 2
    assert run("contact", file, "--as", "admin", "--map", "Nope=email")[0] == 2
