"""The bell (PLT-08): unread count, popover, mark read, one's own only."""

from __future__ import annotations

import pytest

from app.core.db import db
from app.core.notifications import notify


@pytest.fixture
def told(app, people):
    """Ada has two notifications, Bob one."""
    with app.app_context():
        for name, title in (("ada", "First <b>"), ("ada", "Second"), ("bob", "For Bob")):
            notify(people[name], title, text="Look", url="/clients/")
        db.session.commit()


def test_the_count_is_ones_own(as_, told):
    assert as_("ada").get("/notifications/unread").json == {"unread": 2}
    assert as_("bob").get("/notifications/unread").json == {"unread": 1}


def test_the_popover_lists_the_newest_first_and_what_runs_on_top(as_, told, begin):
    begin(run=False)
    page = as_("ada").get("/notifications/popover").text
    assert page.index("Sort them") < page.index("Second") < page.index("First &lt;b&gt;")
    assert "For Bob" not in page


def test_following_one_marks_it_as_read(as_, told, app):
    ada = as_("ada")
    listed = ada.get("/notifications/popover").text
    first = listed.split('href="/notifications/')[1].split('"')[0]
    answer = ada.get(f"/notifications/{first}")
    assert (answer.status_code, answer.location) == (302, "/clients/")
    assert ada.get("/notifications/unread").json == {"unread": 1}
    assert as_("bob").get(f"/notifications/{first}").status_code == 404


def test_all_are_marked_as_read_and_nobody_elses(as_, told):
    assert as_("ada").post("/notifications/read").status_code == 302
    assert as_("ada").get("/notifications/unread").json == {"unread": 0}
    assert as_("bob").get("/notifications/unread").json == {"unread": 1}
    assert as_("ada").post("/notifications/read", data={"id": "3"}).status_code == 302
    assert as_("bob").get("/notifications/unread").json == {"unread": 1}
    assert as_("ada").post("/notifications/read", data={"id": "x"}).status_code == 400


def test_a_notification_leads_into_the_console_only(app, people):
    with app.app_context():
        for url in ("https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"):
            with pytest.raises(ValueError, match="leads into the console"):
                notify(people["ada"], "Look", url=url)


def test_the_end_of_an_operation_rings_the_bell(as_, begin):
    begin()
    assert as_("ada").get("/notifications/unread").json == {"unread": 1}
    page = as_("ada").get("/notifications/").text
    assert "Sort them is done" in page
    assert "5 successful, 2 with errors, 2 skipped" in page
