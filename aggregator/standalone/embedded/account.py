"""Choose the account that runs PostgreSQL's programs, which refuse to run as root."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator.errors import EmbeddedPostgresError

if sys.platform != "win32":
    import pwd


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account under which root runs PostgreSQL."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


def account_for(data: Path) -> Account | None:
    """Return the account to run PostgreSQL under; None for the current user.

    Only root needs another account: the owner of the data folder or, while that does not
    exist yet, ``postgres`` or ``nobody``.

    Args:
        data: The data folder.

    Raises:
        EmbeddedPostgresError: The user is root, and the machine has no such account.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "it cannot run as root, and there is no account 'postgres' or 'nobody' to run it as;"
        " run as another user, or use --database-url instead"
    )


def run(command: list[str | Path], account: Account | None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end under an account, unaffected by the user's Ctrl-C.

    The environment is fixed: the program sees no ``PG…`` variable, and its messages are
    in English.
    """
    identity: dict[str, Any] = {}
    if account is not None:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.run(  # noqa: S603 - the commands are ours
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,
        **identity,
    )


def can_enter(folder: Path, account: Account) -> bool:
    """Return whether an account may enter a folder and all folders above it."""
    # Trying it as that account respects ACLs and everything else the kernel checks.
    return run(["/bin/sh", "-c", 'cd "$0"', folder], account).returncode == 0
