"""Errors that a user can act on.

Each error builds its own one-line message, which contains the offending value and what
is allowed. Edges turn it into one line on stderr or a JSON answer.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aggregator.installation import this_installation

SHOWN_NAMES = 20
"""Longest list of names in an error, so that it stays one readable line."""


LONGEST_VALUE = 200
"""Characters of a value in an error; whoever sent more knows the rest."""


def printable(text: str) -> str:
    """Return a text on one line, with everything escaped that a terminal could obey.

    Line feeds, escape sequences, marks that change the direction of writing, and bytes of
    file names that are no text become what Python would write for them.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shown(value: object) -> str:
    """Return a value as Python writes it, shortened to :data:`LONGEST_VALUE` characters."""
    # The value may be long or deep: its beginning is enough.
    limited = reprlib.Repr()
    limited.maxstring = limited.maxother = limited.maxlong = LONGEST_VALUE
    text = limited.repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


class ActivityError(Exception):
    """Base class of all errors that this project raises on purpose.

    Its message may hold names and values from anywhere; it is one line of printable text.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickling must not call __init__, whose arguments are no longer known.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[ActivityError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> ActivityError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class SettingError(ActivityError):
    """A setting has a value that cannot be used."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name}: {shown(value)} is not allowed; expected {allowed}")


class ParameterError(ActivityError):
    """A parameter of a request has a value that cannot be used."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name = name
        self.value = value
        self.allowed = allowed
        super().__init__(f"{name}: {shown(value)} is not allowed; expected {allowed}")


class UnknownParameterError(ActivityError):
    """A request has a parameter that does not exist."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no parameter {shown(name)}; there are {', '.join(known)}")


class ConflictingParametersError(ActivityError):
    """A parameter or option was given together with others that exclude it."""

    def __init__(self, name: str, *others: str) -> None:
        super().__init__(f"{name} cannot be combined with {' and '.join(others)}")


class MissingParameterError(ActivityError):
    """A parameter or option was given without others that it needs."""

    def __init__(self, name: str, *missing: str) -> None:
        super().__init__(f"{name} needs {' and '.join(missing)}")


class UnknownScopeError(ActivityError):
    """No project or agent has a requested id, or each of several ids.

    Attributes:
        kind: ``project`` or ``agent``.
        scope_ids: The ids.
    """

    def __init__(self, kind: str, *scope_ids: int) -> None:
        self.kind = kind
        self.scope_ids = frozenset(scope_ids)
        *others, last = map(str, scope_ids[: SHOWN_NAMES + 1])
        if not others:
            said = f"there is no {kind} with id {last}"
        elif len(scope_ids) > SHOWN_NAMES:
            more = len(scope_ids) - SHOWN_NAMES
            said = f"there are no {kind}s with ids {', '.join(others)} and {more} more"
        else:
            said = f"there are no {kind}s with ids {', '.join(others)} and {last}"
        super().__init__(said)


class NaiveTimestampError(ActivityError):
    """A timestamp has no time zone."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} must have a time zone")


class DatabaseUnreachableError(ActivityError):
    """PostgreSQL did not answer at the given address.

    The address is shown without its password.
    """

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(f"cannot use the database {shown_url}: {reason}")


class DatabaseRefusedError(ActivityError):
    """PostgreSQL answered, but a statement failed: no rights, no space, or a lost connection."""

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(f"the database {shown_url} failed: {reason}")


class DatabaseHangsError(ActivityError):
    """PostgreSQL keeps its connections open, but does not answer in time."""

    def __init__(self) -> None:
        super().__init__("the database does not answer in time")


class EmbeddedPostgresError(ActivityError):
    """The embedded PostgreSQL could not be started or joined."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"embedded PostgreSQL: {reason}")


class TranscriptsUnreadableError(ActivityError):
    """A folder of transcripts that the user named cannot be read."""

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
    """A host's tables lack columns that we need, or have them with another type."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"the host's tables cannot be read: {'; '.join(problems)}")


class RightsMissingError(ActivityError):
    """The role of a host's database may not read our tables."""

    def __init__(self, tables: Iterable[str]) -> None:
        super().__init__(f"this role may not read {', '.join(tables)}; grant it SELECT on them")


class AdoptionError(ActivityError):
    """A table of metrics exists already and cannot be adopted without losing data."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            f"the existing table activity_metrics cannot be adopted: {'; '.join(problems)}"
        )


class MigrationRefusedError(ActivityError):
    """The database does not allow this role to create our tables."""

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(
            f"cannot create the tables of headspace-activity in {shown_url}: {reason}; the role "
            "must be allowed to create tables and to reference projects and agents"
        )


class NotMigratedError(ActivityError):
    """A host's database does not have our tables yet, or has an older version of them."""

    def __init__(self, current: str | None) -> None:
        state = f"are at the older revision {current}" if current else "do not exist yet"
        super().__init__(f"the tables of headspace-activity {state}; run: flask activity migrate")


class BackfillRunningError(ActivityError):
    """Another backfill is running; two at once would only slow each other down."""

    def __init__(self, shown_url: str) -> None:
        super().__init__(
            f"another backfill of the database {shown_url} is running; wait until it has ended"
        )


class WorkerLostError(ActivityError):
    """The worker of one part of a backfill died at every attempt."""

    def __init__(self, part: str, times: int) -> None:
        super().__init__(
            f"a worker died {times} times while computing {part}; is there enough memory?"
        )


class ExtraMissingError(ActivityError):
    """A package is not installed that only an extra of this one installs.

    Attributes:
        need: The message without the command, which names folders of this machine.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        self.need = f"{feature} needs the package {package.replace('_', '-')}, of the extra {extra}"
        super().__init__(f"{self.need}; run: {this_installation().install_command(extra)}")


class DriverMissingError(ExtraMissingError):
    """No driver for PostgreSQL is installed that this package can work with."""

    def __init__(self) -> None:
        super().__init__("a PostgreSQL database", "psycopg2-binary", "postgresql")


class DaskMissingError(ExtraMissingError):
    """A Dask cluster was requested, but the package is not installed."""

    def __init__(self) -> None:
        super().__init__("--dask", "distributed", "dask")


class DaskUnreachableError(ActivityError):
    """No Dask scheduler answered at the given address."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot use the Dask scheduler {address}: {reason}")


class TablesBusyError(ActivityError):
    """Other transactions keep the tables locked, so triggers cannot be created or removed."""

    def __init__(self) -> None:
        super().__init__(
            "the tables agents, tasks and turns are in use by open transactions; try again when "
            "nothing writes to them"
        )


class UnknownNameError(ActivityError):
    """No project or agent has this name, or several do."""

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
