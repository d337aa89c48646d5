"""The access token that clients of the paper exchange have to give, over HTTP and on sockets alike."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...config.secrets import Secret


class ServedToken:
    """One at a time; for many threads."""

    def __init__(self, secret: Secret) -> None:
        """Take the first one."""
        self._value = secret.reveal().encode()

    def is_right(self, found: bytes) -> bool:
        """Whether this is the token, however long it takes to find out for another."""
        return hmac.compare_digest(found, self._value)

    def renew(self) -> str:
        """Make a new one; the former is dead."""
        token: Final = secrets.token_urlsafe(32)
        self._value = token.encode()
        return token
