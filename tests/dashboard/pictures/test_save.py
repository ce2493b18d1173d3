from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from aggregator.errors import ParameterError
from aggregator.metrics.periods import calendar_period
from aggregator.metrics.scope import Scope
from dashboard import PictureSize, save_picture

START = datetime(2026, 11, 22, 13, tzinfo=UTC)


@pytest.fixture
def atlas(overview):
    return overview(
        (START, 5, 60.0, 2),
        scope=Scope("project", (1,)),
        period=calendar_period("week", date(2026, 11, 22), ZoneInfo("Europe/Berlin")),
        projects=[(1, "atlas", 5)],
    )


def test_a_chart_is_saved_with_a_title_that_says_whose_it_is(atlas, tmp_path):
    path = save_picture(atlas, tmp_path / "week.svg", "turn-time", size=PictureSize(800, 400, 1))

    svg = path.read_text()
    assert path == tmp_path / "week.svg"
    assert svg.startswith('<svg class="main-svg"')
    for words in (
        'width="800" height="400"',
        "Average gap between turns per hour · Project atlas",
        "16–22 Nov 2026 (week 47) · Europe/Berlin",
    ):
        assert words in svg


def test_the_pattern_of_several_is_called_by_their_number(atlas, overview, tmp_path):
    both = overview((START, 5, 60.0, 2), scope=Scope("agent", (1, 2)))
    made = overview((START, 5, 60.0, 2), scope=Scope("project", (1, 2), "automated"))

    svg = save_picture(both, str(tmp_path / "x.SVG"), pattern=True).read_text()
    filtered = save_picture(made, tmp_path / "y.svg", pattern=True).read_text()

    assert "Turns per hour by weekday and hour · 2 agents" in svg
    assert "Turns per hour by weekday and hour · 2 projects, automated agents" in filtered


@pytest.mark.parametrize(
    ("name", "metric", "words"),
    [
        ("week.gif", "turns", "path: .* a name that ends in .png, .svg or .pdf"),
        ("week", "turns", "path: "),
        (
            "week.png",
            "tokens",
            "metric: 'tokens' .* expected time, turns",
        ),
    ],
)
def test_what_cannot_be_saved_is_told_before_anything_is_drawn(
    *, atlas, tmp_path, name, metric, words
):
    with pytest.raises(ParameterError, match=words):
        save_picture(atlas, tmp_path / name, metric)
