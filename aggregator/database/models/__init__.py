"""SQLAlchemy models of the tables.

There are two groups, each with its own migrations (see ``migrations/``):

* ours: ``activity_metrics``, ``activity_intervals``, ``activity_runs``, ``activity_changes``
  and ``activity_state``, on every database;
* the host's: ``projects``, ``agents``, ``tasks`` and ``turns``. A host brings its own.
  Standalone there is no host, so we create them, and also ``signals``, facts beside
  turns, and ``transcript_files``, the state of the importer. Code that runs on hosts reads
  only the columns not marked "standalone".

All instants are ``timestamptz``. This package imports all models, so that the registry of
``Base`` is complete.
"""

from __future__ import annotations

from aggregator.database.models.base import TIMESTAMPTZ_TYPE, Base, HostId
from aggregator.database.models.host import Agent, Project, Task, Turn
from aggregator.database.models.metrics import SQL_TYPES, ActivityMetric, column_of
from aggregator.database.models.passes import ActivityChange, ActivityFingerprint, ActivityState
from aggregator.database.models.time import ActivityInterval, ActivityRun
from aggregator.database.models.transcripts import LiveSession, Signal, TranscriptFile, Watch

OWN_TABLES = frozenset(
    {
        "activity_metrics",
        "activity_intervals",
        "activity_runs",
        "activity_changes",
        "activity_fingerprints",
        "activity_state",
    }
)
STANDALONE_TABLES = frozenset(
    {
        "projects",
        "agents",
        "tasks",
        "turns",
        "signals",
        "live_sessions",
        "watches",
        "transcript_files",
    }
)

__all__ = [
    "OWN_TABLES",
    "SQL_TYPES",
    "STANDALONE_TABLES",
    "TIMESTAMPTZ_TYPE",
    "ActivityChange",
    "ActivityFingerprint",
    "ActivityInterval",
    "ActivityMetric",
    "ActivityRun",
    "ActivityState",
    "Agent",
    "Base",
    "HostId",
    "LiveSession",
    "Project",
    "Signal",
    "Task",
    "TranscriptFile",
    "Turn",
    "Watch",
    "column_of",
]
