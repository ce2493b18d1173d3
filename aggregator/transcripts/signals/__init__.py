"""Signals: what lines of transcripts tell beside turns, and intervals are computed from."""
