"""Tell the prompts of people from texts that programs write in the role of the user.

Only the beginning of a text is examined, after the envelopes that editors and Claude Code
put around context, such as ``<system-reminder>…</system-reminder>``. A person's words may
follow such an envelope in the same text.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

Block = dict[str, Any]
Author = Literal["person", "machine", "nobody"]
"""Author of a text in the role of the user: a person; a program that lets the agent work,
such as a hook or another session; or a program that only keeps a record."""

INTERRUPTION = "[Request interrupted by user"
CUSTOM_COMMAND = "<command-message>"
NOTIFICATION = "task-notification"
SCHEDULED = "scheduled-task"
STOP_HOOK = "Stop hook feedback:"

_ENVELOPE = re.compile(r"<(system-reminder|ide_[a-z_]{1,40})[\s>]")
# Tags may carry attributes: <teammate-message teammate_id="…">.
_MACHINE = re.compile(
    rf"{STOP_HOOK}|<scheduled-task"
    r"|<(?:task-notification|agent-notification|teammate-message|cross-session-message"
    r"|ci-monitor-event)[\s>]"
)
_RECORD = re.compile(
    r"\[Request interrupted by user"
    r"|Caveat: The messages below"
    r"|This session is being continued from a previous"
    r"|<local-command-"
    r"|<(?:command-name|command-args|bash-input|bash-stdout|bash-stderr"
    r"|user-prompt-submit-hook|session-start-hook)[\s>]"
)


class Labels(NamedTuple):
    """Labels of a line about its origin, next to the text.

    Attributes:
        is_meta: The text is context for the model.
        is_summary: It is the summary of a compaction.
        is_called: The model itself called the command.
        origin: Kind of origin, such as ``human`` or ``peer``; None if not labelled.
    """

    is_meta: bool
    is_summary: bool
    is_called: bool
    origin: str | None


def labels_of(line: Block) -> Labels:
    """Read the labels of a user line, or of the attachment of a queued line."""
    origin = line.get("origin")
    kind = origin.get("kind") if isinstance(origin, dict) else None
    if line.get("promptSource") == "system":
        kind = "system"
    return Labels(
        is_meta=bool(line.get("isMeta")),
        is_summary=bool(line.get("isCompactSummary")),
        is_called=bool(line.get("sourceToolUseID")),
        origin=kind if kind is None or isinstance(kind, str) else "unknown",
    )


def author_of(content: object, labels: Labels) -> Author:
    """Return the author of a message in the role of the user, which is no tool result.

    Args:
        content: A text, or a list of blocks; anything else is empty.
        labels: The labels of its line.
    """
    text, has_picture = first_text(blocks_of(content))
    if labels.is_summary or labels.is_called or _RECORD.match(text):
        return "nobody"
    if _MACHINE.match(text):
        return "machine"
    if labels.is_meta:
        # Another session's or a channel's message starts work; context does not.
        return "machine" if labels.origin not in (None, "human") else "nobody"
    # The origin of custom commands is unreliable; their tag is not.
    if labels.origin not in (None, "human") and not text.startswith(CUSTOM_COMMAND):
        return "machine"
    return "person" if text or has_picture else "nobody"


def machine_of(content: object, labels: Labels) -> str:
    """Return what wrote a program's message, by its tag or its label; else ``system``."""
    tag = _MACHINE.match(first_text(blocks_of(content))[0])
    if tag is None:
        return NOTIFICATION if labels.origin == NOTIFICATION else "system"
    return "stop-hook" if tag[0] == STOP_HOOK else tag[0].strip("<> \t\r\n")


def blocks_of(content: object) -> list[Block]:
    """Return the blocks of a message; a text is one block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def text_of(block: Block) -> str:
    """Return the text of a block without blanks around it; empty if it has none."""
    text = block.get("text")
    return text.strip() if isinstance(text, str) else ""


def first_text(blocks: list[Block]) -> tuple[str, bool]:
    """Return the first text after leading envelopes, and whether there is a picture."""
    text, has_picture = "", False
    for block in blocks:
        kind = block.get("type")
        if kind in ("image", "document"):
            has_picture = True
        elif kind == "text" and not text:
            text = _without_envelopes(text_of(block))
    return text, has_picture


def _without_envelopes(text: str) -> str:
    """Return what follows the envelopes at the beginning; nothing if one is not closed."""
    while envelope := _ENVELOPE.match(text):
        _, closed, text = text.partition(f"</{envelope[1]}>")
        if not closed:
            return ""
        text = text.lstrip()
    return text
