"""The notebook runs in a clean kernel and shows the right numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from sqlalchemy import text

from aggregator.passes.run import make_pass
from aggregator.standalone.demo import fill_with_demo

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "activity.ipynb"
WORKED = text(
    "SELECT sum(extract(epoch FROM ended_at - greatest(started_at, :since))) / 3600"
    " FROM activity_intervals WHERE kind = 'working' AND ended_at > :since"
)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_shipped_without_outputs(notebook):
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert {cell.execution_count for cell in cells} == {None}


def test_it_runs_on_demo_data_and_saves_a_picture(notebook, empty_engine, tmp_path, monkeypatch):
    now = datetime.now(UTC)
    fill_with_demo(empty_engine, now, UTC)
    make_pass(empty_engine, now, timedelta(days=30))
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ACTIVITY_DATABASE_URL", url)
    monkeypatch.setenv("TZ", "UTC")

    done = NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    said = "\n".join(
        str(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for cell in done.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    with empty_engine.connect() as conn:
        retained = text("SELECT sum(turn_count) FROM activity_metrics WHERE is_overall")
        agents = text("SELECT count(DISTINCT agent_id) FROM activity_metrics")
        turns, workers = conn.scalar(retained), conn.scalar(agents)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        worked = conn.scalar(WORKED, {"since": midnight - timedelta(days=6)})
    assert f"turns {turns}" in " ".join(said.split())
    assert f"of {workers} agents had 80 % of the turns" in said
    assert f"agents worked for {worked:.1f} hours" in said
    assert "Error" not in said
    assert "Warning" not in said
    picture = (tmp_path / "activity-last-week.png").read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) > 20_000
