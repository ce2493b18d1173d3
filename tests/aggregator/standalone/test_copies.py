"""A copy of the embedded database, made and restored by the commands of docs/running.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import MetaData, select

from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.settings import Settings
from aggregator.standalone.database import open_database

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=2)
DOCS = Path(__file__).parents[3] / "docs" / "running.md"


@pytest.fixture
def documented():
    """Return the lines that set variables, that for a copy, and that for going back to it."""
    section = DOCS.read_text().split("\n## Copies\n")[1].split("\n## ")[0]
    copy, restore = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    *variables, dump = copy.strip().splitlines()
    return "\n".join(variables[1:]), dump, restore


@contextmanager
def database(home):
    with open_database(Settings.load({"home": home}, {}), purpose="tests") as engine:
        yield engine


def run(home, folder, *lines):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        ["sh", "-e", "-c", "\n".join((f"home={home}", *lines))],
        cwd=folder,
        env={"PATH": path},
        check=True,
    )


def contents(engine):
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as conn:
        return {
            table.name: sorted(map(str, conn.execute(select(table))))
            for table in metadata.sorted_tables
        }


@pytest.mark.usefixtures("home_with_database")
def test_a_copy_is_restored_on_a_machine_that_has_other_rows(
    home, unused_database, documented, record, tmp_path
):
    variables, dump, restore = documented
    with database(home) as engine:
        with engine.begin() as conn:
            record(conn, "atlas", "a1", [NOW - timedelta(minutes=one) for one in (5, 70, 71)])
        make_pass(engine, NOW, RETENTION)
        before = contents(engine)
        run(home, tmp_path, variables, dump)

    with TemporaryDirectory(prefix="activity-") as other:
        subprocess.run(["cp", "-a", f"{unused_database}/.", other], check=True)
        with database(other) as engine:
            with engine.begin() as conn:
                record(conn, "beta", "b1", [NOW])
            run(other, tmp_path, variables, restore)
            assert contents(engine) == before
        # As the program's own role, which owns what was restored.
        with database(other) as engine:
            make_pass(engine, NOW, RETENTION)
            assert rebuild(engine, NOW, RETENTION).any is False
            after = contents(engine)

    unlike = {name for name in before if before[name] != after[name]}
    assert unlike <= {"activity_state"}
    assert "atlas" in before["projects"][0]
