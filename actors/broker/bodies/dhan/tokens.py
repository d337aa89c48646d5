"""New access tokens from Dhan: minted by PIN and one-time code, or renewed; and how far our clock is off. It blocks.

The trap: PIN and code travel in the query of the request, and the service's answer may quote them; so a text of the
service that contains them does not leave this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import msgspec
import pyotp

from .....config.secrets import Secret
from .....domain.clock_skew import skew_s
from .....domain.dhan.account.profile import NewToken, TokenRefusal
from .....domain.dhan.refusals import refusal_of
from .....domain.dhan.tolerant import MalformedAnswerError, read
from .....domain.time import SECOND_NS
from ....external import ExternalError, HttpSession
from ...errors import TokenRefusedError
from ...stored_secrets import PIN, TOTP_SECRET
from .endpoints import AUTH_URL, GENERATE_TOKEN, LIVE_URL, RENEW_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .....config.sections.broker import BrokerSettings
    from ....external import HttpAnswer

TIMEOUT_S: Final = 20.0
BODY_BYTES_MAX: Final = 1 << 16
_TEXT_MAX: Final = 300
_WELL: Final = range(200, 300)


class _Codes(pyotp.TOTP):
    """One-time codes of a secret that the broker has chosen: one of 80 bits, as many are, is taken, too."""

    min_secret_length_bits = 40


class DhanTokens:
    """Asks for tokens, one request at a time.

    Args:
        settings: account, addresses and secrets.
        now_ns: tells the time: nanoseconds since 1970-01-01 UTC.
        session: to ask with; by default one of its own.
    """

    def __init__(self, settings: BrokerSettings, now_ns: Callable[[], int], session: HttpSession | None = None) -> None:
        self._base_url: Final = settings.base_url or LIVE_URL
        self._auth_url: Final = settings.auth_url or _auth_url_of(settings.base_url)
        self._client_id: Final = settings.client_id
        self._login = settings.pin, settings.totp_secret
        self._now_ns: Final = now_ns
        hosts = frozenset({urlsplit(url).hostname or "" for url in (self._base_url, self._auth_url)})
        self._session: Final = session or HttpSession(hosts, threads=1, body_bytes_max=BODY_BYTES_MAX)

    @property
    def can_mint(self) -> bool:
        """Whether there are PIN and secret."""
        return all(map(bool, self._login))

    def use(self, *, pin: Secret | None, totp_secret: Secret | None) -> tuple[str, ...]:
        """Log in with these secrets from now on, None: as before; return the keys of those that changed."""
        before = self._login
        self._login = pin or before[0], totp_secret or before[1]
        pairs = zip((PIN, TOTP_SECRET), before, self._login, strict=True)
        return tuple(key for key, old, new in pairs if old != new)

    def clock_skew_s(self) -> float | None:
        """Ask the service for the time, without any secret; None if it cannot be had."""
        sent_ns = self._now_ns()
        try:
            answer = self._session.request("GET", f"{self._auth_url}/", timeout_s=TIMEOUT_S)
        except ExternalError:
            return None
        return skew_s(answer.headers.get("date"), sent_ns=sent_ns, received_ns=self._now_ns())

    def mint(self) -> Secret:
        """Get a new token by PIN and the code of this moment; the one before dies.

        Raises:
            TokenRefusedError: there is none.
        """
        pin_in_use, totp_secret = self._login
        try:
            code = _Codes(totp_secret.reveal()).at(self._now_ns() // SECOND_NS)
        except ValueError:
            raise TokenRefusedError("broker.totp_secret: a secret in base32 wanted, found another text") from None
        pin = pin_in_use.reveal()
        query = urlencode({"dhanClientId": self._client_id, "pin": pin, "totp": code})
        url = f"{self._auth_url}{GENERATE_TOKEN.path}?{query}"
        return self._ask(GENERATE_TOKEN.method, url, {}, hide=(pin, code, totp_secret.reveal()))

    def renew(self, token: Secret) -> Secret:
        """Have a token that is alive, and was made on the web page, renewed; it dies.

        Raises:
            TokenRefusedError: there is no new one.
        """
        headers = {"access-token": token.reveal(), "dhanClientId": self._client_id}
        return self._ask(RENEW_TOKEN.method, f"{self._base_url}{RENEW_TOKEN.path}", headers, hide=(token.reveal(),))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, url: str, headers: Mapping[str, str], *, hide: tuple[str, ...]) -> Secret:
        try:
            answer = self._session.request(method, url, timeout_s=TIMEOUT_S, headers=headers)
        except ExternalError as fault:
            raise TokenRefusedError(_hidden(str(fault), hide)) from None
        try:
            return Secret(_token_of(answer))
        except TokenRefusedError as refusal:
            raise TokenRefusedError(_hidden(str(refusal), hide)) from None


def _token_of(answer: HttpAnswer) -> str:
    try:
        body = msgspec.json.decode(answer.body) if answer.body.strip() else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TokenRefusedError(f"a token in JSON wanted, found something else (status {answer.status_code})") from None
    if answer.status_code not in _WELL:
        refused = refusal_of(answer.status_code, body)
        raise TokenRefusedError(f"{answer.status_code} {refused.code} {refused.text}".strip())
    try:
        token: str = read(NewToken, body).access_token
    except MalformedAnswerError:
        try:
            told = read(TokenRefusal, body)
        except MalformedAnswerError:
            raise TokenRefusedError("a token wanted, found an answer without one") from None
        raise TokenRefusedError(told.message or told.status) from None
    return token


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text[:_TEXT_MAX]


def _auth_url_of(base_url: str) -> str:
    """Where tokens come from: with a base URL of one's own, the same server."""
    if not base_url:
        return AUTH_URL
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"
