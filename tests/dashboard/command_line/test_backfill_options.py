from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aggregator.errors import ActivityError, SettingError
from dashboard.command_line.backfill_options import parse_range, parse_workers

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
HORIZON = datetime(2026, 10, 23, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, (HORIZON, NOW)),
        ("2026-11-01", None, (datetime(2026, 11, 1, tzinfo=UTC), NOW)),
        (None, "2026-11-01T09:15+02:00", (HORIZON, datetime(2026, 11, 1, 7, 15, tzinfo=UTC))),
        # Turns from clocks that are ahead have hours, too.
        (
            "20261101",
            "2027-01-01",
            tuple(datetime(*day, tzinfo=UTC) for day in [(2026, 11, 1), (2027, 1, 1)]),
        ),
    ],
)
def test_dates_are_days_in_utc_and_the_default_is_all_that_is_kept(since, until, expected):
    assert parse_range(since, until, NOW, retention_days=30) == expected


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2026-11-20T14:00", None, "--since: '2026-11-20T14:00' is not allowed; expected a date s"),
        (None, "yesterday", "--until: 'yesterday' is not allowed; expected a date such as"),
        ("0001-01-01", None, "--since: '0001-01-01' is not allowed; expected a date such as"),
        (
            "2026-10-23T13:59Z",
            None,
            "--since: '2026-10-23T13:59Z' is not allowed; expected 2026-10-23T14:00Z or later: "
            "metrics are kept for 30 days (ACTIVITY_RETENTION_DAYS)",
        ),
        (
            "2026-12-01",
            None,
            "--until: 'now' is not allowed; expected an instant after 2026-12-01T00:00:00Z",
        ),
        ("2026-11-01", "2026-11-01", "--until: '2026-11-01' is not allowed; expected an instant a"),
    ],
)
def test_a_range_that_cannot_be_is_refused_with_what_is_allowed(since, until, words):
    with pytest.raises(SettingError) as error:
        parse_range(since, until, NOW, retention_days=30)

    assert str(error.value).startswith(words)


@pytest.mark.parametrize(
    ("workers", "dask", "words"),
    [
        ("0", None, "--workers: '0' is not allowed; expected a whole number from 1 to 256"),
        ("²", None, "--workers: '²' is not allowed"),
        ("2", "tcp://host:8786", "--workers cannot be combined with --dask"),
        (None, "host", "--dask: 'host' is not allowed; expected the address of a scheduler, such"),
    ],
)
def test_workers_that_cannot_be_are_refused_with_what_is_allowed(workers, dask, words):
    with pytest.raises(ActivityError) as error:
        parse_workers(workers, dask)

    assert str(error.value).startswith(words)
