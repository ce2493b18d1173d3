"""Intervals: what each agent did with its time, as pure functions of its turns and signals."""
