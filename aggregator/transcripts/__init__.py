"""Claude Code transcripts: from folders of files to rows of ``turns``.

:mod:`.discovery` finds the files, :mod:`.jsonl` reads their lines, :mod:`.parser`
interprets a line, and :mod:`.reading` does this from where the last reading ended.
:mod:`.projects` finds the project of a folder. :mod:`.importer` runs all of it and
:mod:`.store` writes the rows; only these two use the database.
"""
