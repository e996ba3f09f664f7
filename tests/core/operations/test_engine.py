"""The engine in one process: outcomes, refusals, pause, cancel, retry, batches, preparing, rights."""

from __future__ import annotations

import contextlib
import time

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User

from app.core.db import db
from app.core.errors import Clash
from app.core.notifications import latest, mark_read, unread_count
from app.core.operations import engine, lease, lifecycle
from app.core.operations.models import OperationItem
from app.core.operations.states import ItemState, State
from app.core.security.principal import acting_as
from tests.core.operations.bench import LEASE, TALLY, Bump, again, hits, operation_over, results, stored

ITEM = OperationItem.__table__.c

pytestmark = pytest.mark.both_databases


def titles(agent):
    with acting_as(agent):
        return [note.title for note in latest(agent)]


def test_every_row_of_the_selection_is_dealt_with_once_and_the_actor_is_told(agent):
    number = operation_over(agent, 1050)
    assert engine.work(number) is False
    operation = stored(number)
    assert (operation.state, operation.total, operation.succeeded) == (State.DONE, 1050, 1050)
    assert operation.finished_at is not None
    assert operation.lease_token is None
    assert hits() == {1: 1050}
    assert titles(agent) == ["Bump them is done"]
    assert unread_count(agent) == 1
    assert mark_read(agent) == 1
    assert unread_count(agent) == 0


def test_a_row_that_fails_has_its_reason_and_does_not_stop_the_rest(agent):
    number = operation_over(agent, 120, "test.picky", refuse=[7, 61], breaks=[93])
    engine.work(number)
    operation = stored(number)
    assert operation.state == State.DONE
    assert (operation.succeeded, operation.failed, operation.skipped) == (105, 3, 12)
    assert results(number) == {
        (ItemState.SUCCEEDED, None): 105,
        (ItemState.FAILED, "domainerror"): 2,
        (ItemState.FAILED, "error"): 1,
        (ItemState.SKIPPED, "tenth"): 12,
    }
    assert hits() == {0: 15, 1: 105}  # what failed was taken back with its savepoint
    row = db.session.execute(sa.select(ITEM.before, ITEM.after, ITEM.reason).where(ITEM.position == 8)).one()
    assert row == ({"hits": 0}, {"hits": 1}, None)
    assert "refused" in db.session.scalar(sa.select(ITEM.reason).where(ITEM.position == 7))


def test_retry_touches_the_failed_rows_only(agent):
    number = operation_over(agent, 120, "test.picky", refuse=[7, 61])
    engine.work(number)
    assert lifecycle.retry_failed(again(number)) == 2
    db.session.commit()
    assert stored(number).failed == 0
    engine.work(number)
    operation = stored(number)
    assert (operation.state, operation.succeeded, operation.failed, operation.skipped) == (State.DONE, 108, 0, 12)
    assert hits() == {0: 12, 1: 108}
    assert db.session.scalar(sa.select(ITEM.attempts).where(ITEM.position == 61)) == 2
    with pytest.raises(Clash):
        lifecycle.retry_failed(again(number))
    db.session.rollback()
    assert stored(number).state == State.DONE


def test_an_operation_whose_whole_chunk_breaks_fails_with_a_reference_and_resumes(agent):
    number = operation_over(agent, 200, "test.picky")
    engine.work(number)
    db.session.execute(sa.update(TALLY).values(hits=0))
    number = _broken_from_position_51(agent)
    engine.work(number)
    operation = stored(number)
    assert operation.state == State.FAILED
    assert "req_" in operation.error
    assert (operation.done, operation.succeeded) == (50, 50)  # the chunk before stays
    assert "has stopped" in titles(agent)[0]
    operation = again(number)
    operation.settings = {}
    with acting_as(agent):
        db.session.commit()
        lifecycle.resume(operation)
        db.session.commit()
    engine.work(number)
    assert (stored(number).state, stored(number).succeeded) == (State.DONE, 180)
    assert hits() == {0: 20, 1: 180}


def _broken_from_position_51(agent):
    rows = sa.select(TALLY.c.id).where(TALLY.c.id % 10 != 0)
    breaks = db.session.scalars(rows.order_by(TALLY.c.id).offset(50)).all()
    operation = lifecycle.create("test.picky", "Again", actor=agent, resource="tally", settings={"breaks": breaks})
    lifecycle.add_selection(operation, "tally", rows)
    lifecycle.submit(operation)
    db.session.commit()
    return operation.id


def test_pause_stops_after_the_chunk_and_resume_goes_on(agent):
    number = operation_over(agent, 500)
    assert engine.work(number, stop=lambda: True) is True  # one chunk, lease given back
    assert stored(number).succeeded == 100
    lifecycle.pause(again(number))
    db.session.commit()
    assert engine.work(number) is False
    assert stored(number).succeeded == 100
    lifecycle.resume(again(number))
    db.session.commit()
    engine.work(number)
    assert stored(number).state == State.DONE
    assert hits() == {1: 500}


def test_cancel_keeps_what_is_done_and_touches_no_further_row(agent):
    number = operation_over(agent, 500)
    engine.work(number, stop=lambda: True)
    lifecycle.cancel(again(number))
    db.session.commit()
    engine.work(number)
    operation = stored(number)
    assert (operation.state, operation.succeeded, operation.waiting) == (State.CANCELLED, 100, 400)
    assert hits() == {0: 400, 1: 100}
    assert titles(agent) == ["Bump them was cancelled"]
    for verb in (lifecycle.cancel, lifecycle.pause, lifecycle.resume, lifecycle.submit):
        with pytest.raises(Clash):
            verb(again(number))
    db.session.rollback()


def test_a_stale_lease_changes_nothing(agent):
    number = operation_over(agent, 200)
    stale = lease.claim(number)
    assert lease.claim(number) is None  # held
    time.sleep(LEASE * 2)
    fresh = lease.claim(number)
    assert fresh is not None
    with pytest.raises(lease.LeaseLost):
        stale.fence(cursor=10_000)
    db.session.rollback()
    with pytest.raises(lease.LeaseLost):
        engine._step(engine.Run(stale))
    db.session.rollback()
    assert hits() == {0: 200}
    fresh.give_back()
    db.session.commit()
    engine.work(number)
    assert hits() == {1: 200}


def test_rights_are_read_again_when_it_runs(agent):
    number = operation_over(agent, 50)
    user = db.session.get(User, agent.user_id)
    user.roles = []
    db.session.commit()
    engine.work(number)
    operation = stored(number)
    assert (operation.state, operation.done) == (State.FAILED, 0)
    assert "no longer" in operation.error
    assert hits() == {0: 50}


def test_an_actor_who_was_switched_off_does_nothing_more(agent):
    number = operation_over(agent, 50)
    db.session.get(User, agent.user_id).active = False
    db.session.commit()
    engine.work(number)
    assert stored(number).state == State.FAILED
    assert hits() == {0: 50}


def test_batches_wait_for_their_time(agent):
    number = operation_over(agent, 250)
    operation = again(number)
    operation.batch_size, operation.batch_every, operation.batch_left = 100, 1, 100
    with acting_as(agent):
        db.session.commit()
    assert engine.work(number) is False
    assert (stored(number).state, stored(number).succeeded) == (State.QUEUED, 100)
    assert engine.work(number) is False  # not due
    assert stored(number).succeeded == 100
    time.sleep(1.1)
    engine.work(number)
    assert stored(number).succeeded == 200
    time.sleep(1.1)
    engine.work(number)
    assert stored(number).state == State.DONE
    assert hits() == {1: 250}


def test_a_plan_is_made_by_the_worker_and_waits_for_its_confirmation(agent):
    db.session.execute(sa.insert(TALLY), [{"id": i, "hits": 0} for i in range(1, 101)])
    operation = lifecycle.create("test.gather", "Gather them", actor=agent, resource="tally")
    lifecycle.submit(operation, review=True)
    db.session.commit()
    number = operation.id
    engine.work(number)
    assert (stored(number).state, stored(number).total) == (State.PLANNED, 100)
    assert hits() == {0: 100}
    engine.work(number)
    assert hits() == {0: 100}  # not without confirmation
    assert titles(agent) == ["Gather them waits for your confirmation"]
    lifecycle.submit(again(number))
    db.session.commit()
    engine.work(number)
    assert (stored(number).state, stored(number).succeeded) == (State.DONE, 100)
    assert hits() == {1: 100}


def test_a_killed_preparation_begins_anew(agent):
    db.session.execute(sa.insert(TALLY), [{"id": i, "hits": 0} for i in range(1, 101)])
    operation = lifecycle.create("test.gather", "Gather them", actor=agent, resource="tally")
    lifecycle.submit(operation)
    lifecycle.insert_items(operation.id, [{"position": 5, "entity": "tally", "row_id": 5}])  # left by the dead worker
    db.session.commit()
    number = operation.id
    engine.work(number)
    assert stored(number).total == 100
    assert hits() == {1: 100}


def test_after_a_rolled_back_savepoint_nothing_is_said(agent):
    from app.core.events import after_commit
    from app.core.operations.rows import savepoint

    said = []
    with savepoint():
        after_commit(lambda: said.append("kept"))
    assert said == []  # the savepoint's release is no commit
    with contextlib.suppress(ZeroDivisionError), savepoint():
        after_commit(lambda: said.append("dropped"))
        raise ZeroDivisionError
    db.session.commit()
    assert said == ["kept"]


class Killed(BaseException):
    """Stands for kill -9: nothing catches it, and the database takes the open transaction back."""


def test_a_crash_before_any_statement_loses_nothing_and_doubles_nothing(app, agent, monkeypatch):
    """Whatever the worker was about to say to the database when it died: 20 rows, once each."""
    monkeypatch.setattr(Bump, "chunk", 10)
    app.config["OPERATIONS_LEASE_SECONDS"] = 0  # the next worker need not wait
    crashes = 0
    while crash_before(crashes + 1, agent):
        crashes += 1
        assert crashes < 200, "it never got through"
    assert crashes > 15


def crash_before(number, agent):
    """Whether work on a fresh operation came to its `number`th statement, where it was killed."""
    db.session.execute(sa.delete(TALLY))
    operation_id = operation_over(agent, 20)
    spoken = []

    def listen(*_arguments):
        spoken.append(1)
        if len(spoken) == number:
            raise Killed

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    try:
        with contextlib.suppress(Killed):
            engine.work(operation_id)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen)
    crashed = len(spoken) >= number
    time.sleep(0.002)
    engine.work(operation_id)
    operation = stored(operation_id)
    assert hits() == {1: 20}, f"killed before statement {number}"
    assert (operation.state, operation.succeeded) == (State.DONE, 20)
    assert results(operation_id) == {(ItemState.SUCCEEDED, None): 20}
    assert len(titles(agent)) >= 1
    return crashed
