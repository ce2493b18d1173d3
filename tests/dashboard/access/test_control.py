from __future__ import annotations

import http.cookies
import stat

import pytest
from flask import Flask

from aggregator.errors import SettingError
from aggregator.settings import Settings
from dashboard.access.control import COOKIE, control_access
from dashboard.access.token import AccessToken, access_link, is_loopback, needed_token
from dashboard.errors import AccessTokenError
from dashboard.server import build_server

SETTINGS = Settings.load(environ={})
UPDATE = "/activity/_dash-update-component"
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def token(tmp_path) -> AccessToken:
    return AccessToken.load(tmp_path)


@pytest.fixture
def server(empty_engine, token) -> Flask:
    """A server that needs its token, with another name than its machine has."""
    app = build_server(empty_engine, SETTINGS)
    control_access(app, token, ["activity.example.org"])
    return app


@pytest.fixture
def client(server):
    return server.test_client()


def test_nothing_is_told_without_the_token_but_how_to_send_it(server, client):
    paths = {
        rule.rule.replace("<path:name>", "x").replace("<path:path>", "x").replace("<path:_>", "x")
        for rule in server.url_map.iter_rules()
        if not rule.rule.startswith(("/access", "/activity/assets/", "/static/"))
    }

    assert len(paths) > 15
    assert {client.get(path).status_code for path in paths} == {401}
    answer = client.get("/api/metrics/overall")
    assert answer.get_json() == {
        "error": "this server needs its access token: Authorization: Bearer …"
    }
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_program_sends_the_token_with_each_request(client, token):
    def status(value):
        return client.get(
            "/api/metrics/overall", headers={"Authorization": f"Bearer {value}"}
        ).status_code

    assert status(token.text) == 200
    assert [status(wrong) for wrong in ("", "é", token.text[:-1], token.cookie)] == [401] * 4


def test_a_browser_gets_a_cookie_for_the_token_and_goes_on_where_it_was(client, token):
    asked = client.get("/activity/?window=week", headers=HTML)
    assert asked.status_code == 401
    assert 'name="next" value="/activity/?window=week"' in asked.text

    answer = client.post(
        "/access",
        data={"token": token.text, "next": "/activity/?window=week"},
        headers={"Origin": "http://localhost"},
    )

    assert (answer.status_code, answer.location) == (303, "/activity/?window=week")
    cookie = http.cookies.SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert cookie.value == token.cookie != token.text
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert client.get("/activity/", headers=HTML).status_code == 200


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/\\evil", "x", ""])
def test_the_way_in_leads_to_no_other_site(client, token, place):
    answer = client.post(
        "/access",
        data={"token": token.text, "next": place},
        headers={"Origin": "http://localhost"},
    )

    assert answer.location == "/activity/"


def test_a_wrong_token_gets_no_cookie(client):
    answer = client.post(
        "/access", data={"token": "guessed"}, headers={"Origin": "http://localhost"}
    )

    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
    assert "This is not the token of this server" in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:5055", 200),
        ("127.0.0.1:5055", 200),
        ("[::1]:5055", 200),
        ("192.168.1.5", 200),
        ("ACTIVITY.example.org", 200),
        ("evil.example", 400),
        ("activity.example.org.evil.example", 400),
        ("[", 400),
        ("", 400),
    ],
)
def test_another_site_cannot_point_its_name_here(client, token, host, status):
    answer = client.get(
        "/api/metrics/overall", headers={"Host": host, "Authorization": f"Bearer {token.text}"}
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://activity.example.org"}, 303),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({}, 403),
    ],
)
def test_what_may_change_something_comes_from_a_page_of_this_server(client, token, headers, status):
    answer = client.post("/access", data={"token": token.text}, headers=headers)

    assert answer.status_code == status
    assert (client.post(UPDATE, json={}, headers=headers).status_code == 403) == (status == 403)


@pytest.mark.parametrize(
    "path", ["/", "/activity/", "/nothing", "/api/metrics/overall", "/access", "/activity/version"]
)
def test_each_answer_has_the_security_headers(client, token, path):
    for headers in ({}, {"Host": "evil.example"}, {"Authorization": f"Bearer {token.text}"}):
        found = client.get(path, headers=headers).headers

        policy = found["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["Referrer-Policy"] == "same-origin"
        assert "camera=()" in found["Permissions-Policy"]


def test_the_token_is_made_once_in_a_file_for_this_account_only(tmp_path):
    home = tmp_path / "home"

    first, second = AccessToken.load(home), AccessToken.load(home)

    assert (first.is_new, second.is_new, first.text) == (True, False, second.text)
    assert [file.name for file in home.iterdir()] == ["access-token"]
    assert stat.S_IMODE((home / "access-token").stat().st_mode) == 0o600
    assert first.text not in repr(first)


def test_a_file_that_holds_no_token_is_told(tmp_path):
    (tmp_path / "access-token").write_text("short\n")

    with pytest.raises(AccessTokenError, match="it holds no token"):
        AccessToken.load(tmp_path)


def test_only_an_address_of_the_machine_itself_needs_no_token(tmp_path):
    def settings(**given):
        return Settings.load({"home": tmp_path, **given}, {})

    assert needed_token(settings()) is None
    assert needed_token(settings(host="0.0.0.0", insecure=True)) is None
    token = needed_token(settings(host="0.0.0.0"))
    assert access_link(settings(host="0.0.0.0"), token) == (
        f"http://127.0.0.1:5055/access#{token.text}"
    )
    assert access_link(settings(host="fd00::5", port=80), token) == (
        f"http://[fd00::5]:80/access#{token.text}"
    )
    assert [is_loopback(host) for host in ("127.0.0.2", "::1", "", "0.0.0.0")] == [
        True,
        True,
        False,
        False,
    ]


def test_host_names_are_names_without_ports():
    assert Settings.load({}, {"ACTIVITY_ALLOWED_HOSTS": "A.example, b"}).allowed_hosts == (
        "a.example",
        "b",
    )
    with pytest.raises(SettingError, match="host names without ports"):
        Settings.load({"allowed_hosts": ("a:80",)}, {})
    with pytest.raises(SettingError, match="1 or 0"):
        Settings.load({}, {"ACTIVITY_INSECURE": "maybe"})
