"""A measure added to the table of measures appears on every surface."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.no_time import NO_TIME

SCRIPT = Path(__file__).with_name("made_up_measure.py")


def test_a_measure_that_is_one_more_row_is_found_everywhere(fresh):
    address = fresh.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, SCRIPT, address], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr

    # Two agents with two turns and one, each turn 30 s.
    assert json.loads(done.stdout) == {
        "table": {"values": [60.0, 30.0, 90.0, 90.0], "unchanged": 0, "mended": 1},
        "adoption": ["double precision"],
        "load_metrics": [[90.0], "float64"],
        "load_metrics by day": [60.0, 30.0],
        "JSON": [90.0, 90.0],
        "JSON of all": [60.0, 30.0],
        "CSV": [
            "bucket_start,turn_count,avg_turn_time_seconds,gap_count,active_agents,busy_seconds,"
            + ",".join(NO_TIME),
            "2026-11-22T14:00:00Z,3,60.0,1,2,90.0," + ",".join(map(str, NO_TIME.values())),
        ],
        "schema": [
            {"type": "number", "minimum": 0, "description": "Seconds made up for a test."},
            {
                "type": "array",
                "items": {"type": "number", "minimum": 0},
                "description": "Busy time in each bucket.",
            },
            True,
        ],
        "Prometheus": [
            "# HELP activity_busy_seconds Busy time of a project in the last whole UTC hour "
            "(window=hour) or in the last 24 UTC hours, the running one included (window=day). "
            "Seconds made up for a test.",
            'activity_busy_seconds{project="atlas",project_id="1",window="day"} 90.0',
        ],
        "choices": [{"label": "Busy time", "value": "busy"}, "busy"],
        "chart": ["Busy time per hour", 90.0],
        "axis": ["0 s", "30 s", "1 min", "1 min 30 s"],
        "tooltip": "<b>Sun 22 Nov, 14:00–15:00, so far</b><br>3 turns"
        "<br>1 min average gap between turns"
        "<br>2 active agents<br>1 min 30 s busy time",
        "summary": "Busy time per hour, Sun 22 Nov 2026. 3 turns in 1 of 15 hours. "
        "Longest: 1 min 30 s, Sun 22 Nov, 14:00–15:00, so far.",
        "several agents": 90.0,
        "pattern": [168, True],
        "card": [["card-busy", "Busy time"], "1 min 30 s"],
        "tables": [90.0, True, [90.0, 60.0, 30.0]],
    }
