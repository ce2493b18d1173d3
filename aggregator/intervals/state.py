"""State of one agent at an instant: what it does, since when, and why. Pure.

This is the only place that defines states; every surface shows what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from aggregator.intervals.blocks import BYPASS, EDITS, NEVER_ASK, PERMISSION, UNDECIDABLE
from aggregator.intervals.kinds import (
    BACKGROUND,
    EDIT_ASKS_AFTER,
    IDLE,
    IDLE_AFTER,
    LIMITED,
    PLAN,
    QUESTION,
    SILENCE_AFTER,
    SILENCE_AFTER_MEASURED,
    STALLED,
    WAITING,
    WORKING,
)

ENDED: Final = "ended"
UNKNOWN_STATE: Final = "unknown"
STATES = (WORKING, WAITING, STALLED, LIMITED, BACKGROUND, IDLE, UNKNOWN_STATE)
"""States of agents that have not ended."""
COMMON = (WORKING, WAITING, IDLE)
"""States that are shown even where no agent is in them."""

SETTLES_AFTER = timedelta(seconds=3)
"""A reply that may go on with a call is the last one after this time: four of five that do
go on do so earlier."""
LONG_AFTER = IDLE_AFTER
"""A longer wait is folded away, but goes on."""
LONGEST_WAIT = timedelta(hours=12)
"""An agent is idle that has been in one state for longer, unless it works."""

TURN_DONE: Final = "turn done"
INTERRUPTED: Final = "interrupted"
USAGE_LIMIT: Final = "usage limit"
SILENCE: Final = "silence"
IN_BACKGROUND: Final = "work in the background"
NOTHING: Final = "nothing to do"
LEFT: Final = "left"
PROCESS_GONE: Final = "process gone"
UNKNOWN_STATUS: Final = "unknown status"

BUSY, FREE, ASKS, SHELL = "busy", "idle", "waiting", "shell"
"""Status of a session in Claude Code's file about it."""
_TASK_WORKS = ("commanded", "processing")
_TASK_RESTS = ("complete", "idle")
_TASK_ASKS = "awaiting_input"


class OpenCall(NamedTuple):
    """A call without a result yet.

    Attributes:
        at: Instant of the call, in UTC.
        tool: Name of the tool.
        mode: Permission mode, empty if unknown.
        source: ``question``, ``plan``, or another text for all other calls.
    """

    at: datetime
    tool: str
    mode: str
    source: str

    @property
    def may_ask(self) -> bool:
        """True if the call may need a permission."""
        return self.mode != BYPASS and self.tool not in NEVER_ASK


class Session(NamedTuple):
    """Content of Claude Code's own file about a session.

    Attributes:
        status: The status, as it is written there.
        since: When the session took it, in UTC.
        gone_at: When its process was found to be gone, so that the status says nothing.
    """

    status: str
    since: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """The last facts about one agent. All instants are in UTC, and none is later than now.

    Attributes:
        run_started_at: Begin of its last run; None if it had none.
        run_ended_at: End of that run; None while it is open.
        trigger: What began it, one of :data:`aggregator.intervals.kinds.TRIGGERS`.
        is_interrupted: Whether a person interrupted it.
        working_since: Begin of the run, or end of the last question in it.
        last_line_at: Instant of the last line, sub-agents included.
        left_at: Instant at which a person left the session with ``/exit``.
        limited_at: Instant at which a usage limit stopped it, if it still does.
        may_go_on: Whether its last line is a reply that may go on with a call.
        has_background: Whether work that the run launched has not reported back.
        open_calls: Calls of the run that have no result.
        asks: Whether its last turn is a question (hosts).
        task_state: State of its newest task (hosts); None if it has none.
        ended_at: End of the agent (hosts).
        session: What Claude Code's file says, if there is one.
    """

    run_started_at: datetime | None
    run_ended_at: datetime | None
    working_since: datetime | None
    last_line_at: datetime
    trigger: str = ""
    is_interrupted: bool = False
    left_at: datetime | None = None
    limited_at: datetime | None = None
    may_go_on: bool = False
    has_background: bool = False
    open_calls: tuple[OpenCall, ...] = field(default=())
    asks: bool = False
    task_state: str | None = None
    ended_at: datetime | None = None
    session: Session | None = None


class AgentState(NamedTuple):
    """State of an agent.

    Attributes:
        state: One of :data:`STATES`, or :data:`ENDED`.
        since: When it began, in UTC. It does not move while the state lasts.
        reason: Why: what it waits for, what stopped it, what began its work.
        tool: Tool for which it needs a permission; empty otherwise or if unknown.
    """

    state: str
    since: datetime
    reason: str
    tool: str = ""

    def is_long(self, now: datetime) -> bool:
        """Return whether it has waited for so long that it is folded away."""
        return self.state == WAITING and now - self.since >= LONG_AFTER


def state_of(facts: AgentFacts, now: datetime) -> AgentState:
    """Return the state of an agent at an instant.

    What ended the agent comes first, then Claude Code's own file about a session that is
    alive, then the state of a host's task, then the lines of the transcript or the turns.

    Args:
        facts: The last facts about the agent.
        now: The present, not before any of them.
    """
    found = _ended(facts, now) or _of_session(facts) or _of_task(facts, now) or _of_run(facts, now)
    over_at = found.since + LONGEST_WAIT
    if found.state in (WORKING, ENDED, IDLE) or now < over_at:
        return found
    return AgentState(IDLE, over_at, NOTHING)


def next_change(facts: AgentFacts, found: AgentState, now: datetime) -> datetime | None:
    """Return the next instant at which time alone may change a state, or None."""
    last = facts.last_line_at
    edges = [found.since + LONG_AFTER, found.since + LONGEST_WAIT]
    if found.state in (WORKING, IDLE):
        edges = [last + SILENCE_AFTER, last + SILENCE_AFTER_MEASURED]
        if facts.run_ended_at is not None:
            edges.append(facts.run_ended_at + SETTLES_AFTER)
        edges += [call.at + EDIT_ASKS_AFTER for call in facts.open_calls]
    return min((edge for edge in edges if edge > now), default=None)


def _ended(facts: AgentFacts, now: datetime) -> AgentState | None:
    session, last = facts.session, facts.last_line_at
    if facts.ended_at is not None and facts.ended_at <= now:
        return AgentState(ENDED, facts.ended_at, LEFT)
    if facts.left_at is not None and not _has_come_back(session, facts.left_at):
        return AgentState(ENDED, facts.left_at, LEFT)
    # A resumed session may be run by a process that writes no file: lines prove that it lives.
    if session is not None and session.gone_at is not None and last <= session.gone_at:
        return AgentState(ENDED, last, PROCESS_GONE)
    return None


def _has_come_back(session: Session | None, left_at: datetime) -> bool:
    return session is not None and session.gone_at is None and session.since > left_at


def _of_session(facts: AgentFacts) -> AgentState | None:
    session = facts.session
    if session is None or session.gone_at is not None:
        return None
    asked = _asked(facts)
    if session.status == ASKS:
        return asked or _permission(facts, session)
    if session.status == BUSY:
        # The file may be older than the line of a question by a moment.
        return asked or AgentState(WORKING, _busy_since(facts, session), facts.trigger)
    over_at = facts.run_ended_at or max(session.since, facts.working_since or session.since)
    if session.status == SHELL:
        return AgentState(BACKGROUND, over_at, IN_BACKGROUND)
    if session.status == FREE:
        return _over(facts, over_at)
    return AgentState(UNKNOWN_STATE, session.since, UNKNOWN_STATUS)


def _busy_since(facts: AgentFacts, session: Session) -> datetime:
    began = facts.working_since or session.since
    is_over = facts.run_ended_at is not None and session.since >= facts.run_ended_at
    answered = any(call.may_ask and call.at < session.since for call in facts.open_calls)
    return max(began, session.since) if is_over or answered else began


def _permission(facts: AgentFacts, session: Session) -> AgentState:
    """Wait of a session whose file says that it asks, and whose calls are no questions."""
    candidates = [call for call in facts.open_calls if call.may_ask]
    if not candidates:
        return AgentState(WAITING, session.since, PERMISSION)
    # Of calls side by side, the first one asks first.
    call = min(candidates)
    return AgentState(WAITING, max(call.at, session.since), PERMISSION, call.tool)


def _of_task(facts: AgentFacts, now: datetime) -> AgentState | None:
    if not facts.task_state:
        return None
    state = facts.task_state.lower()
    started = facts.working_since or facts.last_line_at
    if state in _TASK_WORKS:
        # A host knows of work without turns.
        if now - facts.last_line_at >= SILENCE_AFTER_MEASURED:
            return AgentState(STALLED, facts.last_line_at, SILENCE)
        return AgentState(WORKING, started, facts.trigger)
    over_at = facts.run_ended_at or facts.last_line_at
    if state == _TASK_ASKS:
        return AgentState(WAITING, over_at, QUESTION if facts.asks else TURN_DONE)
    if state in _TASK_RESTS:
        return AgentState(IDLE, over_at, NOTHING)
    return AgentState(UNKNOWN_STATE, over_at, UNKNOWN_STATUS)


def _of_run(facts: AgentFacts, now: datetime) -> AgentState:
    if facts.run_started_at is None:
        return AgentState(IDLE, facts.last_line_at, NOTHING)
    works = AgentState(WORKING, facts.working_since or facts.run_started_at, facts.trigger)
    if facts.run_ended_at is not None:
        is_settled = not facts.may_go_on or now - facts.run_ended_at >= SETTLES_AFTER
        return _over(facts, facts.run_ended_at) if is_settled else works
    if facts.limited_at is not None:
        return AgentState(LIMITED, facts.limited_at, USAGE_LIMIT)
    is_silent = now - facts.last_line_at > SILENCE_AFTER
    stalled = AgentState(STALLED, facts.last_line_at, SILENCE) if is_silent else None
    return _asked(facts) or _asked_by_time(facts, now) or stalled or works


def _over(facts: AgentFacts, over_at: datetime) -> AgentState:
    """State of an agent whose run is over."""
    if facts.limited_at is not None:
        return AgentState(LIMITED, facts.limited_at, USAGE_LIMIT)
    if facts.has_background:
        return AgentState(BACKGROUND, over_at, IN_BACKGROUND)
    if facts.asks:
        return AgentState(WAITING, over_at, QUESTION)
    return AgentState(WAITING, over_at, INTERRUPTED if facts.is_interrupted else TURN_DONE)


def _asked(facts: AgentFacts) -> AgentState | None:
    """Wait for the answer to the first open question or plan of an open run."""
    if facts.run_ended_at is not None:
        return None
    asking = [call for call in facts.open_calls if call.source in (QUESTION, PLAN)]
    return AgentState(WAITING, min(asking).at, min(asking).source) if asking else None


def _asked_by_time(facts: AgentFacts, now: datetime) -> AgentState | None:
    """Wait for a permission, if a call has been open for longer than without asking."""
    is_silent = now - facts.last_line_at > SILENCE_AFTER
    asking = [
        call
        for call in facts.open_calls
        if call.may_ask
        and (
            (call.tool in EDITS and now - call.at > EDIT_ASKS_AFTER)
            or (call.tool not in UNDECIDABLE and is_silent)
        )
    ]
    if not asking:
        return None
    return AgentState(WAITING, min(asking).at, PERMISSION, min(asking).tool)
