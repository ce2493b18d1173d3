from __future__ import annotations

import logging

import pytest
from sqlalchemy import text

from aggregator.transcripts.importer import import_transcripts
from tests.aggregator.transcripts.lines import (
    everything,
    prompt,
    reply,
    turns_by_session,
)

WINDOWS = {"cwd": r"c:\code\orchard\\"}


@pytest.fixture
def imported_before(empty_engine, folder, put):
    """A database that an earlier version made of some transcripts.

    It took words behind an envelope for none, a notification for a prompt, did not know
    requests, and had two projects for two spellings of a folder.
    """
    words = "<system-reminder>x</system-reminder>Fix it"
    put("p/s1.jsonl", prompt(1), reply(2), prompt(3, message={"content": words}))
    put("p/s2.jsonl", prompt(4, "s2", **WINDOWS))
    put("p/s3.jsonl", prompt(5, "s3", cwd="C:/code/orchard"))
    put("p/gone.jsonl", prompt(6, "s4", cwd="c:/code/pears"), reply(7, "s4"))
    import_transcripts(empty_engine, [folder])
    (folder / "p/gone.jsonl").unlink()
    fresh = everything(empty_engine)[0]
    earlier = r"""
        UPDATE transcript_files SET format = 1, sessions = (
            SELECT jsonb_object_agg(key, jsonb_build_array(value->0, value->1, value->2))
            FROM jsonb_each(sessions)
        );
        UPDATE turns SET key = split_part(key, '/', 1);
        DELETE FROM turns WHERE key = 's1-u3';
        INSERT INTO turns (task_id, actor, timestamp, key)
            SELECT task_id, 'USER', timestamp, 'notification' FROM turns WHERE key = 's1-m2';
        UPDATE agents SET known_since = NULL;
        UPDATE tasks SET state_at = NULL, state_rank = 0;
        INSERT INTO projects (name, path) VALUES ('x', 'c:\code\orchard');
        UPDATE agents SET project_id = (SELECT max(id) FROM projects) WHERE session_id = 's2';
        UPDATE projects SET path = 'c:/code/pears' WHERE path LIKE '%pears';
        """
    with empty_engine.begin() as conn:
        conn.execute(text(earlier))
    return fresh


def test_an_earlier_import_is_put_right(imported_before, empty_engine, folder, caplog):
    with caplog.at_level(logging.INFO):
        report = import_transcripts(empty_engine, [folder])

    # The deleted transcript cannot be read again; its reply keeps its earlier identity.
    kept = [
        tuple("s4-m7" if value == "s4-m7/r" else value for value in row) for row in imported_before
    ]
    assert everything(empty_engine)[0] == kept
    assert report.turns == 0
    assert [record.getMessage() for record in caplog.records] == [
        "Read 3 transcripts again by the rules of this version: 7 turns before, 7 now"
    ]
    assert import_transcripts(empty_engine, [folder]).files_read == 0


def test_a_failure_leaves_an_earlier_import_as_it_was(imported_before, empty_engine, folder):
    before = everything(empty_engine)
    with empty_engine.begin() as conn:
        conn.execute(text("ALTER TABLE turns ADD CONSTRAINT fail CHECK (key <> 's3-u5') NOT VALID"))
    try:
        with pytest.raises(Exception, match="violates check constraint"):
            import_transcripts(empty_engine, [folder])
    finally:
        with empty_engine.begin() as conn:
            conn.execute(text("ALTER TABLE turns DROP CONSTRAINT fail"))

    assert everything(empty_engine) == before


def test_a_reply_of_a_deleted_transcript_and_its_copy_are_one_turn(empty_engine, folder, put):
    path = put("p/a.jsonl", prompt(1, "a", key="u1"), reply(2, "a", key="m"))
    put("p/b.jsonl", prompt(1, "b", key="u1"), reply(2, "b", key="m"), prompt(3, "b"))
    import_transcripts(empty_engine, [folder])
    path.unlink()
    with empty_engine.begin() as conn:
        conn.execute(text("UPDATE transcript_files SET format = 1"))
        conn.execute(text("UPDATE turns SET key = split_part(key, '/', 1)"))

    import_transcripts(empty_engine, [folder])

    assert turns_by_session(empty_engine) == {"a": ["u1", "m/r"], "b": ["b-u3"]}


def test_a_file_that_cannot_be_opened_keeps_its_turns_until_it_can(
    imported_before, empty_engine, folder, monkeypatch
):
    hidden = folder / "p/s1.jsonl"
    content = hidden.read_bytes()
    hidden.unlink()
    hidden.mkdir()
    import_transcripts(empty_engine, [folder])
    turns = sorted(turns_by_session(empty_engine)["s1"])
    hidden.rmdir()
    hidden.write_bytes(content)
    import_transcripts(empty_engine, [folder])

    assert turns == ["notification", "s1-m2", "s1-u1"]
    assert turns_by_session(empty_engine)["s1"] == ["s1-u1", "s1-m2/r", "s1-u3"]
