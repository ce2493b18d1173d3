"""Compress a file as well as brotli can, which takes seconds, beside it as ``.br``."""

from __future__ import annotations

import sys
from pathlib import Path

import brotli

path = Path(sys.argv[1])
path.with_name(f"{path.name}.br").write_bytes(brotli.compress(path.read_bytes(), quality=11))
