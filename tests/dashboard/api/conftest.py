"""The API on its own server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from aggregator.query.reader import MetricReader

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


@pytest.fixture
def serve_api() -> Callable[..., FlaskClient]:
    """Serve the metrics of a database as of an instant that tests can change."""
    from dashboard import api

    def serve(
        engine: Engine,
        now: Callable[[], datetime] = lambda: NOW,
        retention: timedelta = timedelta(days=400),
    ) -> FlaskClient:
        app = Flask("host")
        app.register_blueprint(api.blueprint(MetricReader(engine), now, retention))
        return app.test_client()

    return serve
