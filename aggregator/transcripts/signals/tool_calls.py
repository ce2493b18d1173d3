"""Calls of tools: those that a line begins or ends, and whether a person rejected one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aggregator.transcripts.parser import LONGEST_ID, Line, storable
from aggregator.transcripts.prompts import Block, blocks_of, text_of
from aggregator.transcripts.signals.signal import Signal, instant_of

SHORTEST_ASK = timedelta(seconds=1)
"""A person needs longer than this to answer."""
NEVER_ASKS = "bypassPermissions"
SUB_AGENTS = frozenset({"Agent", "Task"})
"""Tools that start a sub-agent; they last as long as its work."""
SOURCES = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}
REJECTIONS = (
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
)


class Call(NamedTuple):
    """A call without a result yet.

    Attributes:
        call_id: Its id.
        tool: Name of the tool.
        mode: Permission mode of the session.
        at: Instant of its line, in UTC.
        is_copy: Whether that line was copied from another session.
        is_background: Whether it shall run in the background.
    """

    call_id: str
    tool: str
    mode: str | None
    at: datetime
    is_copy: bool
    is_background: bool

    def to_json(self) -> list[Any]:
        """Convert to a list of JSON values."""
        return [*self[:3], self.at.isoformat(), *self[4:]]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Call:
        """Restore a call from :meth:`to_json`."""
        return cls(*values)._replace(at=instant_of(values[3]))

    def open_signal(self, session_id: str) -> Signal:
        """Signal of the call while it has no result: one for each session."""
        key = f"{session_id}/{self.call_id}:open"
        return self._signal(key, session_id, SOURCES.get(self.tool, "call"))

    def signal(self, session_id: str, until: datetime, *, rejected: bool) -> Signal | None:
        """Signal of the call at its result; None if it cannot have asked a person."""
        source = SOURCES.get(self.tool, "rejected" if rejected else "call")
        until = max(self.at, until)
        cannot_ask = (
            self.mode == NEVER_ASKS or self.tool in SUB_AGENTS or until - self.at < SHORTEST_ASK
        )
        if source == "call" and cannot_ask:
            return None
        return self._signal(f"{self.call_id}:call", session_id, source)._replace(until=until)

    def _signal(self, key: str, session_id: str, source: str) -> Signal:
        return Signal(
            key, "call", session_id, self.at,
            source=source, tool=self.tool, mode=self.mode, is_copy=self.is_copy,
        )  # fmt: skip


def calls_of(line: Line, mode: str | None, at: datetime, *, is_copy: bool) -> Iterator[Call]:
    """Find the calls in an assistant line."""
    for block in _blocks(line, "tool_use"):
        call_id = storable(block.get("id"), LONGEST_ID)
        tool = storable(block.get("name"), LONGEST_ID)
        if call_id and tool:
            given = block.get("input")
            background = isinstance(given, dict) and given.get("run_in_background") is True
            yield Call(call_id, tool, mode, at, is_copy, background)


def results_of(line: Line) -> Iterator[tuple[str, bool, bool]]:
    """Find the results in a user line: id of the call, whether rejected, whether failed."""
    for block in _blocks(line, "tool_result"):
        call_id = block.get("tool_use_id")
        if isinstance(call_id, str):
            yield call_id, _is_rejected(block), block.get("is_error") is True


def _is_rejected(block: Block) -> bool:
    # Only the beginning counts: a result may quote such a text.
    content = block.get("content")
    if isinstance(content, str):
        return content.startswith(REJECTIONS)
    return any(text_of(part).startswith(REJECTIONS) for part in blocks_of(content)[:1])


def _blocks(line: Line, kind: str) -> Iterator[Block]:
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        for block in content:
            if isinstance(block, dict) and block.get("type") == kind:
                yield block
