"""The wheel, built and installed into environments that do not see the checkout."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = "headspace-activity"


class Environment:
    """A Python environment with the wheel, and with what the wheel requires.

    Attributes:
        python: Its interpreter.
        wheel: The installed file.
        variables: Environment variables for its programs; add what a test needs.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.python = folder / "bin" / "python"
        self.wheel = wheel
        self.variables = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        self._folder = folder

    def command(self, *arguments: object) -> list[str]:
        """Return a command line of headspace-activity."""
        return [str(self._folder / "bin" / PROJECT), *map(str, arguments)]

    def run(self, command: list[str], **variables: object) -> subprocess.CompletedProcess[str]:
        """Run a program outside the checkout."""
        return subprocess.run(
            command,
            cwd=self._folder,
            env={**self.variables, **{name: str(value) for name, value in variables.items()}},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def required(name: str, extra: str = "") -> Iterator[Distribution]:
    """Yield the distributions that one needs with an extra, directly or not."""
    waiting, known = [(name, extra)], set()
    while waiting:
        one = waiting.pop()
        if one in known:
            continue
        known.add(one)
        found = distribution(one[0])
        if one[0] != name:
            yield found
        for requirement in map(Requirement, found.requires or []):
            for wanted in {one[1], ""}:
                if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                    waiting += [(requirement.name, more) for more in {"", *requirement.extras}]


def link(needed: Distribution, packages: Path) -> None:
    """Make the files of a distribution appear in another folder of packages."""
    for top in {Path(file.parts[0]) for file in needed.files or [] if file.parts[0] != ".."}:
        target = packages / top
        if top.name != "__pycache__" and not target.exists():
            target.symlink_to(needed.locate_file(top))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built by the locked hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="session")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Environment]:
    """Install the wheel with an extra, or with none, and with more packages.

    What pip would fetch are links to the locked packages, so that nothing else is there and
    no network is needed.
    """

    def new(extra: str, *more: str) -> Environment:
        folder = tmp_path_factory.mktemp(f"env-{extra}")
        venv.create(folder, symlinks=True)
        [packages] = folder.glob("lib/*/site-packages")
        for needed in [*required(PROJECT, extra), *map(distribution, more)]:
            link(needed, packages)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
        options = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
        subprocess.run([*pip, *options, str(wheel)], check=True)
        return Environment(folder, wheel)

    return new


@pytest.fixture(scope="session")
def plain(install: Callable[..., Environment]) -> Environment:
    """The wheel without an extra."""
    return install("")


@pytest.fixture(scope="session", params=["psycopg2-binary", "psycopg"])
def host(request: pytest.FixtureRequest, install: Callable[..., Environment]) -> Environment:
    """The wheel without an extra on a host, which has a driver of its own."""
    more = ["psycopg-binary"] if request.param == "psycopg" else []
    return install("", request.param, *more)


@pytest.fixture(scope="session")
def standalone(install: Callable[..., Environment]) -> Environment:
    """The wheel with all that its own server needs."""
    return install("standalone")
