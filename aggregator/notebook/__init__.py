"""DataFrames for notebooks: ``load_metrics``, ``load_turns`` and ``load_overview``."""
