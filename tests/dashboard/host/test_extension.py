from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dash.testing.wait import until
from flask import Flask, abort, redirect, request, session
from flask_login import LoginManager, UserMixin, login_required
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import create_engine
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from aggregator.errors import SettingError
from aggregator.metrics.windows import HOUR
from aggregator.passes.run import make_pass
from aggregator.schema.migrate import upgrade
from dashboard import Activity
from dashboard.errors import MountError
from dashboard.host.settings import ALL_OPTIONS

FACTS = re.compile(r'<script id="activity-host" type="application/json">(.*?)</script>')


def host(**config) -> Flask:
    """Make a small server with its own pages and login, and nothing switched off."""
    app = Flask("host")
    app.config.update({"SECRET_KEY": "a secret", "ACTIVITY_JOBS": False, **config})

    @app.get("/")
    def home():
        return "Home"

    @app.get("/login")
    def login():
        session["user"] = "me"
        return "Welcome"

    @app.errorhandler(404)
    def not_found(error):
        return "The host has no such page", 404

    return app


def logged_in(app: Flask):
    client = app.test_client()
    client.get("/login")
    return client


def url_of(database) -> str:
    return database.url.render_as_string(hide_password=False)


@pytest.fixture
def turns(empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now - timedelta(minutes=minute) for minute in (1, 2, 3)])
    make_pass(empty_engine, now, 720 * HOUR)
    return empty_engine


# ---- The database ---------------------------------------------------------------


def by_argument(app, engine):
    Activity(app, engine=engine)


def by_url(app, engine):
    Activity(app, engine=url_of(engine))


def by_url_object(app, engine):
    Activity(app, engine=engine.url)


def by_function(app, engine):
    Activity(app, engine=lambda: engine)


def by_key(app, engine):
    app.config["ACTIVITY_DATABASE_URL"] = url_of(engine).replace("+psycopg2", "")
    Activity(app)


def by_flask_sqlalchemy(app, engine):
    app.config["SQLALCHEMY_DATABASE_URI"] = url_of(engine)
    SQLAlchemy(app)
    Activity(app)


def by_its_db(app, engine):
    app.config["SQLALCHEMY_DATABASE_URI"] = url_of(engine)
    db = SQLAlchemy()
    Activity(app, engine=db)
    db.init_app(app)


def by_its_key(app, engine):
    app.config["SQLALCHEMY_DATABASE_URI"] = url_of(engine).replace("ql+psycopg2", "")
    Activity(app)


@pytest.mark.parametrize(
    "give",
    [
        by_argument,
        by_url,
        by_url_object,
        by_function,
        by_key,
        by_flask_sqlalchemy,
        by_its_db,
        by_its_key,
    ],
)
def test_the_database_is_the_hosts(turns, now, give):
    app = host()

    give(app, turns)

    query = f"?since=2026-11-22T14:00:00Z&until={now:%Y-%m-%dT%H:%M}Z"
    answer = app.test_client().get(f"/api/metrics/overall{query}")
    assert answer.get_json()["totals"]["turn_count"] == 3
    app.extensions["activity"].engine.dispose()


def test_an_engine_that_commits_by_itself_makes_whole_passes(turns, now):
    engine = create_engine(turns.url, isolation_level="AUTOCOMMIT")
    app = host()
    Activity(app, engine=engine, clock=lambda: now)

    report = app.extensions["activity"].aggregate_once()

    # Its table of new rows lives as long as a transaction.
    assert not report.written.any
    engine.dispose()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "cannot add Activity to the Flask server 'host': it names no database; expected "),
        ("sqlite://", "engine: 'sqlite://…' is not allowed; expected postgresql://"),
        (42, "engine: 42 is not allowed; expected an Engine, a URL, Flask-SQLAlchemy's db, or "),
    ],
)
def test_a_database_that_is_none_is_refused_at_once(given, says):
    app = host()

    with pytest.raises((MountError, SettingError), match=re.escape(says)):
        Activity(app, engine=given)

    assert "activity" not in app.blueprints


# ---- The configuration ----------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("ACTIVITY_INTERVAL_SECONDS", "soon", "a whole number from 1 to 86400"),
        ("ACTIVITY_RETENTION_DAYS", 0, "a whole number from 1 to 36500"),
        ("ACTIVITY_DATABASE_URL", "mysql://db", "postgresql://user:password@host:port/name"),
        ("ACTIVITY_URL_PREFIX", "/ops/", "a path such as /activity, without a slash at its end"),
        ("ACTIVITY_URL_PREFIX", "/", "a path such as /activity, without a slash at its end"),
        ("ACTIVITY_API_PREFIX", "api", "a path such as /activity, without a slash at its end"),
        ("ACTIVITY_JOBS", "maybe", "True or False"),
        ("ACTIVITY_CSRF_HEADER", "a header", "the name of a header, such as X-CSRF-Token"),
    ],
)
def test_a_bad_value_is_named_with_its_key(engine, key, value, allowed):
    with pytest.raises(SettingError) as error:
        Activity(host(**{key: value}), engine=engine)

    assert str(error.value).startswith(f"{key}: ")
    assert str(error.value).endswith(f"is not allowed; expected {allowed}")


def test_the_keys_hold(engine):
    app = host(ACTIVITY_RETENTION_DAYS="7", ACTIVITY_INTERVAL_SECONDS=60)

    Activity(app, engine=engine)

    settings = app.extensions["activity"].settings
    assert (settings.retention_days, settings.interval_seconds) == (7, 60)


def test_an_argument_comes_before_its_key(engine):
    app = host(ACTIVITY_URL_PREFIX="/a", ACTIVITY_API_PREFIX="/api/a")
    Activity(app, engine=engine, url_prefix="/ops/activity")
    client = app.test_client()

    found = {
        path: client.get(path).status_code
        for path in ("/a", "/ops/activity", "/ops/activity/_dash-layout")
    }
    assert found == {"/a": 404, "/ops/activity": 200, "/ops/activity/_dash-layout": 200}
    assert client.get("/api/a/overall").status_code == 200
    there = "there is no /api/a/nothing; there are overall, projects/<id>, agents/<id>"
    assert client.get("/api/a/nothing").get_json()["error"].startswith(there)


# ---- One server, several servers ------------------------------------------------


def test_a_second_time_on_one_server_is_refused(engine):
    app = host()
    activity = Activity(app, engine=engine)

    with pytest.raises(MountError, match="it already has Activity; add it only once"):
        activity.init_app(app)
    with pytest.raises(MountError, match="it already has Activity; add it only once"):
        Activity(app, engine=engine, url_prefix="/other")


def test_a_server_that_matches_hosts_is_refused(engine):
    app = Flask("host", host_matching=True, static_host="activity.example")

    with pytest.raises(MountError, match="it has host_matching; mount Activity on a server of its"):
        Activity(app, engine=engine)


def test_a_server_that_has_answered_is_refused(engine):
    app = host()
    app.test_client().get("/")

    with pytest.raises(MountError, match="it has already answered a request"):
        Activity(app, engine=engine)


def test_an_address_of_the_hosts_is_not_taken_from_it(engine):
    app = host()
    app.add_url_rule("/activity/", "feed", lambda: "The host's")

    with pytest.raises(
        MountError, match="/activity belongs to its endpoint 'feed'; choose another url_p"
    ):
        Activity(app, engine=engine)

    assert app.test_client().get("/activity/").text == "The host's"


def test_every_key_is_documented():
    guide = (Path(__file__).parents[3] / "docs" / "mounting.md").read_text()

    assert [option.variable for option in ALL_OPTIONS if option.variable not in guide] == []


def test_one_activity_serves_several_servers(turns, fresh):
    upgrade(fresh, "standalone")
    upgrade(fresh, "activity")
    activity = Activity()
    apps = [host(ACTIVITY_DATABASE_URL=url_of(engine)) for engine in (turns, fresh)]

    for app in apps:
        activity.init_app(app)

    counted = [app.extensions["activity"].status()["turns"]["agent"] for app in apps]
    assert counted == [3, 0]
    for app in apps:
        app.extensions["activity"].engine.dispose()


def test_the_host_keeps_its_own(engine):
    app = host()
    rules = [(rule.rule, rule.endpoint, rule.methods) for rule in app.url_map.iter_rules()]
    handlers = {key: dict(value) for key, value in app.error_handler_spec[None].items()}

    Activity(app, engine=engine)

    after = [(rule.rule, rule.endpoint, rule.methods) for rule in app.url_map.iter_rules()]
    assert after[: len(rules)] == rules
    ours = ("/activity", "/api/metrics")
    assert [rule for rule, _, _ in after[len(rules) :] if not rule.startswith(ours)] == []
    assert {key: dict(value) for key, value in app.error_handler_spec[None].items()} == handlers
    client = app.test_client()
    assert (client.get("/").text, client.get("/nothing").status_code) == ("Home", 404)
    for path in ("/nothing", "/activity/nothing", "/activity/_dash-component-suites/a/b.js"):
        assert client.get(path).text == "The host has no such page"
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = client.open("/api/metrics/nothing", method=method)
        assert (answer.status_code, answer.is_json) == (404, True)


# ---- Guards ---------------------------------------------------------------------


def check_login():
    """The login of a host that checks every request."""
    if request.endpoint != "login" and "user" not in session:
        return redirect("/login")
    return None


def guard_before_mounting(app: Flask, engine) -> None:
    app.before_request(check_login)
    Activity(app, engine=engine)


def guard_after_mounting(app: Flask, engine) -> None:
    Activity(app, engine=engine)
    app.before_request(check_login)


class Somebody(UserMixin):
    """A user who has logged in."""


def guard_by_decorator(app: Flask, engine) -> None:
    manager = LoginManager(app)
    manager.login_view = "login"
    manager.request_loader(lambda _: Somebody() if "user" in session else None)
    Activity(app, engine=engine, decorators=[login_required])


def addresses(app: Flask) -> list[tuple[str, str]]:
    """Return method and path of everything that Activity has added, from the URL map."""
    urls = app.url_map.bind("localhost")
    own = {"home", "login", "static"}
    return [
        (method, urls.build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method))
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"})
        if rule.endpoint not in own
    ]


@pytest.mark.parametrize("guard", [guard_before_mounting, guard_after_mounting, guard_by_decorator])
def test_a_login_covers_every_address(turns, guard):
    app = host()
    guard(app, turns)
    stranger = app.test_client()

    answers = {
        (method, path): urlsplit(stranger.open(path, method=method).location or "").path
        for method, path in addresses(app)
    }

    assert len(answers) > 20
    assert {where for where, location in answers.items() if location != "/login"} == set()
    assert ("POST", "/activity/_dash-update-component") in answers
    friend = logged_in(app)
    assert friend.get("/activity/").status_code == 200
    assert friend.get("/activity/_dash-layout").status_code == 200
    assert friend.get("/api/metrics/overall").status_code == 200


def post_update(client, **headers):
    """Post the browser's request at first load."""
    dependencies = client.get("/activity/_dash-dependencies").get_json()
    update = next(item for item in dependencies if not item["clientside_function"])
    names = [name.rsplit(".", 1) for name in update["output"].strip(".").split("...")]
    return client.post(
        "/activity/_dash-update-component",
        json={
            "output": update["output"],
            "outputs": [{"id": element, "property": prop} for element, prop in names],
            "inputs": [{**item, "value": None} for item in update["inputs"]],
            "changedPropIds": [],
        },
        headers=headers,
    )


def facts(client, app: Flask) -> dict:
    return app.json.loads(FACTS.search(client.get("/activity/").text)[1])["csrf"]


def test_the_callback_carries_the_token_of_flask_wtf(turns):
    app = host()
    # The exemption is for the host's own Dash, whose callbacks send no token.
    CSRFProtect(app)._exempt_views.add("dash.dash.dispatch")
    Activity(app, engine=turns)
    client = app.test_client()

    told = facts(client, app)

    assert told["headers"] == ["X-CSRFToken"]
    assert post_update(client).status_code == 400
    assert post_update(client, **{"X-CSRFToken": told["token"]}).status_code == 200


def test_the_callback_carries_a_token_of_the_hosts_own(turns):
    app = host()

    @app.before_request
    def check_token():
        if request.method == "POST" and request.headers.get("X-Our-Token") != "t&</script>":
            abort(403)

    Activity(app, engine=turns, csrf=("X-Our-Token", lambda: "t&</script>"))
    client = app.test_client()

    told = facts(client, app)

    assert told == {"headers": ["X-Our-Token"], "meta": "csrf-token", "token": "t&</script>"}
    assert post_update(client).status_code == 403
    assert post_update(client, **{"X-Our-Token": told["token"]}).status_code == 200


def test_a_token_in_the_hosts_template_is_left_to_the_browser(turns):
    app = host(ACTIVITY_CSRF_META="forgery", ACTIVITY_CSRF_HEADER="X-Our-Token")
    Activity(app, engine=turns)

    assert facts(app.test_client(), app) == {
        "headers": ["X-Our-Token"],
        "meta": "forgery",
        "token": None,
    }


# ---- A database that is not ready -----------------------------------------------


def test_tables_that_are_missing_are_told_with_the_command_that_makes_them(
    fresh, caplog: pytest.LogCaptureFixture
):
    upgrade(fresh, "standalone")
    app = host()
    Activity(app, engine=fresh)
    client = app.test_client()
    missing = "the tables of headspace-activity do not exist yet; run: flask activity migrate"

    answer = client.get("/api/metrics/overall")
    shown = post_update(client).get_json()["response"]

    assert (answer.status_code, answer.get_json()) == (503, {"error": missing})
    assert shown["notice"] == {"children": f"Nothing to show: {missing}."}
    assert caplog.messages == [f"API: {missing}", f"the page cannot be filled: {missing}"]

    # And no start is needed afterwards.
    app.test_cli_runner().invoke(args=["activity", "migrate"])

    assert client.get("/api/metrics/overall").status_code == 200


def test_meanwhile_the_job_is_a_line_in_the_log_and_no_traceback(
    fresh, caplog: pytest.LogCaptureFixture
):
    upgrade(fresh, "standalone")
    app = host(ACTIVITY_JOBS=True, ACTIVITY_INTERVAL_SECONDS=1)
    Activity(app, engine=fresh)

    assert app.test_client().get("/").text == "Home"
    while not caplog.records:
        time.sleep(0.05)
    app.extensions["activity"].stop()

    record = caplog.records[0]
    assert record.getMessage().startswith("pass: the tables of headspace-activity do not ex")
    assert record.exc_info is None


def test_a_database_that_turns_out_to_be_none_does_not_take_the_host_down(
    caplog: pytest.LogCaptureFixture,
):
    app = host(ACTIVITY_JOBS=True)
    Activity(app, engine=SQLAlchemy())

    assert app.test_client().get("/").text == "Home"

    assert caplog.messages[0].startswith(
        "Activity makes no passes: cannot add Activity to the Flask server 'host': engine: The "
    )


# ---- Where it lives -------------------------------------------------------------


def behind_a_proxy(app: Flask) -> Callable:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)
    return app


def below_a_dispatcher(app: Flask) -> Callable:
    return DispatcherMiddleware(Flask("root"), {"/tools": app})


def asked_by_the_proxy(client, path):
    return read(client, path, headers={"X-Forwarded-Prefix": "/tools"})


def asked_below(client, path):
    return read(client, f"/tools{path}")


def read(client, path, **options):
    # Closed at once, together with the file that some answers stream.
    with client.get(path, **options) as response:
        response.get_data()
        return response


@pytest.mark.parametrize(
    ("wrap", "ask"), [(behind_a_proxy, asked_by_the_proxy), (below_a_dispatcher, asked_below)]
)
def test_below_a_root_every_address_of_the_page_is_found(engine, wrap, ask):
    # What Flask uses outside of requests only.
    app = host(APPLICATION_ROOT="/tools")
    Activity(app, engine=engine, url_prefix="/ops/activity")
    client = Client(wrap(app))

    html = ask(client, "/ops/activity/").text

    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert [source for source in sources if not source.startswith("/tools/ops/activity/")] == []
    statuses = {ask(client, source.removeprefix("/tools")).status_code for source in sources}
    assert statuses == {200}


# ---- The job --------------------------------------------------------------------


def test_a_host_may_start_and_stop_the_job_itself(turns):
    app = host()
    Activity(app, engine=turns)
    activity = app.extensions["activity"]

    activity.start()
    activity.start()
    activity.stop()
    activity.stop()


def test_tests_start_nothing_behind_ones_back(turns, monkeypatch):
    app = host(TESTING=True, ACTIVITY_JOBS=True)
    Activity(app, engine=turns)

    app.test_client().get("/")

    assert app.extensions["activity"]._jobs is None


def test_what_a_host_says_has_changed_is_shown_without_waiting_for_the_next_pass(
    turns, record, now
):
    app = host()
    Activity(app, engine=turns, clock=lambda: now)
    with turns.begin() as conn:
        record(conn, "alpha", "a1", [now])

    app.extensions["activity"].changed()

    client = app.test_client()
    until(
        lambda: client.get("/api/metrics/overall").get_json()["totals"]["turn_count"] == 4,
        timeout=30,
    )
