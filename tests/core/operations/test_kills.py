"""Workers killed and stopped at random instants: no row is lost, none is changed twice (BLK-05, PLT-07)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import pytest

from app.core.operations.states import ItemState, State
from tests.core.operations.bench import close, hits, operation_over, results, start_worker, stored, unfinished

ROWS = 5000

pytestmark = pytest.mark.both_databases


def torment(app, number, signals, *, workers=2, seed=1):
    """Send each of `signals` to a random worker, which lives on or is replaced; then let them finish."""
    chance = random.Random(seed)
    crew = [start_worker(app) for _ in range(workers)]
    for sent in signals:
        time.sleep(chance.uniform(0.02, 0.12))
        victim = chance.randrange(workers)
        with contextlib.suppress(ProcessLookupError):
            os.kill(crew[victim].pid, sent)
        if sent == signal.SIGSTOP:
            time.sleep(chance.uniform(0.2, 0.4))  # past the lease
            os.kill(crew[victim].pid, signal.SIGCONT)
        else:
            crew[victim].wait(5)
            crew[victim] = start_worker(app)
    left = unfinished()
    for child in crew:
        assert child.wait(40), "a worker did not come to an end"
    return left


def assert_each_row_once(number, rows):
    operation = stored(number)
    assert operation.state == State.DONE
    assert (operation.succeeded, operation.failed, operation.skipped) == (rows, 0, 0)
    assert hits() == {1: rows}
    assert results(number) == {(ItemState.SUCCEEDED, None): rows}
    close()


def test_workers_killed_again_and_again_lose_nothing_and_double_nothing(app, agent):
    number = operation_over(agent, ROWS, pause=0.03)
    left = torment(app, number, [signal.SIGKILL] * 25)
    assert left, "the kills came after the work: this test showed nothing"
    assert_each_row_once(number, ROWS)


def test_workers_stopped_past_their_lease_wake_up_to_nothing(app, agent):
    number = operation_over(agent, ROWS, pause=0.03)
    left = torment(app, number, [signal.SIGSTOP] * 5, seed=2)
    assert left, "the stops came after the work: this test showed nothing"
    assert_each_row_once(number, ROWS)


def test_two_workers_share_several_operations(app, agent):
    import sqlalchemy as sa

    from app.core.db import db
    from app.core.operations import lifecycle
    from tests.core.operations.bench import TALLY

    operation_over(agent, 400)
    for _ in range(5):
        operation = lifecycle.create("test.bump", "More", actor=agent, resource="tally")
        lifecycle.add_selection(operation, "tally", sa.select(TALLY.c.id))
        lifecycle.submit(operation)
    db.session.commit()
    crew = [start_worker(app) for _ in range(2)]
    assert all(child.wait(30) for child in crew)
    assert hits() == {6: 400}
