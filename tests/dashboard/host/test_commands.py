from __future__ import annotations

import inspect
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text

from aggregator.database.models import ActivityMetric
from aggregator.metrics.windows import HOUR
from aggregator.passes.run import make_pass
from aggregator.schema.migrate import newest_revision, upgrade
from dashboard import Activity
from dashboard.host.commands import CAPTURE_OFFER

# Before click 8.2, a runner has to be asked to keep the two apart.
SEPARATE = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


@pytest.fixture
def run(empty_engine, now):
    """Run ``flask activity …`` on a host with an empty database."""

    def run(*args, engine=empty_engine, **config):
        app = Flask("host")
        app.config.update(config)
        Activity(app, engine=engine, clock=lambda: now)
        return app.test_cli_runner(**SEPARATE).invoke(args=["activity", *args])

    return run


def test_aggregate_makes_one_pass(run, empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now - timedelta(minutes=minute) for minute in (1, 2)])

    done = run("aggregate")

    assert done.output.startswith("Pass in ")
    assert done.output.endswith("1 agent, 1 project and 1 overall rows changed, 0 deleted\n")
    with empty_engine.connect() as conn:
        assert conn.scalars(select(ActivityMetric.turn_count)).all() == [2, 2, 2]


def test_prune_keeps_what_the_host_wants_kept(run, empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now - timedelta(days=9), now - timedelta(days=2)])
    make_pass(empty_engine, now, 720 * HOUR)

    done = run("prune", ACTIVITY_RETENTION_DAYS=7)

    assert done.output == "Deleted 3 rows\n"


def test_status_tells_what_there_is(run, empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now - timedelta(minutes=1)])
    make_pass(empty_engine, now - timedelta(seconds=30), 720 * HOUR)

    facts = json.loads(run("status", "--json").output)
    lines = run("status").output.splitlines()

    assert facts["turns"] == {"user": 0, "agent": 1}
    assert (facts["buckets"], facts["lag_seconds"]) == (1, 30.0)
    assert [line for line in lines if line in ("agents: 1", "buckets: 1")] == [
        "agents: 1",
        "buckets: 1",
    ]


def triggers(engine):
    with engine.connect() as conn:
        ours = text("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'activity%'")
        functions = text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'activity%'")
        return conn.scalar(ours), conn.scalar(functions)


def test_capture_is_the_hosts_choice_and_leaves_nothing_behind(run, fresh, record, now):
    upgrade(fresh, "standalone")
    run("migrate", engine=fresh)
    assert triggers(fresh) == (0, 0)

    assert run("capture", "on", engine=fresh).output == "Changes are captured\n"
    assert triggers(fresh) == (14, 7)
    assert json.loads(run("status", "--json", engine=fresh).output)["changes_captured"] is True

    assert run("capture", "off", engine=fresh).output == "Changes are no longer captured\n"
    assert triggers(fresh) == (0, 0)


@pytest.mark.parametrize("captured", [True, False])
def test_turns_that_moved_or_went_long_ago_are_right_after_the_next_pass(
    run, fresh, record, now, captured
):
    upgrade(fresh, "standalone")
    run("migrate", engine=fresh)
    if captured:
        run("capture", "on", engine=fresh)
    long_ago = now.replace(minute=0) - timedelta(days=9)
    with fresh.begin() as conn:
        record(conn, "alpha", "a1", [long_ago, long_ago + HOUR, long_ago + 2 * HOUR])
    run("aggregate", engine=fresh)

    with fresh.begin() as conn:
        at = {"before": long_ago, "after": long_ago + 5 * HOUR, "gone": long_ago + HOUR}
        conn.execute(text("UPDATE turns SET timestamp = :after WHERE timestamp = :before"), at)
        conn.execute(text("DELETE FROM turns WHERE timestamp = :gone"), at)
    run("aggregate", engine=fresh)

    with fresh.connect() as conn:
        overall = ActivityMetric.is_overall.is_(True)
        hours = select(ActivityMetric.bucket_start).where(overall).order_by("bucket_start")
        assert conn.scalars(hours).all() == [long_ago + 2 * HOUR, long_ago + 5 * HOUR]


def test_backfill_computes_a_range_anew(run, empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now - timedelta(days=2), now - timedelta(days=9)])

    done = run("backfill", "--since", (now - timedelta(days=3)).date().isoformat())

    assert done.exit_code == 0
    assert "1 agent, 1 project and 1 overall rows changed, 0 deleted\n" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--since", "2026-08-01"),
            "--since: '2026-08-01' is not allowed; expected 2026-09-21T14:00Z",
        ),
        (("--since", "soon"), "--since: 'soon' is not allowed; expected a date such as 2026-10-01"),
        (
            ("--workers", "0"),
            "--workers: '0' is not allowed; expected a whole number from 1 to 256",
        ),
    ],
)
def test_a_range_that_cannot_be_is_one_line(run, arguments, words):
    done = run("backfill", *arguments)

    assert done.exit_code == 1
    assert done.stderr.startswith(f"activity: {words}")
    assert done.stderr.count("\n") == 1


def test_migrate_makes_our_tables_and_says_so(run, fresh):
    upgrade(fresh, "standalone")
    said = f"The tables of headspace-activity are at {newest_revision('activity')}\n"

    assert run("migrate", "--no-capture", engine=fresh).output == said
    assert run("migrate", "--no-capture", engine=fresh).output == said
    assert run("aggregate", engine=fresh).exit_code == 0


def test_migrate_offers_capture_until_it_is_on(run, fresh):
    upgrade(fresh, "standalone")
    said = f"The tables of headspace-activity are at {newest_revision('activity')}\n"
    hint = "To turn them on: flask activity capture on\n"

    assert run("migrate", engine=fresh).output == f"{said}{CAPTURE_OFFER}\n{hint}"
    assert run("migrate", "--capture", engine=fresh).output == f"{said}Changes are captured\n"
    assert run("migrate", engine=fresh).output == said
    assert json.loads(run("status", "--json", engine=fresh).output)["changes_captured"] is True


@pytest.mark.parametrize("command", ["aggregate", "prune", "status"])
def test_before_migrate_all_others_end_with_one_line(run, fresh, command):
    upgrade(fresh, "standalone")

    done = run(command, engine=fresh)

    assert (done.exit_code, done.stderr) == (
        1,
        "activity: the tables of headspace-activity do not exist yet; "
        "run: flask activity migrate\n",
    )


def test_migrate_ends_with_one_line_where_the_hosts_tables_are_missing(run, fresh):
    done = run("migrate", engine=fresh)

    assert done.exit_code == 1
    assert done.stderr.startswith(
        "activity: the host's tables cannot be read: there is no table projects"
    )
    assert done.stderr.count("\n") == 1


def test_a_database_that_does_not_answer_is_one_line(run):
    done = run("status", engine="postgresql://me:secret@127.0.0.1:1/none")

    assert done.exit_code == 1
    assert done.stderr.startswith(
        "activity: the database postgresql://me:***@127.0.0.1:1/none failed: "
    )
    assert done.stderr.count("\n") == 1
