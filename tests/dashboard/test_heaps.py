from __future__ import annotations

import subprocess
import sys

import pytest

# Threads that allocate something while all of them run, and what glibc then says of its heaps.
PROGRAM = """
import ctypes, sys, threading
from dashboard.heaps import limit_heaps

if sys.argv[1] == "limited":
    limit_heaps()
library, together = ctypes.CDLL(None), threading.Barrier(8)

def allocate():
    together.wait()
    library.malloc(1_000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc tells of its heaps")
def test_threads_share_two_heaps_where_each_would_have_its_own():
    free, limited = (
        subprocess.check_output([sys.executable, "-c", PROGRAM, how], text=True).count("<heap ")
        for how in ("free", "limited")
    )

    assert (free > 2, limited) == (True, 2)
