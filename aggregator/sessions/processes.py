"""Look at the processes of Claude Code on this machine, for sessions without a file.

The look only ever says that a session is gone, and says nothing where it is not certain.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
COMMAND = "claude"
PACKAGE = "claude-code"
PROGRAMS = frozenset({COMMAND, "node", "bun"})
"""Programs by which Claude Code may run."""


class Candidate(NamedTuple):
    """A session that may be gone: its id, and the folder in which it was started."""

    session_id: str
    cwd: str


def gone_sessions(candidates: Iterable[Candidate]) -> set[str]:
    """Return the sessions of which it is certain that no process runs them.

    Certain is only that none of Claude Code's processes works in the folder of a session,
    or below it. Nothing is said of folders with several sessions, of
    folders that are not on this machine, in a container, and where a process that may be
    Claude Code's cannot be read.

    Args:
        candidates: All sessions of which no other fact says whether they run.
    """
    listed = list(candidates)
    if not listed or _in_container():
        return set()
    folders = working_folders()
    if folders is None:
        return set()
    sharing = Counter(candidate.cwd for candidate in listed)
    return {
        candidate.session_id
        for candidate in listed
        if sharing[candidate.cwd] == 1
        and os.path.isdir(candidate.cwd)
        and not any(folder.is_relative_to(candidate.cwd) for folder in folders)
    }


def working_folders() -> list[Path] | None:
    """Return the working folders of Claude Code's processes; None if one cannot be read."""
    folders = []
    for process in psutil.process_iter(["name"]):
        try:
            if _is_claude(process):
                folders.append(Path(process.cwd()))
        except psutil.NoSuchProcess:
            continue
        except (psutil.AccessDenied, OSError):
            return None
    return folders


def _is_claude(process: psutil.Process) -> bool:
    name = (process.info["name"] or "").lower().removesuffix(".exe")
    if name == COMMAND:
        return True
    # Other programs are not asked for their arguments, which may be forbidden.
    if name not in PROGRAMS:
        return False
    return any(
        PACKAGE in argument or os.path.basename(argument) == COMMAND
        for argument in process.cmdline()[:3]
    )


def _in_container() -> bool:
    return any(os.path.exists(mark) for mark in CONTAINER_MARKS)
