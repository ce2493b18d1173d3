"""The program that a service manager runs: its command line and its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.errors import ConflictingParametersError
from aggregator.installation import PROGRAM, Installation
from aggregator.settings import OPTIONS, Option, Settings
from dashboard.errors import ServiceError

IN_ENVIRONMENT = "database_url"
"""It may hold a password, and other accounts of a machine can read command lines."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running.

    Attributes:
        command: The program and its arguments.
        environment: Variables to add to its environment.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]


def server_program(
    installation: Installation, settings: Settings, inherited: Mapping[str, str], *, demo: bool
) -> Program:
    """Return the command line that serves with these settings, from any folder.

    Args:
        installation: The installation to run.
        settings: Those that the user gave are passed on; the others keep their defaults.
        inherited: Variables of other programs to pass on.
        demo: Whether to serve made-up activity.

    Raises:
        ServiceError: The installation may be deleted at any time.
        ConflictingParametersError: ``demo`` is combined with the user's own database.
    """
    if demo and settings.database_url:
        raise ConflictingParametersError("--demo", "--database-url or ACTIVITY_DATABASE_URL")
    if installation.tool == "uvx":
        command = f"uv tool install {installation.requirement('standalone')}"
        raise ServiceError(f"the environments of uvx do not last; run: {command}")
    script = installation.python.with_name(PROGRAM)
    # -P: a folder named like our packages must not be imported in their place.
    start = [str(script)] if script.exists() else [str(installation.python), "-Pm", "dashboard"]
    given = [option for option in OPTIONS if option.name in settings.given]
    arguments = [word for option in given for word in _arguments(option, settings)]
    environment = {"PYTHONUNBUFFERED": "1", **inherited}
    if settings.database_url:
        environment[_variable(IN_ENVIRONMENT)] = settings.database_url
    demos = ["--demo"] if demo else []
    return Program((*start, "serve", *arguments, *demos), environment)


def _arguments(option: Option, settings: Settings) -> list[str]:
    if option.name == IN_ENVIRONMENT:
        return []
    flag = "--" + option.name.replace("_", "-")
    value = getattr(settings, option.name)
    if option.is_flag:
        return [flag] if value else []
    values = value if option.repeatable else [value]
    return [word for one in values for word in (flag, str(one))]


def _variable(name: str) -> str:
    return next(option.variable for option in OPTIONS if option.name == name)
