"""Programs of the names of service managers, which write down what they are asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

RECORDER = """\
#!/bin/sh
echo "$*" >> '{log}'
case "$*" in {cases} esac
"""


class Recorder:
    """A program that writes its arguments down.

    Attributes:
        folder: Its folder, for ``PATH``.
    """

    def __init__(self, folder: Path, name: str, cases: str) -> None:
        self.folder = folder
        self._log = folder / f"{name}.log"
        program = folder / name
        program.write_text(RECORDER.format(log=self._log, cases=cases))
        program.chmod(0o755)

    def calls(self) -> list[str]:
        """Return the arguments of each call since the last time."""
        if not self._log.exists():
            return []
        lines = self._log.read_text().splitlines()
        self._log.unlink()
        return lines


@pytest.fixture
def recorder(tmp_path: Path) -> Callable[[str, str], Recorder]:
    """Make a program of a name; ``cases`` of a shell decide how it answers."""

    def make(name: str, cases: str = "") -> Recorder:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        return Recorder(folder, name, cases)

    return make
