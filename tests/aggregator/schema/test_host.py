from __future__ import annotations

import pytest

from aggregator.database.source import STANDALONE, Source
from aggregator.errors import HostSchemaError
from aggregator.schema.host import find_source

HOST = {
    "turn_at_column": "created_at",
    "turn_at_is_naive": True,
    "agent_name_column": None,
    "agent_name_is_id": False,
    "agent_title_column": None,
    "agent_has_origin": False,
    "ended_at_column": "ended_at",
    "ended_at_is_naive": True,
}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {}),
        ({"turns__created_at": "timestamptz(3)"}, {"turn_at_is_naive": False}),
        (
            {"turns__timestamp": "timestamptz"},
            {"turn_at_column": "timestamp", "turn_at_is_naive": False},
        ),
        ({"agents__ended_at": "timestamptz"}, {"ended_at_is_naive": False}),
        ({"turns__intent": "text"}, {"turn_has_intent": True}),
        (
            {"agents__started_at": None, "agents__ended_at": None},
            {"ended_at_column": None, "ended_at_is_naive": False},
        ),
        (
            {"agents__claude_session_id": "text", "agents__session_uuid": "uuid"},
            {"agent_name_column": "session_uuid", "agent_name_is_id": True},
        ),
        (
            {"agents__session_id": "text", "agents__name": "text"},
            {
                "agent_title_column": "name",
                "agent_name_column": "session_id",
                "agent_name_is_id": True,
            },
        ),
        ({"agents__origin": "text"}, {"agent_has_origin": True}),
        ({"agents__name": "text"}, {"agent_title_column": "name"}),
        (
            {"agents__name": "uuid"},
            {"agent_name_column": "name", "agent_name_is_id": True},
        ),
        ({"turns__actor": "text", "tasks__state": "text", "turns__id": "uuid"}, {}),
        ({"tasks__id": "int", "tasks__agent_id": "int", "turns__task_id": "smallint"}, {}),
    ],
)
def test_the_columns_of_a_host_are_found(host, changes, found):
    host.create_tables(**changes)

    with host.engine.connect() as conn:
        assert find_source(conn) == Source(**{**HOST, **found})


def test_a_host_can_name_the_columns_itself(host):
    host.create_tables(turns__said_at="timestamptz", turns__timestamp="bigint", agents__nick="text")

    with host.engine.connect() as conn:
        source = find_source(conn, turn_at="said_at", agent_name="nick")

    assert (source.turn_at_column, source.turn_at_is_naive) == ("said_at", False)
    assert (source.agent_name_column, source.agent_name_is_id) == ("nick", False)


def test_our_own_tables_are_a_hosts_too(engine):
    with engine.connect() as conn:
        assert find_source(conn) == STANDALONE


@pytest.mark.parametrize(
    ("changes", "options", "problem"),
    [
        (
            {"tasks__agent_id": None},
            {},
            "tasks.agent_id is missing (expected an integer referring to agents.id)",
        ),
        (
            {"turns__created_at": None},
            {},
            "turns.timestamp or turns.created_at is missing "
            "(expected a timestamp with or without time zone)",
        ),
        (
            {"turns__timestamp": "date"},
            {},
            "turns.timestamp is date (expected a timestamp with or without time zone)",
        ),
        (
            {},
            {"turn_at": "said_at", "agent_name": "nick"},
            "agents.nick is missing (expected a text); turns.said_at is missing "
            "(expected a timestamp with or without time zone)",
        ),
        (
            {"projects__id": "bigint", "agents__id": "text PRIMARY KEY", "turns__actor": None},
            {},
            "projects.id is not the primary key (expected an integer, the primary key); "
            "agents.id is text (expected an integer, the primary key); "
            "turns.actor is missing (expected a text or an enum, user or agent)",
        ),
        (
            {"projects": None, "turns": None},
            {},
            "there is no table projects in the schemas of search_path; "
            "there is no table turns in the schemas of search_path",
        ),
    ],
)
def test_what_a_host_lacks_is_named_in_one_line(host, changes, options, problem):
    host.create_tables(**changes)

    with host.engine.connect() as conn, pytest.raises(HostSchemaError) as refusal:
        find_source(conn, **options)

    assert str(refusal.value) == f"the host's tables cannot be read: {problem}"


def test_tables_in_a_schema_that_search_path_does_not_name_are_not_there(host):
    host.create_tables()

    with host.engine.connect() as conn:
        conn.exec_driver_sql("SET search_path = public")
        with pytest.raises(HostSchemaError, match="there is no table projects"):
            find_source(conn)
