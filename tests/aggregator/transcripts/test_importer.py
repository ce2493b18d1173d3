from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from aggregator.database.models import Agent, Project, Turn
from aggregator.errors import TranscriptsUnreadableError
from aggregator.query.imported import import_totals
from aggregator.transcripts.importer import ImportReport, import_transcripts
from tests.aggregator.transcripts.lines import (
    at,
    everything,
    prompt,
    reply,
    start_anew,
    states,
    turns_by_session,
)

NEAR_DATABASE = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def totals(engine):
    with engine.connect() as conn:
        return import_totals(conn)


def test_an_import_makes_projects_agents_tasks_and_turns(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1), reply(2))
    put("q/s2.jsonl", prompt(3, "s2", cwd="/gone/web/.worktrees/2"))

    report = import_transcripts(empty_engine, [folder])

    rows = everything(empty_engine)[0]
    assert rows == [
        ("s1-u1", "USER", at(1), "s1", at(1), None, "/gone/cli", "cli", "awaiting_input"),
        ("s1-m2/r", "AGENT", at(2), "s1", at(1), None, "/gone/cli", "cli", "awaiting_input"),
        ("s2-u3", "USER", at(3), "s2", at(3), None, "/gone/web", "web", "processing"),
    ]
    size = sum(path.stat().st_size for path in folder.rglob("*.jsonl"))
    assert report == ImportReport(
        files=2,
        files_read=2,
        lines=3,
        bytes=size,
        turns=3,
        skipped={},
        missing=(),
        seconds=report.seconds,
    )


def test_importing_again_reads_nothing(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1), b"nonsense\n", reply(2))
    import_transcripts(empty_engine, [folder])
    before = everything(empty_engine)

    report = import_transcripts(empty_engine, [folder])

    assert (report.files, report.files_read, report.lines, report.bytes) == (1, 0, 0, 0)
    assert report.skipped == {}
    assert everything(empty_engine) == before


def test_only_the_growth_of_a_file_is_read(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1))
    import_transcripts(empty_engine, [folder])
    put("p/s1.jsonl", prompt(1), reply(2))

    report = import_transcripts(empty_engine, [folder])

    assert (report.files_read, report.lines, report.bytes) == (1, 1, len(reply(2)))
    assert turns_by_session(empty_engine) == {"s1": ["s1-u1", "s1-m2/r"]}


def test_totals_count_what_all_imports_read(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1), b"nonsense\n", b"\n", reply(2).strip() + prompt(3))
    put("p/s1/subagents/agent-1.jsonl", prompt(4))
    put("p/agent-2.jsonl", prompt(5))
    put("p/s2.jsonl", b'{"type":"new"}\n', b'{"type":"user"')
    put("p/empty.jsonl")
    import_transcripts(empty_engine, [folder])
    put("p/s1.jsonl", prompt(1), b"nonsense\n", b"\n", reply(2).strip() + prompt(3), b"more\n")
    import_transcripts(empty_engine, [folder])

    assert totals(empty_engine) == {
        "files": 5,
        "files_main": 3,
        "lines": 5,
        "objects": 4,
        "waiting": 1,
        "skipped": {"malformed": 2, "unknown type": 1},
    }


def test_totals_of_nothing_are_zero(empty_engine, tmp_path):
    import_transcripts(empty_engine, [tmp_path])

    assert totals(empty_engine) == {
        "files": 0, "files_main": 0, "lines": 0, "objects": 0, "waiting": 0, "skipped": {},
    }  # fmt: skip


def test_lines_of_sub_agents_files_are_neither_counted_nor_turns(empty_engine, folder, put):
    put("p/s1/subagents/agent-1.jsonl", prompt(1))
    put("p/agent-2.jsonl", prompt(2))

    report = import_transcripts(empty_engine, [folder])

    assert (report.files, report.files_read, report.turns) == (2, 0, 0)
    assert turns_by_session(empty_engine) == {}


def test_a_session_without_turns_is_no_agent(empty_engine, folder, put):
    put("p/s1.jsonl", b'{"type":"progress","sessionId":"s1","cwd":"/gone/cli"}\n')
    put("p/s2.jsonl", reply(1, "s2", isSidechain=True))

    import_transcripts(empty_engine, [folder])

    assert everything(empty_engine)[0] == []


def test_the_project_is_the_first_folder_of_a_session_even_if_told_long_before_its_first_turn(
    empty_engine, folder, put
):
    begin = b'{"type":"progress","sessionId":"s1","cwd":"/gone/first"}\n'
    put("p/s1.jsonl", begin)
    import_transcripts(empty_engine, [folder])
    put("p/s1.jsonl", begin, prompt(1), prompt(2, cwd="/gone/later"))
    import_transcripts(empty_engine, [folder])

    with empty_engine.connect() as conn:
        assert conn.execute(select(Project.path, Project.name)).all() == [("/gone/first", "first")]


def test_a_session_that_tells_no_folder_counts_under_that_of_its_transcript(
    empty_engine, folder, put
):
    put("p/s1.jsonl", prompt(1, cwd=None))

    import_transcripts(empty_engine, [folder])

    with empty_engine.connect() as conn:
        assert conn.scalars(select(Project.path)).all() == [str(folder / "p")]


def test_the_earliest_text_of_a_message_is_the_turn(empty_engine, folder, put):
    put("p/s1.jsonl", reply(3, key="m"), reply(2, key="m"), reply(4, key="m"))

    import_transcripts(empty_engine, [folder])

    with empty_engine.connect() as conn:
        assert conn.execute(select(Turn.key, Turn.timestamp)).all() == [("m/r", at(2))]


def test_a_fork_leaves_the_turns_with_the_original_whichever_is_imported_first(
    empty_engine, folder, put
):
    source = {"forkedFrom": {"sessionId": "b", "messageUuid": "b-u1"}}
    copies = (prompt(1, "a", key="x1", **source), reply(9, "a", key="b-m2", **source))
    put("p/a.jsonl", *copies, prompt(10, "a"))
    import_transcripts(empty_engine, [folder])
    forked = turns_by_session(empty_engine)
    put("p/b.jsonl", prompt(1, "b"), reply(2, "b"))
    import_transcripts(empty_engine, [folder])

    assert forked == {"a": ["b-u1", "b-m2/r", "a-u10"]}
    assert turns_by_session(empty_engine) == {"a": ["a-u10"], "b": ["b-u1", "b-m2/r"]}
    with empty_engine.connect() as conn:
        instants = conn.execute(select(Turn.key, Turn.timestamp)).all()
        started = dict(map(tuple, conn.execute(select(Agent.session_id, Agent.started_at))))
    assert sorted(instants) == [("a-u10", at(10)), ("b-m2/r", at(2)), ("b-u1", at(1))]
    assert started == {"a": at(10), "b": at(1)}


def test_an_agent_whose_turns_are_all_copies_is_none_once_the_original_is_there(
    empty_engine, folder, put
):
    put("q/b.jsonl", prompt(5, "b", key="u1", cwd="/gone/web/cli"))
    import_transcripts(empty_engine, [folder])
    put("p/a.jsonl", prompt(1, "a", key="u1"))
    import_transcripts(empty_engine, [folder])

    rows = everything(empty_engine)[0]
    assert rows == [
        ("u1", "USER", at(1), "a", at(1), None, "/gone/cli", "cli", "processing"),
    ]


def test_replies_that_share_an_id_are_told_apart(empty_engine, folder, put):
    put(
        "p/s1.jsonl",
        reply(1, key="m", requestId="r1"),
        reply(2, key="m", requestId="r2"),
        *(
            prompt(minute, type="assistant", parentUuid=parent, message=message)
            for minute, parent in ((3, "s1-u2"), (4, "s1-u3"), (5, "s1-u3"), (6, "elsewhere"))
            for message in [{"id": "m", "content": "Done."}]
        ),
    )

    import_transcripts(empty_engine, [folder])

    # The line of minute 4 goes on with that of minute 3, and so does that of minute 5.
    assert turns_by_session(empty_engine) == {"s1": ["m/r1", "m/r2", "m/s1-u3", "m/s1-u6"]}


def test_an_agent_starts_with_its_earliest_turn(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(5))
    import_transcripts(empty_engine, [folder])
    put("p/s1.jsonl", prompt(5), prompt(3), prompt(9))
    import_transcripts(empty_engine, [folder])

    with empty_engine.connect() as conn:
        assert conn.execute(select(Agent.started_at, Agent.ended_at)).all() == [(at(3), None)]


def test_the_state_follows_the_session(empty_engine, folder, put):
    tool = {"id": "m", "content": [{"type": "tool_use"}]}
    lines = [prompt(1)]
    seen = []
    for line in (
        reply(2),
        prompt(3),
        prompt(4, type="assistant", message=tool),
        prompt(5, message={"content": "[Request interrupted by user]"}),
        prompt(6, message={"content": [{"type": "tool_result"}]}),
    ):
        lines.append(line)
        put("p/s1.jsonl", *lines)
        import_transcripts(empty_engine, [folder])
        seen.append(states(empty_engine)["s1"])

    assert seen == ["awaiting_input", "processing", "processing", "awaiting_input", "processing"]


def test_a_reply_that_cannot_be_identified_moves_the_state(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1), prompt(2, type="assistant", uuid=None, message={"content": "ok"}))

    report = import_transcripts(empty_engine, [folder])

    assert states(empty_engine) == {"s1": "awaiting_input"}
    assert report.skipped == {"no id": 1}


def test_an_old_copy_of_a_session_does_not_bring_back_its_old_state(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1), reply(2))
    import_transcripts(empty_engine, [folder])
    put("backup/s1.jsonl", prompt(1))
    import_transcripts(empty_engine, [folder])

    assert states(empty_engine) == {"s1": "awaiting_input"}


def test_a_file_that_was_cut_or_replaced_is_read_again_and_its_turns_stay(
    empty_engine, folder, put
):
    put("p/s1.jsonl", prompt(1), b"nonsense\n", prompt(2))
    import_transcripts(empty_engine, [folder])
    put("p/s1.jsonl", prompt(7))
    import_transcripts(empty_engine, [folder])

    assert turns_by_session(empty_engine) == {"s1": ["s1-u1", "s1-u2", "s1-u7"]}
    assert totals(empty_engine)["lines"] == 1
    assert totals(empty_engine)["skipped"] == {}


def test_what_a_deleted_file_told_stays(empty_engine, folder, put):
    path = put("p/s1.jsonl", prompt(1))
    import_transcripts(empty_engine, [folder])
    before = everything(empty_engine)
    path.unlink()

    report = import_transcripts(empty_engine, [folder])

    assert (report.files, report.turns) == (0, 0)
    assert everything(empty_engine) == before


def test_what_cannot_be_read_is_counted_and_told_once(empty_engine, folder, put, caplog):
    put("p/s1.jsonl", prompt(1))
    (folder / "p" / "folder.jsonl").mkdir()
    # The name of a file must not forge a line of the log.
    link = folder / "p" / "link\nINFO fake\x1b[31m.jsonl"
    link.symlink_to(folder / "nowhere")

    with caplog.at_level(logging.WARNING, "aggregator.transcripts.importer"):
        reports = [import_transcripts(empty_engine, [folder]) for _ in range(2)]

    assert [report.skipped for report in reports] == [{"unreadable file": 2}] * 2
    assert totals(empty_engine)["skipped"] == {"unreadable file": 2}
    assert caplog.messages == [
        f"Cannot read {folder}/p/folder.jsonl: it is not a file",
        rf"Cannot read {folder}/p/link\nINFO fake\x1b[31m.jsonl: No such file or directory",
    ]


def test_what_can_be_read_again_is_read_and_no_longer_counted(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1))
    link = folder / "p" / "link.jsonl"
    link.symlink_to(folder / "nowhere")
    import_transcripts(empty_engine, [folder])
    put("nowhere", prompt(2, "s2"))
    import_transcripts(empty_engine, [folder])

    assert turns_by_session(empty_engine) == {"s1": ["s1-u1"], "s2": ["s2-u2"]}
    assert totals(empty_engine)["skipped"] == {}
    assert totals(empty_engine)["files_main"] == 2


def test_what_could_not_be_read_and_is_gone_is_forgotten(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1))
    link = folder / "p" / "link.jsonl"
    link.symlink_to(folder / "nowhere")
    import_transcripts(empty_engine, [folder])
    link.unlink()
    import_transcripts(empty_engine, [folder])

    assert totals(empty_engine)["files"] == 1
    assert totals(empty_engine)["skipped"] == {}


def test_a_file_that_vanishes_during_an_import_is_counted(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(1))
    second = put("p/s2.jsonl", prompt(2, "s2"))

    report = import_transcripts(
        empty_engine, [folder], progress=lambda *_: second.unlink(missing_ok=True)
    )

    assert report.skipped == {"unreadable file": 1}
    assert turns_by_session(empty_engine) == {"s1": ["s1-u1"]}


def test_a_file_that_was_read_and_became_unreadable_goes_on_later(empty_engine, folder, put):
    path = put("p/s1.jsonl", prompt(1))
    import_transcripts(empty_engine, [folder])
    path.unlink()
    path.mkdir()
    import_transcripts(empty_engine, [folder])
    assert totals(empty_engine)["skipped"] == {"unreadable file": 1}
    path.rmdir()
    put("p/s1.jsonl", prompt(1), prompt(2))

    report = import_transcripts(empty_engine, [folder])

    assert (report.lines, report.skipped) == (1, {})
    assert totals(empty_engine)["skipped"] == {}


def test_hostile_lines_are_counted_and_never_fatal(empty_engine, folder, put):
    put("p/binary.jsonl", bytes(range(256)) * 40)
    put("p/deep.jsonl", b"[" * 100_000 + b"\n", b'{"a":' * 100_000 + b"\n")
    put("p/long-id.jsonl", prompt(1, key="x" * 10_000), prompt(2, "s" * 10_000))
    put("p/nul.jsonl", prompt(3, "s\0"), prompt(4, key="u\0"), prompt(5, cwd="/a\0"))
    put("p/half.jsonl", prompt(6).replace(b'"/gone/cli"', b'"\\ud83d"'))
    put("p/\udcff.jsonl", prompt(7))

    report = import_transcripts(empty_engine, [folder])

    assert report.turns == 3
    assert report.skipped["no id"] == 2
    assert report.skipped["no session"] == 2
    assert report.skipped["malformed"] > 2


def test_a_missing_folder_is_an_error_only_if_it_must_exist(empty_engine, folder):
    report = import_transcripts(empty_engine, [folder])

    assert (report.files, report.missing) == (0, (folder,))
    with pytest.raises(TranscriptsUnreadableError, match="there is no such folder"):
        import_transcripts(empty_engine, [folder], must_exist=True)


def test_progress_counts_up_to_all_bytes(empty_engine, folder, put):
    size = 0
    for number in range(3):
        size += (
            put(f"p/{number}.jsonl", *map(prompt, range(number * 4, number * 4 + 4))).stat().st_size
        )
    told = []

    import_transcripts(
        empty_engine, [folder], progress=lambda *step: told.append(step), turns_at_once=2
    )

    assert told == sorted(told)
    assert {total for _, total in told} == {size}
    assert told[-1] == (size, size)
    assert len(told) > 3


@pytest.mark.parametrize("turns_at_once", [1, 2, 3])
def test_rows_do_not_depend_on_the_size_of_the_portions(empty_engine, folder, put, turns_at_once):
    for name in ("a", "b", "c"):
        put(f"p/{name}.jsonl", *(prompt(n, name) + reply(n, name) for n in range(7)))
    import_transcripts(empty_engine, [folder])
    at_once = everything(empty_engine)
    start_anew(empty_engine)

    report = import_transcripts(empty_engine, [folder], turns_at_once=turns_at_once)

    assert report.turns == 42
    assert everything(empty_engine) == at_once


def test_several_imports_at_once_give_the_rows_of_one(empty_engine, folder, put):
    for name in "abcdef":
        put(f"p/{name}.jsonl", *(prompt(n, name, key=f"u{n}") for n in range(10)), reply(11, name))
    import_transcripts(empty_engine, [folder])
    of_one = everything(empty_engine)
    start_anew(empty_engine)
    reports = []

    def run():
        engine = create_engine(empty_engine.url)
        reports.append(import_transcripts(engine, [folder], turns_at_once=3))
        engine.dispose()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert everything(empty_engine) == of_one
    assert sorted(report.turns for report in reports) == [0, 0, 16]


CHILD = """
import sys
from pathlib import Path
from sqlalchemy import create_engine
from aggregator.transcripts.importer import import_transcripts

import_transcripts(
    create_engine(sys.argv[1]),
    [Path(sys.argv[2])],
    progress=lambda *_: print("on", flush=True),
    turns_at_once=5,
)
"""


def test_an_import_that_was_killed_goes_on_to_the_rows_of_one_clean_run(empty_engine, folder, put):
    for number in range(30):
        turns = (line(n, f"s{number}") for n in range(20) for line in (prompt, reply))
        put(f"p/{number}.jsonl", *turns, b"nonsense\n")
    import_transcripts(empty_engine, [folder])
    clean = everything(empty_engine)
    start_anew(empty_engine)

    url = empty_engine.url.render_as_string(hide_password=False)
    stored = [0]
    for steps in (3, 40):
        command = [sys.executable, "-c", CHILD, url, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            for _ in range(steps):
                assert child.stdout.readline() == b"on\n"
            child.send_signal(signal.SIGKILL)
        stored.append(sum(map(len, turns_by_session(empty_engine).values())))
    import_transcripts(empty_engine, [folder])

    assert 0 < stored[1] < stored[2] < 1200
    assert everything(empty_engine) == clean


LINES = st.lists(
    st.one_of(
        st.builds(prompt, st.integers(0, 4), st.sampled_from(["s1", "s2"])),
        st.builds(reply, st.integers(0, 4), st.sampled_from(["s1", "s2"])),
        st.builds(prompt, st.integers(0, 4), cwd=st.sampled_from([None, "/gone/a", "/gone/b"])),
        st.builds(
            reply, st.integers(0, 4), st.sampled_from(["s1", "s2"]), key=st.sampled_from(["x", "y"])
        ),
        st.builds(
            prompt,
            st.integers(0, 4),
            st.sampled_from(["s1", "s3"]),
            forkedFrom=st.sampled_from([None, {"messageUuid": "s2-u1"}]),
        ),
        st.sampled_from([b'{"type":"new"}\n', b'{"torn":"', b"\n"]),
    ).flatmap(lambda line: st.sampled_from([line, line.rstrip(b"\n")])),
    max_size=8,
)


@NEAR_DATABASE
@given(LINES, st.data())
def test_any_growth_of_a_file_gives_the_rows_of_importing_it_at_once(
    empty_engine, folder, put, lines, data
):
    content = b"".join(lines)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=4))
    start_anew(empty_engine)
    for size in [*sorted(cuts), len(content)]:
        path = put("p/s1.jsonl", content[:size])
        import_transcripts(empty_engine, [folder])
    grown = everything(empty_engine)
    start_anew(empty_engine)
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(0, status.st_mtime_ns))

    import_transcripts(empty_engine, [folder])

    assert everything(empty_engine) == grown


@NEAR_DATABASE
@given(st.lists(LINES, min_size=3, max_size=3), st.permutations(["a", "b", "c"]), st.booleans())
def test_any_order_of_files_gives_the_same_turns_agents_projects_and_states(
    empty_engine, folder, put, contents, names, at_once
):
    found = []
    for order in (["a", "b", "c"], names):
        start_anew(empty_engine)
        for path in folder.rglob("*.jsonl"):
            path.unlink()
        for name, lines in sorted(zip(order, contents, strict=True)):
            put(f"p/{name}.jsonl", *lines)
            if not at_once:
                import_transcripts(empty_engine, [folder])
        import_transcripts(empty_engine, [folder])
        found.append(everything(empty_engine)[0])

    assert found[0] == found[1]
