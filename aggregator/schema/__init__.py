"""Tables: migrations, adoption, change capture, and the description of a host's tables."""

from aggregator.schema.migrate import leave_activity_alone, upgrade

__all__ = ["leave_activity_alone", "upgrade"]
