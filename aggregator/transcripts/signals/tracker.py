"""Tell the signals of one session from its lines, in the order of their file.

Pure: lines in, :class:`aggregator.transcripts.signals.signal.Signal` out. What later lines need
is kept from one reading to the next, so that it does not matter how the growth of a file
is divided into readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aggregator.transcripts.parser import (
    Line,
    ParsedLine,
    State,
    parse_timestamp,
    storable,
)
from aggregator.transcripts.prompts import NOTIFICATION, SCHEDULED
from aggregator.transcripts.signals.background import (
    ended_by_notification,
    ended_by_result,
    launched_by,
)
from aggregator.transcripts.signals.seen import Seen, is_exit, origin_of
from aggregator.transcripts.signals.signal import REPLY, SILENCE_AFTER, Kind, Signal
from aggregator.transcripts.signals.spans import Span, Spans
from aggregator.transcripts.signals.tool_calls import Call, calls_of, results_of

OPEN, STOPPED, ENDED = "open", "stopped", "ended"
"""State of the last run: it goes on; a stop hook ran, after which it may go on; it is over."""

NOTIFICATIONS = frozenset({NOTIFICATION, "agent-notification"})
LONGEST_MODE = 40


@dataclass(slots=True)
class Tracker:
    """State of one session after the lines of one file, and its signals that are not saved yet.

    Attributes:
        session_id: The session.
        mode: Its permission mode.
        run: State of its last run; None before the first.
        state: State after its last prompt, reply, call or result.
        last: Latest instant of its own lines, in UTC.
        spans: Spans of lines and of work.
        calls: Calls without a result, by id.
        launched: Work in the background that has not reported back, by id.
        limit: The usage limit that has stopped it, if so.
        origins: What its lines have told of who started it.
        unfinished: Its last line if that is a reply which may go on with a call: early
            versions do not say when a message ends.
        found: Signals that are not saved yet.
    """

    session_id: str
    mode: str | None = None
    run: str | None = None
    state: State | None = None
    last: datetime | None = None
    spans: Spans = field(default_factory=Spans)
    calls: dict[str, Call] = field(default_factory=dict)
    launched: dict[str, Signal] = field(default_factory=dict)
    limit: Signal | None = None
    origins: list[str] = field(default_factory=list)
    unfinished: Signal | None = None
    found: list[Signal] = field(default_factory=list)

    def add_sub_agent(self, line: Line, agent: str) -> None:
        """Take a line of a sub-agent of the session."""
        at = parse_timestamp(line.get("timestamp"))
        if at is None or self.spans.grow(agent, at, agent):
            return
        seen = Seen(line, at, self.session_id)
        self._begin(agent, "subagent", seen, f"{agent}/{seen.key}", agent)

    def add(self, line: Line, parsed: ParsedLine | None) -> None:
        """Take a line of the session's own, with what the parser makes of it, if anything."""
        if "permissionMode" in line:
            self.mode = storable(line["permissionMode"], LONGEST_MODE) or self.mode
        at = (parsed and parsed.at) or parse_timestamp(line.get("timestamp"))
        if at is None:
            return
        seen = Seen(line, at, self.session_id)
        if parsed is not None and parsed.at is not None:
            if origin := origin_of(line):
                self._tell_origin(seen, origin)
            self._add_parsed(seen, parsed)
        if seen.is_copy:
            return
        if self.last is None or at > self.last:
            self.last = at
        if not self.spans.grow("lines", at):
            self._begin("lines", "lines", seen, seen.key)

    def take(self) -> list[Signal]:
        """Return the signals found since the last call, among them spans that have grown."""
        found, self.found = self.found, []
        return [*found, *self.spans.take()]

    def open_signals(self) -> list[Signal]:
        """Return the calls that have no result yet, and a message that may go on."""
        calls = [call.open_signal(self.session_id) for call in self.calls.values()]
        return [*calls, self.unfinished] if self.unfinished else calls

    def _add_parsed(self, seen: Seen, parsed: ParsedLine) -> None:
        kind = seen.line["type"]
        self.unfinished = None
        if kind == "assistant":
            self._assistant(seen, parsed)
        elif parsed.turn is not None or parsed.machine is not None:
            self._prompt(seen, parsed)
        elif kind == "user" and parsed.state == "awaiting_input":
            self._end(seen, "interruption", ENDED)
            self.state = "awaiting_input"
        elif kind == "user" and parsed.state == "processing" and parsed.skipped is None:
            self._results(seen)
        elif kind == "user" and is_exit(seen.line):
            self._end(seen, "exit", ENDED)
        elif kind == "system" and parsed.state is not None:
            self._system(seen)

    def _prompt(self, seen: Seen, parsed: ParsedLine) -> None:
        """A prompt of a person or a program: it begins a run, or steers the one that is open."""
        self._resume(seen.at)
        self.spans.close("lines", "work")
        if parsed.machine in NOTIFICATIONS:
            self._report(ended_by_notification(seen.line), seen.at)
        if self._is_steering(seen):
            self._tell(seen, "steering", source=parsed.machine)
        elif parsed.machine is not None:
            self._tell(seen, "trigger", source=parsed.machine)
        if self.run is None and parsed.machine == SCHEDULED:
            self._tell_origin(seen, "scheduled")
        self.run, self.state = OPEN, "processing"

    def _is_steering(self, seen: Seen) -> bool:
        if self.run != OPEN:
            return False
        is_queued = seen.line["type"] == "attachment"
        is_silent = self.last is None or seen.at - self.last > SILENCE_AFTER
        return is_queued or (self.state == "processing" and not is_silent)

    def _assistant(self, seen: Seen, parsed: ParsedLine) -> None:
        if parsed.state is None:
            return
        is_limit = seen.line.get("error") == "rate_limit"
        is_notice = seen.line["message"].get("model") == "<synthetic>"
        if is_notice and self.run != OPEN:
            # A notice of the program itself is no work of the agent.
            if is_limit:
                self._stop_at_limit(seen)
            return
        if self.run in (None, ENDED):
            self.spans.close("lines", "work")
            self._tell(seen, "trigger", source="unknown")
        self.run = OPEN
        calls = list(calls_of(seen.line, self.mode, seen.at, is_copy=seen.is_copy))
        self.calls.update((call.call_id, call) for call in calls)
        self.state = parsed.state
        is_reply = parsed.state == "awaiting_input" and not calls
        self._work(seen, REPLY if is_reply else None)
        if is_reply and seen.line["message"].get("stop_reason") is None:
            key = f"{self.session_id}/{seen.key}:open"
            self.unfinished = Signal(key, "message", self.session_id, seen.at)
        if is_limit:
            self._stop_at_limit(seen)
        else:
            self._resume(seen.at)

    def _results(self, seen: Seen) -> None:
        self._resume(seen.at)
        self._work(seen, None)
        self.state = "processing"
        self.run = OPEN if self.run == STOPPED else self.run
        for call_id, is_rejected, has_failed in results_of(seen.line):
            call = self.calls.pop(call_id, None)
            if call is None:
                continue
            if signal := call.signal(self.session_id, seen.at, rejected=is_rejected):
                self.found.append(signal)
            launched = None if has_failed else launched_by(call, seen.line)
            if launched is not None:
                self._launch(seen, *launched)
            self._report(ended_by_result(call, seen.line), seen.at)

    def _system(self, seen: Seen) -> None:
        if seen.line.get("subtype") == "stop_hook_summary":
            self._end(seen, "stop", STOPPED if self.run == OPEN else self.run)
            return
        milliseconds = seen.line.get("durationMs")
        # A negative one is an error of its writer; a greater one than a year, too.
        if type(milliseconds) is int and 0 <= milliseconds <= 366 * 86_400_000:
            self._end(seen, "duration", ENDED, milliseconds=milliseconds)

    def _end(
        self, seen: Seen, kind: Kind, run: str | None, milliseconds: int | None = None
    ) -> None:
        self._tell(seen, kind, milliseconds=milliseconds)
        self.run = run

    def _work(self, seen: Seen, source: str | None) -> None:
        if not (seen.is_copy or self.spans.grow("work", seen.at, source)):
            self._begin("work", "work", seen, seen.key, source)

    def _begin(
        self, name: str, kind: Kind, seen: Seen, key: str, source: str | None = None
    ) -> None:
        own = f"{self.session_id}/{key}:{kind}"
        self.spans.begin(name, Span(own, kind, self.session_id, seen.at, seen.at, source))

    def _stop_at_limit(self, seen: Seen) -> None:
        self._resume(seen.at)
        self.limit = self._tell(seen, "limit")

    def _resume(self, at: datetime) -> None:
        """End a limit: the session goes on."""
        if self.limit is not None:
            self.found.append(self.limit._replace(until=max(at, self.limit.at)))
            self.limit = None

    def _launch(self, seen: Seen, launched_id: str, sort: str) -> None:
        launch = self._tell(seen, "background", source=sort, key=launched_id)
        self.launched[launched_id] = launch

    def _report(self, ids: Iterable[str], at: datetime) -> None:
        for launched_id in ids:
            launch = self.launched.pop(launched_id, None)
            if launch is not None:
                self.found.append(launch._replace(until=max(at, launch.at)))

    def _tell_origin(self, seen: Seen, origin: str) -> None:
        """Note who started the session, once."""
        if origin not in self.origins and not seen.is_copy:
            self.origins.append(origin)
            self._tell(seen, "origin", source=origin, key=f"{self.session_id}/{origin}")

    def _tell(
        self,
        seen: Seen,
        kind: Kind,
        *,
        source: str | None = None,
        milliseconds: int | None = None,
        key: str | None = None,
    ) -> Signal:
        signal = Signal(
            f"{key or seen.key}:{kind}", kind, self.session_id, seen.at,
            source=source, milliseconds=milliseconds, is_copy=seen.is_copy,
        )  # fmt: skip
        self.found.append(signal)
        return signal

    def to_json(self) -> list[Any]:
        """Convert to a list of JSON values, apart from what :meth:`take` returns."""
        calls = [call.to_json() for call in self.calls.values()]
        launched = {key: launch.to_json() for key, launch in self.launched.items()}
        limit = self.limit and self.limit.to_json()
        last = self.last and self.last.isoformat()
        known = [self.mode, self.run, self.state, last, self.spans.to_json()]
        unfinished = self.unfinished and self.unfinished.to_json()
        return [*known, calls, launched, limit, self.origins, unfinished]

    @classmethod
    def from_json(cls, session_id: str, values: Sequence[Any]) -> Tracker:
        """Restore a tracker from :meth:`to_json`."""
        # Format 3 had no messages.
        *values, unfinished = [*values, None][:10]
        mode, run, state, last, spans, calls, launched, limit, origins = values
        restored = cls(session_id, mode, run, state, parse_timestamp(last))
        restored.spans = Spans.from_json(spans)
        restored.calls = {call[0]: Call.from_json(call) for call in calls}
        restored.launched = {key: Signal.from_json(launch) for key, launch in launched.items()}
        restored.limit = Signal.from_json(limit) if limit else None
        restored.origins = origins
        restored.unfinished = Signal.from_json(unfinished) if unfinished else None
        return restored
