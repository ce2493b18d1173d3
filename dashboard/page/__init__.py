"""The page: how it is mounted, its layout and its callbacks."""
