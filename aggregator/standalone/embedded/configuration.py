"""Configuration of the embedded PostgreSQL: the settings that it is started with."""

from __future__ import annotations

from typing import Any

from aggregator.standalone.embedded.cluster import Cluster


def server_command(cluster: Cluster, port: int) -> list[str]:
    """Command that starts the server, for a small machine and reachable only from it."""
    settings: dict[str, Any] = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 60,
        # When a client is killed, its statement ends and its locks are released.
        "client_connection_check_interval": "1s",
        "shared_buffers": "96MB",
        "max_wal_size": "256MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # The log must stay small: it is emptied only when the server starts.
        "logging_collector": "off",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": -1,
        # A logged statement would put values into the log.
        "log_min_error_statement": "panic",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(cluster.postgres), "-D", str(cluster.data), *options]
