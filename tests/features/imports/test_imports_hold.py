"""Whatever is in the file: the plan is the result, each row is written once, and the work stays bounded."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.db import db
from app.core.operations import engine, lease
from app.core.operations.models import Operation
from app.core.operations.states import State
from app.core.runtime.processes import fork_child
from app.features.campaigns.models import client_counter
from app.features.clients.models import Client
from app.features.contacts.models import Contact
from app.kit.importing import flow
from tests.factories import contacts
from tests.features.imports import tables
from tests.features.imports.conftest import carried_out, items, plan_of, planned, result_of
from tests.features.imports.tables import HEAD, people

CELLS = st.tuples(
    st.sampled_from([None, "a@x.example", "A@X.example", "b@x.example", "c@x.example", "bad@", "d@y.example"]),
    st.sampled_from([None, "030 5550100", "+49 30 5550100", "+49 30 5550199", "call me"]),
    st.sampled_from([None, "Ada", "Bob", "=HYPERLINK()"]),
    st.sampled_from([None, "Bern", "Basel"]),
    st.sampled_from([None, "new", "Won", "lukewarm"]),
)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(CELLS, min_size=1, max_size=14).filter(lambda rows: any(any(row) for row in rows)),
    existing=st.sampled_from(["fill", "overwrite", "leave"]),
    twins=st.sampled_from(["last", "fill", "first"]),
)
def test_the_result_is_what_the_plan_said_and_a_second_time_changes_nothing(world, acting, rows, existing, twins):
    file = tables.csv_file(
        world.folder / "generated.csv", [["E-mail", "Phone", "First name", "City", "Status"], *map(list, rows)]
    )
    with acting() as actor:
        for table in (Contact.__table__, client_counter):
            db.session.execute(sa.delete(table))
        client = db.session.get(Client, world.acme)
        contacts.contact(client, first_name="Ada", last_name=None, email="a@x.example", city=None)
        contacts.contact(client, first_name="Bob", last_name=None, email=None, phone="+49 30 5550100", city="Bern")
        db.session.commit()
        operation = planned(actor, file, world.acme, existing=existing, twins=twins)
        plan = plan_of(operation)
        if not flow.to_write(operation):
            return
        operation = carried_out(actor, operation)
        assert operation.state == State.DONE
        assert result_of(operation) == plan
        total = db.session.scalar(sa.select(sa.func.count(Contact.id)))
        assert total == 2 + plan.get("create", 0)
        again = planned(actor, file, world.acme, existing="fill", twins="first")
        keyless = sum(1 for email, phone, *_ in rows if not email and not phone)
        assert plan_of(again).get("create", 0) <= keyless


def test_each_row_is_written_once_however_often_the_worker_dies(world, acting, tmp_path):
    file = tables.csv_file(tmp_path / "p.csv", [HEAD, *people(3000)])
    with acting() as actor:
        operation = planned(actor, file, world.acme)
        flow.confirm(operation, actor, flow.token(operation))
        db.session.commit()
        pk = operation.id
    world.app.config["OPERATIONS_LEASE_SECONDS"] = 0.3
    kills = 0
    deadline = time.monotonic() + 60
    while not finished(world, pk) and time.monotonic() < deadline:
        child = start_worker(world)
        if kills < 4:
            time.sleep(0.25 + 0.1 * kills)
            os.killpg(child.pid, signal.SIGKILL)
            kills += 1
        assert child.wait(60)
        time.sleep(0.35)
    world.app.config.pop("OPERATIONS_LEASE_SECONDS")
    assert kills >= 2, "it was too fast to be killed"
    with acting() as actor:
        operation = flow.load(pk, actor)
        assert operation.state == State.DONE
        assert result_of(operation) == {"create": 3000}
        assert db.session.scalar(sa.select(sa.func.count(Contact.id))) == 3000
        assert db.session.scalar(sa.select(sa.func.count(sa.distinct(Contact.email_key)))) == 3000
        assert (
            db.session.scalar(sa.select(client_counter.c.stored).where(client_counter.c.client_id == world.acme))
            == 3000
        )


def finished(world, pk):
    with world.app.app_context():
        table = Operation.__table__
        state = db.session.scalar(sa.select(table.c.state).where(table.c.id == pk))
        db.session.remove()
        db.engine.dispose()
        return state == State.DONE


def start_worker(world):
    """A process that works on whatever is due."""

    def run():
        with world.app.app_context():
            for pk in lease.unfinished():
                engine.work(pk)

    return fork_child(run)


def test_five_thousand_rows_take_seconds_and_a_fixed_number_of_statements_a_chunk(world, acting, tmp_path):
    counted: list[str] = []
    with acting() as actor:
        per_chunk = {}
        for rows, client_id in ((500, world.acme), (5000, world.beta)):
            file = tables.csv_file(tmp_path / f"{rows}.csv", [HEAD, *people(rows)])
            counted.clear()

            def note(_connection, _cursor, statement, *_more):
                counted.append(statement)

            sa.event.listen(db.engine, "before_cursor_execute", note)
            began = time.process_time()
            operation = planned(actor, file, client_id)
            after_plan = len(counted)
            operation = carried_out(actor, operation)
            sa.event.remove(db.engine, "before_cursor_execute", note)
            assert result_of(operation) == {"create": rows}
            chunks = rows // 500
            per_chunk[rows] = (after_plan / chunks, (len(counted) - after_plan) / chunks)
        assert time.process_time() - began < 20, "seconds of processor time, on a slow machine"
        assert per_chunk[5000][0] <= 20
        assert per_chunk[5000][1] <= 40, per_chunk


def test_a_plan_asked_for_twice_is_made_once(acting, world, tmp_path, monkeypatch):
    """A second click takes the plan over; rows of both never mix."""
    file = tables.xlsx(tmp_path / "people.xlsx", [tables.HEAD, *tables.people(20)])
    prepare, second = flow.HANDLER.prepare, []

    def slowly(operation):
        pk = operation.id
        rows = [[item] for several in prepare(operation) for item in several]
        for number, one in enumerate(rows):
            if number == 5 and not second:
                db.session.rollback()  # SQLite: the other has its turn to write
                other = Thread(target=again, args=(pk,))
                other.start()
                other.join()
            yield one

    def again(pk):
        with acting() as actor:
            second.append(True)
            flow.make_plan(flow.load(pk, actor))
            second.append(flow.step_of(flow.load(pk, actor)))

    monkeypatch.setattr(flow.HANDLER, "prepare", slowly)
    with acting() as actor:
        operation = planned(actor, file, world.acme)
        pk = operation.id
    with acting() as actor:
        operation = flow.load(pk, actor)
        assert second == [True, flow.Step.PLAN], "somebody asked again, and got it"
        assert [*sorted(items(operation))] == [*range(2, 22)]
        assert (len(items(operation)), operation.total, flow.step_of(operation)) == (20, 20, flow.Step.PLAN)
