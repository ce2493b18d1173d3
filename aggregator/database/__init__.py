"""The database: its engine, models, COPY, advisory locks and the state of the passes."""
