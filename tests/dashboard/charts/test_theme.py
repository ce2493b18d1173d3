from __future__ import annotations

import re
from itertools import combinations, pairwise

import numpy as np
import plotly.io as pio
import pytest

from aggregator.intervals.kinds import IDLE, KINDS
from aggregator.shipped import shipped_folder
from dashboard.charts.palette import DARK, LIGHT, mix, palette
from dashboard.charts.theme import template

BOTH = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SEEN_WITH = {
    "all cones": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
DAYLIGHT = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Convert linear RGB to CIE L*a*b*."""
    xyz = TO_XYZ @ rgb.clip(0, 1) / DAYLIGHT
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@BOTH
@pytest.mark.parametrize("cones", SEEN_WITH)
def test_any_two_projects_can_be_told_apart(colours, cones):
    seen = [
        lab(SEEN_WITH[cones] @ linear(colour)) for colour in (*colours.projects, colours.others)
    ]

    distances = [float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)]

    # 2.3 is just noticeable.
    assert min(distances) > (15 if cones == "all cones" else 11)


@BOTH
@pytest.mark.parametrize("cones", SEEN_WITH)
def test_any_two_kinds_of_time_can_be_told_apart(colours, cones):
    assert set(colours.kinds) == set(KINDS)
    seen = [lab(SEEN_WITH[cones] @ linear(colour)) for colour in colours.kinds.values()]

    distances = [float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)]

    assert min(distances) > (25 if cones == "all cones" else 17)


@BOTH
def test_what_carries_meaning_stands_out_and_text_can_be_read(colours):
    kinds = (colour for kind, colour in colours.kinds.items() if kind != IDLE)
    marks = (*kinds, *colours.projects, colours.others, colours.contrast, colours.ramp[-1])
    texts = (colours.text, colours.muted)

    assert min(contrast(mark, colours.surface) for mark in marks) >= 3
    for ground in (colours.surface, colours.gone):
        assert min(contrast(text, ground) for text in texts) >= 4.5
    assert contrast(colours.text, colours.raised) >= 4.5
    assert colours.projects[0] == colours.accent


@BOTH
def test_the_ramp_runs_from_the_surface_to_its_strongest_in_even_steps(colours):
    seen = [lab(linear(colour)) for colour in (colours.surface, *colours.ramp)]

    from_surface, *steps = [float(np.linalg.norm(two - one)) for one, two in pairwise(seen)]

    assert 2 < from_surface < 10
    assert max(steps) / min(steps) < 1.9
    away = [abs(point[0] - seen[0][0]) for point in seen]
    assert away == sorted(away)


def test_mixing_ends_in_the_two_colours():
    assert (mix("#5b7cfa", 1, "#ffffff"), mix("#5b7cfa", 0, "#161a21")) == ("#5b7cfa", "#161a21")


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK), ("?", LIGHT)])
def test_a_template_has_the_colours_of_its_scheme(scheme, colours):
    layout = template(scheme).layout

    assert palette(scheme) is colours
    assert (layout.paper_bgcolor, layout.plot_bgcolor) == (colours.surface, colours.surface)
    assert layout.font.color == colours.muted
    assert layout.colorway == colours.projects
    # Dragging is left to the page, which it scrolls.
    assert layout.dragmode is False
    assert layout.xaxis.fixedrange is layout.yaxis.fixedrange is True


def test_templates_are_registered_nowhere():
    before = set(pio.templates)
    template("dark")

    assert set(pio.templates) == before


@BOTH
def test_shades_are_the_steps_of_the_ramp_and_what_lies_between(colours):
    assert tuple(colours.shades(np.linspace(0, 1, len(colours.ramp)))) == colours.ramp

    [quarter] = colours.shades(np.array([0.25 / (len(colours.ramp) - 1)]))

    first, second = (np.array(list(bytes.fromhex(step[1:]))) for step in colours.ramp[:2])
    assert bytes.fromhex(quarter[1:]) == bytes((0.75 * first + 0.25 * second + 0.5).astype("uint8"))


@pytest.mark.parametrize("name", ["accent", "surface", "raised", "text", "muted"])
def test_the_page_around_the_charts_has_the_colours_of_the_charts(name):
    css = (shipped_folder("dashboard", "assets") / "activity.css").read_text()

    [pair] = re.findall(rf"--{name}: light-dark\((.+)\);", css)

    assert pair.split(", ") == [getattr(LIGHT, name), getattr(DARK, name)]
