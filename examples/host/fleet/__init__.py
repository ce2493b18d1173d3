"""Fleet, a small Flask server with a login, CSRF protection and a database.

It stands for your own server. Everything that the Activity tab needed is marked with
"Activity": an import and a call below, a template, and an argument of Flask-Migrate.

Its settings come from the environment: ``FLEET_SQLALCHEMY_DATABASE_URI``,
``FLEET_SECRET_KEY`` and ``FLEET_PASSWORD``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate

from aggregator.schema import leave_activity_alone  # Activity: for Flask-Migrate
from dashboard import Activity  # Activity: the import
from fleet import csrf, login, pages, seed
from fleet.models import db

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def create_app(**settings: Any) -> Flask:
    """Make the server; ``settings`` override the environment."""
    app = Flask(__name__)
    app.config.from_prefixed_env("FLEET")
    app.config.update(settings)
    db.init_app(app)
    # Activity: so that "flask db migrate" does not propose to drop its tables.
    Migrate(app, db, directory=str(MIGRATIONS), include_object=leave_activity_alone)
    for part in (login, csrf, pages, seed):
        part.init_app(app)
    Activity(app, template="activity.html")  # Activity: the call
    return app
