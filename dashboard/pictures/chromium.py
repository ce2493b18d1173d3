"""Chromium with our options: offline, supervised, and with all its files in one folder.

Like Kaleido, which needs them, choreographer's classes are slow to import and may not be
installed: import this module only when there is something to draw.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from types import SimpleNamespace
from typing import Any

from choreographer.browsers.chromium import Chromium
from choreographer.channels import Pipe

from dashboard.errors import BrowserMissingError

LONGEST_FOLDER = 35
"""Characters of a path that leave room for what Chromium appends: a socket's path has
at most 107."""
SUPERVISOR = Path(__file__).with_name("chromium_supervisor.py")
OFFLINE = (
    "--disable-background-networking",
    "--disable-domain-reliability",
    # No other host name resolves.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class SupervisedChromium(Chromium):
    """Chromium under our supervisor, with all its files in one folder.

    With choreographer's own class, a killed process leaves files behind, and a forked
    child that ends deletes those of its parent.
    """

    def __init__(self, channel: Pipe, path: Any = None, *, folder: Path, **options: Any) -> None:
        super().__init__(channel, path, **options)
        self._folder = folder

    def pre_open(self) -> None:
        """Put the profile into our folder."""
        self.tmp_dir: Any = SimpleNamespace(path=self._folder / "profile")

    def get_cli(self) -> Sequence[str]:
        """Return the command, run by our supervisor except on Windows, where there is none."""
        cli = [*super().get_cli(), *OFFLINE]
        if os.name == "nt":
            return cli
        python, _, *chromium = cli
        return [python, "-I", "-S", str(SUPERVISOR), str(self._folder), *chromium]

    def get_env(self) -> MutableMapping[str, str]:
        """Return an environment that sends all files to our folder: some users have no home."""
        variables = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR")
        return {**super().get_env(), **dict.fromkeys(variables, str(self._folder))}

    def clean(self) -> None:
        """Do nothing: the supervisor deletes the files."""


class ForgettablePipe(Pipe):
    """A pipe to the browser that a forked child can drop."""

    def forget(self) -> None:
        """Close this process's ends of the pipe, and nothing else.

        The usual close first makes the pipe non-blocking, for the parent as well.
        """
        ours = (self._read_from_browser, self._write_to_browser)
        for end in (*ours, self.from_external_to_choreo, self.from_choreo_to_external):
            with suppress(OSError):
                os.close(end)


def find_chromium() -> str:
    """Find Chrome or Chromium: at ``BROWSER_PATH``, or in the usual places.

    We search before Kaleido does, which leaks threads and pipes if it finds no browser.

    Raises:
        BrowserMissingError: There is none.
    """
    path = Chromium.find_browser(skip_local=False)
    if path is None or not Path(path).is_file():
        debian = shutil.which("apt-get") is not None
        command = "apt-get install chromium" if debian else "plotly_get_chrome"
        raise BrowserMissingError(command, path)
    return path


def new_folder(browser: str) -> Path:
    """Make a folder for all files of a browser: visible to it, and with a short path."""
    if "snap" in browser:
        # A snap has a private /tmp; choreographer uses the home folder for it, too.
        return Path(mkdtemp(prefix=".activity-chromium-", dir=Path.home()))
    too_long = os.name != "nt" and len(gettempdir()) > LONGEST_FOLDER
    return Path(mkdtemp(prefix="activity-chromium-", dir="/tmp" if too_long else None))  # noqa: S108
