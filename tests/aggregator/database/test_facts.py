from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aggregator.database.facts import BEGINNING_OF_TIME, Windows, read_facts
from aggregator.database.turns import END_OF_TIME
from aggregator.schema.host import find_source


@pytest.mark.parametrize("kind", ["text", "turn_intent", None])
def test_questions_and_answers_of_a_host_are_read_if_it_tells_them(host, kind):
    host.run("CREATE TYPE turn_intent AS ENUM ('QUESTION', 'ANSWER')")
    host.create_tables(**({"turns__intent": kind} if kind else {}))
    host.fill()
    if kind:
        host.run(
            "UPDATE turns SET intent = 'QUESTION' WHERE created_at = '2026-10-25 00:13';"
            "UPDATE turns SET intent = 'ANSWER' WHERE created_at = '2026-10-25 12:00'"
        )

    with host.engine.connect() as conn:
        everything = Windows((1,), (BEGINNING_OF_TIME,), (END_OF_TIME,))
        turns = read_facts(conn, everything, find_source(conn)).turns

    told = kind is not None
    columns = ["at", "is_user", "asks", "answers"]
    assert turns.sort_values("at")[columns].to_numpy("object").tolist() == [
        [datetime(2026, 10, 25, 0, 10, tzinfo=UTC), True, False, False],
        [datetime(2026, 10, 25, 0, 11, tzinfo=UTC), False, False, False],
        [datetime(2026, 10, 25, 0, 13, tzinfo=UTC), False, told, False],
        [datetime(2026, 10, 25, 12, 0, tzinfo=UTC), True, False, told],
    ]
