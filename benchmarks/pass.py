"""Benchmark of a pass and of a rebuild against the same computation inside PostgreSQL.

    python benchmarks/pass.py [--turns 1800000] [--runs 7] [--database-url URL]

The baseline is one SQL statement: a window function for the gaps, sums by agent, grouping
sets for the scopes, and the upsert. It is the limit, because no turn leaves the database.
On the same turns of 200 agents over 20 projects in 30 days, 10,000 of them in the running
hour, both are timed alternately:

* a pass, which recomputes the last two hours after their rows have been deleted;
* a rebuild of all 30 days into an empty table;
* a rebuild of all 30 days that finds every row correct.

Then it prints the peak memory of a process that only rebuilds, what a pass costs without
change capture, where it compares fingerprints of hours, against a pass that recomputes all
hours, and the time that the triggers of change capture add to inserting turns.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from made_turns import AGENTS, fill, scratch_database
from sqlalchemy import Engine, text

from aggregator.database.engine import connect
from aggregator.metrics.windows import HOUR, ceil_hour, floor_hour
from aggregator.passes.fingerprints import forget_fingerprints
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.schema.capture import install, remove

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
HORIZON = floor_hour(NOW - RETENTION)
RECENT = floor_hour(NOW) - HOUR
SINGLE, BULK = 2_000, 100_000

_PUSHED_DOWN = text(
    """
    WITH gaps AS (
        SELECT agents.id AS agent_id, agents.project_id,
            date_trunc('hour', turns.timestamp, 'UTC') AS bucket_start,
            extract(epoch FROM turns.timestamp - lag(turns.timestamp) OVER (
                PARTITION BY agents.id, date_trunc('hour', turns.timestamp, 'UTC')
                ORDER BY turns.timestamp
            ))::float8 AS gap
        FROM turns
        JOIN tasks ON tasks.id = turns.task_id
        JOIN agents ON agents.id = tasks.agent_id
        WHERE turns.timestamp >= :since AND turns.timestamp < :until
    ), by_agent AS (
        SELECT bucket_start, project_id, agent_id,
            count(*) AS turns, sum(gap) AS seconds, count(gap) AS gaps
        FROM gaps GROUP BY bucket_start, project_id, agent_id
    )
    INSERT INTO activity_metrics AS old (
        bucket_start, agent_id, project_id, is_overall,
        turn_count, avg_turn_time_seconds, active_agents
    )
    SELECT bucket_start, agent_id, project_id, grouping(agent_id, project_id) = 3,
        sum(turns), sum(seconds) / nullif(sum(gaps), 0),
        CASE WHEN grouping(agent_id) = 1 THEN count(*) END
    FROM by_agent
    GROUP BY GROUPING SETS ((bucket_start, agent_id), (bucket_start, project_id), (bucket_start))
    ON CONFLICT (bucket_start, agent_id, project_id, is_overall) DO UPDATE SET
        turn_count = excluded.turn_count,
        avg_turn_time_seconds = excluded.avg_turn_time_seconds,
        active_agents = excluded.active_agents,
        updated_at = now()
    WHERE (old.turn_count, old.active_agents) IS DISTINCT FROM
            (excluded.turn_count, excluded.active_agents)
        -- Sums of rounded gaps differ from exact ones in their last digits.
        OR abs(old.avg_turn_time_seconds - excluded.avg_turn_time_seconds) > 1e-6
        OR (old.avg_turn_time_seconds IS NULL) <> (excluded.avg_turn_time_seconds IS NULL)
    """
)
_FORGET = text("DELETE FROM activity_metrics WHERE bucket_start >= :since")
_INSERT = text(
    """
    INSERT INTO turns (task_id, actor, timestamp, key)
    SELECT 1 + i % :agents, 'AGENT', CAST(:now AS timestamptz) - i * interval '1 second',
        :name || '-' || i
    FROM generate_series(:first, :last) i
    """
)


def main() -> None:
    """Print the ratios."""
    arguments = _arguments()
    if arguments.rebuild_of:
        _rebuild_alone(arguments.rebuild_of)
        return
    with scratch_database(arguments.database_url) as engine:
        fill(engine, arguments.turns, now=NOW)
        with engine.begin() as conn:
            install(conn)
        rebuild(engine, NOW, RETENTION)
        make_pass(engine, NOW, RETENTION)
        print(f"{arguments.turns:,} turns, medians of {arguments.runs} runs\n")
        print(f"{'':34}{'SQL':>10}{'ours':>10}{'ratio':>8}")
        _compare("a pass", engine, RECENT, _ours_pass, arguments.runs, empty=True)
        few = max(3, arguments.runs // 2)
        _compare("rebuild into an empty table", engine, HORIZON, _ours_rebuild, few, empty=True)
        _compare("rebuild with nothing to change", engine, HORIZON, _ours_rebuild, few, empty=False)
        print(f"\npeak memory of a process that rebuilds: {_peak(engine)} MB")
        _without_capture(engine, arguments.runs)
        _triggers(engine, arguments.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=1_800_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--database-url")
    parser.add_argument("--rebuild-of", help=argparse.SUPPRESS)
    return parser.parse_args()


def _ours_pass(engine: Engine) -> None:
    assert make_pass(engine, NOW, RETENTION)


def _ours_rebuild(engine: Engine) -> None:
    assert rebuild(engine, NOW, RETENTION) is not None


def _compare(
    name: str,
    engine: Engine,
    since: datetime,
    ours: Callable[[Engine], None],
    runs: int,
    *,
    empty: bool,
) -> None:
    """Time both alternately, so that a busy moment of the machine affects both."""

    def pushed_down(engine: Engine) -> None:
        with engine.begin() as conn:
            # Its sorts stay in memory, as ours do.
            conn.execute(text("SET LOCAL work_mem = '512MB'"))
            conn.execute(_PUSHED_DOWN, {"since": since, "until": ceil_hour(NOW)})

    seconds: dict[str, list[float]] = {"sql": [], "ours": []}
    for _ in range(runs):
        for kind, work in (("sql", pushed_down), ("ours", ours)):
            if empty:
                _forget(engine, since)
            started = time.perf_counter()
            work(engine)
            seconds[kind].append(time.perf_counter() - started)
    sql, own = (statistics.median(seconds[kind]) for kind in ("sql", "ours"))
    print(f"{name:34}{sql:>8.3f} s{own:>8.3f} s{own / sql:>8.2f}")


def _forget(engine: Engine, since: datetime) -> None:
    with engine.begin() as conn:
        conn.execute(_FORGET, {"since": since})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE activity_metrics"))


def _peak(engine: Engine) -> int:
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, __file__, "--rebuild-of", url]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _rebuild_alone(url: str) -> None:
    engine = connect(url, purpose="benchmark")
    _ours_rebuild(engine)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def _without_capture(engine: Engine, runs: int) -> None:
    """Time a pass after two hours have changed, and one that recomputes all hours."""
    with engine.begin() as conn:
        remove(conn)
    _ours_pass(engine)
    print(f"\n{'without capture':34}{'all hours':>10}{'compared':>10}{'ratio':>8}")
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(runs):
        for everything in (True, False):
            _forget(engine, RECENT)
            if everything:
                with engine.begin() as conn:
                    forget_fingerprints(conn)
            started = time.perf_counter()
            _ours_pass(engine)
            seconds[everything].append(time.perf_counter() - started)
    whole, compared = (statistics.median(seconds[kind]) for kind in (True, False))
    print(f"{'a pass':34}{whole:>8.3f} s{compared:>8.3f} s{compared / whole:>8.2f}")


def _triggers(engine: Engine, runs: int) -> None:
    print(f"\n{'inserting turns':34}{'without':>10}{'captured':>10}{'ratio':>8}")
    seconds: dict[tuple[str, bool], list[float]] = {}
    for number in range(runs):
        for captured in (False, True):
            with engine.begin() as conn:
                (install if captured else remove)(conn)
            for kind, insert in (("one by one", _one_by_one), ("at once", _at_once)):
                started = time.perf_counter()
                insert(engine, f"{kind}-{number}-{captured}")
                seconds.setdefault((kind, captured), []).append(time.perf_counter() - started)
    for kind, count in (("one by one", SINGLE), ("at once", BULK)):
        without, captured = (statistics.median(seconds[kind, on]) for on in (False, True))
        name = f"{count:,} {kind}"
        print(f"{name:34}{without:>8.3f} s{captured:>8.3f} s{captured / without:>8.2f}")


def _one_by_one(engine: Engine, name: str) -> None:
    with engine.begin() as conn:
        for number in range(SINGLE):
            conn.execute(_INSERT, _values(name, number, number))


def _at_once(engine: Engine, name: str) -> None:
    with engine.begin() as conn:
        conn.execute(_INSERT, _values(name, 0, BULK - 1))


def _values(name: str, first: int, last: int) -> dict[str, object]:
    return {"agents": AGENTS, "now": NOW, "name": name, "first": first, "last": last}


if __name__ == "__main__":
    main()
