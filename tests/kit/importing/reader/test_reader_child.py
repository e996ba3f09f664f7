"""The child process, the texts and the small helpers."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import pytest

from app.kit.importing.reader import Limits, UnreadableFile, api, child, messages, normalise_header, parse, remove_rows
from app.kit.importing.reader.model import index_of, letter_of


def test_child_loads_neither_the_web_framework_nor_the_database():
    code = f"import sys, {api.CHILD}, app.kit.importing.reader.workbook, app.kit.importing.reader.text; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=api.ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"flask", "flask_babel", "flask_appbuilder", "sqlalchemy", "charset_normalizer"} & set(loaded)


def test_child_sees_no_secret_and_dumps_no_core(desk, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hush")
    assert "SECRET_KEY" not in api._bare_environment()
    code = (
        "import json, resource; from app.kit.importing.reader.child import restrain;"
        "from app.kit.importing.reader.model import Limits;"
        "restrain(Limits()); r = resource;"
        "print(json.dumps([r.getrlimit(k) for k in (r.RLIMIT_CORE, r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE)]))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=api.ROOT, capture_output=True, check=True).stdout
    assert json.loads(out) == [[0, 0], [2**30, 2**30], [60, 60], [2**30, 2**30]]


def test_missing_paths_are_our_faults_not_the_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        parse(tmp_path / "none.csv", filename="a.csv", target_dir=tmp_path)
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    with pytest.raises(NotADirectoryError):
        parse(tmp_path / "a.csv", filename="a.csv", target_dir=tmp_path / "none")


def test_what_the_machine_refuses_is_no_fault_of_the_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    request = child.Request(
        str(tmp_path / "a.csv"), "a.csv", str(tmp_path / "none" / "rows"), None, True, None, None, {}
    )
    assert child.answer(request, Limits())["failure"] == "failed"
    assert child._code_of(OSError(errno.ENOSPC, "full")) == "failed"
    assert child._code_of(OSError(errno.EINVAL, "forged offset")) == "broken"


@pytest.mark.parametrize("code", sorted(messages.CODES))
def test_every_failure_has_a_text_even_without_parameters(code):
    text = str(UnreadableFile(code))
    assert text.endswith(".")
    assert "%(" not in text


@pytest.mark.parametrize("code", sorted(messages.NOTICE_CODES))
def test_every_notice_has_a_text(code):
    params = dict.fromkeys(("sheet", "name", "cells", "expected", "bytes", "encoding"), "x") | {
        "count": 2,
        "row": 3,
        "column": "C",
        "sheets": ["T"],
    }
    text = api.Notice(code, params).message
    assert text.endswith(".")
    assert "%(" not in text


def test_a_percent_sign_in_a_sheet_name_is_shown_as_it_is(desk, make):
    assert "“100%(x)s”" in str(desk.refuse("a.xlsx", make.xlsx(["A"], [1]), sheet="100%(x)s"))


def test_rows_are_removed(desk):
    table = desk.table("a.csv", b"a\n1\n")
    assert len(list(table.data_path.parent.iterdir())) == 2
    remove_rows(table.data_path)
    remove_rows(table.data_path)
    assert not list(table.data_path.parent.iterdir())


def test_column_letters():
    assert [letter_of(n) for n in (0, 25, 26, 51, 52, 701, 702, 16383)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
        "XFD",
    ]
    assert all(index_of(letter_of(n)) == n for n in range(20_000))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("E-Mail_Address (required) *", "email address"),
        ("  e mail ", "email"),
        ("FirstName", "first name"),
        ("PHONE\u00a0No.", "phone no"),
        ("Straße", "strasse"),
        ("Prénom", "prenom"),
        ("ZIP/Postal code", "zip postal code"),
        ("(Name)", "name"),
        ("ClientID", "client id"),
        ("电话", "电话"),
        ("***", ""),
    ],
)
def test_normalise_header(text, normal):
    assert normalise_header(text) == normal
