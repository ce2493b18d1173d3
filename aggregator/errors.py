"""Everything that can go wrong for a reason the user can act on.

Each error builds its own one-line message, which names the offending value and
what is allowed. Edges turn them into one line on stderr or a JSON answer.
"""

from __future__ import annotations

from pathlib import Path


class ActivityError(Exception):
    """Base of every error that this project raises on purpose."""


class SettingError(ActivityError):
    """A setting has a value that cannot be used."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name}: {value!r} is not allowed; expected {allowed}")


class ParameterError(ActivityError):
    """A parameter of a request has a value that cannot be used."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name = name
        super().__init__(f"{name}: {value!r} is not allowed; expected {allowed}")


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
        super().__init__(f"the database {shown_url} gave up: {reason}")


class EmbeddedPostgresError(ActivityError):
    """The embedded PostgreSQL could not be started or joined."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"embedded PostgreSQL: {reason}")


class TranscriptsUnreadableError(ActivityError):
    """A folder of transcripts that was asked for cannot be read."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"transcripts: cannot read {folder}: {reason}")


class AddressTakenError(ActivityError):
    """The address to serve on cannot be bound."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot serve on {host}:{port}: {reason}; choose another with --host or --port"
        )


class ForeignTablesError(ActivityError):
    """The database for standalone use belongs to another program."""

    def __init__(self, shown_url: str, tables: list[str]) -> None:
        super().__init__(
            f"the database {shown_url} already has tables named {', '.join(tables)} that are "
            "not ours; expected an empty database"
        )


class HostSchemaError(ActivityError):
    """A host's tables are not as we need them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"the host's tables cannot be read: {'; '.join(problems)}")


class AdoptionError(ActivityError):
    """A table of metrics is there already, and cannot be used without losing something."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            f"the table activity_metrics that is there cannot be adopted: {'; '.join(problems)}"
        )


class MigrationRefusedError(ActivityError):
    """The database does not let this role make our tables."""

    def __init__(self, shown_url: str, reason: str) -> None:
        super().__init__(
            f"cannot make the tables of headspace-activity in {shown_url}: {reason}; the role "
            "must be allowed to create tables and to refer to projects and agents"
        )


class MountError(ActivityError):
    """Activity cannot be added to a server."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"cannot add Activity to the Flask server {server!r}: {reason}")


class NotMigratedError(ActivityError):
    """A host's database has not got our tables yet, or has them in an older form."""

    def __init__(self, current: str | None) -> None:
        state = f"are at {current}, an older form" if current else "are not there yet"
        super().__init__(
            f"the tables of headspace-activity {state}; run this once: flask activity migrate"
        )
