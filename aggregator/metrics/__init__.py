"""Metrics without a database: measures, windows, periods, hourly metrics, series and totals."""
