from __future__ import annotations

import pytest
from sqlalchemy import text

from aggregator.database.engine import connect, parse_url
from aggregator.errors import DatabaseUnreachableError, SettingError


@pytest.fixture
def fresh(postgres):
    """An engine on a database without tables."""
    engine = connect(postgres.url("tests_fresh", fresh=True), purpose="tests")
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "raw",
    [
        "postgresql://ada:x@db/activity",
        "postgres://ada:x@db/activity",
        "postgresql+asyncpg://ada:x@db/activity",
    ],
)
def test_a_postgresql_url_without_one_of_our_drivers_is_used_with_the_first(raw):
    assert parse_url(raw).render_as_string(False) == "postgresql+psycopg2://ada:x@db/activity"


@pytest.mark.parametrize(
    "raw",
    [
        "activity",
        "sqlite:///x.db",
        "mysql://ada:secret@db/x?password=secret",
        "postgresql://ada:secret@db:port/x",
        "postgresql://ada:secret@[::1/x",
        "postgresql://ada:my@secret@db/x",
    ],
)
def test_another_kind_of_url_is_refused_without_telling_its_password(raw):
    with pytest.raises(SettingError, match="expected postgresql://") as error:
        parse_url(raw)
    assert "secret" not in str(error.value)


def test_a_database_that_does_not_answer_is_one_line_without_password(postgres):
    wrong = postgres.url("tests").set(password="not-this", query={"password": "not-this"})

    with pytest.raises(DatabaseUnreachableError) as error:
        connect(wrong, purpose="tests")

    assert "password authentication failed" in str(error.value)
    assert "not-this" not in str(error.value)
    assert "\n" not in str(error.value)


def test_sessions_speak_utc_and_tell_their_purpose(fresh):
    with fresh.connect() as conn:
        assert conn.scalar(text("SHOW timezone")) == "UTC"
        assert conn.scalar(text("SHOW application_name")).startswith("headspace-activity tests (")


def test_parameters_of_the_url_are_kept_and_checked(postgres):
    url = postgres.url("tests")
    engine = connect(url.set(query={"options": "-c search_path=mine"}), purpose="tests")
    with engine.connect() as conn:
        assert conn.scalar(text("SHOW search_path")) == "mine"
        assert conn.scalar(text("SHOW timezone")) == "UTC"
    engine.dispose()

    with pytest.raises(DatabaseUnreachableError, match='invalid connection option "foo"'):
        connect(url.set(query={"foo": "bar"}), purpose="tests")
