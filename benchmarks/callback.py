"""Benchmark of the page's request for numbers: the server's time, as a multiple of its SQL.

    python benchmarks/callback.py [--runs 20] [--profile]

On 576,000 turns of 200 agents in 30 days, for a day, a week and a month: the median time of the
server for numbers of a new version, which it has read for nobody yet, that of its statements
sent again through the driver alone with their rows fetched and discarded, their number, and
the ratio. ``--profile`` prints the functions that take the most time by themselves.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics

from flask import Flask
from load_clients import VALUES, request_for
from page import (
    DAYS,
    NOW,
    PERIODS,
    STANDALONE_TEMPLATE,
    bare_seconds,
    filled_database,
    make_version,
    record,
)

from dashboard.context import PageContext
from dashboard.host.extension import Activity

PAGE = "/activity"
UPDATE = f"{PAGE}/_dash-update-component"


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with filled_database() as engine:
        app = Flask("benchmark")
        app.config["ACTIVITY_JOBS"] = False
        context = PageContext(retention_days=DAYS)
        Activity(
            app, engine=engine, context=context, template=STANDALONE_TEMPLATE, clock=lambda: NOW
        )
        recorder, client = record(app, engine), app.test_client()
        callbacks = client.get(f"{PAGE}/_dash-dependencies").get_json()
        print(f"{'':8}{'server':>9}{'SQL':>9}{'statements':>12}{'server / SQL':>14}")
        for period in PERIODS:
            body = request_for(callbacks, "window.value", {**VALUES, "window": period})
            assert client.post(UPDATE, json=body).status_code == 200
            times = []
            for _ in range(given.runs):
                make_version(engine)
                client.post(UPDATE, json=body)
                times.append((recorder.seconds[-1], bare_seconds(engine, recorder.statements)))
            server, sql = (statistics.median(column) for column in zip(*times, strict=True))
            print(
                f"{period:8}{server * 1000:6.0f} ms{sql * 1000:6.0f} ms"
                f"{len(recorder.statements):12}{server / sql:14.1f}"
            )
            if given.profile:
                make_version(engine)
                with cProfile.Profile() as profile:
                    client.post(UPDATE, json=body)
                pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
