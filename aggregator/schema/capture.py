"""Change capture: triggers that record which hours a pass has to recompute.

Without them a pass has to read every turn inside the retention, to compare fingerprints.
The standalone tables always have them, a host's tables only if the host wants them.

Their cost for a host: a statement that writes turns adds one row per hour that it
touched to the queue ``activity_changes``. They never make that statement wait or fail:
the queue has no unique key except its own counter, an instant that cannot be read means
"recompute everything", and the functions run with the rights of the role that installed
them. Other changes of a task or an agent, which happen all the time, cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import sleep

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from aggregator.database.facts import has_signals
from aggregator.database.source import STANDALONE, Source
from aggregator.database.sqlstate import LOCK_NOT_AVAILABLE, sqlstate
from aggregator.errors import TablesBusyError

TRIES = 20
"""Number of attempts to lock the tables."""

_WRITE_HOURS = """
DECLARE
    hours timestamptz[];
BEGIN
    BEGIN
        hours := ARRAY(
            SELECT DISTINCT date_trunc('hour', changed.at, 'UTC')
            FROM {changed} WHERE changed.at IS NOT NULL
        );
    EXCEPTION WHEN OTHERS THEN
        -- The columns are not what they were. Null stands for everything.
        hours := ARRAY[NULL::timestamptz];
    END;
    INSERT INTO activity_changes (bucket_start) SELECT unnest(hours);
    RETURN NULL;
END
"""
# Of a signal, the hours of its beginning and its end. That of a sub-agent may last from one
# run to another, and counts in all that lie in between.
_CHANGED_SIGNALS = """(
                SELECT unnest(ARRAY[signals.at, signals.until]) AS at
                FROM changed_signals AS signals
                UNION ALL
                SELECT generate_series(signals.at, signals.until, interval '1 hour')
                FROM changed_signals AS signals WHERE signals.kind = 'subagent'
            ) AS changed"""
_MOVED_SIGNALS = """(
                SELECT unnest(ARRAY[before.at, before.until, after.at, after.until]) AS at
                FROM old_signals AS before FULL JOIN new_signals AS after USING (id)
                WHERE before IS DISTINCT FROM after
                UNION ALL
                -- One that became longer has changed only where it is longer.
                SELECT generate_series(
                    CASE WHEN before.at = after.at AND before.session_id = after.session_id
                            AND before.kind = after.kind
                        THEN least(before.until, after.until)
                        ELSE least(before.at, after.at) END,
                    greatest(before.until, after.until), interval '1 hour'
                )
                FROM old_signals AS before FULL JOIN new_signals AS after USING (id)
                WHERE before IS DISTINCT FROM after
                    AND 'subagent' IN (before.kind, after.kind)
            ) AS changed"""
_CHANGED = "(SELECT {at} AS at FROM changed_turns AS turns) AS changed"
_MOVED = """(
                SELECT unnest(ARRAY[before.at, after.at]) AS at
                FROM (
                    SELECT turns.id, {at} AS at, {task} AS task, CAST(turns.actor AS text) AS actor,
                        {intent} AS intent
                    FROM old_turns AS turns
                ) AS before
                FULL JOIN (
                    SELECT turns.id, {at} AS at, {task} AS task, CAST(turns.actor AS text) AS actor,
                        {intent} AS intent
                    FROM new_turns AS turns
                ) AS after USING (id)
                WHERE before IS DISTINCT FROM after
            ) AS changed"""
_WRITE = "\nBEGIN\n    INSERT INTO activity_changes {values};\n    RETURN NULL;\nEND\n"


@dataclass(frozen=True, slots=True)
class _Trigger:
    """``CREATE TRIGGER name AFTER event ON table scope EXECUTE FUNCTION function()``."""

    table: str
    name: str
    event: str
    scope: str
    function: str


def _triggers(conn: Connection, source: Source) -> tuple[_Trigger, ...]:
    """All triggers on a database's tables."""
    signals = _SIGNAL_TRIGGERS if has_signals(conn) else ()
    return _host_triggers(source) + signals


def _host_triggers(source: Source) -> tuple[_Trigger, ...]:
    tables = {"task": source.task_table, "agent": "agents"}
    return (
        _Trigger(
            "turns",
            "activity_turns_insert",
            "INSERT",
            "REFERENCING NEW TABLE AS changed_turns FOR EACH STATEMENT",
            "activity_turns_changed",
        ),
        _Trigger(
            "turns",
            "activity_turns_delete",
            "DELETE",
            "REFERENCING OLD TABLE AS changed_turns FOR EACH STATEMENT",
            "activity_turns_changed",
        ),
        _Trigger(
            "turns",
            "activity_turns_update",
            "UPDATE",
            "REFERENCING OLD TABLE AS old_turns NEW TABLE AS new_turns FOR EACH STATEMENT",
            "activity_turns_updated",
        ),
        *(
            trigger
            for kind, parent in (("task", "agent_id"), ("agent", "project_id"))
            for trigger in (
                _Trigger(
                    tables[kind],
                    f"activity_{kind}s_update",
                    f"UPDATE OF {parent}",
                    f"FOR EACH ROW WHEN (OLD.{parent} IS DISTINCT FROM NEW.{parent})",
                    f"activity_{kind}_changed",
                ),
                _Trigger(
                    tables[kind],
                    f"activity_{kind}s_delete",
                    "DELETE",
                    "FOR EACH ROW",
                    f"activity_{kind}_changed",
                ),
            )
        ),
        *(
            _Trigger(
                table,
                f"activity_{name}_truncate",
                "TRUNCATE",
                "FOR EACH STATEMENT",
                "activity_all_changed",
            )
            for name, table in (("turns", "turns"), ("tasks", tables["task"]), ("agents", "agents"))
        ),
    )


# Hosts have no signals, and triggers cannot be on a table that is not there.
_SIGNAL_TRIGGERS = (
    _Trigger(
        "signals",
        "activity_signals_insert",
        "INSERT",
        "REFERENCING NEW TABLE AS changed_signals FOR EACH STATEMENT",
        "activity_signals_changed",
    ),
    _Trigger(
        "signals",
        "activity_signals_delete",
        "DELETE",
        "REFERENCING OLD TABLE AS changed_signals FOR EACH STATEMENT",
        "activity_signals_changed",
    ),
    _Trigger(
        "signals",
        "activity_signals_update",
        "UPDATE",
        "REFERENCING OLD TABLE AS old_signals NEW TABLE AS new_signals FOR EACH STATEMENT",
        "activity_signals_updated",
    ),
    _Trigger(
        "signals",
        "activity_signals_truncate",
        "TRUNCATE",
        "FOR EACH STATEMENT",
        "activity_all_changed",
    ),
)
_INSTALLED = text(
    """
    SELECT count(*) FROM unnest(
        CAST(:tables AS text[]), CAST(:names AS text[]), CAST(:bodies AS text[])
    ) AS wanted (of_table, name, body)
    JOIN pg_trigger ON tgrelid = to_regclass(of_table) AND tgname = name
    JOIN pg_proc ON pg_proc.oid = tgfoid AND prosrc = body
    WHERE tgenabled = 'A'
    """
)
_SCHEMAS = text(
    """
    SELECT string_agg(DISTINCT quote_ident(nspname), ', ')
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid IN (to_regclass('activity_changes'), to_regclass('turns'))
    """
)


def is_installed(conn: Connection, source: Source = STANDALONE) -> bool:
    """Return whether every change is captured: all triggers exist, as this version defines them.

    Triggers that were disabled and enabled again are "enabled", no longer "enabled
    always". They do not count: nothing is known about changes in between.
    """
    bodies, triggers = _bodies(source), _triggers(conn, source)
    found = conn.scalar(
        _INSTALLED,
        {
            "tables": [trigger.table for trigger in triggers],
            "names": [trigger.name for trigger in triggers],
            "bodies": [bodies[trigger.function] for trigger in triggers],
        },
    )
    return bool(found == len(triggers))


def install(conn: Connection, source: Source = STANDALONE) -> None:
    """Capture changes from now on; does nothing if they are captured already.

    The next pass recomputes every hour. The tables are locked against writers until the
    transaction ends, so keep it short.

    Args:
        conn: A connection in a transaction, of a role that owns the tables.
        source: Columns of the turns and agents in this database.

    Raises:
        TablesBusyError: Other transactions keep the tables locked.
    """
    if is_installed(conn, source):
        return
    # With the lock, no write is in progress. Earlier writes are committed, so a pass that
    # sees the entry below sees them too; later writes are captured.
    _lock(conn, "SHARE ROW EXCLUSIVE", source)
    if is_installed(conn, source):
        return  # Another process was faster.
    schemas = conn.scalar(_SCHEMAS)
    for name, body in _bodies(source).items():
        create = (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
            f"SECURITY DEFINER SET search_path = {schemas}, pg_temp AS $activity${body}$activity$"
        )
        conn.execute(text(create))
    for trigger in _triggers(conn, source):
        create = (
            f"CREATE OR REPLACE TRIGGER {trigger.name} AFTER {trigger.event} ON {trigger.table} "
            f"{trigger.scope} EXECUTE FUNCTION {trigger.function}()"
        )
        conn.execute(text(create))
        # ALWAYS: the trigger also fires in sessions that replicate.
        enable = f"ALTER TABLE {trigger.table} ENABLE ALWAYS TRIGGER {trigger.name}"
        conn.execute(text(enable))
    conn.execute(text("INSERT INTO activity_changes DEFAULT VALUES"))


def remove(conn: Connection, source: Source = STANDALONE) -> None:
    """Stop capturing changes; does nothing if none are captured.

    Passes recompute every hour from now on.

    Args:
        conn: A connection in a transaction, of a role that owns the tables.
        source: Columns of the turns and agents in this database.

    Raises:
        TablesBusyError: Other transactions keep the tables locked.
    """
    _lock(conn, "ACCESS EXCLUSIVE", source)
    for name in _bodies(STANDALONE):
        conn.execute(text(f"DROP FUNCTION IF EXISTS {name}() CASCADE"))


def _lock(conn: Connection, mode: str, source: Source) -> None:
    """Lock the tables, giving way to writes in progress.

    The lock time-out of half a second is shorter than PostgreSQL's ``deadlock_timeout``:
    in a deadlock it would make one transaction fail, and that could be the host's.
    """
    signals = ", signals" if has_signals(conn) else ""
    tables = f"agents, {source.task_table}, turns{signals}"
    for _ in range(TRIES):
        try:
            with conn.begin_nested():
                conn.execute(text("SET LOCAL lock_timeout = '500ms'"))
                conn.execute(text(f"LOCK TABLE {tables} IN {mode} MODE"))
                return
        except OperationalError as failure:
            if sqlstate(failure) != LOCK_NOT_AVAILABLE:
                raise
        sleep(0.1)
    raise TablesBusyError


def _bodies(source: Source) -> dict[str, str]:
    """Body of each trigger function, by name."""
    at, intent = source.turn_at_of("turns"), source.turn_intent_of("turns")
    moved = _MOVED.format(at=at, intent=intent, task=source.turn_task_of("turns"))
    return {
        "activity_turns_changed": _WRITE_HOURS.format(changed=_CHANGED.format(at=at)),
        "activity_turns_updated": _WRITE_HOURS.format(changed=moved),
        "activity_signals_changed": _WRITE_HOURS.format(changed=_CHANGED_SIGNALS),
        "activity_signals_updated": _WRITE_HOURS.format(changed=_MOVED_SIGNALS),
        "activity_task_changed": _WRITE.format(values="(task_id) VALUES (OLD.id)"),
        "activity_agent_changed": _WRITE.format(values="(agent_id) VALUES (OLD.id)"),
        "activity_all_changed": _WRITE.format(values="DEFAULT VALUES"),
    }
