"""Which transcripts there are."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from aggregator.errors import TranscriptsUnreadableError

SUFFIX = ".jsonl"
LONGEST_STORED_PATH = 2_000
"""Bytes of a path that PostgreSQL can surely index."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One file as its folder shows it.

    Attributes:
        path: Where it is.
        name: The path as a text that PostgreSQL can hold.
        size: Bytes.
        modified_ns: Time of the last change, in ns since 1970.
        is_main: Whether it is a session's own file; a sub-agent's is never opened.
    """

    path: Path
    name: str
    size: int
    modified_ns: int
    is_main: bool


@dataclass(slots=True)
class Found:
    """What is in some folders: the transcripts, and why others cannot be read, by path."""

    transcripts: list[Transcript] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)


def find_transcripts(folders: Iterable[Path], *, must_exist: bool = False) -> Found:
    """List ``**/*.jsonl`` below some folders, of each folder in the order of the paths.

    Links are followed, but no folder is entered twice. What cannot be looked at, or
    is no regular file, is told apart and never fatal.

    Raises:
        TranscriptsUnreadableError: ``must_exist``, and one of the folders cannot be listed.
    """
    found = Found()
    entered: set[tuple[int, int]] = set()
    for folder in folders:
        if os.path.isdir(folder):
            for path in sorted(_walk(folder, entered, found.unreadable)):
                _look_at(path, folder, found)
            reason = found.unreadable.get(folder)
        else:
            reason = "it is no folder" if os.path.exists(folder) else "there is no such folder"
        if must_exist and reason is not None:
            raise TranscriptsUnreadableError(folder, reason)
    return found


def _walk(
    folder: Path, entered: set[tuple[int, int]], unreadable: dict[Path, str]
) -> Iterator[Path]:
    def note(failure: OSError) -> None:
        unreadable[Path(failure.filename)] = failure.strerror or str(failure)

    for here, folders, names in os.walk(folder, onerror=note, followlinks=True):
        try:
            status = os.stat(here)
        except OSError as failure:
            note(failure)
            continue
        identity = status.st_dev, status.st_ino
        if identity in entered:
            folders.clear()
            continue
        entered.add(identity)
        folders.sort()  # Of two links to one folder, the first is followed.
        yield from (Path(here, name) for name in names + folders if name.endswith(SUFFIX))


def _look_at(path: Path, folder: Path, found: Found) -> None:
    try:
        status = path.stat()
    except OSError as failure:
        found.unreadable[path] = failure.strerror or str(failure)
        return
    # Opening a pipe would wait for its writer.
    if not stat.S_ISREG(status.st_mode):
        found.unreadable[path] = "it is not a file"
        return
    inside = path.relative_to(folder).parts
    is_main = "subagents" not in inside and not path.name.startswith("agent-")
    found.transcripts.append(
        Transcript(path, storable_name(path), status.st_size, status.st_mtime_ns, is_main)
    )


def storable_name(path: Path) -> str:
    """A path as a text that PostgreSQL can hold and index, whatever bytes it is made of."""
    raw = os.fsencode(path)
    text = raw.decode("utf-8", "backslashreplace")
    if len(text.encode()) <= LONGEST_STORED_PATH:
        return text
    return text[: LONGEST_STORED_PATH // 8] + "…" + blake2b(raw, digest_size=16).hexdigest()
