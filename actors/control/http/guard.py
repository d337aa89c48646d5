"""Who may ask over HTTP: pure, with the time passed in.

A page of any site can send requests to this machine. Of those, the browser says where they come from (`Origin`,
`Sec-Fetch-Site`); and it cannot send the header with the token, nor JSON, without asking first, which is never allowed.
Another user of the machine can do all of that, and does not know the token.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

import msgspec

from ....domain.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....config.secrets import Secret

_FROM_ELSEWHERE: Final = frozenset({b"cross-site", b"same-site"})


class Turned(msgspec.Struct, frozen=True):
    """Why a request is turned away."""

    status: int
    reason: str
    retry_after_s: int = 0


class Guard:
    """Lets in who has the token, however many others try: nobody can lock its owner out."""

    def __init__(self, token: Secret) -> None:
        """Begin; no page is let in before `served_at`."""
        self._token: Final = token
        self._own: frozenset[bytes] = frozenset()
        self._guesses: Final = Guesses()
        self.turned_away = 0

    def served_at(self, url: str) -> None:
        """Let in pages of the server itself, such as `http://127.0.0.1:8000`."""
        port = url.rpartition(":")[2]
        self._own = frozenset(
            {url.encode(), *(f"http://{name}:{port}".encode() for name in ("127.0.0.1", "localhost"))}
        )

    def elsewhere(self, headers: Sequence[tuple[bytes, bytes]]) -> Turned | None:
        """Turn away what a page of another site sends."""
        for name, value in headers:
            is_foreign = name == b"origin" and value.lower() not in self._own
            if is_foreign or (name == b"sec-fetch-site" and value.lower() in _FROM_ELSEWHERE):
                self.turned_away += 1
                return Turned(403, "a request of a page of another site")
        return None

    def stranger(self, headers: Sequence[tuple[bytes, bytes]], now_ns: int) -> Turned | None:
        """Turn away who has not the token."""
        given = [value for name, value in headers if name == b"authorization"]
        wanted = f"Bearer {self._token.reveal()}".encode()
        if len(given) == 1 and hmac.compare_digest(given[0], wanted):
            return None
        self.turned_away += 1
        if not given:
            return Turned(401, "the header Authorization: Bearer TOKEN is wanted; the token is in control.token")
        wait_s = self._guesses.wait_s(now_ns)
        if wait_s:
            return Turned(429, "too many wrong tokens", retry_after_s=wait_s)
        self._guesses.wrong(now_ns)
        return Turned(401, "another token is wanted; it is in control.token")
