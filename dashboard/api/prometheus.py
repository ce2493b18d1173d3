"""Monitoring by Prometheus: ``/prometheus`` below the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from aggregator.query.monitoring import MonitoringSnapshot
from aggregator.query.reader import MetricReader
from dashboard.api.gauges import described, measured
from dashboard.context import Clock
from dashboard.http_responses import ANSWERED, error_response
from dashboard.single_flight import Batches


class MonitoringCollector(Collector):
    """A collector that reads on every scrape, so that there is no state to keep up to date."""

    def __init__(self, read: Callable[[], MonitoringSnapshot]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without values, for ``name[]``, without a query."""
        return described().values()

    def collect(self) -> Iterable[Metric]:
        """Return the current metrics; raise the reader's errors."""
        return measured(self._read())


def add_prometheus_rule(
    blueprint: Blueprint,
    reader: MetricReader,
    now: Clock,
    retention: timedelta,
    batches: Batches,
) -> None:
    """Add the route ``/prometheus`` below the API, in the format that the scraper prefers.

    ``?name[]=`` selects metrics, as in the library's own servers. Errors are JSON as
    everywhere in the API; Prometheus looks only at the status, and sets ``up`` to 0.

    Args:
        blueprint: The blueprint of the API.
        reader: Reads the monitoring data.
        now: Returns the current time.
        retention: Time for which metrics are retained.
        batches: Read for all who wait.
    """

    def read() -> MonitoringSnapshot:
        return reader.monitoring(now(), retention=retention)

    # A registry of our own: the library's global one holds the host's metrics.
    registry = CollectorRegistry()
    registry.register(MonitoringCollector(lambda: batches.do("monitoring", read)))

    @blueprint.get("/prometheus")
    def prometheus() -> Response:
        try:
            answer = _exposition(registry)
        except ANSWERED as error:
            answer = error_response(error)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _exposition(registry: CollectorRegistry) -> Response:
    accept = request.headers.get("Accept", "")
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:
        # The library cannot compare a version that is not a number.
        encode, content_type = choose_encoder("")
    names = request.args.getlist("name[]")
    body = encode(registry.restricted_registry(names) if names else registry)
    return Response(body, content_type=content_type)
