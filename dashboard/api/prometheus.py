"""The vital signs for Prometheus: ``/prometheus`` below the API."""

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
from dashboard.responses import ANSWERED, error_response


class MonitoringCollector(Collector):
    """Reads anew whenever somebody asks, so that there is nothing to keep up to date."""

    def __init__(self, read: Callable[[], MonitoringSnapshot]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """The names, by which ``name[]`` chooses, without asking the database."""
        return described().values()

    def collect(self) -> Iterable[Metric]:
        """The metrics as of now; raises what the reader raises."""
        return measured(self._read())


def add_prometheus_rule(
    blueprint: Blueprint, reader: MetricReader, now: Clock, retention: timedelta
) -> None:
    """Answer ``/prometheus`` below the API in the format that the scraper prefers.

    ``?name[]=`` chooses metrics, as with the library's own servers. What goes wrong is
    JSON as everywhere in the API; Prometheus only looks at the status, and sets ``up`` to 0.

    Args:
        blueprint: The API's.
        reader: Answers with the vitals.
        now: Gives the present.
        retention: How long metrics are kept.
    """
    # Our own: the library's global one is the host's, with all that the host counts.
    registry = CollectorRegistry()
    registry.register(MonitoringCollector(lambda: reader.monitoring(now(), retention=retention)))

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
        # The library cannot compare a version that is no number.
        encode, content_type = choose_encoder("")
    names = request.args.getlist("name[]")
    body = encode(registry.restricted_registry(names) if names else registry)
    return Response(body, content_type=content_type)
