"""Tell of changed files in folders: by events of the operating system, or by looking."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Final

import psutil
from watchfiles import Change, DefaultFilter, watch

from aggregator.transcripts.discovery import SUFFIX

EVENTS: Final = "events"
POLLING: Final = "polling"
OFF: Final = "off"

LOOK_EVERY_MS = 1_000
"""Time between two looks at files where no events arrive, and length of a wait for events."""
TOGETHER_MS = 200
"""Changes within this time are told together, unless nothing follows for a quarter of it."""
SHARED_SYSTEMS = frozenset(
    {"9p", "afpfs", "cifs", "drvfs", "fakeowner", "grpcfuse", "nfs", "nfs4", "smb3", "smbfs",
     "fuse.sshfs", "osxfs"}
)  # fmt: skip
"""File systems on which others write without events: network drives, bind mounts, WSL's /mnt."""

log = logging.getLogger(__name__)


class _Wanted(DefaultFilter):
    """Lets transcripts and files of sessions pass."""

    def __call__(self, _: Change, path: str) -> bool:
        return path.endswith((SUFFIX, ".json"))


def shared_system(folders: Sequence[Path]) -> str | None:
    """Return the file system of the first folder that others can change without events."""
    mounts = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    for folder in folders:
        above = (str(part) for part in (folder, *folder.parents))
        system = next((mounts[part] for part in above if part in mounts), "")
        if system in SHARED_SYSTEMS:
            return system
    return None


def changed_files(
    folders: Sequence[Path],
    stopping: Event,
    *,
    polling: bool,
    note: Callable[[str, str], None],
    is_blind: Callable[[], bool],
) -> Iterator[set[Path]]:
    """Yield sets of changed files, at least once a second, perhaps empty ones.

    Folders need not exist; they are watched as soon as they do. If the system refuses
    events, for example because a limit is reached, files are looked at instead.

    Args:
        folders: Folders, watched with all that is below them.
        stopping: Ends the watch when set.
        polling: Whether to look at the files from the beginning.
        note: Called with the mode and its reason whenever one of them changes.
        is_blind: Returns whether events have turned out not to arrive.
    """
    note(POLLING if polling else EVENTS, "")
    while not stopping.is_set():
        there = [folder for folder in folders if folder.is_dir()]
        if not there:
            stopping.wait(LOOK_EVERY_MS / 1000)
            yield set()
            continue
        try:
            for changes in _watch(there, stopping, polling=polling):
                yield changes
                if there != [folder for folder in folders if folder.is_dir()]:
                    break
                if not polling and is_blind():
                    polling = True
                    note(POLLING, "events do not arrive")
                    break
        except FileNotFoundError:
            continue
        except (OSError, RuntimeError) as failure:
            if polling:
                raise
            reason = _line(failure)
            log.warning("No events of changed files (%s): looking at them every second", reason)
            polling = True
            note(POLLING, reason)


def _watch(folders: Sequence[Path], stopping: Event, *, polling: bool) -> Iterator[set[Path]]:
    for changes in watch(
        *folders,
        watch_filter=_Wanted(),
        debounce=TOGETHER_MS,
        step=TOGETHER_MS // 4,
        stop_event=stopping,
        rust_timeout=LOOK_EVERY_MS,
        yield_on_timeout=True,
        force_polling=polling,
        poll_delay_ms=LOOK_EVERY_MS,
        raise_interrupt=False,
        ignore_permission_denied=True,
    ):
        yield {Path(path) for _, path in changes}


def _line(failure: Exception) -> str:
    """First line of an error, with what to do about a limit."""
    text = str(failure).partition("\n")[0]
    if "watch limit" in text or "No space left" in text:
        return "the limit of watched folders, fs.inotify.max_user_watches, is reached"
    if "Too many open files" in text or getattr(failure, "errno", None) == 24:
        return "the limit of watches, fs.inotify.max_user_instances, is reached"
    return text or os.strerror(getattr(failure, "errno", None) or 0)
