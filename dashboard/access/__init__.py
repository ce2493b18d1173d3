"""Access to the standalone server: host names, origins, the access token, security headers."""
