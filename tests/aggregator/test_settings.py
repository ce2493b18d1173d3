from __future__ import annotations

import os
from pathlib import Path

import pytest

from aggregator.errors import SettingError
from aggregator.settings import OPTIONS, Settings


def test_without_anything_the_defaults_hold(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)

    settings = Settings.load(environ={})

    assert settings.home.name == "headspace-activity"
    assert settings.transcripts == (
        Path("/home/ada/.config/claude/projects"),
        Path("/home/ada/.claude/projects"),
    )
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 5055, None)
    assert (settings.interval_seconds, settings.retention_days) == (300, 62)
    assert not settings.transcripts_given
    assert not settings.retention_given


def test_explicit_values_win_over_the_environment_and_that_over_defaults():
    environ = {"ACTIVITY_PORT": "6001", "ACTIVITY_RETENTION_DAYS": "90"}

    settings = Settings.load({"port": "6002", "host": None}, environ)

    assert (settings.port, settings.retention_days, settings.host) == (6002, 90, "127.0.0.1")
    assert settings.retention_given


def test_empty_values_count_as_not_given():
    settings = Settings.load({"transcripts": (), "host": ""}, {"ACTIVITY_PORT": ""})

    assert (settings.port, settings.host) == (5055, "127.0.0.1")
    assert not settings.transcripts_given


@pytest.mark.parametrize(
    ("given", "environ"),
    [
        ({"transcripts": ("/a", "/b")}, {}),
        ({"transcripts": [Path("/a"), Path("/b")]}, {"ACTIVITY_TRANSCRIPTS": "/c"}),
        ({}, {"ACTIVITY_TRANSCRIPTS": os.pathsep.join(["/a", "/b"])}),
    ],
)
def test_several_folders_of_transcripts_can_be_given(given, environ):
    settings = Settings.load(given, environ)

    assert settings.transcripts == (Path("/a"), Path("/b"))
    assert settings.transcripts_given


def test_a_folder_has_one_name_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    spellings = ("real", "./x/../real", str(tmp_path / "real"), "link")
    settings = Settings.load({"transcripts": spellings}, {})

    assert set(settings.transcripts) == {tmp_path / "real"}


def test_claude_code_tells_where_its_transcripts_are():
    settings = Settings.load(environ={"CLAUDE_CONFIG_DIR": "/srv/claude"})

    assert settings.transcripts == (Path("/srv/claude/projects"),)
    assert not settings.transcripts_given
    assert settings.folders_named


def test_claude_code_may_tell_several_folders():
    settings = Settings.load(environ={"CLAUDE_CONFIG_DIR": "/srv/a, /srv/b,,/srv/a"})

    assert settings.transcripts == (Path("/srv/a/projects"), Path("/srv/b/projects"))


@pytest.mark.parametrize(
    ("given", "environ", "words"),
    [
        ({"port": "http"}, {}, "--port: 'http' is not allowed; expected a whole number from 1 to"),
        ({"port": "5_600"}, {}, "--port: '5_600' is not allowed"),
        ({"port": "٥٠٠٠"}, {}, "--port: '٥٠٠٠' is not allowed"),
        ({}, {"ACTIVITY_PORT": "0"}, "ACTIVITY_PORT: '0' is not allowed"),
        ({"home": "/tmp/a\nb"}, {}, "--home: .* expected a path that can be printed"),
        ({"home": "/tmp/\udcff"}, {}, "--home: .* expected a path that can be printed"),
        ({"home": "~nobody-of-this-name/x"}, {}, "--home: .* a user that exists"),
        ({}, {"CLAUDE_CONFIG_DIR": "/a,/b\a"}, "CLAUDE_CONFIG_DIR: .* a path that can be printed"),
        ({"interval_seconds": "-5"}, {}, "--interval-seconds: '-5' is not allowed"),
        ({"retention_days": "1.5"}, {}, "--retention-days: '1.5' is not allowed"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_is_allowed(given, environ, words):
    with pytest.raises(SettingError, match=words):
        Settings.load(given, environ)


def test_every_setting_has_an_option():
    fields = set(Settings.__dataclass_fields__) - {"given"}

    assert {option.name for option in OPTIONS} == fields
