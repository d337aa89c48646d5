"""Logins by an API key, of Dhan's other host: a consent, a page at which a person agrees, and a token for what it says.

Nobody has registered a key here, so any will do, as any PIN does; but whoever began a login alone ends it, a consent
and the id that its page gives are good once and for the day, and there are as many a day as there. Nothing survives a
restart: it is begun anew.
"""

from __future__ import annotations

import hmac
import html
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import parse_qsl

from ....domain.time import day_of
from ...web import answer
from .answers import Answer, found, path_error, tell, token_refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

CONSENTS_MAX: Final = 25
"""Of a day, as the broker allows."""

KEY_BYTES_MAX: Final = 256
_QUERY_PARTS_MAX: Final = 8
PAGE: Final = "/login/consented"
"""Where a person is led who agreed, unless an application says where it waits."""


class Names(NamedTuple):
    """What one kind of client calls the parts of a login."""

    key: bytes
    secret: bytes
    consent: str
    status: str


class Path(NamedTuple):
    """Where one kind of client does it."""

    begin: str
    agree: str
    redeem: str
    names: Names


ITSELF: Final = Path(
    "/app/generate-consent",
    "/login/consentApp-login",
    "/app/consumeApp-consent",
    Names(b"app_id", b"app_secret", "consentAppId", "consentAppStatus"),
)
PARTNER: Final = Path(
    "/partner/generate-consent",
    "/consent-login",
    "/partner/consume-consent",
    Names(b"partner_id", b"partner_secret", "consentId", "consentStatus"),
)

Key = tuple[bytes, bytes]


class Wire(Protocol):
    """What logins need of the application."""

    @property
    def client_id(self) -> str:
        """Of the only client."""

    def now_ns(self) -> int:
        """The exchange's time: nanoseconds since 1970-01-01 UTC."""

    def token_answer(self) -> Any:
        """Make a new token; the former is dead."""

    def let_in(self, partner_id: bytes, secret: bytes) -> None:
        """Know a partner by its key, on the sockets too."""


class Logins:
    """The endpoints, and the logins that are under way."""

    def __init__(self, wire: Wire, *, redirect: str = "") -> None:
        """Begin with none.

        Args:
            wire: makes tokens.
            redirect: where the application of the client waits for a person who agreed; empty: a page of this server.
        """
        self._wire: Final = wire
        self._redirect: Final = redirect or PAGE
        self._day = self._begun = 0
        self._consents: dict[str, Key] = {}
        self._agreed: dict[str, Key] = {}

    def endpoints(self) -> tuple[tuple[str, Any], ...]:
        """Return them by path."""
        own, theirs = ITSELF, PARTNER
        served: dict[str, tuple[tuple[str, ...], Callable[..., Answer], Names]] = {}
        for path in (own, theirs):
            served[path.begin] = (("POST",), self._begin, path.names)
            served[path.agree] = (("GET",), self._agree, path.names)
            served[path.redeem] = (("GET", "POST"), self._redeem, path.names)
        served[PAGE] = (("GET",), self._show, own.names)
        return tuple((path, _Endpoint(self._wire, *how)) for path, how in served.items())

    def _begin(self, key: Key | None, query: Mapping[str, str], names: Names) -> Answer:
        if key is None:
            return token_refusal(f"{names.key.decode()} and {names.secret.decode()} are required")
        if names is ITSELF.names and query.get("client_id") != self._wire.client_id:
            return token_refusal("Invalid client_id")
        self._turn()
        if self._begun >= CONSENTS_MAX:
            return token_refusal(f"At most {CONSENTS_MAX} consents can be generated in a day")
        self._begun += 1
        consent = secrets.token_hex(16)
        self._consents[consent] = key
        return found({names.consent: consent, names.status: "GENERATED", "status": "success"})

    def _agree(self, _key: Key | None, query: Mapping[str, str], names: Names) -> Answer:
        self._turn()
        key = self._consents.pop(query.get(names.consent, ""), None)
        if key is None:
            return token_refusal(f"Invalid {names.consent}")
        token_id = secrets.token_hex(16)
        self._agreed[token_id] = key
        return Answer(302, f"{self._redirect}{'&' if '?' in self._redirect else '?'}tokenId={token_id}".encode())

    def _redeem(self, key: Key | None, query: Mapping[str, str], names: Names) -> Answer:
        self._turn()
        token_id = query.get("tokenId", "")
        began = self._agreed.get(token_id)
        if began is None or key is None or not all(map(hmac.compare_digest, key, began)):
            return token_refusal("Invalid tokenId")
        del self._agreed[token_id]
        if names is PARTNER.names:
            self._wire.let_in(*key)
        return found(self._wire.token_answer())

    def _show(self, _key: Key | None, query: Mapping[str, str], _names: Names) -> Answer:
        shown = html.escape(query.get("tokenId", ""))
        return Answer(200, f"<html><body><p>Paper exchange: logged in, tokenId {shown}</p></body></html>".encode())

    def _turn(self) -> None:
        """Forget the logins of the day before."""
        today = day_of(self._wire.now_ns())
        if today != self._day:
            self._day, self._begun, self._consents, self._agreed = today, 0, {}, {}


class _Endpoint:
    """One path of it."""

    def __init__(self, wire: Wire, methods: tuple[str, ...], handle: Callable[..., Answer], names: Names) -> None:
        self._wire = wire
        self._methods = methods
        self._handle = handle
        self._names = names

    async def __call__(self, scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        """Answer one request."""
        if scope["method"] not in self._methods:
            now_ms = self._wire.now_ns() // 1_000_000
            await tell(send, path_error(405, "Method Not Allowed", scope["path"], now_ms))
            return
        told = self._handle(_key_of(scope, self._names), _query_of(scope["query_string"]), self._names)
        if told.status == 302:  # noqa: PLR2004  found elsewhere
            await answer(send, 302, headers=[(b"location", told.body)])
        elif told.body.startswith(b"<"):
            await answer(send, told.status, told.body, content_type=b"text/html; charset=utf-8")
        else:
            await tell(send, told)


def _key_of(scope: Any, names: Names) -> Key | None:
    given = {name: value for name, value in scope["headers"] if name in {names.key, names.secret}}
    key = given.get(names.key, b""), given.get(names.secret, b"")
    return key if all(0 < len(part) <= KEY_BYTES_MAX for part in key) else None


def _query_of(query: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(query.decode("ascii"), max_num_fields=_QUERY_PARTS_MAX))
    except ValueError:
        return {}
