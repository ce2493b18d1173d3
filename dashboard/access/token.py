"""The access token of a standalone server: whoever has it may see the page."""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from aggregator.settings import Settings
from dashboard.errors import AccessTokenError

FILE = "access-token"
LINK_HINT = "It asks for an access token; to see its link, run: headspace-activity link"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A secret text that never expires; to replace it, delete its file.

    Attributes:
        text: The token.
        is_new: Whether it was made just now, so that nobody has seen it yet.
    """

    text: str = field(repr=False)
    is_new: bool = False

    @classmethod
    def load(cls, home: Path) -> AccessToken:
        """Read the token of a home folder, or make one, in a file for this account only.

        Raises:
            AccessTokenError: The file can neither be read nor written.
        """
        path = home / FILE
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Several processes may start at once: whoever makes the file decides.
            with suppress(FileExistsError):
                return cls(_make(path), is_new=True)
            text = path.read_text().strip()
        except (OSError, UnicodeError) as failure:
            raise AccessTokenError(path, getattr(failure, "strerror", None) or "no text") from None
        if len(text) < 32:
            raise AccessTokenError(path, "it holds no token")
        return cls(text)

    @property
    def cookie(self) -> str:
        """The value of a browser's cookie: proves the token without being it."""
        return blake2b(self.text.encode(), person=b"activity-cookie").hexdigest()

    def is_cookie(self, given: str) -> bool:
        """Compare a cookie, in a time that does not depend on where it differs."""
        return hmac.compare_digest(given.encode(), self.cookie.encode())

    def is_token(self, given: str) -> bool:
        """Compare a token in the same way."""
        return hmac.compare_digest(given.strip().encode(), self.text.encode())


def _make(path: Path) -> str:
    text = secrets.token_urlsafe(32)
    # Complete under its final name from the first moment on.
    unfinished = path.with_name(f"{FILE}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{text}\n")
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
    return text


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server on this address."""
    return host in LOOPBACK or host.startswith("127.")


def needs_token(settings: Settings) -> bool:
    """Return whether a server with these settings asks for the token."""
    return not (settings.insecure or is_loopback(settings.host))


def needed_token(settings: Settings) -> AccessToken | None:
    """Return the token of a server with these settings, or None if it needs none.

    Raises:
        AccessTokenError: It cannot be read or made.
    """
    return AccessToken.load(settings.home) if needs_token(settings) else None


def access_link(settings: Settings, token: AccessToken) -> str:
    """Return the address that lets a browser in.

    The token stands behind a ``#``, which browsers do not send: no log on the way has it.
    """
    wildcard = settings.host in ("0.0.0.0", "::", "")  # noqa: S104 - it is compared, not bound
    host = "127.0.0.1" if wildcard else settings.host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{settings.port}/access#{token.text}"
