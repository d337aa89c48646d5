"""The credentials of the paper exchange's clients, over HTTP and on sockets: the access token, or a partner's key.

Who guesses is turned away for a while, as over HTTP of the system (`domain.guesses`); wrong ones are counted together,
wherever they come in. A token that was the right one before is no guess: a client that has not heard of the new one
yet is told what Dhan tells it.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from ...domain.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...config.secrets import Secret


DEAD_MAX: Final = 100
"""Former tokens that are remembered."""


class ServedToken:
    """The one valid token; safe for threads."""

    def __init__(self, secret: Secret, *, monotonic_ns: Callable[[], int]) -> None:
        """Take the first one."""
        self._value = secret.reveal().encode()
        self._monotonic_ns: Final = monotonic_ns
        self._guesses: Final = Guesses()
        self._guard: Final = threading.Lock()
        self._dead: Final[deque[bytes]] = deque(maxlen=DEAD_MAX)
        self._partners: set[tuple[bytes, bytes]] = set()

    def is_right(self, found: bytes) -> bool:
        """Whether this is the token, however long it takes to find out for another; a wrong one is a guess."""
        is_value = self._is_value(found)
        if not is_value:
            self._note(found)
        return is_value

    def wait_s(self, found: bytes) -> int:
        """Return for how many seconds this is turned away if it is wrong, since others were; 0: it is told that it is.

        To be asked before `is_right` or `is_partner`. The token waits for nothing, nor for the lock; it is asked about
        with every request.
        """
        if self._is_value(found) or not self._is_guess(found):
            return 0
        with self._guard:
            return self._guesses.wait_s(self._monotonic_ns())

    def let_in(self, partner_id: bytes, secret: bytes) -> None:
        """Accept a partner's key by which a token was issued."""
        self._partners = {*self._partners, (partner_id, secret)}

    def is_partner(self, partner_id: bytes, secret: bytes) -> bool:
        """Whether this is the key of a partner that has got a token by it; the token is the secret of any."""
        known = [hmac.compare_digest(secret, theirs) and partner_id == who for who, theirs in self._partners]
        is_known = self._is_value(secret) or any(known)
        if not is_known:
            self._note(secret)
        return is_known

    def renew(self) -> str:
        """Make a new one; the former is dead."""
        token: Final = secrets.token_urlsafe(32)
        self._dead.append(self._value)
        self._value = token.encode()
        return token

    def _is_value(self, found: bytes) -> bool:
        return hmac.compare_digest(found, self._value)

    def _note(self, found: bytes) -> None:
        if self._is_guess(found):
            with self._guard:
                self._guesses.wrong(self._monotonic_ns())

    def _is_guess(self, found: bytes) -> bool:
        """Whether it is one if it is wrong: nothing is none, nor what was right once."""
        return bool(found) and not any(hmac.compare_digest(found, former) for former in tuple(self._dead))
