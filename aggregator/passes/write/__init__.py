"""Replace rows of metrics, intervals and runs by recomputed ones; only differences are written."""
