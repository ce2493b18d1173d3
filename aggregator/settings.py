"""Settings: their names, defaults, descriptions and allowed values, in one place.

The command line, the environment (``ACTIVITY_<NAME>``) and a host's ``app.config`` all
arrive here as a mapping from name to raw value. No other module reads the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from aggregator.errors import SettingError

PREFIX = "ACTIVITY_"
CONFIG_DIR = "CLAUDE_CONFIG_DIR"
"""Claude Code's variable with its configuration folders."""
CONFIG_FOLDERS = ("~/.config/claude", "~/.claude")
LIVE_MODES = ("auto", "events", "polling", "off")
"""Ways to learn of changed transcripts: ``auto`` is events, or polling where none arrive."""
INHERITED = ("BROWSER_PATH", CONFIG_DIR, "TZ", "XDG_DATA_HOME")
"""Variables of other programs that change what a server finds."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting, as documented for users.

    Attributes:
        name: Name of the :class:`Settings` field; ``--name`` and ``ACTIVITY_NAME``
            are derived from it.
        metavar: Placeholder for the value in ``--help``.
        help: One sentence for ``--help``.
        shown_default: Description of the default.
        parse: Converts a raw value to the field's type, or raises ``ValueError`` with a
            description of the allowed values.
        repeatable: Whether the option may be given several times.
        is_flag: Whether the option has no value on the command line.
    """

    name: str
    metavar: str
    help: str
    shown_default: str
    parse: Callable[[Any], Any]
    repeatable: bool = False
    is_flag: bool = False

    @property
    def variable(self) -> str:
        """Name of the environment variable and of the key in ``app.config``."""
        return PREFIX + self.name.upper()


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process. Durations have their unit in the name.

    Attributes:
        home: Folder of the embedded database and its files.
        database_url: PostgreSQL to use instead of the embedded one, or None.
        host: Address to serve on.
        port: TCP port to serve on.
        allowed_hosts: Host names of the server beside this machine's own, in lower case.
        insecure: Whether others than this machine need no access token.
        transcripts: Folders to search for ``**/*.jsonl``.
        interval_seconds: Time between two passes.
        import_interval_seconds: Time between two imports of transcripts.
        retention_days: Age at which hourly metrics are pruned.
        titles: Whether agents are named by titles that a model wrote from the prompt, too.
        live: How changes of transcripts are told, one of :data:`LIVE_MODES`.
        given: Names of the settings that the user set, and of Claude Code's variable
            ``CLAUDE_CONFIG_DIR``; the others have their defaults.
    """

    home: Path
    database_url: str | None
    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    insecure: bool
    transcripts: tuple[Path, ...]
    interval_seconds: int
    import_interval_seconds: int
    retention_days: int
    titles: bool
    live: str
    given: frozenset[str]

    @classmethod
    def load(
        cls, given: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """Merge the values given, the environment and the defaults, in this order.

        Args:
            given: Raw values by field name. None, empty strings and empty sequences count
                as missing.
            environ: The environment; default ``os.environ``.

        Raises:
            SettingError: A value is not allowed.
        """
        environ = os.environ if environ is None else environ
        given = given or {}
        values: dict[str, Any] = {}
        for option in OPTIONS:
            raw = given.get(option.name)
            source = "--" + option.name.replace("_", "-")
            if raw in (None, "", ()) or raw is False:
                raw, source = environ.get(option.variable), option.variable
            if raw in (None, "", ()) or raw is False:
                continue
            try:
                values[option.name] = option.parse(raw)
            except ValueError as reason:
                raise SettingError(source, raw, str(reason)) from None
        named = {CONFIG_DIR} if environ.get(CONFIG_DIR) else set()
        return cls(**{**_defaults(environ), **values}, given=frozenset(values) | named)

    @property
    def transcripts_given(self) -> bool:
        """True if a missing folder of transcripts is an error; otherwise it counts as empty."""
        return "transcripts" in self.given

    @property
    def folders_named(self) -> bool:
        """True if the user named the folders of transcripts, here or for Claude Code."""
        return self.transcripts_given or CONFIG_DIR in self.given

    @property
    def retention_given(self) -> bool:
        """True if the retention applies even where the last pass used another one."""
        return "retention_days" in self.given


def _defaults(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        "home": Path(platformdirs.user_data_dir("headspace-activity", appauthor=False)),
        "database_url": None,
        "host": "127.0.0.1",
        "port": 5055,
        "allowed_hosts": (),
        "insecure": False,
        "transcripts": default_transcripts(environ),
        "interval_seconds": 300,
        "import_interval_seconds": 60,
        "retention_days": 62,
        "titles": False,
        "live": "auto",
    }


def inherited(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of other programs that a server started elsewhere needs, too.

    Args:
        environ: The environment; default ``os.environ``.
    """
    environ = os.environ if environ is None else environ
    return {name: environ[name] for name in INHERITED if environ.get(name)}


def default_transcripts(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders in which Claude Code stores transcripts, existing or not.

    ``projects`` below each folder of ``$CLAUDE_CONFIG_DIR``, which commas separate, if
    that variable is set, else below ``~/.config/claude`` and ``~/.claude``.

    Raises:
        SettingError: A folder of the variable cannot be used.
    """
    configured = environ.get(CONFIG_DIR, "")
    folders = [name.strip() for name in configured.split(",") if name.strip()]
    try:
        paths = [_path(name) / "projects" for name in folders or CONFIG_FOLDERS]
    except ValueError as reason:
        raise SettingError(CONFIG_DIR, configured, str(reason)) from None
    return tuple(dict.fromkeys(paths))


def _path(raw: Any) -> Path:
    if not str(raw).isprintable():
        raise ValueError("a path that can be printed")
    try:
        # Resolved, so that a folder always has the same name, however it was written.
        return Path(str(raw)).expanduser().resolve()
    except RuntimeError:
        raise ValueError("a path, or ~/ and a path in the home of a user that exists") from None


def _paths(raw: Any) -> tuple[Path, ...]:
    """Parse one text with the platform's path separator, or a sequence."""
    parts: Sequence[Any] = (
        raw.split(os.pathsep) if isinstance(raw, str) else [raw] if isinstance(raw, Path) else raw
    )
    return tuple(_path(part) for part in parts if str(part))


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def parse(raw: Any) -> str:
        if str(raw) not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return str(raw)

    return parse


def _yes_or_no(raw: Any) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    value = known.get(str(raw).lower())
    if value is None:
        raise ValueError("1 or 0")
    return value


def _host_names(raw: Any) -> tuple[str, ...]:
    """Parse one text with commas, or a sequence."""
    parts = raw.split(",") if isinstance(raw, str) else [str(part) for part in raw]
    names = tuple(part.strip().lower() for part in parts if part.strip())
    if not all(re.fullmatch(r"[a-z0-9_.-]{1,253}", name) for name in names):
        raise ValueError("host names without ports, separated by commas")
    return names


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def parse(raw: Any) -> int:
        allowed = f"a whole number from {low} to {high}"
        if not re.fullmatch(r"[0-9]{1,9}", str(raw)) or not low <= int(raw) <= high:
            raise ValueError(allowed)
        return int(raw)

    return parse


OPTIONS: tuple[Option, ...] = (
    Option(
        "home",
        "DIR",
        "Folder of the embedded database and its files.",
        "the platform's user data folder",
        _path,
    ),
    Option(
        "database_url",
        "URL",
        "Use this PostgreSQL instead of the embedded one: postgresql://user@host/name. A "
        "password belongs into the variable, since others can read command lines.",
        "the embedded PostgreSQL",
        str,
    ),
    Option(
        "host",
        "ADDRESS",
        "Address to serve on. Others than this machine's own need an access token.",
        "127.0.0.1, this machine only",
        str,
    ),
    Option("port", "N", "TCP port to serve on.", "5055", _whole(1, 65535)),
    Option(
        "allowed_hosts",
        "NAME",
        "Host name of the server, as a proxy or other machines use it; repeatable.",
        "localhost, this machine's name and IP addresses",
        _host_names,
        repeatable=True,
    ),
    Option(
        "insecure",
        "",
        "Let everybody who can reach the address see the page, without an access token.",
        "no",
        _yes_or_no,
        is_flag=True,
    ),
    Option(
        "transcripts",
        "DIR",
        "Folder to search for Claude Code transcripts (**/*.jsonl); repeatable.",
        "projects/ below $CLAUDE_CONFIG_DIR, or below ~/.config/claude and ~/.claude",
        _paths,
        repeatable=True,
    ),
    Option("interval_seconds", "SECONDS", "Seconds between two passes.", "300", _whole(1, 86_400)),
    Option(
        "import_interval_seconds",
        "SECONDS",
        "Seconds between two imports of transcripts.",
        "60",
        _whole(1, 86_400),
    ),
    Option(
        "retention_days",
        "DAYS",
        "Days after which hourly metrics are deleted. Turns are never deleted.",
        "30",
        _whole(1, 36_500),
    ),
    Option(
        "titles",
        "",
        "Name agents by the titles that a model wrote from the prompt, too.",
        "no",
        _yes_or_no,
        is_flag=True,
    ),
    Option(
        "live",
        "MODE",
        "Import changes at once: told by events, found by polling every second, or off.",
        "auto, events where they arrive",
        _one_of(*LIVE_MODES),
    ),
)
