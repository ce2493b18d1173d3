"""Find the transcript files in folders."""

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
"""Bytes of the longest path that PostgreSQL is certain to index."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One transcript file and its status.

    Attributes:
        path: Path of the file.
        name: The path as a text that PostgreSQL can store.
        size: Size in bytes.
        modified_ns: Time of the last change, in ns since 1970.
        is_main: Whether it is a session's own file, not a sub-agent's.
    """

    path: Path
    name: str
    size: int
    modified_ns: int
    is_main: bool


@dataclass(slots=True)
class FoundFiles:
    """Transcripts found in folders.

    Attributes:
        transcripts: The files.
        unreadable: Those that cannot be read, with the reason.
        missing: Folders that are not there.
    """

    transcripts: list[Transcript] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    missing: list[Path] = field(default_factory=list)


def find_transcripts(folders: Iterable[Path], *, must_exist: bool = False) -> FoundFiles:
    """List ``**/*.jsonl`` below some folders, folder by folder, sorted by path.

    Links are followed, but no folder is entered twice. A file that cannot be accessed,
    or is not a regular file, is listed separately and is not an error.

    Raises:
        TranscriptsUnreadableError: ``must_exist`` is set, and a folder cannot be listed.
    """
    found = FoundFiles()
    entered: set[tuple[int, int]] = set()
    for folder in folders:
        if os.path.isdir(folder):
            for path in sorted(_walk(folder, entered, found.unreadable)):
                _add_file(path, folder, found)
            reason = found.unreadable.get(folder)
        else:
            reason = "it is not a folder" if os.path.exists(folder) else "there is no such folder"
            found.missing.append(folder)
        if must_exist and reason is not None:
            raise TranscriptsUnreadableError(folder, reason)
    return found


def find_changed(folders: Iterable[Path], changed: Iterable[Path]) -> FoundFiles:
    """List those of some changed files that :func:`find_transcripts` would list, sorted by path.

    A file below two of the folders belongs to the first. What is gone is left out.
    """
    found = FoundFiles()
    listed = list(folders)
    for path in sorted(changed):
        folder = next((folder for folder in listed if path.is_relative_to(folder)), None)
        if folder is not None and path.name.endswith(SUFFIX) and path.exists():
            _add_file(path, folder, found)
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
        folders.sort()  # Makes it certain which of two links to one folder is followed.
        yield from (Path(here, name) for name in names + folders if name.endswith(SUFFIX))


def _add_file(path: Path, folder: Path, found: FoundFiles) -> None:
    try:
        status = path.stat()
    except OSError as failure:
        found.unreadable[path] = failure.strerror or str(failure)
        return
    # Opening a pipe would block until somebody writes to it.
    if not stat.S_ISREG(status.st_mode):
        found.unreadable[path] = "it is not a file"
        return
    inside = path.relative_to(folder).parts
    is_main = "subagents" not in inside and not path.name.startswith("agent-")
    found.transcripts.append(
        Transcript(path, storable_name(path), status.st_size, status.st_mtime_ns, is_main)
    )


def can_open(path: Path) -> bool:
    """Return whether a file can be opened and read."""
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def storable_name(path: Path) -> str:
    """Convert a path, of any bytes and length, to a text that PostgreSQL can store and index."""
    raw = os.fsencode(path)
    text = raw.decode("utf-8", "backslashreplace")
    if len(text.encode()) <= LONGEST_STORED_PATH:
        return text
    return text[: LONGEST_STORED_PATH // 8] + "…" + blake2b(raw, digest_size=16).hexdigest()
