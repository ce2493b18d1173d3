"""Run a Chromium that draws pictures, and clean up after it.

    python chromium_supervisor.py FOLDER COMMAND…

Chromium ends by itself when the process that uses it ends, even by ``kill -9``, because
its pipe is then closed. Its files would stay, so this small process, which outlives both,
deletes them. It replaces choreographer's own wrapper, imports only the standard library,
and sends nothing but one last message.
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
"""File descriptors of Chromium's two pipes."""
PR_SET_CHILD_SUBREAPER = 36
TERMINATE_SECONDS = 5.0
"""Time that Chromium gets for a clean exit."""


def main() -> None:
    """Run the command to its end, delete the folder, and report that on the pipe."""
    folder, *command = sys.argv[1:]
    _adopt_orphans()
    chromium = subprocess.Popen(  # noqa: S603 - it is a program of the user's
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=(READ, WRITE)
    )
    signal.signal(signal.SIGTERM, lambda *_: _end(chromium))
    chromium.wait()
    _wait_for_the_others()
    _delete(folder)
    with suppress(OSError):  # The reader may have ended.
        # Closing is no signal, because the reader holds this end, too.
        os.write(1, b"{bye}\n")


def _end(chromium: subprocess.Popen[bytes]) -> None:
    chromium.terminate()
    try:
        chromium.wait(TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        chromium.kill()


def _adopt_orphans() -> None:
    """Become the parent of Chromium's other processes once Chromium has ended.

    In a container, the first process may be a server that does not expect children and
    would leave them as zombies for ever.
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
    # Except on Linux, another process may still be writing.
    end = time.monotonic() + TERMINATE_SECONDS
    while os.path.exists(folder) and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


if __name__ == "__main__":
    # Before anything else: a file opened here could take one of these two numbers.
    os.dup2(0, READ)
    os.dup2(1, WRITE)
    main()
