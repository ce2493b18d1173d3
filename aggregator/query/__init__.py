"""Reading: whatever shows a number reads it here, through ``MetricReader``."""
