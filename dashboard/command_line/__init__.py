"""Options and output shared by ``headspace-activity`` and ``flask activity``."""
