"""A private PostgreSQL server in a folder, for users without a database.

:mod:`.server` is what others use, :mod:`.cluster` knows the files, :mod:`.supervisor` the
processes and :mod:`.account` who runs them.
"""

from aggregator.standalone.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
