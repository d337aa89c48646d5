"""The credentials of the paper exchange's clients, over HTTP and on sockets: the access token, or a partner's key."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...config.secrets import Secret


class ServedToken:
    """The one valid token; safe for threads."""

    def __init__(self, secret: Secret) -> None:
        """Take the first one."""
        self._value = secret.reveal().encode()
        self._partners: set[tuple[bytes, bytes]] = set()

    def is_right(self, found: bytes) -> bool:
        """Whether this is the token, however long it takes to find out for another."""
        return hmac.compare_digest(found, self._value)

    def let_in(self, partner_id: bytes, secret: bytes) -> None:
        """Accept a partner's key by which a token was issued."""
        self._partners = {*self._partners, (partner_id, secret)}

    def is_partner(self, partner_id: bytes, secret: bytes) -> bool:
        """Whether this is the key of a partner that has got a token by it; the token is the secret of any."""
        known = [hmac.compare_digest(secret, theirs) and partner_id == who for who, theirs in self._partners]
        return self.is_right(secret) or any(known)

    def renew(self) -> str:
        """Make a new one; the former is dead."""
        token: Final = secrets.token_urlsafe(32)
        self._value = token.encode()
        return token
