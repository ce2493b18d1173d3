"""Background jobs: when they run, in which thread, and how they are retried."""
