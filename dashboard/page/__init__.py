"""The page: its mounting, its layout and its callbacks."""
