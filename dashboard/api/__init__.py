"""The API: metrics as JSON, CSV and for Prometheus, and the document that describes it."""

from dashboard.api.blueprint import blueprint

__all__ = ["blueprint"]
