"""Parse one line of a Claude Code transcript.

Pure: a decoded JSON object in, a :class:`ParsedLine` out. Only the beginning of prompts
and replies is examined, to distinguish people from programs; none of their text leaves
this room.

A person's prompt is a USER turn; an assistant message with visible text is an AGENT
turn. Text that programs write in the role of the user (tool results, hooks, command
output, notifications, summaries of a compaction) is not a turn, and neither is any line
of a sub-agent ("sidechain").
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from aggregator.transcripts.prompts import (
    INTERRUPTION,
    NOTIFICATION,
    Labels,
    author_of,
    blocks_of,
    first_text,
    labels_of,
    machine_of,
    text_of,
)

Actor = Literal["USER", "AGENT"]
State = Literal["processing", "awaiting_input"]
Line = dict[str, Any]


class FoundTurn(NamedTuple):
    """One turn.

    Attributes:
        key: Identity of the message across all transcripts.
        actor: Author of the message.
        at: Instant, in UTC.
        session_id: Session of the agent.
        is_copy: Whether the line says that it was copied from another session.
    """

    key: str
    actor: Actor
    at: datetime
    session_id: str
    is_copy: bool = False

    @property
    def rank(self) -> tuple[bool, datetime, str]:
        """Order among the turns of one key, of which the smallest is the original."""
        return self.is_copy, self.at, self.session_id


class ReplyLine(NamedTuple):
    """A line of a reply whose message id may be shared by several replies.

    Some proxies give every reply the same id. Such replies are told apart by their
    requests, or else by the lines that they answer.

    Attributes:
        message_id: Id of the message.
        line_id: Identity of the line.
        parent: The line before it in its conversation; None if not known.
    """

    message_id: str
    line_id: str
    parent: str | None


class ParsedLine(NamedTuple):
    """Content of one line: facts about its session, and perhaps a turn.

    Attributes:
        session_id: The session, which is the agent.
        cwd: Its working folder, if the line has one.
        at: Instant, in UTC; None if the line has nothing but ``cwd``.
        state: State of the session after this line; None if unchanged.
        turn: The turn, if the line is one.
        reply: The line of a reply without a request, whose lines have to be told apart
            by the lines before.
        machine: What wrote the line, such as ``task-notification``, if a program did so to
            let the agent work.
        skipped: Reason why the turn of the line could not be used, if so.
    """

    session_id: str
    cwd: str | None
    at: datetime | None = None
    state: State | None = None
    turn: FoundTurn | None = None
    reply: ReplyLine | None = None
    machine: str | None = None
    skipped: str | None = None


class SkippedLine(NamedTuple):
    """A line that could not be used. ``kind`` is the reason under which it is counted."""

    kind: str


UNKNOWN_TYPE = SkippedLine("unknown type")
NO_SESSION = SkippedLine("no session")
BAD_TIMESTAMP = SkippedLine("bad timestamp")
NO_ID = "no id"

TYPES_WITHOUT_TURNS = frozenset(
    {
        "ai-title",
        "atis-latch",
        "attachment",  # except queued prompts
        "bridge-session",
        "custom-title",
        "file-history-delta",
        "file-history-snapshot",
        "frame-link",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "summary",
        "system",
    }
)

ENDS_OF_RUNS = ("turn_duration", "stop_hook_summary")
"""Subtypes of ``system`` lines that are written when the agent has finished."""
ASKING_TOOLS = frozenset({"AskUserQuestion", "ExitPlanMode"})
"""Tools that wait for an answer of the person."""

FIRST_YEAR, LAST_YEAR = 1971, 2200
LONGEST_ID = 200
LONGEST_PATH = 2_000  # bytes; PostgreSQL indexes no text beyond about 2,700


def parse_line(line: Line) -> ParsedLine | SkippedLine | None:
    """Parse a line; return None if it has nothing of interest, which is common.

    Never raises, whatever the line contains.
    """
    kind = line.get("type")
    if not isinstance(kind, str) or (kind not in _PARSERS and kind not in TYPES_WITHOUT_TURNS):
        return UNKNOWN_TYPE
    if line.get("isSidechain"):
        return None
    return _PARSERS.get(kind, _undated)(line)


def parse_timestamp(raw: object) -> datetime | None:
    """Parse an ISO 8601 time with a zone, as UTC; return None for anything else.

    Impossible years are refused too: adding hours to them could overflow.
    """
    if not isinstance(raw, str):
        return None
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        return None
    # Without a zone the instant is unknown.
    if at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        return None
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _user_line(line: Line) -> ParsedLine | SkippedLine:
    message = line.get("message")
    if not isinstance(message, dict):
        return _dated(line)
    content = message.get("content")
    blocks = blocks_of(content)
    if any(block.get("type") == "tool_result" for block in blocks):
        return _dated(line, "processing")
    if first_text(blocks)[0].startswith(INTERRUPTION):
        return _dated(line, "awaiting_input")
    return _prompt(line, content, labels_of(line))


def _attachment(line: Line) -> ParsedLine | SkippedLine | None:
    """Parse an attachment: a prompt that was queued while the agent was working, or context."""
    attachment = line.get("attachment")
    if not isinstance(attachment, dict) or attachment.get("type") != "queued_command":
        return _undated(line)
    content, labels = attachment.get("prompt"), labels_of(attachment)
    if attachment.get("commandMode") == NOTIFICATION:
        found = _dated(line)
        if isinstance(found, SkippedLine):
            return _undated(line)
        return found._replace(machine=NOTIFICATION)
    is_prompt = attachment.get("commandMode") in (None, "prompt")
    if not is_prompt or author_of(content, labels) == "nobody":
        return _undated(line)
    return _prompt(line, content, labels)


def _system_line(line: Line) -> ParsedLine | SkippedLine | None:
    if line.get("subtype") in ENDS_OF_RUNS and session_of(line):
        return _dated(line, "awaiting_input")
    return _undated(line)


def _prompt(line: Line, content: object, labels: Labels) -> ParsedLine | SkippedLine:
    """Parse a line in the role of the user: a turn if it is a person's."""
    author = author_of(content, labels)
    found = _dated(line, None if author == "nobody" else "processing")
    if isinstance(found, SkippedLine) or author == "nobody":
        return found
    if author == "machine":
        return found._replace(machine=machine_of(content, labels))
    return _with_turn(found, "USER", *identity_of(line))


def _assistant_line(line: Line) -> ParsedLine | SkippedLine:
    message = line.get("message")
    if not isinstance(message, dict):
        return _dated(line)
    state, has_text = _assistant_message(message)
    found = _dated(line, state)
    if isinstance(found, SkippedLine):
        return found
    key, is_copy = identity_of(line)
    message_id = storable(message.get("id"), LONGEST_ID)
    request_id = storable(line.get("requestId"), LONGEST_ID)
    if message_id and request_id:
        key = f"{message_id}/{request_id}"
    elif message_id and key:
        parent = storable(line.get("parentUuid"), LONGEST_ID)
        found = found._replace(reply=ReplyLine(message_id, key, parent))
    if not has_text or message.get("model") == "<synthetic>":
        return found
    return _with_turn(found, "AGENT", key, is_copy)


def _with_turn(line: ParsedLine, actor: Actor, key: str | None, is_copy: bool) -> ParsedLine:
    if key is None or line.at is None:
        return line._replace(skipped=NO_ID)
    return line._replace(turn=FoundTurn(key, actor, line.at, line.session_id, is_copy))


def identity_of(line: Line) -> tuple[str | None, bool]:
    """Return the identity of a line, and whether it was copied from another session."""
    source = line.get("forkedFrom")
    original = source.get("messageUuid") if isinstance(source, dict) else None
    if copied := storable(original, LONGEST_ID):
        return copied, True
    return storable(line.get("uuid"), LONGEST_ID), False


def session_of(line: Line) -> str | None:
    """Return the session of a line, if it names one."""
    return storable(line.get("sessionId"), LONGEST_ID)


def _dated(line: Line, state: State | None = None) -> ParsedLine | SkippedLine:
    session_id = session_of(line)
    if session_id is None:
        return NO_SESSION
    at = parse_timestamp(line.get("timestamp"))
    if at is None:
        return BAD_TIMESTAMP
    return ParsedLine(session_id, storable(line.get("cwd"), LONGEST_PATH), at, state)


def _undated(line: Line) -> ParsedLine | None:
    """Working folder of a session, the only fact that lines of other types have."""
    cwd = storable(line.get("cwd"), LONGEST_PATH)
    session_id = session_of(line)
    return ParsedLine(session_id, cwd) if cwd and session_id else None


def storable(value: object, longest: int) -> str | None:
    """Return a text of at most ``longest`` bytes if PostgreSQL can store it, else None."""
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    try:
        return value if len(value.encode()) <= longest else None
    except UnicodeEncodeError:  # half of a surrogate pair
        return None


def _assistant_message(message: Line) -> tuple[State | None, bool]:
    """Return the state after an assistant line, and whether it has visible text."""
    blocks = blocks_of(message.get("content"))
    has_text = any(block.get("type") == "text" and text_of(block) for block in blocks)
    if not blocks:
        return None, False
    calls = [block.get("name") for block in blocks if block.get("type") == "tool_use"]
    if any(isinstance(name, str) and name in ASKING_TOOLS for name in calls):
        return "awaiting_input", has_text
    waits = has_text and not calls and message.get("stop_reason") != "tool_use"
    return ("awaiting_input" if waits else "processing"), has_text


_PARSERS: dict[str, Callable[[Line], ParsedLine | SkippedLine | None]] = {
    "user": _user_line,
    "assistant": _assistant_line,
    "attachment": _attachment,
    "system": _system_line,
}
