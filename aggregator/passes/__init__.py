"""Passes: turns become rows of ``activity_metrics``, and old rows are deleted."""
