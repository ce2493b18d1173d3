"""A private PostgreSQL server in a folder, for users without a database.

:mod:`.server` is the interface, :mod:`.cluster` manages the files, :mod:`.configuration` the
settings, :mod:`.supervisor` the processes, and :mod:`.account` the account that runs them.
"""

from aggregator.standalone.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
