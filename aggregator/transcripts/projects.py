"""Which repository a working folder belongs to.

A session's project is its repository. The folder may be gone, or may have been on
another machine, so that its path is only a text, possibly of another platform.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable

_WORKTREE_PATH = re.compile(r"(?P<main>.+?)[/\\](?:\.claude[/\\]worktrees|\.worktrees)[/\\][^/\\]")


def project_path(cwd: str) -> str:
    """The path of the project that a session in ``cwd`` works on.

    * A folder that exists: the nearest folder above or at it that has a ``.git``;
      a git worktree counts under its main repository.
    * A folder that is gone: the main repository, if its path looks like a worktree's
      (``…/.worktrees/x`` or ``…/.claude/worktrees/x``).
    * Else the folder itself.

    Never raises; what cannot be read is taken for absent.
    """
    folder = os.path.normpath(cwd)
    # A relative path would be looked up from wherever this process runs.
    if os.path.isabs(folder) and os.path.isdir(folder):
        return _repository_of(folder) or folder
    match = _WORKTREE_PATH.match(folder)
    return project_path(match["main"]) if match else folder


def project_names(paths: Iterable[str]) -> dict[str, str]:
    """Names that tell projects apart: of each path the shortest ending that is its own.

    Mostly that is the last part. Where several projects are called ``cli`` it is
    ``alex/cli`` and ``soph/cli``, and so on upwards. Paths may be of any platform.

    Returns:
        A name for each path; the same paths give the same names, in any order.
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
    """The main repository, if a ``.git`` file belongs to a worktree; a submodule's does not."""
    try:
        with open(git_file, encoding="utf-8", errors="surrogateescape") as file:
            words = file.read(4096)
    except OSError:
        return None
    prefix, _, target = words.partition("gitdir:")
    if prefix.strip() or not target.strip():
        return None
    # The target may be relative to the worktree.
    git_dir = os.path.normpath(os.path.join(folder, target.strip()))
    worktrees, common = os.path.dirname(git_dir), os.path.dirname(os.path.dirname(git_dir))
    if os.path.basename(worktrees) != "worktrees":
        return None
    # Of a bare repository the folder itself is what all worktrees share.
    return os.path.dirname(common) if os.path.basename(common).startswith(".") else common
