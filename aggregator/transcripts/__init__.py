"""Claude Code transcripts: from folders of files to turns, without a database.

:mod:`.folders` finds the files, :mod:`.jsonl` reads their lines, :mod:`.meaning` tells
what a line means, :mod:`.reading` does all that from where the last reading ended, and
:mod:`.repositories` knows which project a folder belongs to.
"""
