"""Names of intervals, runs and signals."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

WORKING: Final = "working"
BLOCKED: Final = "blocked"
STALLED: Final = "stalled"
LIMITED: Final = "limited"
WAITING: Final = "waiting"
BACKGROUND: Final = "background"
IDLE: Final = "idle"
KINDS = (WORKING, BLOCKED, STALLED, LIMITED, WAITING, BACKGROUND, IDLE)
"""Kinds of time. Every instant between an agent's first and last line is of exactly one."""

PERSON: Final = "person"
MACHINE: Final = "machine"
UNKNOWN: Final = "unknown"
TRIGGERS = (PERSON, MACHINE, UNKNOWN)
"""Triggers of a run: a person's prompt, a line that a machine wrote, or nothing that is known."""

ENDS = ("duration", "interruption", "stop", "reply", "trigger", "open")
"""Facts that end a run: a record of its duration, an interruption, a stop of the hooks, a
final reply, the next trigger; or none, and it is open."""

SIGNALS = (
    "trigger",
    "unknown",
    "duration",
    "interruption",
    "stop",
    "limit",
    "exit",
    "lines",
    "work",
    "reply",
    "subagent",
    "background",
)
"""Kinds of signals in frames, where a signal's kind is its position here.

``unknown`` is a trigger of unknown source; ``reply`` is work whose last line is a final
reply. In the table ``signals`` both are told by ``source``.
"""
SPANS_OF_LINES = ("lines", "work", "reply", "subagent")
"""Signals that say when there were lines, which may be copies of another session's."""
SIGNAL_CODES = {name: code for code, name in enumerate(SIGNALS)}

QUESTION: Final = "question"
PLAN: Final = "plan"
REJECTED: Final = "rejected"
CALL: Final = "call"
ASKING = (QUESTION, PLAN, REJECTED)
"""Sources of calls that certainly asked; others are of source ``call``."""

SILENCE_AFTER = timedelta(seconds=600)
"""A longer time without a line of a session, or of its sub-agents, is stalled."""
SILENCE_AFTER_MEASURED = timedelta(hours=1)
"""Longest silence in a run whose duration Claude Code has measured, which knows shorter ones."""
IDLE_AFTER = timedelta(minutes=30)
"""Longest time of waiting for a person, and of a single block."""
LONGEST = timedelta(days=31)
"""Longest stalled, limited or background time. A clock that is years ahead must not fill years."""
EXIT_LASTS = timedelta(seconds=1)
"""The last lines of a session that is left; a later one is of the session resumed."""
EDIT_ASKS_AFTER = timedelta(seconds=6)
"""A longer edit, outside ``bypassPermissions``, has asked for permission."""
