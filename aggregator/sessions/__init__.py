"""Sessions that run now on this machine: Claude Code's files about them, and its processes."""
