"""What one line of a Claude Code transcript means.

Pure: a decoded JSON object in, a :class:`ParsedLine` out. Of the text of prompts and
replies only the beginning is looked at, to tell persons from machines; nothing of
it leaves this module.

A person's prompt is a USER turn, an assistant message with visible text an AGENT
turn. Everything that programs write into the role of the user (tool results,
hooks, command output, notifications, summaries of a compaction) is none, nor is
any line of a sub-agent ("sidechain").
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
        key: Its identity in all transcripts.
        actor: Whose it is.
        at: The instant, in UTC.
        session_id: The agent's session.
    """

    key: str
    actor: Actor
    at: datetime
    session_id: str


class ParsedLine(NamedTuple):
    """What one line says about its session.

    Attributes:
        session_id: The session, which is the agent.
        cwd: Its working folder, if the line names one.
        at: The instant, in UTC; None where the line says nothing but ``cwd``.
        state: What the session does after this line; None: as before.
        turn: The turn that the line is, if it is one.
    """

    session_id: str
    cwd: str | None
    at: datetime | None = None
    state: State | None = None
    turn: FoundTurn | None = None


class SkippedLine(NamedTuple):
    """A line that should have had a meaning. ``kind`` is what it is counted as."""

    kind: str


UNKNOWN_TYPE = SkippedLine("unknown type")
NO_SESSION = SkippedLine("no session")
BAD_TIMESTAMP = SkippedLine("bad timestamp")
NO_ID = SkippedLine("no id")

TYPES_WITHOUT_TURNS = frozenset(
    {
        "ai-title",
        "atis-latch",
        "attachment",  # but for queued prompts
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


def interpret(line: Line) -> ParsedLine | SkippedLine | None:
    """Tell what a line means; None if nothing, which is usual.

    Never raises, whatever shape the line has.
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
    return _context(line)


def parse_timestamp(raw: object) -> datetime | None:
    """Read an ISO 8601 time with a zone, as UTC; None if it is anything else.

    Years that no transcript can be from are no times either: hours are added to them.
    """
    if not isinstance(raw, str):
        return None
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        return None
    # Without a zone an instant is a guess.
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


def _context(line: Line) -> ParsedLine | None:
    """All that a line of another type can tell: where its session runs."""
    cwd = _storable(line.get("cwd"), LONGEST_PATH)
    session_id = _storable(line.get("sessionId"), LONGEST_ID)
    return ParsedLine(session_id, cwd) if cwd and session_id else None


def _storable(value: object, longest: int) -> str | None:
    """A text that PostgreSQL can hold and index, or None."""
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    try:
        return value if len(value.encode()) <= longest else None
    except UnicodeEncodeError:  # half of a surrogate pair
        return None


def _user_message(line: Line, content: object) -> tuple[State | None, bool]:
    """The state after a user line, and whether it is a turn."""
    blocks = _blocks(content)
    if any(block.get("type") == "tool_result" for block in blocks):
        return "processing", False
    text, has_picture = _words(blocks)
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
    """Whether an attachment is a prompt typed while the agent was working."""
    if not isinstance(attachment, dict) or attachment.get("type") != "queued_command":
        return False
    if attachment.get("commandMode") not in (None, "prompt"):
        return False
    return _is_from_person(*_words(_blocks(attachment.get("prompt"))))


def _is_from_person(text: str, has_picture: bool) -> bool:
    return not _MACHINE.match(text) if text else has_picture


def _blocks(content: object) -> list[Line]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def _words(blocks: list[Line]) -> tuple[str, bool]:
    """The first text after the context an editor put in front, and if there is a picture."""
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
    """The state after an assistant line, and whether it shows text."""
    blocks = _blocks(content) if isinstance(content, list) else []
    has_text = any(block.get("type") == "text" and _text(block) for block in blocks)
    if not blocks:
        return None, False
    calls_tool = any(block.get("type") == "tool_use" for block in blocks)
    waits = has_text and not calls_tool and message.get("stop_reason") != "tool_use"
    return ("awaiting_input" if waits else "processing"), has_text
