"""The access token in use: read for every request, ended when the broker rejects it, replaced without a restart.

The problem: a token dies at night, or when another program logs in, and each request made with a dead one brings the
account nearer to being locked. The idea: one object, shared by all who send, that gives no dead token away; so not one
request leaves until there is a new one. The trap: the answer to a request that was sent with the token before must not
kill the new one, so each thread remembers which it was given.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from ...config.secrets import Secret
from .errors import BrokerError

BEGINNING: Final = 12
"""Characters at the beginning of a token by which it is recognised where the rest was cut off."""

FORMER_MAX: Final = 32
"""Replaced tokens that are still recognised; only a hash of each is kept."""


class TokenDeadError(BrokerError):
    """There is no token that the broker would take: nothing was sent."""


class AccessToken:
    """The token of one account; safe for threads."""

    def __init__(self, secret: Secret) -> None:
        self._lock: Final = threading.Lock()
        self._given: Final = threading.local()
        self._secret = secret
        self._number = 1
        self._is_dead = not secret
        self._on_death: Callable[[], object] = _nobody
        self._former: Final[deque[bytes]] = deque(maxlen=FORMER_MAX)

    @property
    def is_dead(self) -> bool:
        """Whether the broker has called it dead, or there never was one."""
        return self._is_dead

    def reveal(self) -> str:
        """Return it, for a request that this thread is about to send.

        Raises:
            TokenDeadError: it is dead.
        """
        with self._lock:
            if self._is_dead:
                raise TokenDeadError("an access token that is alive wanted, found none: log in again")
            self._given.number = self._number
            return self._secret.reveal()

    def taken_out_of(self, text: str) -> str:
        """Return a text of a service without the token, be it whole or cut off, so that the text may be shown."""
        with self._lock:
            value, shown = self._secret.reveal(), repr(self._secret)
        if not value:
            return text
        text = text.replace(value, shown)
        cut = text.find(value[:BEGINNING])
        return text if cut < 0 else f"{text[:cut]}{shown}"

    def refused(self) -> None:
        """Note that the broker rejected the token that this thread was given, unless it was replaced since."""
        with self._lock:
            told = self._die() if getattr(self._given, "number", None) == self._number else _nobody
        told()

    def end(self) -> None:
        """End the token at its own expiry, whichever thread was given it."""
        with self._lock:
            told = self._die()
        told()

    def replace(self, secret: Secret) -> None:
        """Take a new one: requests may leave again."""
        with self._lock:
            self._former.append(_digest(self._secret))
            self._secret = secret
            self._number += 1
            self._is_dead = not secret

    def is_in_use(self, secret: Secret) -> bool:
        """Whether this is the token in use, alive or dead."""
        with self._lock:
            return self._secret == secret

    def was_in_use(self, secret: Secret) -> bool:
        """Whether this is the token in use or one of the last before it: a dead one must not be tried again."""
        with self._lock:
            return self._secret == secret or _digest(secret) in self._former

    def when_dead(self, call: Callable[[], object]) -> None:
        """Call this each time that a token dies, on the thread that finds it out."""
        with self._lock:
            self._on_death = call

    def _die(self) -> Callable[[], object]:
        """Mark the token dead, and return the callback to call once the lock is released."""
        told = _nobody if self._is_dead else self._on_death
        self._is_dead = True
        return told


def _nobody() -> None:
    """The callback before one is set."""


def _digest(secret: Secret) -> bytes:
    return hashlib.sha256(secret.reveal().encode()).digest()


class TokenSource(Protocol):
    """Where tokens come from; as `bodies/dhan/tokens.py` has it; its methods block."""

    @property
    def can_mint(self) -> bool:
        """Whether there are the secrets that a login needs."""

    def clock_skew_s(self) -> float | None:
        """Return how many seconds our clock is ahead of the service's; None where that is not known."""

    def mint(self) -> Secret:
        """Get a new token by a login."""

    def renew(self, token: Secret) -> Secret:
        """Renew a token that is alive."""

    def use(self, *, pin: Secret | None, totp_secret: Secret | None) -> tuple[str, ...]:
        """Log in with these from now on, None: as before; return the keys of what changed. This does not block."""

    def close(self) -> None:
        """Close its connections."""
