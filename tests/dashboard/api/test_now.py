from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def test_what_all_agents_do_is_told_with_a_conditional_answer(empty_engine, record, serve_api):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW - timedelta(minutes=40)], state="awaiting_input")
        record(conn, "beta", "b1", [NOW - timedelta(minutes=2)])
    client = serve_api(empty_engine)

    answer = client.get("/api/metrics/now")

    assert answer.get_json() == {
        "schema_version": 2,
        "as_of": "2026-11-22T14:30:00Z",
        "waiting": 1,
        "agents": [
            {
                "agent_id": 1,
                "project_id": 1,
                "name": "a1",
                "project": "alpha",
                "state": "waiting",
                "since": "2026-11-22T13:50:00Z",
                "reason": "turn done",
                "tool": None,
                "is_long": True,
                "last_turn_at": "2026-11-22T13:50:00Z",
            },
            {
                "agent_id": 2,
                "project_id": 2,
                "name": "b1",
                "project": "beta",
                "state": "working",
                "since": "2026-11-22T14:28:00Z",
                "reason": "unknown",
                "tool": None,
                "is_long": False,
                "last_turn_at": "2026-11-22T14:28:00Z",
            },
        ],
    }
    again = client.get("/api/metrics/now", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
