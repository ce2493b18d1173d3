"""The way in which this package was installed, so that hints name commands that fit.

A command line in a checkout differs from one with pip, pipx or uv.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

PROGRAM = "headspace-activity"
"""Name of the distribution, and of its command."""
# What tests need, nobody is told to install.
OPTIONAL = re.compile(r"(?P<package>[\w.-]+).*\bextra == ['\"](?!test)(?P<extra>[\w-]+)['\"]")

Tool = Literal["checkout", "pip", "pipx", "uv", "uv tool", "uvx"]
"""Tools that install the package, and ``checkout`` for ``make serve``."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed copy of this package.

    Attributes:
        prefix: Folder of the Python environment.
        python: Its interpreter.
        installer: Program that put the files there: ``pip`` or ``uv``.
        origin: Contents of ``direct_url.json``, as the packaging standards define it; empty
            for a package from an index.
    """

    prefix: Path
    python: Path
    installer: str
    origin: Mapping[str, Any]

    @property
    def tool(self) -> Tool:
        """The tool that manages the environment."""
        folder = self.checkout
        if folder and self.prefix == folder / ".venv" and (folder / "Makefile").exists():
            return "checkout"
        if (self.prefix / "pipx_metadata.json").exists():
            return "pipx"
        if (self.prefix / "uv-receipt.toml").exists():
            return "uv tool"
        # Environments of uvx are entries of uv's cache.
        if self.prefix.parent.name.startswith(("archive-v", "environments-v")):
            return "uvx"
        return "uv" if self.installer == "uv" else "pip"

    @property
    def checkout(self) -> Path | None:
        """Folder of the source, if it is used in place (an editable installation)."""
        if not self.origin.get("dir_info", {}).get("editable"):
            return None
        return Path(unquote(urlsplit(self.origin["url"]).path))

    def requirement(self, extra: str) -> str:
        """Return this package with an extra as a quoted requirement, from where it came."""
        if self.checkout:
            return f"--editable {shlex.quote(f'{self.checkout}[{extra}]')}"
        named = f"{PROGRAM}[{extra}]"
        if "vcs_info" in self.origin:
            version = self.origin["vcs_info"]
            named += f" @ {version['vcs']}+{self.origin['url']}@{version['commit_id']}"
        elif self.origin:
            named += f" @ {self.origin['url']}"
        return shlex.quote(named)

    def install_command(self, extra: str) -> str:
        """Return the command that adds an extra to this installation."""
        requirement = self.requirement(extra)
        python = shlex.quote(str(self.python))
        match self.tool:
            case "uvx":
                return f"uvx --from {requirement} {PROGRAM}"
            case "uv tool":
                return f"uv tool install --force {requirement}"
            case "pipx":
                return f"pipx install --force {requirement}"
            case "uv":
                return f"uv pip install --python {python} {requirement}"
            case "pip" | "checkout":
                return f"{python} -m pip install {requirement}"

    def serve_command(self, options: str) -> str:
        """Return the command that serves the page with some options."""
        match self.tool:
            case "checkout":
                return f'make serve ARGS="{options}"'
            case "uvx":
                return f"{self.install_command('standalone')} serve {options}"
            case _:
                return f"{PROGRAM} serve {options}"


@cache
def this_installation() -> Installation:
    """Return the installation of the running program."""
    installed = distribution(PROGRAM)
    return Installation(
        prefix=Path(sys.prefix),
        python=Path(sys.executable),
        installer=(installed.read_text("INSTALLER") or "").strip(),
        origin=json.loads(installed.read_text("direct_url.json") or "{}"),
    )


def extra_with(module: str) -> str | None:
    """Return the extra that installs a top-level module; None if none does.

    It is ``standalone`` if several do: that one is complete.
    """
    found = [
        optional["extra"]
        for optional in map(OPTIONAL.match, requires(PROGRAM) or [])
        if optional and _module_of(optional["package"]) == module.partition(".")[0]
    ]
    return "standalone" if "standalone" in found else next(iter(found), None)


def _module_of(package: str) -> str:
    """Return the module of a package: its name, except for a variant with binaries."""
    return package.lower().replace("-", "_").removesuffix("_binary")


def missing_package(extra: str) -> str | None:
    """Return the first package of an extra that is not installed; None if all are."""
    for optional in map(OPTIONAL.match, requires(PROGRAM) or []):
        if optional and optional["extra"] == extra:
            try:
                distribution(optional["package"])
            except PackageNotFoundError:
                return optional["package"]
    return None
