"""The monitor and an operation's page (BLK-02, BLK-03, PLT-17)."""

from __future__ import annotations

import pytest

from app.core.db import db
from app.core.operations import engine
from app.core.operations.models import Operation
from app.core.operations.states import State
from app.core.security.principal import system


def state_of(app, number):
    with app.app_context(), system("a test looks"):
        return db.session.get(Operation, number).state


def test_the_monitor_shows_ones_own_operations_and_a_manager_all(as_, begin):
    begin()
    page = as_("ada").get("/operations/")
    assert page.status_code == 200
    assert "Sort them" in page.text
    assert "9 of 9" in page.text
    assert "?tab=errors" in page.text
    assert "Sort them" not in as_("bob").get("/operations/").text
    assert "Sort them" in as_("mia").get("/operations/").text


def test_the_tabs_part_what_runs_from_what_has_ended(as_, begin):
    begin(name="Over and done")
    begin(name="Still to come", run=False)
    going, ended = (as_("ada").get(f"/operations/?tab={tab}").text for tab in ("progress", "completed"))
    assert "Still to come" in going
    assert "Over and done" not in going
    assert "Over and done" in ended
    assert "Still to come" not in ended
    assert "data-poll" in going
    assert "data-poll" not in ended


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("f=kind:eq:test.sorting", True),
        ("f=kind:eq:import.contact", False),
        ("f=state:eq:done", True),
        ("f=state:eq:failed", False),
        ("f=created_at:last:1", True),
        ("q=sort", True),
        ("q=%25", False),
    ],
)
def test_filters_narrow_the_monitor(as_, begin, query, shown):
    begin()
    page = as_("ada").get(f"/operations/?{query}")
    assert page.status_code == 200
    assert ("Sort them" in page.text) is shown


def test_a_foreign_operation_answers_like_an_absent_one_on_every_route(as_, begin):
    number = begin(run=False)
    for path in ("", "/progress", "?tab=errors"):
        foreign, absent = (as_("bob").get(f"/operations/{n}{path}") for n in (number, 999_999))
        assert (foreign.status_code, absent.status_code) == (404, 404)
    for verb in ("pause", "resume", "cancel", "retry"):
        foreign, absent = (as_("bob").post(f"/operations/action/{verb}/{n}") for n in (number, 999_999))
        assert (foreign.status_code, absent.status_code) == (404, 404)


def test_rows_are_listed_by_outcome_with_their_reasons(as_, begin):
    number = begin()
    errors = as_("ada").get(f"/operations/{number}").text  # opens where something is wrong
    assert "Person 6" in errors
    assert "Odd one out · Row 6 would not" in errors
    assert "Person 5" not in errors
    late = as_("ada").get(f"/operations/{number}?tab=errors&reason=late").text
    assert "Person 7" in late
    assert "Person 6" not in late
    assert "Person 5" in as_("ada").get(f"/operations/{number}?tab=successful").text
    assert "Person 8" in as_("ada").get(f"/operations/{number}?tab=skipped").text
    assert as_("ada").get(f"/operations/{number}?tab=nonsense").status_code == 400
    assert as_("ada").get(f"/operations/{number}?tab=errors&page=9").status_code == 400


def test_names_from_the_file_are_for_the_one_who_brought_it(as_, begin):
    number = begin()
    page = as_("mia").get(f"/operations/{number}")
    assert page.status_code == 200
    assert "Person 6" not in page.text


def test_items_come_in_pages(as_, begin):
    number = begin(80, run=False)
    first = as_("ada").get(f"/operations/{number}?tab=waiting").text
    assert "Person 50" in first
    assert "Person 51" not in first
    assert "Person 80" in as_("ada").get(f"/operations/{number}?tab=waiting&page=2").text
    small = as_("ada").get(f"/operations/{number}?tab=waiting&size=25").text
    assert "Person 25" in small
    assert "Person 26" not in small


def test_the_progress_fragment_says_when_it_is_over(as_, begin, app):
    number = begin(run=False)
    running = as_("ada").get(f"/operations/{number}/progress")
    assert "X-Done" not in running.headers
    assert 'data-percent="0"' in running.text
    with app.app_context():
        engine.work(number)
    ended = as_("ada").get(f"/operations/{number}/progress")
    assert ended.headers["X-Done"] == "1"
    assert 'data-percent="100"' in ended.text


def test_pause_resume_cancel_and_retry(as_, begin, app):
    number, ada = begin(run=False), as_("ada")

    def post(verb):
        return ada.post(f"/operations/action/{verb}/{number}", follow_redirects=True)

    assert post("pause").status_code == 200
    assert state_of(app, number) == State.PAUSED
    assert post("pause").status_code == 409
    assert post("resume").status_code == 200
    with app.app_context():
        engine.work(number)
    assert state_of(app, number) == State.DONE
    assert "2 rows are tried again" in post("retry").text
    assert state_of(app, number) == State.QUEUED
    assert post("cancel").status_code == 200
    assert state_of(app, number) == State.CANCELLED
    assert post("resume").status_code == 409


def test_the_api_reads_operations_in_scope(as_, begin):
    number = begin()
    assert as_("ada").get(f"/api/v1/operation/{number}").json["result"]["state"] == "done"
    assert as_("bob").get(f"/api/v1/operation/{number}").status_code == 404
    assert as_("ada").post("/api/v1/operation/", json={"name": "x"}).status_code in (404, 405)


def test_an_operation_of_a_vanished_feature_can_still_be_read_and_cancelled(as_, begin, app):
    number = begin(run=False)
    with app.app_context(), system("a test spoils it"):
        db.session.get(Operation, number).kind = "gone.feature"
        db.session.commit()
    assert as_("ada").get(f"/operations/{number}").status_code == 200
    assert as_("ada").get("/operations/").status_code == 200
    assert as_("ada").post(f"/operations/action/cancel/{number}", follow_redirects=True).status_code == 200
