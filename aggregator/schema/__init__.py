"""Tables: migrations, adoption, change capture, and what a host's tables look like."""

from aggregator.schema.migrate import leave_activity_alone, upgrade

__all__ = ["leave_activity_alone", "upgrade"]
