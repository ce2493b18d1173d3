"""Everything that can go wrong for a reason the user can act on.

Each error builds its own one-line message, which names the offending value and
what is allowed. Edges turn them into one line on stderr or a JSON answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

SHOWN_NAMES = 20
"""Names that an error lists, so that it stays one readable line."""


class ActivityError(Exception):
    """Base of every error that this project raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # From a worker's process it travels as it is: its message is made already.
        return _received, (type(self), self.args, self.__dict__)


def _received(
    kind: type[ActivityError], args: tuple[Any, ...], facts: dict[str, Any]
) -> ActivityError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class SettingError(ActivityError):
    """A setting has a value that cannot be used."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name}: {value!r} is not allowed; expected {allowed}")


class ParameterError(ActivityError):
    """A parameter of a request has a value that cannot be used."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name = name
        self.value = value
        self.allowed = allowed
        super().__init__(f"{name}: {value!r} is not allowed; expected {allowed}")


class UnknownParameterError(ActivityError):
    """A request has a parameter that does not exist."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no parameter {name!r}; there are {', '.join(known)}")


class ConflictingParametersError(ActivityError):
    """A parameter or option was given together with others that exclude it."""

    def __init__(self, name: str, *others: str) -> None:
        super().__init__(f"{name} cannot be combined with {' and '.join(others)}")


class MissingParameterError(ActivityError):
    """A parameter or option was given without others that it needs."""

    def __init__(self, name: str, *missing: str) -> None:
        super().__init__(f"{name} needs {' and '.join(missing)}")


class UnknownScopeError(ActivityError):
    """No project or agent has the requested id."""

    def __init__(self, kind: str, scope_id: int) -> None:
        self.kind = kind
        self.scope_id = scope_id
        super().__init__(f"there is no {kind} with id {scope_id}")


class NaiveTimestampError(ActivityError):
    """A timestamp came without a time zone."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} must have a time zone")


class DatabaseUnreachableError(ActivityError):
    """PostgreSQL did not answer at the given address.

    The address is shown without its password.
    """

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(f"cannot use the database {shown_url}: {reason}")


class DatabaseRefusedError(ActivityError):
    """PostgreSQL answered, but did not do what was asked: no right, no room, gone away."""

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(f"the database {shown_url} failed: {reason}")


class EmbeddedPostgresError(ActivityError):
    """The embedded PostgreSQL could not be started or joined."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"embedded PostgreSQL: {reason}")


class TranscriptsUnreadableError(ActivityError):
    """A folder of transcripts that was asked for cannot be read."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"transcripts: cannot read {folder}: {reason}")


class ForeignTablesError(ActivityError):
    """The database for standalone use belongs to another program."""

    def __init__(self, shown_url: str, tables: list[str]) -> None:
        super().__init__(
            f"the database {shown_url} has tables of another program, {', '.join(tables)}; "
            "expected an empty database"
        )


class HostSchemaError(ActivityError):
    """A host's tables are not as we need them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"the host's tables cannot be read: {'; '.join(problems)}")


class AdoptionError(ActivityError):
    """A table of metrics is there already, and cannot be used without losing something."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            f"the existing table activity_metrics cannot be adopted: {'; '.join(problems)}"
        )


class MigrationRefusedError(ActivityError):
    """The database does not let this role make our tables."""

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(
            f"cannot create the tables of headspace-activity in {shown_url}: {reason}; the role "
            "must be allowed to create tables and to reference projects and agents"
        )


class NotMigratedError(ActivityError):
    """A host's database has not got our tables yet, or has them in an older form."""

    def __init__(self, current: str | None) -> None:
        state = f"are at the older revision {current}" if current else "do not exist yet"
        super().__init__(f"the tables of headspace-activity {state}; run: flask activity migrate")


class BackfillRunningError(ActivityError):
    """Two backfills at once would only be in each other's way."""

    def __init__(self, shown_url: str) -> None:
        super().__init__(
            f"another backfill of the database {shown_url} is running; wait until it has ended"
        )


class WorkerLostError(ActivityError):
    """The worker of a stretch of hours died, whenever it was tried."""

    def __init__(self, since: datetime, until: datetime, times: int) -> None:
        super().__init__(
            f"a worker died {times} times while computing the hours from {since:%FT%H:%MZ} to "
            f"{until:%FT%H:%MZ}; is there enough memory?"
        )


class DaskMissingError(ActivityError):
    """A Dask cluster is wanted, and the package is not installed."""

    def __init__(self) -> None:
        super().__init__("--dask needs the extra dask: pip install 'headspace-activity[dask]'")


class DaskUnreachableError(ActivityError):
    """No Dask scheduler answered at the given address."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot use the Dask scheduler {address}: {reason}")


class TablesBusyError(ActivityError):
    """Triggers can be made only while nobody is in the middle of writing."""

    def __init__(self) -> None:
        super().__init__(
            "the tables agents, tasks and turns are in use by open transactions; try again when "
            "nothing writes to them"
        )


class UnknownNameError(ActivityError):
    """No project or agent is called so, or several are."""

    def __init__(self, kind: str, wanted: str, names: Mapping[int, str], found: list[int]) -> None:
        if found:
            ids = ", ".join(map(str, found))
            said = f"several {kind}s are named {wanted!r}; use one of their ids: {ids}"
        else:
            every = sorted(set(names.values()), key=lambda name: (name.casefold(), name))
            some, more = ", ".join(every[:SHOWN_NAMES]), " …" if every[SHOWN_NAMES:] else ""
            known = f"there are {some}{more}" if some else f"there are no {kind}s yet"
            said = f"there is no {kind} named {wanted!r}; {known}"
        super().__init__(said)
