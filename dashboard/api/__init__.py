"""The API: metrics as JSON, as CSV and for Prometheus, and its OpenAPI description."""

from dashboard.api.blueprint import blueprint

__all__ = ["blueprint"]
