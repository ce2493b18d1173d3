"""Roles with exactly the rights that docs/mounting.md grants, and with less."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import create_engine

from aggregator.errors import HostSchemaError, MigrationRefusedError, RightsMissingError
from aggregator.jobs.retry import run_with_retries
from dashboard import Activity

DOCS = Path(__file__).parents[3] / "docs" / "mounting.md"
TURN = "INSERT INTO turns (task_id, actor, created_at) VALUES (1, 'user', '2026-10-25 12:20')"
NOW = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)


@pytest.fixture
def roles(host):
    """A host with turns, whose roles get what is documented; the roles by their names."""
    host.create_tables()
    host.fill()
    section = DOCS.read_text().split("\n## Rights\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    names = ("activity_owner", "activity_worker", "activity_page")
    grants = dict(zip(names, blocks, strict=True))
    host.run("; ".join(f"CREATE ROLE {name} LOGIN PASSWORD 'x'" for name in names))
    # On a server where nobody may do anything by default.
    host.run(
        "REVOKE ALL ON DATABASE tests_host FROM PUBLIC; GRANT CONNECT ON DATABASE tests_host "
        "TO PUBLIC; GRANT USAGE ON SCHEMA fleet TO PUBLIC"
    )
    found = Roles(host, grants)
    yield found
    found.close()
    host.run(f"DROP OWNED BY {', '.join(names)}; DROP ROLE {', '.join(names)}")


class Roles:
    """The roles of a host."""

    def __init__(self, host, grants):
        self.host, self._grants, self._engines = host, grants, []

    def grant(self, name):
        """Give a role its documented rights."""
        sql = self._grants[name].replace("SCHEMA public", "SCHEMA fleet")
        self.host.run(sql.replace("DATABASE fleet", "DATABASE tests_host"))

    def activity(self, name):
        """Mount Activity with a role; return it and a client of its server."""
        engine = create_engine(self.host.engine.url.set(username=name, password="x"))
        self._engines.append(engine)
        app = Flask("host")
        app.config["ACTIVITY_JOBS"] = False
        Activity(app, engine=engine, clock=lambda: NOW)
        return app.extensions["activity"], app.test_client()

    def close(self):
        for engine in self._engines:
            engine.dispose()


def paths():
    yield "/activity/_dash-layout"
    yield "/activity/version"
    yield "/activity/now"
    for scope in ("overall", "activity", "projects/1", "agents/1", "activity.csv", "prometheus"):
        yield f"/api/metrics/{scope}"


def answers(client):
    return {path: client.get(path).status_code for path in paths()}


def test_each_role_can_do_its_work_with_the_documented_rights_alone(roles):
    roles.grant("activity_owner")
    owner, client = roles.activity("activity_owner")
    owner.database.migrate()
    assert owner.aggregate_once().written.any
    assert answers(client) == dict.fromkeys(paths(), 200)

    roles.grant("activity_worker")
    worker, client = roles.activity("activity_worker")
    roles.host.run(TURN)
    assert worker.aggregate_once().written.any
    assert answers(client) == dict.fromkeys(paths(), 200)
    assert client.get("/api/metrics/overall?window=day").get_json()["totals"]["turn_count"] == 8

    roles.grant("activity_page")
    _, client = roles.activity("activity_page")
    assert answers(client) == dict.fromkeys(paths(), 200)


def test_rights_on_the_columns_that_are_read_are_enough(roles):
    roles.grant("activity_owner")
    roles.host.run(
        "REVOKE SELECT ON projects, agents, tasks, turns FROM activity_owner; "
        "GRANT SELECT (id, name) ON projects TO activity_owner; "
        "GRANT SELECT (id, project_id) ON agents TO activity_owner; "
        "GRANT SELECT (id, agent_id, state) ON tasks TO activity_owner; "
        "GRANT SELECT (id, task_id, actor, created_at) ON turns TO activity_owner"
    )
    owner, client = roles.activity("activity_owner")
    owner.database.migrate()

    assert owner.aggregate_once().written.any
    assert answers(client) == dict.fromkeys(paths(), 200)


@pytest.mark.parametrize(
    ("revoked", "error", "says"),
    [
        (
            "SELECT ON turns",
            HostSchemaError,
            "the host's tables cannot be read: "
            "turns.task_id may not be read by this role (it needs SELECT); "
            "turns.id may not be read by this role (it needs SELECT); "
            "turns.actor may not be read by this role (it needs SELECT); "
            "turns.created_at may not be read by this role (it needs SELECT)",
        ),
        ("REFERENCES ON agents", MigrationRefusedError, "permission denied for table agents; "),
        ("CREATE ON SCHEMA fleet", MigrationRefusedError, "permission denied for schema fleet; "),
    ],
)
def test_a_role_that_may_not_migrate_is_told_why_in_one_line(roles, revoked, error, says):
    roles.grant("activity_owner")
    roles.host.run(f"REVOKE {revoked} FROM activity_owner")
    owner, _ = roles.activity("activity_owner")

    with pytest.raises(error) as refusal:
        owner.database.migrate()

    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_role_that_may_not_read_our_tables_says_so_in_each_answer(roles):
    roles.grant("activity_owner")
    roles.activity("activity_owner")[0].database.migrate()
    roles.grant("activity_page")
    roles.host.run("REVOKE SELECT ON activity_metrics, activity_state FROM activity_page")
    page, client = roles.activity("activity_page")
    says = "this role may not read activity_metrics, activity_state; grant it SELECT on them"

    with pytest.raises(RightsMissingError, match=f"^{says}$"):
        page.aggregate_once()
    answer = client.get("/api/metrics/overall")
    assert (answer.status_code, answer.get_json()) == (503, {"error": says})
    assert says in client.get("/activity/_dash-layout").text


def test_a_pass_without_rights_logs_one_line_and_works_once_it_has_them(roles, caplog):
    roles.grant("activity_owner")
    roles.activity("activity_owner")[0].database.migrate()
    roles.grant("activity_page")
    roles.host.run("GRANT TEMPORARY ON DATABASE tests_host TO activity_page")
    # It may read, so it serves the page, but its passes cannot write.
    worker, _ = roles.activity("activity_page")
    attempts = []

    def work():
        attempts.append(1)
        if len(attempts) == 3:
            roles.host.run("GRANT activity_owner TO activity_page")
        worker.aggregate_once()

    with caplog.at_level(logging.INFO):
        run_with_retries("Metrics", work, Event())

    denied, again = caplog.messages
    assert denied.startswith("Metrics: permission denied for table activity_")
    assert denied.endswith("; trying again until it works")
    assert again.startswith("Metrics works again after ")
