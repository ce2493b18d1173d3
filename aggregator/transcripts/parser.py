"""Parse one line of a Claude Code transcript.

Pure: a decoded JSON object in, a :class:`ParsedLine` out. Only the beginning of prompts
and replies is examined, to distinguish people from programs; none of their text leaves
this module.

A person's prompt is a USER turn; an assistant message with visible text is an AGENT
turn. Text that programs write in the role of the user (tool results, hooks, command
output, notifications, summaries of a compaction) is not a turn, and neither is any line
of a sub-agent ("sidechain").
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

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
    """

    key: str
    actor: Actor
    at: datetime
    session_id: str


class ParsedLine(NamedTuple):
    """Content of one line: facts about its session, and perhaps a turn.

    Attributes:
        session_id: The session, which is the agent.
        cwd: Its working folder, if the line has one.
        at: Instant, in UTC; None if the line has nothing but ``cwd``.
        state: State of the session after this line; None if unchanged.
        turn: The turn, if the line is one.
    """

    session_id: str
    cwd: str | None
    at: datetime | None = None
    state: State | None = None
    turn: FoundTurn | None = None


class SkippedLine(NamedTuple):
    """A line that could not be used. ``kind`` is the reason under which it is counted."""

    kind: str


UNKNOWN_TYPE = SkippedLine("unknown type")
NO_SESSION = SkippedLine("no session")
BAD_TIMESTAMP = SkippedLine("bad timestamp")
NO_ID = SkippedLine("no id")

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

_INTERRUPT = "[Request interrupted by user"
_CUSTOM_COMMAND = "<command-message>"
_CONTEXT = ("<ide_opened_file", "<ide_selection", "<ide_diagnostics", "<system-reminder")
# Tags may carry attributes: <teammate-message teammate_id="…">.
_MACHINE = re.compile(
    r"\[Request interrupted by user"
    r"|Caveat: The messages below"
    r"|This session is being continued from a previous"
    r"|<local-command-|<scheduled-task"
    r"|<(?:command-name|command-args|bash-input|bash-stdout|bash-stderr|task-notification"
    r"|agent-notification|system-reminder|user-prompt-submit-hook|teammate-message"
    r"|ci-monitor-event|session-start-hook)[\s>]"
)

FIRST_YEAR, LAST_YEAR = 1971, 2200
LONGEST_ID = 200
LONGEST_PATH = 2_000  # bytes; PostgreSQL indexes no text beyond about 2,700


def parse_line(line: Line) -> ParsedLine | SkippedLine | None:
    """Parse a line; return None if it has nothing of interest, which is common.

    Never raises, whatever the line contains.
    """
    kind = line.get("type")
    if kind in ("user", "assistant"):
        return None if line.get("isSidechain") else _message(line, kind)
    if not isinstance(kind, str) or kind not in TYPES_WITHOUT_TURNS:
        return UNKNOWN_TYPE
    if line.get("isSidechain"):
        return None
    if kind == "attachment" and _is_queued_prompt(line.get("attachment")):
        return _dated(line, "processing", "USER", line.get("uuid"))
    return _undated(line)


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


def _message(line: Line, kind: str) -> ParsedLine | SkippedLine:
    message = line.get("message")
    if not isinstance(message, dict):
        return _dated(line)
    content = message.get("content")
    if kind == "user":
        state, is_turn = _user_message(line, content)
        return _dated(line, state, "USER" if is_turn else None, line.get("uuid"))
    state, has_text = _assistant_message(message, content)
    is_turn = has_text and message.get("model") != "<synthetic>"
    return _dated(line, state, "AGENT" if is_turn else None, message.get("id"))


def _dated(
    line: Line, state: State | None = None, actor: Actor | None = None, key: object = None
) -> ParsedLine | SkippedLine:
    session_id = _storable(line.get("sessionId"), LONGEST_ID)
    if session_id is None:
        return NO_SESSION
    at = parse_timestamp(line.get("timestamp"))
    if at is None:
        return BAD_TIMESTAMP
    cwd = _storable(line.get("cwd"), LONGEST_PATH)
    if actor is None:
        return ParsedLine(session_id, cwd, at, state)
    identity = _storable(key, LONGEST_ID)
    if identity is None:
        return NO_ID
    return ParsedLine(session_id, cwd, at, state, FoundTurn(identity, actor, at, session_id))


def _undated(line: Line) -> ParsedLine | None:
    """Working folder of a session, the only fact that lines of other types have."""
    cwd = _storable(line.get("cwd"), LONGEST_PATH)
    session_id = _storable(line.get("sessionId"), LONGEST_ID)
    return ParsedLine(session_id, cwd) if cwd and session_id else None


def _storable(value: object, longest: int) -> str | None:
    """Return a text if PostgreSQL can store and index it, else None."""
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    try:
        return value if len(value.encode()) <= longest else None
    except UnicodeEncodeError:  # half of a surrogate pair
        return None


def _user_message(line: Line, content: object) -> tuple[State | None, bool]:
    """Return the state after a user line, and whether the line is a turn."""
    blocks = _blocks(content)
    if any(block.get("type") == "tool_result" for block in blocks):
        return "processing", False
    text, has_picture = _first_text(blocks)
    if text.startswith(_INTERRUPT):
        return "awaiting_input", False
    if line.get("isCompactSummary") or line.get("isMeta") or line.get("sourceToolUseID"):
        return None, False
    # The origin of custom commands is unreliable; their tag is not.
    if not text.startswith(_CUSTOM_COMMAND) and _origin(line) not in (None, "human"):
        return None, False
    return ("processing", True) if _is_from_person(text, has_picture) else (None, False)


def _origin(line: Line) -> object:
    origin = line.get("origin")
    return origin.get("kind") if isinstance(origin, dict) else None


def _is_queued_prompt(attachment: object) -> bool:
    """Return whether an attachment is a prompt typed while the agent was working."""
    if not isinstance(attachment, dict) or attachment.get("type") != "queued_command":
        return False
    if attachment.get("commandMode") not in (None, "prompt"):
        return False
    return _is_from_person(*_first_text(_blocks(attachment.get("prompt"))))


def _is_from_person(text: str, has_picture: bool) -> bool:
    return not _MACHINE.match(text) if text else has_picture


def _blocks(content: object) -> list[Line]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def _first_text(blocks: list[Line]) -> tuple[str, bool]:
    """Return the first text after an editor's context, and whether there is a picture."""
    text, has_picture = "", False
    for block in blocks:
        kind = block.get("type")
        if kind in ("image", "document"):
            has_picture = True
        elif kind == "text" and not text:
            text = _text(block)
            if not has_picture and text.startswith(_CONTEXT):
                text = ""
    return text, has_picture


def _text(block: Line) -> str:
    text = block.get("text")
    return text.strip() if isinstance(text, str) else ""


def _assistant_message(message: Line, content: object) -> tuple[State | None, bool]:
    """Return the state after an assistant line, and whether it has visible text."""
    blocks = _blocks(content) if isinstance(content, list) else []
    has_text = any(block.get("type") == "text" and _text(block) for block in blocks)
    if not blocks:
        return None, False
    calls_tool = any(block.get("type") == "tool_use" for block in blocks)
    waits = has_text and not calls_tool and message.get("stop_reason") != "tool_use"
    return ("awaiting_input" if waits else "processing"), has_text
