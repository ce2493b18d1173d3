"""Chromium as we have it started: found, offline, with all its files in one folder.

Like Kaleido, which needs them, choreographer's classes are slow to import and may not be
there: import this module only when there is something to draw.
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

DEEPEST = 35
"""Signs of a path that leave room for what Chromium adds to it: a socket's has at most 107."""
SUPERVISOR = Path(__file__).with_name("chromium_supervisor.py")
OFFLINE = (
    "--disable-background-networking",
    "--disable-domain-reliability",
    # Whatever else it would like to talk to does not exist.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class SupervisedChromium(Chromium):
    """Chromium in the hands of our supervisor, with all its files in one folder.

    As choreographer has it, a process that is killed, or a forked child that ends,
    leaves files behind or deletes those of its parent.
    """

    def __init__(self, channel: Pipe, path: Any = None, *, folder: Path, **options: Any) -> None:
        super().__init__(channel, path, **options)
        self._folder = folder

    def pre_open(self) -> None:
        """Have a profile in our folder."""
        self.tmp_dir: Any = SimpleNamespace(path=self._folder / "profile")

    def get_cli(self) -> Sequence[str]:
        """The command, by our supervisor except on Windows, which has none."""
        cli = [*super().get_cli(), *OFFLINE]
        if os.name == "nt":
            return cli
        python, _, *chromium = cli
        return [python, "-I", "-S", str(SUPERVISOR), str(self._folder), *chromium]

    def get_env(self) -> MutableMapping[str, str]:
        """The environment, in which all is written to our folder: some users have no home."""
        places = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR")
        return {**super().get_env(), **dict.fromkeys(places, str(self._folder))}

    def clean(self) -> None:
        """Leave it to the supervisor."""


class ForgettablePipe(Pipe):
    """A pipe to the browser that a forked child can let go of."""

    def forget(self) -> None:
        """Close this process's ends, and nothing else.

        Closing it as usual makes it non-blocking first, for the parent, too.
        """
        ours = (self._read_from_browser, self._write_to_browser)
        for end in (*ours, self.from_external_to_choreo, self.from_choreo_to_external):
            with suppress(OSError):
                os.close(end)


def find_chromium() -> str:
    """Where Chrome or Chromium is: ``BROWSER_PATH``, or where it usually is.

    Looked for before Kaleido does, which keeps threads and pipes where it finds none.

    Raises:
        BrowserMissingError: It is nowhere.
    """
    path = Chromium.find_browser(skip_local=False)
    if path is None or not Path(path).is_file():
        debian = shutil.which("apt-get") is not None
        command = "apt-get install chromium" if debian else "plotly_get_chrome"
        raise BrowserMissingError(command, path)
    return path


def new_folder(browser: str) -> Path:
    """A folder for all files of a browser, in a place that it can see, and not too deep."""
    if "snap" in browser:
        # Its /tmp is one of its own; choreographer tells and helps itself likewise.
        return Path(mkdtemp(prefix=".activity-chromium-", dir=Path.home()))
    deep = os.name != "nt" and len(gettempdir()) > DEEPEST
    return Path(mkdtemp(prefix="activity-chromium-", dir="/tmp" if deep else None))  # noqa: S108
