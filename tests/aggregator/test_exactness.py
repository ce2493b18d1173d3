"""The invariant of every pass, whatever came before: the tables equal the oracle."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg2.errors
import psycopg2.extensions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from aggregator.database.engine import connect
from aggregator.intervals.kinds import SIGNAL_CODES
from aggregator.metrics.measures import MEASURES
from aggregator.metrics.windows import floor_hour
from aggregator.passes import recompute, transactions
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.schema import capture
from aggregator.schema.migrate import upgrade

START = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=2)


class CrashError(Exception):
    """A stand-in for anything that may end a process."""


class Fuse:
    """A fuse that makes one step of a connection fail: a statement, a COPY or a commit.

    Half of the steps fail before they are done, half after.
    """

    def __init__(self):
        self.steps = None

    def burn(self):
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise CrashError


@pytest.fixture(scope="module")
def fuse():
    return Fuse()


@pytest.fixture(scope="module")
def crashing(fuse):
    """Return factories of connections and cursors whose every step can fail."""

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, *args):
            fuse.burn()
            super().execute(*args)
            fuse.burn()

        def copy_expert(self, *args):
            fuse.burn()
            super().copy_expert(*args)
            fuse.burn()

    class Connection(psycopg2.extensions.connection):
        def commit(self):
            fuse.burn()
            super().commit()
            fuse.burn()

    return {"connection_factory": Connection, "cursor_factory": Cursor}


@pytest.fixture(scope="module", autouse=True)
def no_patience():
    """Shorten the lock timeout: nobody here can release a lock while the worker waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transactions, "LOCK_TIMEOUT", "5ms")
        yield


@pytest.fixture(scope="module", params=["signals", "turns only"])
def world(request, postgres, crashing, fuse, assert_table_equals_the_oracle):
    url = postgres.url("tests_exactness", fresh=True)
    # A statement that would wait for ever fails.
    bounded = url.update_query_dict({"options": "-c lock_timeout=10s"})
    engine = connect(bounded, purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    with engine.begin() as conn:
        # As on hosts, where an agent has many tasks.
        conn.execute(text("ALTER TABLE tasks DROP CONSTRAINT tasks_agent_id_key"))
        if request.param == "turns only":
            conn.execute(text("DROP TABLE signals"))
    # Possible on a host; none of it may matter to a pass.
    worker = create_engine(
        url,
        isolation_level="REPEATABLE READ",
        connect_args={**crashing, "options": "-c timezone=Asia/Kathmandu -c datestyle=SQL,DMY"},
    )
    has_signals = request.param == "signals"
    yield World(engine, worker, fuse, assert_table_equals_the_oracle, has_signals)
    worker.dispose()
    engine.dispose()


class World:
    """A database, people who write turns, and a worker who makes passes."""

    def __init__(self, engine, worker, fuse, assert_exact, has_signals):
        self.engine, self.worker, self.fuse = engine, worker, fuse
        self.assert_exact, self.has_signals = assert_exact, has_signals

    def begin(self, captured):
        self.now = START
        self.keys = iter(range(1_000_000))
        self.passes = 0
        with self.engine.begin() as conn:
            conn.execute(
                text(
                    "TRUNCATE projects, activity_changes, activity_state, activity_intervals, "
                    "activity_runs RESTART IDENTITY CASCADE"
                )
            )
            for statement in (
                "INSERT INTO projects (name, path) SELECT i, i FROM generate_series(1, 3) i",
                "INSERT INTO agents (project_id, session_id) "
                "SELECT 1 + i % 3, i FROM generate_series(1, 4) i",
                "INSERT INTO tasks (agent_id, state) "
                "SELECT 1 + i % 4, 'processing' FROM generate_series(1, 6) i",
                "INSERT INTO turns (task_id, actor, timestamp, key) SELECT 1 + i % 6, 'USER', "
                "timestamptz '2026-11-22 14:30Z' - i * interval '97 min', 'old-' || i "
                "FROM generate_series(0, 29) i",
            ):
                conn.execute(text(statement))
            if self.has_signals:
                conn.execute(text("TRUNCATE signals RESTART IDENTITY"))
                for kind in ("trigger", "work", "duration", "subagent"):
                    conn.execute(text(OLD_SIGNALS), {"kind": kind})
        self.capture(captured)
        # Three people: one commits at once, two keep a transaction open.
        self.people = [self.engine.connect() for _ in range(3)]
        for person in self.people:
            person.execute(text("SET lock_timeout = '5ms'"))
            person.commit()
        self.make_pass()

    def end(self):
        for person in self.people:
            person.rollback()
            person.invalidate()
            person.close()

    def capture(self, wanted):
        with self.engine.begin() as conn:
            (capture.install if wanted else capture.remove)(conn)

    def write(self, person, statement, **values):
        """Let a person act, unless another person's open transaction blocks it."""
        conn = self.people[person]
        with suppress(OperationalError), conn.begin_nested():
            conn.execute(text(statement), values)
        if person == 0:
            conn.commit()

    def can(self, statement):
        return self.has_signals or statement not in SIGNALS

    def finish(self, person, commits):
        (self.people[person].commit if commits else self.people[person].rollback)()

    def finish_all(self):
        for person in (1, 2):
            self.finish(person, commits=True)

    def at_work(self, work, crash_after):
        """Run a step of the worker that may crash; return True if it finished."""
        self.fuse.steps = crash_after
        try:
            return work() is not None
        # The latter two: a row was locked for too long. COPY bypasses SQLAlchemy.
        except (CrashError, OperationalError, psycopg2.errors.LockNotAvailable):
            return False
        finally:
            self.fuse.steps = None

    def make_pass(self, crash_after=None):
        before = self.rows()
        if not self.at_work(lambda: make_pass(self.worker, self.now, RETENTION), crash_after):
            return
        self.passes += 1
        self.assert_exact(self.engine, floor_hour(self.now - RETENTION))
        after = self.rows()
        assert {key: before[key][0] != after[key][0] for key in before.keys() & after.keys()} == {
            key: before[key][1] != after[key][1] for key in before.keys() & after.keys()
        }, "updated_at changes if and only if a value does"

    def rows(self):
        with self.engine.connect() as conn:
            return {
                row.id: (
                    tuple(row._mapping[measure.column] for measure in MEASURES),
                    row.updated_at,
                )
                for row in conn.execute(text("SELECT * FROM activity_metrics"))
            }


def nth(table):
    """Return SQL for the id of some row, or for no row if there is none."""
    return (
        f"(SELECT id FROM {table} ORDER BY id LIMIT 1 "
        f"OFFSET :{table} % greatest((SELECT count(*) FROM {table}), 1))"
    )


WRITES = {
    "insert a turn": f"INSERT INTO turns (task_id, actor, timestamp, key) "
    f"SELECT id, CASE WHEN :user THEN 'USER' ELSE 'AGENT' END, :at, :key FROM tasks "
    f"WHERE id = {nth('tasks')}",
    "insert many turns": f"INSERT INTO turns (task_id, actor, timestamp, key) "
    f"SELECT id, CASE i % 4 WHEN 1 THEN 'USER' ELSE 'AGENT' END, "
    f"CAST(:at AS timestamptz) - i * interval '17.123456 min', "
    f"CAST(:key AS text) || '-' || i "
    f"FROM tasks, generate_series(1, 9) i WHERE id = {nth('tasks')}",
    "move a turn in time": f"UPDATE turns SET timestamp = :at WHERE id = {nth('turns')}",
    "move many turns in time": "UPDATE turns SET timestamp = timestamp + interval '47 min' "
    "WHERE id % 2 = 0 AND timestamp < '9999-01-01'",
    "move a turn to a task": f"UPDATE turns SET task_id = {nth('tasks')} "
    f"WHERE id = {nth('turns')} AND EXISTS (SELECT FROM tasks)",
    "move a task to an agent": f"UPDATE tasks SET agent_id = {nth('agents')} "
    f"WHERE id = {nth('tasks')}",
    "move an agent to a project": f"UPDATE agents SET project_id = {nth('projects')} "
    f"WHERE id = {nth('agents')}",
    "change a task's state": f"UPDATE tasks SET state = 'awaiting_input' WHERE id = {nth('tasks')}",
    "delete a turn": f"DELETE FROM turns WHERE id = {nth('turns')}",
    "delete a task": f"DELETE FROM tasks WHERE id = {nth('tasks')}",
    "delete an agent": f"DELETE FROM agents WHERE id = {nth('agents')}",
    "delete a project": f"DELETE FROM projects WHERE id = {nth('projects')} AND id > 1",
    "truncate": "TRUNCATE turns",
}
SIGNALS = {
    "insert a signal": f"INSERT INTO signals (session_id, kind, at, until, key) "
    f"SELECT session_id, :kind, CAST(:at AS timestamptz), CAST(:at AS timestamptz) "
    f"+ CAST(:minutes AS int) * interval '1 min', :key FROM agents WHERE id = {nth('agents')}",
    "insert a duration": "INSERT INTO signals (session_id, kind, at, milliseconds, key) "
    f"SELECT session_id, 'duration', :at, CAST(:minutes AS int) * 60000, :key FROM agents "
    f"WHERE id = {nth('agents')}",
    "insert a call that asked": "INSERT INTO signals "
    "(session_id, kind, at, until, source, tool, mode, key) "
    "SELECT session_id, 'call', CAST(:at AS timestamptz), CAST(:at AS timestamptz) "
    "+ CAST(:minutes AS int) * interval '1 min', 'call', 'Edit', 'default', :key FROM agents "
    f"WHERE id = {nth('agents')}",
    "let a turn steer": "INSERT INTO signals (session_id, kind, at, key) SELECT session_id, "
    "'steering', timestamp, turns.key || '\\:steering' FROM turns "
    "JOIN tasks ON tasks.id = task_id JOIN agents ON agents.id = agent_id "
    f"WHERE turns.id = {nth('turns')} ON CONFLICT DO NOTHING",
    "lengthen a signal": "UPDATE signals SET until = until + interval '50 min' "
    f"WHERE id = {nth('signals')}",
    "move a signal in time": "UPDATE signals SET at = :at, until = NULL "
    f"WHERE id = {nth('signals')}",
    "change the kind of a signal": f"UPDATE signals SET kind = :kind WHERE id = {nth('signals')}",
    "delete a signal": f"DELETE FROM signals WHERE id = {nth('signals')}",
    "truncate signals": "TRUNCATE signals",
}
SIGNAL_KINDS = sorted({*SIGNAL_CODES, "call"} - {"unknown", "reply"})
WRITES |= SIGNALS
OLD_SIGNALS = """
    INSERT INTO signals (session_id, kind, at, until, milliseconds, key)
    SELECT 1 + i % 4, :kind, begins, begins + interval '45 min', 1800000, kind || '-' || i
    FROM (
        SELECT i, CAST(:kind AS text) AS kind,
            timestamptz '2026-11-22 14:31Z' - i * interval '107 min' AS begins
        FROM generate_series(0, 24) i
    ) AS old
"""
RARE = {"truncate signals", "delete an agent", "delete a project", "truncate"}
FAR = [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]

KINDS = {
    "write": 20,
    "pass": 6,
    "finish": 4,
    "clock": 2,
    "rebuild": 1,
    "stretch": 1,
    "capture": 1,
    "disable": 1,
}


def weighted(weights):
    return st.sampled_from([name for name, weight in weights.items() for _ in range(weight)])


# Every step has all of these, of which it uses what its kind needs: choices that do not
# depend on each other are drawn evenly.
steps = st.fixed_dictionaries(
    {
        "kind": weighted(KINDS),
        "statement": weighted({name: 1 if name in RARE else 4 for name in WRITES}),
        "signal": st.sampled_from(SIGNAL_KINDS),
        "length": st.sampled_from([0, 1, 9, 20, 70, 400]),
        "person": st.sampled_from([0, 0, 0, 1, 2]),
        "row": st.integers(0, 30),
        "other": st.integers(0, 11),
        "at": weighted({"recent": 1, "past": 8, "far": 1}).flatmap(
            {
                "recent": st.integers(-4 * 60, 150 * 60).map(
                    lambda seconds: START - timedelta(seconds=seconds)
                ),
                "past": st.integers(-3 * 60, 60 * 60).map(
                    lambda minutes: START - timedelta(minutes=minutes)
                ),
                "far": st.sampled_from(FAR),
            }.get
        ),
        "crash_after": st.one_of(st.none(), st.integers(0, 110)),
        "hours": st.integers(1, 50),
        "minutes": st.sampled_from([5, 60, 60, 24 * 60, -30, -48 * 60]),
        "yes": st.sampled_from([True, True, False]),
        "user": st.booleans(),
    }
)


@settings(max_examples=settings().max_examples // 4)
@given(st.sampled_from([True, True, False]), st.lists(steps, min_size=10, max_size=40))
def test_after_every_pass_the_table_equals_the_oracle(world, captured, history):
    world.begin(captured)
    try:
        for step in history:
            STEPS[step["kind"]](world, step)
        world.finish(1, commits=True)
        world.finish(2, commits=False)
        made = world.passes
        world.make_pass()
        assert world.passes == made + 1
    finally:
        world.end()


def write(world, step):
    if not world.can(step["statement"]):
        return
    statement = WRITES[step["statement"]]
    values = {
        "at": step["at"],
        "key": str(next(world.keys)),
        "user": step.get("user"),
        "turns": step["row"],
        "signals": step["row"],
        "kind": step.get("signal"),
        "minutes": step.get("length"),
        **dict.fromkeys(("tasks", "agents", "projects"), step["other"]),
    }
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    world.write(step["person"], statement, **used)


def recompute_chunk(world, step):
    since = floor_hour(world.now) - timedelta(hours=step["hours"])
    until = since + timedelta(hours=1 + step["other"])
    world.at_work(lambda: recompute.recompute_in_transaction(world.worker, since, until), None)


def turn_clock(world, step):
    world.now += timedelta(minutes=step["minutes"])


def switch_capture(world, step):
    world.finish_all()
    world.capture(step["yes"])


def disable_triggers_for_a_moment(world, step):
    world.finish_all()
    with world.engine.begin() as conn:
        conn.execute(text("ALTER TABLE turns DISABLE TRIGGER USER"))
        conn.execute(text("UPDATE turns SET timestamp = timestamp - interval '1 h' WHERE id = 1"))
        conn.execute(text("ALTER TABLE turns ENABLE TRIGGER USER"))


STEPS = {
    "write": write,
    "finish": lambda world, step: world.finish(1 + step["other"] % 2, commits=step["yes"]),
    "pass": lambda world, step: world.make_pass(step["crash_after"]),
    "rebuild": lambda world, step: world.at_work(
        lambda: rebuild(world.worker, world.now, RETENTION), step["crash_after"]
    ),
    "stretch": recompute_chunk,
    "clock": turn_clock,
    "capture": switch_capture,
    "disable": disable_triggers_for_a_moment,
}


CRASHES = ("insert many turns", "insert a signal", "move a task to an agent")


@pytest.mark.parametrize("work", [make_pass, rebuild])
def test_a_crash_at_any_step_costs_nothing(world, fuse, work):
    world.begin(captured=True)
    try:
        # Three at a time: before one statement, after the next but one, and so on.
        survived, crash_after, crashes = False, -3, -1
        while not survived:
            crash_after, crashes = crash_after + 3, crashes + 1
            step = {
                "person": 0,
                "row": crash_after,
                "other": crash_after,
                "at": START - timedelta(hours=30),
                "signal": "work",
                "length": 200,
            }
            for statement in CRASHES:
                write(world, {**step, "statement": statement})
            survived = world.at_work(lambda: work(world.worker, world.now, RETENTION), crash_after)
            world.make_pass()
        assert crash_after > 30
        assert world.passes == crashes + 2
    finally:
        world.end()
