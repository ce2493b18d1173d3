"""A database for a process without a host: embedded PostgreSQL, and demo data."""
