"""Measures of activity, pure: windows, periods, hourly metrics, series and totals."""
