"""Read metrics: the page, the API and commands read all numbers here, via ``MetricReader``."""
