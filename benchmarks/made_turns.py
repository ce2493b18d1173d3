"""Made-up turns in any number, and a scratch database for them.

For the benchmarks, which compare programs on the same data: what :func:`fill` writes
depends on its arguments alone.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from aggregator.database.engine import connect, parse_url
from aggregator.metrics.windows import floor_hour
from aggregator.schema.migrate import upgrade
from aggregator.standalone.embedded import EmbeddedPostgres

PROJECTS = 20
AGENTS = 200
SCRATCH = "activity_benchmark"
AT_ONCE = 1_000_000
"""Number of turns inserted in one transaction."""

_AGENTS = (
    "TRUNCATE projects, signals, activity_state RESTART IDENTITY CASCADE",
    """
    INSERT INTO projects (name, path)
    SELECT 'project-' || i, '/made/project-' || i FROM generate_series(1, :projects) i
    """,
    """
    INSERT INTO agents (project_id, session_id, started_at)
    SELECT 1 + i % :projects, lpad(to_hex(i), 8, '0') || '-made-up', :since
    FROM generate_series(1, :agents) i
    """,
    "INSERT INTO tasks (agent_id, state) SELECT id, 'processing' FROM agents ORDER BY id",
)
# The hash spreads turns over the agents, and moves each a little in time, always in the
# same way. So an agent has busy hours and quiet ones.
_TURNS = text(
    """
    INSERT INTO turns (task_id, actor, timestamp, key)
    SELECT 1 + (hash & 1073741823) % :agents,
        CASE WHEN i % 5 = 0 THEN 'USER' ELSE 'AGENT' END,
        CAST(:since AS timestamptz)
            + (i + (hash >> 16 & 1023) / 1024.0) / :turns * CAST(:span AS interval),
        'made-' || lpad((:first + i)::text, 12, '0')
    FROM generate_series(:start, :stop) i, LATERAL (SELECT hashint8(:first + i) AS hash)
    ORDER BY i
    """
)


_SIGNALS = text(
    """
    INSERT INTO signals (session_id, kind, at, until, source, tool, mode, milliseconds, key)
    WITH numbered AS (
        SELECT agents.session_id, turns.timestamp AS at, turns.actor, turns.key,
            count(*) FILTER (WHERE turns.actor = 'USER')
                OVER (PARTITION BY agents.id ORDER BY turns.timestamp, turns.id) AS run
        FROM turns JOIN tasks ON tasks.id = task_id JOIN agents ON agents.id = agent_id
    ), runs AS (
        SELECT session_id, min(key) AS key, min(at) AS began, max(at) AS ended,
            min(at) FILTER (WHERE actor = 'AGENT') AS worked, hashtext(min(key)) & 1023 AS chance
        FROM numbered GROUP BY session_id, run
    )
    SELECT session_id, kind, since, until, source, tool, mode, milliseconds, key || ':' || kind
    FROM runs, LATERAL (VALUES
        ('lines', began, ended, NULL, NULL, NULL, NULL),
        ('work', worked, ended, 'reply', NULL, NULL, NULL),
        ('call', worked, least(ended, worked + interval '20 s'), 'call',
            CASE WHEN chance % 2 = 0 THEN 'Edit' ELSE 'Bash' END, 'default', NULL),
        ('duration', ended, NULL, NULL, NULL, NULL,
            CAST(extract(epoch FROM ended - began) * 1000 AS bigint) * (chance % 4 + 5) / 8)
    ) AS told (kind, since, until, source, tool, mode, milliseconds)
    WHERE since IS NOT NULL AND (kind <> 'duration' OR chance < 410)
    ORDER BY since
    """
)


def fill(
    engine: Engine,
    turns: int,
    *,
    days: int = 30,
    running_hour: int = 10_000,
    now: datetime,
) -> None:
    """Replace all data in a database with turns of 200 agents over 20 projects.

    Turns are spread evenly over the time and stored in chronological order, as real ones
    are; all agents work round the clock. Ends with VACUUM ANALYZE.

    Args:
        engine: A scratch database, with its tables.
        turns: Number of turns, including those of the running hour.
        days: Days that they reach back before the hour of ``now``.
        running_hour: Number of turns in the hour of ``now``, all before ``now``.
        now: The current time, not on the hour.
    """
    hour = floor_hour(now)
    since = hour - timedelta(days=days)
    with engine.begin() as conn:
        for statement in _AGENTS:
            numbers = {"projects": PROJECTS, "agents": AGENTS, "since": since}
            used = {name: value for name, value in numbers.items() if f":{name}" in statement}
            conn.execute(text(statement), used)
    before = turns - running_hour
    _insert(engine, 0, before, since, hour - since)
    _insert(engine, before, running_hour, hour, now - hour)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))


def fill_signals(engine: Engine) -> int:
    """Write the signals that transcripts would tell beside the turns of :func:`fill`.

    Each prompt begins a run: a span of lines, one of work, a call that may have asked, and
    for two runs in five a measured duration. Ends with VACUUM ANALYZE.

    Returns:
        Number of signals.
    """
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE signals RESTART IDENTITY"))
        conn.execute(_SIGNALS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE signals"))
        return conn.execute(text("SELECT count(*) FROM signals")).scalar_one()


def _insert(engine: Engine, first: int, turns: int, since: datetime, span: timedelta) -> None:
    """Spread turns, numbered from ``first`` on, evenly over ``[since, since + span)``."""
    for start in range(0, turns, AT_ONCE):
        values = {
            "first": first,
            "turns": turns,
            "since": since,
            "span": span,
            "start": start,
            "stop": min(start + AT_ONCE, turns) - 1,
            "agents": AGENTS,
        }
        with engine.begin() as conn:
            conn.execute(_TURNS, values)


@contextlib.contextmanager
def scratch_database(url: str | None) -> Iterator[Engine]:
    """Create an empty database with all tables, and drop it at the end.

    Args:
        url: A PostgreSQL server to make it on, or None for the embedded one.
    """
    with contextlib.ExitStack() as stack:
        if url is None:
            home = stack.enter_context(tempfile.TemporaryDirectory())
            server = stack.enter_context(EmbeddedPostgres(Path(home)))
            address = server.url(SCRATCH, fresh=True)
        else:
            address = parse_url(url).set(database=SCRATCH)
            maintenance = create_engine(parse_url(url), isolation_level="AUTOCOMMIT")
            stack.callback(maintenance.dispose)
            _drop(maintenance)
            with maintenance.connect() as conn:
                conn.execute(text(f"CREATE DATABASE {SCRATCH}"))
            stack.callback(_drop, maintenance)
        engine = connect(address, purpose="benchmark")
        stack.callback(engine.dispose)
        upgrade(engine, "standalone")
        upgrade(engine, "activity")
        yield engine


def _drop(maintenance: Engine) -> None:
    with maintenance.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)"))
