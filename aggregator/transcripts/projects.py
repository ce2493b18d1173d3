"""Find the project of a session, which is the repository of its working folder.

The folder may no longer exist, or may have been on another machine, so that its path is
only a text, possibly of another platform.
"""

from __future__ import annotations

import ntpath
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_LONG_PATH_PREFIX = re.compile(r"[/\\]{2}\?[/\\](?P<share>UNC[/\\])?")
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[/\\]|\\\\[^\\]")
_WORKTREE_PATH = re.compile(r"(?P<main>.+?)[/\\](?:\.claude[/\\]worktrees|\.worktrees)[/\\][^/\\]")


def project_path(cwd: str) -> str:
    """Return the path of the project that a session in ``cwd`` works on.

    * If the folder exists: the nearest folder with a ``.git``, from there upwards; a git
      worktree belongs to its main repository.
    * If it no longer exists: the main repository, if the path looks like a worktree
      (``…/.worktrees/x`` or ``…/.claude/worktrees/x``).
    * Otherwise the folder itself.

    Spellings of one folder give the same path, see :func:`canonical_folder`. Never
    raises; an unreadable file counts as missing.
    """
    folder = os.path.normpath(cwd)
    # A relative path would be resolved against the working folder of this process.
    if os.path.isabs(folder) and os.path.isdir(folder):
        return canonical_folder(_repository_of(folder) or folder)
    match = _WORKTREE_PATH.match(folder)
    return project_path(match["main"]) if match else canonical_folder(folder)


def canonical_folder(path: str) -> str:
    r"""Return the one spelling of a folder, which may be on another machine.

    A path of Windows has a capital drive letter, backslashes, and neither the prefix
    ``\\?\`` nor a backslash at its end. Other paths are normalized as POSIX does, with
    composed characters (NFC), because a Mac writes them in either form.
    """
    prefix = _LONG_PATH_PREFIX.match(path)
    bare = ("\\\\" if prefix["share"] else "") + path[prefix.end() :] if prefix else path
    if _WINDOWS_PATH.match(bare):
        folder = ntpath.normpath(bare)
        return folder[0].upper() + folder[1:]
    return unicodedata.normalize("NFC", os.path.normpath(path))


def project_names(paths: Iterable[str]) -> dict[str, str]:
    """Name each project after its path: the shortest ending that no other path has.

    Usually that is the last part. Several projects called ``cli`` become ``alex/cli`` and
    ``soph/cli``, with more parts if needed. Paths may be of any platform.

    Returns:
        Name by path. The names do not depend on the order of the paths.
    """
    parts = {path: [part for part in re.split(r"[/\\]", path) if part] for path in paths}
    names = {path: path for path in parts}
    unnamed, length = set(parts), 1
    while unnamed:
        endings = {path: "/".join(parts[path][-length:]) for path in unnamed}
        count = Counter(endings.values())
        for path, ending in endings.items():
            if count[ending] == 1 or length >= len(parts[path]):
                names[path] = ending or path
                unnamed.remove(path)
        length += 1
    return names


def _repository_of(folder: str) -> str | None:
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return folder
        if os.path.isfile(git):
            return _main_repository(folder, git) or folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _main_repository(folder: str, git_file: str) -> str | None:
    """Return the main repository if a ``.git`` file is a worktree's, not a submodule's."""
    try:
        with open(git_file, encoding="utf-8", errors="surrogateescape") as file:
            content = file.read(4096)
    except OSError:
        return None
    prefix, _, target = content.partition("gitdir:")
    if prefix.strip() or not target.strip():
        return None
    # The target may be relative to the worktree.
    git_dir = os.path.normpath(os.path.join(folder, target.strip()))
    worktrees, common = os.path.dirname(git_dir), os.path.dirname(os.path.dirname(git_dir))
    if os.path.basename(worktrees) != "worktrees":
        return None
    # The worktrees of a bare repository share that folder itself.
    return os.path.dirname(common) if os.path.basename(common).startswith(".") else common
