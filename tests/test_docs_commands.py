"""The documentation names commands, options and settings that exist, and every command."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aggregator.settings import OPTIONS
from dashboard import cli
from dashboard.host import commands
from dashboard.host.settings import ALL_OPTIONS

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "examples" / "host" / "README.md",
]
GROUPS = {"headspace-activity": cli.main, "flask activity": commands.commands}
TABLE = re.compile(rf"^\| `({'|'.join(GROUPS)}) …` \|.*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
# In code, and up to a comment.
CALL = re.compile(rf"(?:`|^ {{4}}|^\$ )({'|'.join(GROUPS)}) ([a-z]+)([^`#\n]*)", re.MULTILINE)
SERVE = re.compile(r'make serve ARGS="([^"…]+)"')
OTHER_OPTIONS = {
    "--help",
    "--version",
    "--app",
    *("--preload", "--workers", "--threads"),
    "--agentsview",
    "--runs",
    "--randomly-seed",
    "--timeout",
    *("--minutes", "--server", "--until-it-breaks", "--kinds", "--profile"),
    *("--seed", "--pages", "--clients", "--files", "--turns"),
    *("--format", "--file", "--dbname", "--clean", "--if-exists", "--no-owner", "--role"),
    "--single-transaction",
}
"""Of every command, and of flask, gunicorn, the benchmarks, pytest, pg_dump and pg_restore."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
VARIABLE = re.compile(r"\bACTIVITY_[A-Z_]+\b")

of_every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


@cache
def help_of(program: str, command: str) -> str:
    """Return the output of ``--help``, of a group's commands, too; empty if there is none."""
    words = [[command]]
    if isinstance(found := GROUPS[program].commands.get(command), click.Group):
        words += [[command, name] for name in found.commands]
    shown = [CliRunner().invoke(GROUPS[program], [*line, "--help"]) for line in words]
    return "".join(one.stdout for one in shown) if shown[0].exit_code == 0 else ""


def unknown_options(program: str, command: str, words: str) -> list[str]:
    """Options among some words that the command does not have; itself, if it is missing."""
    found = help_of(program, command)
    if not found:
        return [f"{program} {command}"]
    known = OPTION.findall(found)
    return [f"{program} {command} {one}" for one in OPTION.findall(words) if one not in known]


def tables(program: str) -> list[dict[str, str]]:
    """The tables of a program's commands: the first cell of each row by its commands."""
    found = []
    for page in PAGES:
        for name, rows in TABLE.findall(page.read_text()):
            if name == program:
                cells = [row.split("|")[1] for row in rows.splitlines()]
                found.append(
                    {word: cell for cell in cells for word in re.findall(r"`([a-z]+)", cell)}
                )
    return found


@pytest.mark.parametrize("program", GROUPS)
def test_a_table_of_commands_has_each_command_and_options_that_exist(program):
    [table] = tables(program)

    assert set(table) == set(GROUPS[program].commands)
    assert [
        unknown
        for command, cell in table.items()
        for unknown in unknown_options(program, command, cell)
    ] == []


@of_every_page
def test_every_command_line_can_be_run(page):
    text = page.read_text()
    calls = CALL.findall(text)
    calls += [("headspace-activity", "serve", words) for words in SERVE.findall(text)]

    assert [unknown for call in calls for unknown in unknown_options(*call)] == []


@of_every_page
def test_every_option_belongs_to_some_command(page):
    known = {
        option
        for program, group in GROUPS.items()
        for command in group.commands
        for option in OPTION.findall(help_of(program, command))
    }

    assert sorted(set(OPTION.findall(page.read_text())) - known - OTHER_OPTIONS) == []


@of_every_page
def test_every_setting_exists(page):
    known = {option.variable for option in (*OPTIONS, *ALL_OPTIONS)}

    assert sorted(set(VARIABLE.findall(page.read_text())) - known) == []
