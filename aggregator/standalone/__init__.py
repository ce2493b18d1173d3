"""A database for a process without a host: embedded PostgreSQL, and made-up activity."""
