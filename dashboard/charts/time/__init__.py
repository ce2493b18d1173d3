"""Charts of time: working, waiting, agents at once, and the timeline of an agent."""
