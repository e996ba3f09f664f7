"""The wizard in a browser's eyes: each step a page, each refusal where it was made."""

from __future__ import annotations

import csv
import io
import re

import openpyxl
import pytest
import sqlalchemy as sa

from app.core.db import db
from app.core.operations import engine
from app.core.operations.models import Operation
from app.core.operations.states import State
from app.features.contacts.models import Contact
from app.kit.importing import flow, source
from tests.factories.web import signed_in
from tests.features.imports import tables
from tests.features.imports.tables import HEAD, people


@pytest.fixture
def browser_(world):
    return world.as_(world.admin)


def upload(browser, content, name, resource="contact"):
    data = {"file": (io.BytesIO(content), name)} if name is not None else {}
    return browser.post(f"/imports/new?resource={resource}", data=data, content_type="multipart/form-data")


def file_of(tmp_path, rows):
    return tables.xlsx(tmp_path / "people.xlsx", rows).read_bytes()


def started(browser, content, name="people.xlsx", resource="contact"):
    answer = upload(browser, content, name, resource)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return re.fullmatch(r"/imports/(\d+)/columns", answer.location)[1]


def token_on(page):
    return re.search(r'name="plan" value="([^"]+)"', page.get_data(as_text=True))[1]


MAPPED = {
    f"map_{i}": name for i, name in enumerate(("first_name", "last_name", "email", "phone", "company", "country"))
}


def test_from_the_file_to_the_result(world, browser_, tmp_path):
    rows = [HEAD, *people(60), ["X", None, "broken@", None, None, None]]
    pk = started(browser_, file_of(tmp_path, rows))
    columns = browser_.get(f"/imports/{pk}/columns").get_data(as_text=True)
    assert "Match 6 columns to fields" in columns
    assert "Choose the client" in columns, "what is missing is said before anybody asks"
    assert "1 of 61 cannot be read" in columns
    assert re.search(r'name="map_2".*?<option value="email" selected', columns, re.S)

    checked = browser_.post(
        f"/imports/{pk}/columns",
        data={**MAPPED, "map_4": "", "client": world.acme, "existing": "overwrite", "step": "check"},
    )
    assert checked.location == f"/imports/{pk}/columns"
    again = browser_.get(f"/imports/{pk}/columns").get_data(as_text=True)
    assert "5 matched, 1 left out" in again, "a reload loses nothing"
    assert re.search(r'value="overwrite" checked', again)

    answer = browser_.post(
        f"/imports/{pk}/columns", data={**MAPPED, "client": world.acme, "existing": "fill", "step": "plan"}
    )
    assert answer.location == f"/imports/{pk}/plan"
    plan = browser_.get(f"/imports/{pk}/plan")
    text = plan.get_data(as_text=True)
    assert "60 of 61 rows will be imported" in text
    assert text.count("<tr data-row") == 50, "one page of rows"
    second = browser_.get(f"/imports/{pk}/plan?page=2").get_data(as_text=True)
    assert second.count("<tr data-row") == 11
    only = browser_.get(f"/imports/{pk}/plan?show=error").get_data(as_text=True)
    assert "Column C “E-mail”: “broken@” is not an e-mail address" in only
    assert only.count("<tr data-row") == 1
    assert browser_.get(f"/imports/{pk}/plan?q=Byron17").get_data(as_text=True).count("<tr data-row") == 1
    assert browser_.get(f"/imports/{pk}").location == f"/imports/{pk}/plan"
    with world.app.app_context():
        assert db.session.execute(sa.text("SELECT count(*) FROM contact")).scalar() == 0

    confirmed = browser_.post(f"/imports/{pk}/plan", data={"plan": token_on(plan)})
    assert confirmed.location == f"/imports/{pk}/run"
    running = browser_.get(f"/imports/{pk}/run").get_data(as_text=True)
    assert f'data-poll="/imports/{pk}/progress"' in running
    assert "X-Done" not in browser_.get(f"/imports/{pk}/progress").headers
    with world.app.app_context():
        engine.work(int(pk))
    assert browser_.get(f"/imports/{pk}/progress").headers["X-Done"] == "1"
    result = browser_.get(f"/imports/{pk}/run").get_data(as_text=True)
    assert "1 error row" in result
    assert f"/imports/{pk}/errors.csv" in result
    assert browser_.get("/contacts/").status_code == 200
    assert "60 contacts" in browser_.get("/contacts/").get_data(as_text=True)
    assert "60 of 61 rows imported" in browser_.get(f"/imports/{pk}/plan").get_data(as_text=True)
    assert browser_.post(f"/imports/{pk}/plan", data={"plan": token_on(plan)}).status_code == 422
    assert "people.xlsx" in browser_.get("/imports/?q=people").get_data(as_text=True)
    assert "No imports match" in browser_.get("/imports/?q=100%25").get_data(as_text=True)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (None, None, "Choose a file first."),
        (b"", "people.csv", "This file is empty"),
        (b"%PDF-1.7 something", "people.xlsx", "it is a PDF document"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "people.png", "a picture, not a spreadsheet"),
        (b"Name,E-mail\n", "people.csv", "no rows below them"),
        (b"Name,E-mail\nAda,a@x.example\n", "people.xlsx", "Rename it"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0" + b"\0" * 600,
            "locked.xlsx",
            "",
        ),
    ],
)
def test_a_bad_file_is_refused_beside_the_field_and_leaves_nothing(world, browser_, content, name, said):
    before = kept(world)
    answer = upload(browser_, content, name)
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert 'id="file-error"' in text
    assert said in text
    with world.app.app_context():
        assert db.session.execute(sa.text("SELECT count(*) FROM operation")).scalar() == 0
    assert kept(world) == before


def kept(world):
    with world.app.app_context():
        return sorted(path.name for path in source.folder().iterdir())


def test_a_huge_file_is_refused_on_the_upload_page(world, make_app, tmp_path):
    app = make_app({}, MAX_CONTENT_LENGTH=10_000)
    browser = signed_in(app, world.admin)
    answer = upload(browser, b"x" * 50_000, "people.csv")
    assert answer.status_code == 303
    page = browser.get(answer.location).get_data(as_text=True)
    assert "larger than 64 MB" in page
    assert 'id="file-error"' in page
    assert browser.post("/contacts/add", data={"notes": "x" * 50_000}).status_code == 413


def test_a_mapping_without_what_is_needed_says_so_and_is_kept(world, browser_, tmp_path):
    pk = started(browser_, b"Wer,Wo\nAcme 2,Bern\n", "c.csv", "client")
    answer = browser_.post(f"/imports/{pk}/columns", data={"map_0": "", "map_1": "notes", "step": "plan"})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "Choose the column for: Name." in text
    assert re.search(r'name="map_1".*?<option value="notes" selected', text, re.S)
    twice = browser_.post(f"/imports/{pk}/columns", data={"map_0": "name", "map_1": "name", "step": "plan"})
    assert "Two columns go to “Name”" in twice.get_data(as_text=True)
    unknown = browser_.post(f"/imports/{pk}/columns", data={"map_0": "password", "step": "plan"})
    assert unknown.status_code == 422
    assert browser_.post(f"/imports/{pk}/columns", data={"map_0": "name", "step": "plan"}).status_code == 302


def test_a_new_mapping_makes_a_new_plan_and_the_old_one_cannot_be_confirmed(world, browser_, tmp_path):
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(2)]))
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "client": world.acme, "step": "plan"})
    old = token_on(browser_.get(f"/imports/{pk}/plan"))
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "map_3": "", "client": world.acme, "step": "plan"})
    answer = browser_.post(f"/imports/{pk}/plan", data={"plan": old})
    assert answer.status_code == 422
    assert "made anew" in answer.get_data(as_text=True)


def test_a_large_plan_is_computed_by_the_worker(world, browser_, tmp_path, monkeypatch):
    monkeypatch.setattr(flow, "AT_ONCE", 10)
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(11)]))
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "client": world.acme, "step": "plan"})
    text = browser_.get(f"/imports/{pk}/plan").get_data(as_text=True)
    assert "Computing the plan" in text
    assert browser_.get(f"/imports/{pk}/columns").status_code == 302
    with world.app.app_context():
        engine.work(int(pk))
        state = db.session.execute(sa.select(Operation.__table__.c.state)).scalar()
        assert state == State.PLANNED
        assert db.session.execute(sa.text("SELECT url FROM notification")).scalar() == f"/imports/{pk}"
    plan = browser_.get(f"/imports/{pk}/plan")
    assert "11 of 11 rows will be imported" in plan.get_data(as_text=True)
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "map_4": "", "client": world.acme, "step": "check"})
    assert browser_.get(f"/imports/{pk}/plan").status_code == 302, "another mapping, no plan"


def test_refused_rows_come_back_as_a_file_that_can_be_corrected(world, browser_, tmp_path):
    rows = [["E-mail", "First name"], ["bad@", "=cmd|' /C calc'!A0"], ["a@x.example", "Ada"], ["worse@", "Bob"]]
    pk = started(browser_, tables.csv_file(tmp_path / "p.csv", rows).read_bytes(), "p.csv")
    browser_.post(
        f"/imports/{pk}/columns", data={"map_0": "email", "map_1": "first_name", "client": world.acme, "step": "plan"}
    )
    answer = browser_.get(f"/imports/{pk}/errors.csv")
    assert answer.mimetype == "text/csv"
    found = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert found[0] == ["E-mail", "First name", "Row", "Reason"]
    assert found[1][:3] == ["bad@", "'=cmd|' /C calc'!A0", "2"]
    assert "“bad@” is not an e-mail address" in found[1][3]
    assert [row[2] for row in found[1:]] == ["2", "4"]


@pytest.mark.parametrize("resource", ["contact", "client"])
def test_the_example_file_is_recognised_by_its_own_import(world, browser_, resource):
    content = browser_.get(f"/imports/example/{resource}.xlsx").get_data()
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    yellow = [cell.value for cell in sheet[1] if cell.fill.fgColor.rgb.endswith("FFFF00")]
    assert yellow == (["Name"] if resource == "client" else [])
    sheet.append(["Acme Solar", "Ada"] + [None] * (len(heads) - 2))
    filled = io.BytesIO()
    book.save(filled)
    pk = started(browser_, filled.getvalue(), "example.xlsx", resource)
    with world.app.app_context():
        rules = db.session.execute(sa.select(Operation.__table__.c.settings)).scalar()["rules"]
    assert len(rules["columns"]) == len(heads), "every heading is understood"
    assert pk


def test_only_what_a_role_may_import_can_be_imported(world):
    agent = world.as_(world.agent)
    assert agent.get("/imports/new?resource=contact").status_code == 200
    assert agent.get("/imports/new?resource=client").status_code == 403
    assert agent.get("/imports/example/client.xlsx").status_code == 403
    assert agent.get("/imports/new?resource=nothing").status_code == 404
    assert agent.get("/imports/new?resource=lead").status_code == 404


def test_an_import_of_somebody_else_answers_like_none(world, browser_, tmp_path):
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(1)]))
    agent = world.as_(world.agent)
    posts = ("/columns", "/plan", "/discard")
    gets = ("", "/columns", "/plan", "/run", "/progress", "/errors.csv")
    for method, path in [*(("get", path) for path in gets), *(("post", path) for path in posts)]:
        foreign = getattr(agent, method)(f"/imports/{pk}{path}")
        absent = getattr(agent, method)(f"/imports/999999{path}")
        assert foreign.status_code == absent.status_code == 404, path


def test_a_discarded_import_leaves_neither_row_nor_file(world, browser_, tmp_path):
    before = kept(world)
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(1)]))
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "client": world.acme, "step": "plan"})
    assert browser_.post(f"/imports/{pk}/discard").location == "/imports/"
    assert browser_.get(f"/imports/{pk}").status_code == 404
    assert kept(world) == before


def test_files_nobody_needs_any_more_are_cleared_away(world, browser_, tmp_path):
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(1)]))
    with world.app.app_context():
        assert source.clear_away() == 0
        assert source.clear_away(older_than=-1) >= 3
    answer = browser_.get(f"/imports/{pk}/columns")
    assert answer.status_code == 404
    assert "cleared away" in answer.get_data(as_text=True)


def test_bad_addresses_in_the_plan_are_refused(world, browser_, tmp_path):
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(1)]))
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "client": world.acme, "step": "plan"})
    for query in ("page=0", "page=x", "page=99", "show=everything"):
        assert browser_.get(f"/imports/{pk}/plan?{query}").status_code == 400, query
    assert browser_.get(f"/imports/{pk}/plan?q=%25%27").status_code == 200


def test_nothing_of_a_contact_is_written_before_confirmation(world, browser_, tmp_path):
    pk = started(browser_, file_of(tmp_path, [HEAD, *people(3)]))
    browser_.post(f"/imports/{pk}/columns", data={**MAPPED, "client": world.acme, "step": "plan"})
    with world.app.app_context():
        assert db.session.execute(sa.select(sa.func.count()).select_from(Contact.__table__)).scalar() == 0
        assert db.session.execute(sa.text("SELECT count(*) FROM audit_entry WHERE entity = 'contact'")).scalar() == 0
