from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select

from aggregator.database.models import Agent
from aggregator.database.source import STANDALONE
from aggregator.transcripts.importer import import_transcripts
from aggregator.transcripts.names import learn_names, name_of
from tests.aggregator.transcripts.lines import prompt

SLUG = {"slug": "polymorphic-sparking-prism"}
BRANCH = {"gitBranch": "fix/clock"}
TITLE = {"type": "custom-title", "customTitle": "Clock of the page", "sessionId": "s1"}
AI_TITLE = {"type": "ai-title", "aiTitle": "Repair of clocks", "sessionId": "s1"}


def named(*lines, titles=False):
    names = {}
    for line in lines:
        learn_names(names, line, titles=titles)
    return name_of(names)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([], None),
        ([BRANCH], "fix/clock"),
        ([{"gitBranch": "main"}], None),
        ([{"gitBranch": ""}], None),
        ([SLUG, BRANCH], "polymorphic-sparking-prism"),
        ([TITLE, SLUG, BRANCH], "Clock of the page"),
        ([{"type": "agent-name", "agentName": "clockmaker"}, SLUG], "clockmaker"),
        # The last one counts, wherever the branch went.
        ([BRANCH, {"gitBranch": "fix/chart"}], "fix/chart"),
        ([{"type": "custom-title", "customTitle": " two\n lines\t\x00"}], "two lines"),
        ([{"type": "custom-title", "customTitle": "x" * 99}], "x" * 79 + "…"),
        ([{"type": "custom-title", "customTitle": 7}, {"slug": None}], None),
        ([AI_TITLE, BRANCH], "fix/clock"),
    ],
)
def test_the_name_is_the_best_that_the_lines_tell(lines, name):
    assert named(*lines) == name


def test_a_title_that_a_model_wrote_counts_only_if_it_is_wanted():
    assert named(AI_TITLE, SLUG, titles=True) == "Repair of clocks"
    assert named(AI_TITLE, TITLE, titles=True) == "Clock of the page"


def shown(engine):
    with engine.connect() as conn:
        query = select(STANDALONE.agent_name, Agent.cwd).select_from(Agent)
        return [tuple(row) for row in conn.execute(query)]


def test_an_agent_has_the_name_that_its_transcript_last_told(empty_engine, tmp_path):
    file = tmp_path / "a.jsonl"
    seen = []
    for line in (
        prompt(1, cwd="/gone/cli/tree"),
        prompt(2, **SLUG),
        prompt(3, **BRANCH),
        orjson.dumps(AI_TITLE) + b"\n",
        orjson.dumps(TITLE) + b"\n",
    ):
        with file.open("ab") as end:
            end.write(line)
        import_transcripts(empty_engine, [tmp_path])
        seen += shown(empty_engine)

    slug = (SLUG["slug"], "/gone/cli/tree")
    assert seen == [
        ("s1", "/gone/cli/tree"), slug, slug, slug, ("Clock of the page", "/gone/cli/tree"),
    ]  # fmt: skip


def test_a_name_is_that_of_the_latest_transcript_in_whichever_order_they_are_read(
    empty_engine, tmp_path
):
    early, late = prompt(1, **BRANCH), prompt(9, key="u9", **SLUG)
    for folder, contents in (("one", (early, late)), ("two", (late, early))):
        for number, content in enumerate(contents):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{number}.jsonl").write_bytes(content)
            import_transcripts(empty_engine, [tmp_path / folder])

        assert [name for name, _ in shown(empty_engine)] == ["polymorphic-sparking-prism"]
