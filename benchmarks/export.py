"""Benchmark of pictures: the time to draw the page's charts as PNGs.

    python benchmarks/export.py [--charts 20] [--baseline 20]

Makes demo activity in its own embedded PostgreSQL and draws the page's charts as PNGs of
2400 × 1000 pixels. The work of the database is not counted.

* ``kaleido.calc_fig_sync`` for each, as in ``fig.write_image``: the baseline, which starts
  a browser for every chart;
* our renderer, which starts one browser for all.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import kaleido

from aggregator.database.engine import connect
from aggregator.metrics.periods import calendar_period
from aggregator.metrics.scope import OVERALL
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from aggregator.schema.migrate import upgrade
from aggregator.standalone.demo import fill_with_demo
from aggregator.standalone.embedded import EmbeddedPostgres
from dashboard.charts.figure_types import Chart
from dashboard.pictures.formats import Drawing
from dashboard.pictures.picture import REPORT, PictureSize, picture_of
from dashboard.pictures.renderer import Renderer

NOW = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)
SCALE = PictureSize().scale


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--charts", type=int, default=20)
    parser.add_argument("--baseline", type=int, default=20, help="charts drawn with a browser each")
    given = parser.parse_args()
    charts = list(islice(cycle(page_charts()), given.charts))
    renderer = Renderer()
    try:
        ours = measure(lambda chart: renderer.draw([Drawing(chart, "png", SCALE)])[0], charts)
    finally:
        renderer.close()
    theirs = measure(one_by_one, charts[: given.baseline])
    print(f"{'':30}first   median   total of {given.charts}")
    show("one browser each (baseline)", theirs, given.charts)
    show("one browser for all", ours, given.charts)
    first, median = theirs[0] / ours[0], statistics.median(theirs) / statistics.median(ours)
    total = statistics.mean(theirs) / statistics.mean(ours)
    print(f"{'ratio':28}{first:7.1f}{median:9.1f}{total:9.1f}")


def page_charts() -> Iterator[Chart]:
    """Yield the pictures of a report, for a week and for a month of demo activity."""
    zone = ZoneInfo("Europe/Berlin")
    folder = tempfile.TemporaryDirectory(prefix="activity-")
    with folder as home, EmbeddedPostgres(Path(home)) as server:
        engine = connect(server.url("export"), purpose="benchmark")
        upgrade(engine, "standalone")
        upgrade(engine, "activity")
        fill_with_demo(engine, NOW, zone)
        make_pass(engine, NOW, timedelta(days=30))
        reader = MetricReader(engine)
        names = dict(reader.choices()[0].itertuples(index=False))
        for window in ("week", "month"):
            period = calendar_period(window, date(2026, 11, 27), zone)
            overview = reader.overview(OVERALL, period, NOW, retention=timedelta(days=30))
            look: dict[str, Any] = {"scheme": "light", "size": PictureSize()}
            for subject in REPORT:
                yield picture_of(overview, names, subject, scope_name="All projects", **look)
        engine.dispose()


def one_by_one(chart: Chart) -> bytes:
    """Draw a picture as Plotly does, with a browser of its own."""
    content: bytes = kaleido.calc_fig_sync(chart, opts={"format": "png", "scale": SCALE})
    return content


def measure(draw: Callable[[Chart], bytes], charts: list[Chart]) -> list[float]:
    """Return the seconds for each chart."""
    seconds = []
    for chart in charts:
        started = time.perf_counter()
        assert draw(chart).startswith(b"\x89PNG")
        seconds.append(time.perf_counter() - started)
    return seconds


def show(name: str, seconds: list[float], charts: int) -> None:
    """Print one row; the total is extrapolated from the measured charts to all."""
    total = statistics.mean(seconds) * charts
    print(f"{name:28}{seconds[0]:6.2f} s{statistics.median(seconds):7.2f} s{total:7.1f} s")


if __name__ == "__main__":
    main()
