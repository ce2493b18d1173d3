"""Passes: compute rows of ``activity_metrics`` from turns, and delete old rows."""
