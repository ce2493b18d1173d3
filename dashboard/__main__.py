"""``python -m dashboard`` is ``headspace-activity``."""

from dashboard.cli import main

main()
