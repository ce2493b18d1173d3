"""Run a Chromium that draws pictures, and clear up after it.

    python chromium_supervisor.py FOLDER COMMAND…

Chromium ends by itself when the process that uses it has ended, even by ``kill -9``,
because its pipe is closed then. Its files would stay, so this small process, which
outlives both, deletes them. It takes the place of choreographer's own wrapper, imports
nothing but the standard library, and speaks with nobody.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

READ, WRITE = 3, 4
"""Where Chromium looks for its two pipes."""
PR_SET_CHILD_SUBREAPER = 36
TERMINATE_SECONDS = 5.0
"""Time that Chromium gets for an orderly end."""


def main() -> None:
    """Run the command to its end, delete the folder, and say so on the pipe."""
    folder, *command = sys.argv[1:]
    _adopt_orphans()
    chromium = subprocess.Popen(  # noqa: S603 - it is a program of the user's
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=(READ, WRITE)
    )
    signal.signal(signal.SIGTERM, lambda *_: _end(chromium))
    chromium.wait()
    _wait_for_the_others()
    _delete(folder)
    with suppress(OSError):  # There may be nobody any more.
        # Closing would not tell it, since whoever reads holds this end, too.
        os.write(1, b"{bye}\n")


def _end(chromium: subprocess.Popen[bytes]) -> None:
    chromium.terminate()
    try:
        chromium.wait(TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        chromium.kill()


def _adopt_orphans() -> None:
    """Become the parent of Chromium's other processes when that has ended.

    In a container the first process may be a server that does not expect any, and would
    keep them as zombies for ever.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_the_others() -> None:
    """Wait for Chromium's other processes, which end a little later."""
    end = time.monotonic() + TERMINATE_SECONDS
    with suppress(ChildProcessError):  # All have ended.
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)


def _delete(folder: str) -> None:
    # Elsewhere than on Linux somebody may be writing yet.
    end = time.monotonic() + TERMINATE_SECONDS
    while os.path.exists(folder) and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


if __name__ == "__main__":
    # First of all, before a file that is opened here takes one of the two numbers.
    os.dup2(0, READ)
    os.dup2(1, WRITE)
    main()
