"""Time from transcripts to tables, against a computation straight from the lines."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from aggregator.database.engine import connect
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.schema import capture
from aggregator.schema.migrate import upgrade
from aggregator.transcripts.importer import import_transcripts
from tests.aggregator.intervals.from_lines.made import Files, stories, transcripts
from tests.aggregator.intervals.from_lines.times import Piece, Run, times_of

NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
HOUR_US = 3_600_000_000
TIMED = ("working", "blocked", "waiting", "background", "stalled", "limited")

Times = dict[str, tuple[list[Piece], list[Run]]]


@pytest.fixture(scope="module")
def database(postgres):
    engine = connect(postgres.url("tests_time", fresh=True), purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    with engine.begin() as conn:
        capture.install(conn)
    yield engine
    engine.dispose()


def microseconds(at: datetime | None) -> int | None:
    return None if at is None else (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta.resolution


INTERVALS = text(
    """
    SELECT session_id, kind, i.started_at, i.ended_at, run_started_at, tool, mode, is_exact
    FROM activity_intervals i JOIN agents ON agents.id = agent_id ORDER BY agent_id, 3
    """
)
RUNS = text(
    """
    SELECT session_id, r.started_at, r.ended_at, trigger, ended_by, working_seconds,
        blocked_seconds, is_exact, is_response
    FROM activity_runs r JOIN agents ON agents.id = agent_id ORDER BY agent_id, 2
    """
)


def stored_times(conn: Connection) -> Times:
    """Intervals and runs of each session."""
    found: Times = defaultdict(lambda: ([], []))
    for session, kind, since, until, run, *rest in conn.execute(INTERVALS):
        found[session][0].append(Piece(kind, *map(microseconds, (since, until, run)), *rest))
    for session, since, until, trigger, ended_by, working, blocked, *rest in conn.execute(RUNS):
        seconds = round(working * 1e6), round(blocked * 1e6)
        run = Run(microseconds(since), microseconds(until), trigger, ended_by, *seconds, *rest)
        found[session][1].append(run)
    return dict(found)


HOURS = text(
    """
    SELECT bucket_start, working_seconds, blocked_seconds, waiting_seconds, background_seconds,
        stalled_seconds, limited_seconds, exact_seconds, responses, response_seconds,
        peak_working_agents, peak_waiting_agents
    FROM activity_metrics WHERE is_overall
    """
)


def stored_hours(conn: Connection) -> dict[int, tuple[int, ...]]:
    """Overall time of each hour that has some, in microseconds, and what is counted."""
    hours = {}
    for at, *seconds, responses, response_seconds, working, waiting in conn.execute(HOURS):
        counted = (responses, round(response_seconds * 1e6), working, waiting)
        row = (*(round(value * 1e6) for value in seconds), *counted)
        if any(row):
            hours[microseconds(at)] = row
    return hours


def hours_of(times: Times) -> dict[int, tuple[int, ...]]:
    pieces = [piece for own, _ in times.values() for piece in own]
    runs = [run for _, own in times.values() for run in own if run.is_response]
    touched = {
        hour
        for piece in pieces
        if piece.kind != "idle"
        for hour in range(piece.start // HOUR_US, -(-piece.end // HOUR_US))
    } | {run.end // HOUR_US for run in runs}
    return {hour * HOUR_US: hour_of(pieces, runs, hour * HOUR_US) for hour in touched}


def hour_of(pieces: list[Piece], runs: list[Run], since: int) -> tuple[int, ...]:
    parts = [
        (piece, max(piece.start, since), min(piece.end, since + HOUR_US))
        for piece in pieces
        if piece.start < since + HOUR_US and piece.end > since
    ]
    seconds = [sum(b - a for piece, a, b in parts if piece.kind == kind) for kind in TIMED]
    exact = sum(b - a for piece, a, b in parts if piece.is_exact)
    ended = [run for run in runs if since <= run.end < since + HOUR_US]
    peaks = []
    for kinds in (("working",), ("blocked", "waiting")):
        spans = [(a, b) for piece, a, b in parts if piece.kind in kinds]
        peaks.append(max((sum(a <= at < b for a, b in spans) for at, _ in spans), default=0))
    total = sum(run.working + run.blocked for run in ended)
    return (*seconds, exact, len(ended), total, *peaks)


def write(folder: Path, files: Files, share: float) -> None:
    """Write the first part of each transcript."""
    for tick, (name, lines) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in portion(lines, share)))
        os.utime(path, ns=(0, 1_700_000_000_000_000_000 + round(share * 100) * 1000 + tick))


def portion(lines: list, share: float) -> list:
    return lines[: round(len(lines) * share)]


@settings(max_examples=settings().max_examples // 4)
@given(
    steps=stories,
    forked=st.none() | st.integers(1, 12),
    shares=st.lists(st.floats(0.05, 0.95), max_size=2).map(sorted),
    order=st.randoms(use_true_random=False),
)
def test_time_is_what_the_lines_tell(database, steps, forked, shares, order):
    files = transcripts(steps, forked)
    names = list(files)
    order.shuffle(names)
    files = {name: files[name] for name in names}
    with database.begin() as conn:
        conn.execute(text("TRUNCATE projects, signals, transcript_files, activity_state CASCADE"))

    with TemporaryDirectory() as folder:
        # Growing transcripts with passes between, files in any order.
        for share in [*shares, 1.0]:
            write(Path(folder), files, share)
            import_transcripts(database, [Path(folder)])
            make_pass(database, NOW, RETENTION)

    times = times_of(files)
    with database.connect() as conn:
        assert stored_times(conn) == times
        assert stored_hours(conn) == hours_of(times)
    assert not rebuild(database, NOW, RETENTION).any
