"""Claude Code transcripts: from folders of files to rows of ``turns`` and ``signals``.

:mod:`.discovery` finds the files, :mod:`.jsonl` reads their lines, :mod:`.parser`
interprets a line, and :mod:`.reading` does this from where the last reading ended.
While it reads, :mod:`.tracker` tells the signals of each session.
:mod:`.projects` finds the project of a folder. :mod:`.importer` runs all of it;
:mod:`.store`, :mod:`.file_records` and :mod:`.outdated` write rows.
"""
