"""Activity on an existing Flask server: one call, and the commands of ``flask activity``."""
