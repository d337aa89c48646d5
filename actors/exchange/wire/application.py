"""The application that speaks Dhan's protocol: who asks, how often, for what, and what is answered.

It runs on the web server's thread and knows no state but the token and the counts of requests: all else is asked of the
actors that own it. A request goes through: path, token, limits, client that its body names, endpoint.
"""

from __future__ import annotations

import functools
import hmac
import re
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl

from starlette.routing import Route as Path
from starlette.routing import Router

from ....domain.dhan.limits import limits_on
from ....domain.time import day_of, day_of_number
from ....messages.addresses import EXCHANGE
from ....messages.supervision import Unavailable
from ...runtime import RequestTimedOut
from ...web import body_of
from ..account import Refused
from ..calls import Answered, Call, CallRefused
from .answers import (
    THROTTLED,
    THROTTLED_DATA,
    TOKEN_TOO_SOON,
    Answer,
    WireRefusal,
    data_error,
    older_error,
    path_error,
    tell,
    trading_error,
)
from .asking import ListNumber, MarketTold, ShowMarket
from .counting import RequestCounts
from .groups.control import new_token
from .groups.market import chain_key
from .hand import Hand
from .logins import Logins
from .reading import client_named
from .request import Request
from .routes import BASE, OLDER, ROUTES, TOKEN, Route
from .scrip_master import ScripMaster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....domain.dhan.account.profile import TokenAnswer
    from ....domain.quotas import Allowance
    from ....messages.exchange import Instrument
    from ...runtime import Clock
    from ..served_token import ServedToken
    from .carrying import Carrier
    from .market import MarketShown

ASK_TIMEOUT_S: Final = 30.0
QUERY_PARTS_MAX: Final = 32
ERRORS_FROM: Final = 400
_SLASHES: Final = re.compile("/{2,}")

_STATUS_OF: Final = {
    "input": (400, "DH-905"),
    "order": (400, "DH-906"),
    "unknown": (404, "DH-906"),
    "unavailable": (503, "DH-909"),
}
_DATA_PATHS: Final = ("/v2/marketfeed", "/v2/optionchain")
_CHART_PATHS: Final = ("/v2/charts",)

Scope = "MutableMapping[str, Any]"
Receive = "Callable[[], Awaitable[Mapping[str, Any]]]"
Send = "Callable[[Mapping[str, Any]], Awaitable[None]]"


class Ask(Protocol):
    """Asks an actor from the server's thread."""

    async def __call__(self, target: str, message: Any, *, timeout_s: float) -> Any:
        """Return the answer."""


class WireApplication:
    """One client's exchange, as an ASGI application; `exchange` of the endpoints."""

    def __init__(  # noqa: PLR0913  what the actor has to give
        self,
        *,
        client_id: str,
        token: ServedToken,
        market: MarketShown,
        market_actor: str,
        ask: Ask,
        now_ns: Callable[[], int],
        machine: Clock,
        is_limited: bool,
        carrier: Carrier | None = None,
        consent_redirect: str = "",
    ) -> None:
        """Begin with no request counted.

        Args:
            client_id: of the only client.
            token: that it has to give.
            market: whose listings are read; everything else of it is asked of its actor.
            market_actor: name of the actor that owns the market.
            ask: asks actors.
            now_ns: the exchange's time: nanoseconds since 1970-01-01 UTC.
            machine: by whose day the broker's limits are looked up, and by whose elapsed time requests are counted.
            is_limited: whether the broker's limits of requests hold.
            carrier: carries faults out; None: none can be asked for.
            consent_redirect: where an application waits for a person who agreed to its login; empty: nowhere.
        """
        self.client_id: Final = client_id
        self.listed: Final = market
        self.now_ns: Final = now_ns
        self._token: Final = token
        self._market_actor: Final = market_actor
        self._ask: Final = ask
        self._machine: Final = machine
        self._is_limited: Final = is_limited
        self._counted_day = 0
        self._limits: dict[str, Allowance] = {}
        self._counts = RequestCounts({})
        self.carrier: Final = carrier
        logins = Logins(self, redirect=consent_redirect)
        beside = (*Hand(self).endpoints(), *ScripMaster(self).endpoints(), *logins.endpoints())
        endpoints = {BASE + path: _Endpoint(self, by_method) for path, by_method in _by_path(ROUTES).items()}
        endpoints |= {path: _Endpoint(self, by_method, is_older=True) for path, by_method in _by_path(OLDER).items()}
        self._exact: Final = {path: endpoint for path, endpoint in endpoints.items() if "{" not in path}
        self._router: Final = Router(
            routes=[
                *(Path(path, endpoint) for path, endpoint in endpoints.items()),
                Path(TOKEN.path, _Endpoint(self, {TOKEN.method: TOKEN}, is_public=True)),
                *(Path(path, endpoint) for path, endpoint in beside),
            ],
            redirect_slashes=False,
            default=self._not_found,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        path: str = scope["path"]
        endpoint = self._exact.get(path)
        if endpoint is None and "//" in path:  # as the official client for JavaScript asks for all
            path = _SLASHES.sub("/", path)
            endpoint, scope = self._exact.get(path), {**scope, "path": path}
        if endpoint is None and path.endswith("/"):  # as the official client asks for the trades of the day
            endpoint = self._exact.get(path[:-1])
            scope = {**scope, "path": path[:-1]} if endpoint is not None else scope
        if endpoint is None:
            await self._router(scope, receive, send)
        else:  # most requests: the router would try one pattern after the other
            scope["path_params"] = {}
            await endpoint(scope, receive, send)

    async def _not_found(self, scope: Any, _receive: Any, send: Any) -> None:
        await tell(send, path_error(404, "Not Found", scope["path"], self.now_ns() // 1_000_000))

    # For endpoints.

    async def account(self, verb: str, *arguments: Any) -> Any:
        """Call a method of the account, and await until its changes are durable.

        Raises:
            Refused: the account refused.
            WireRefusal: the account is not there, or it is not known what became of the call.
        """
        sought: set[Instrument] = set()
        told = await self.asked(EXCHANGE, Call(verb, arguments))
        while isinstance(told, CallRefused) and told.unlisted is not None and told.unlisted not in sought:
            sought.add(told.unlisted)
            if await self.listing_of(told.unlisted):
                told = await self.asked(EXCHANGE, Call(verb, arguments))  # it was refused: nothing has happened yet
        if isinstance(told, Answered):
            return told.value
        if isinstance(told, CallRefused):
            raise Refused(told.kind, told.text)
        raise WireRefusal(trading_error(503, "DH-909", "The exchange is not available"))

    async def market(self, view: str, *arguments: Any) -> Any:
        """Call a method of `MarketShown`.

        Raises:
            WireRefusal: it is not there.
        """
        told = await self.asked(self._market_actor, ShowMarket(view, arguments))
        if isinstance(told, MarketTold):
            return told.value
        raise WireRefusal(data_error(503, "800", "Internal Server Error"))

    async def listing_of(self, instrument: Instrument) -> bool:
        """List an instrument at the account if any list knows it; return whether one does."""
        told = await self.asked(self._market_actor, ListNumber(instrument))
        return isinstance(told, MarketTold) and bool(told.value)

    async def by_hand(self, message: Any) -> Any:
        """Ask the market's actor for something that no client of a broker may."""
        return await self.asked(self._market_actor, message)

    async def asked(self, actor: str, message: Any) -> Any:
        """Ask an actor; return its answer, or `Unavailable` where none comes in time."""
        try:
            return await self._ask(actor, message, timeout_s=ASK_TIMEOUT_S)
        except RequestTimedOut:
            return Unavailable(actor=actor, reason="no answer in time", retry_after_s=0.0)

    def refused(self, refusal: Refused) -> Answer:
        """Return the error that a refusal of the account is."""
        status, code = _STATUS_OF[refusal.kind]
        return trading_error(status, code, refusal.text)

    def renew_token(self) -> str:
        """Make a new token; the former is dead."""
        return self._token.renew()

    def let_in(self, partner_id: bytes, secret: bytes) -> None:
        """Know a partner by its key, on the sockets too."""
        self._token.let_in(partner_id, secret)

    def token_answer(self) -> TokenAnswer:
        """Make a new token, and return it as it is told."""
        return new_token(self)

    # What stands before the endpoints.

    def refuse_stranger(self, scope: Any, path: str) -> Answer | None:
        """Return the error of one whose token or client id is wrong, in the shape that the path has; None if right."""
        token = client = b""
        for name, value in scope["headers"]:
            if name == b"access-token":
                token = value
            elif name in {b"client-id", b"dhanclientid"}:
                client = value
        wait_s = self._token.wait_s(token)
        if self._token.is_right(token):
            return dead_token(path) if client and not self._is_owner(client) else None
        return too_many_wrong(path, wait_s) if wait_s else dead_token(path)

    def refuse_other_client(self, body: bytes, path: str) -> Answer | None:
        """Return the error of a body that names the account of somebody else than the token's; None of any other."""
        named = client_named(body)
        return dead_token(path) if named and not self._is_owner(named.encode(errors="replace")) else None

    def _is_owner(self, client: bytes) -> bool:
        return hmac.compare_digest(client, self.client_id.encode())

    def count(self, route: Route, body: bytes) -> Answer | None:
        """Count a request; return the error of one too many."""
        if not self._is_limited:
            return None
        day = day_of(self._machine.now_ns())
        if day != self._counted_day:
            self._counted_day = day
            limits = limits_on(day_of_number(day))
            if limits != self._limits:
                self._limits, self._counts = limits, RequestCounts(limits)
        kind, now_ns = route.kind, self._machine.elapsed_ns()  # a clock that is set back would hold all requests up
        if kind == "option_chain":
            key = f"{route.path} {chain_key(body)}"
            is_let_in = self._counts.admit(kind, now_ns, key=key)
        else:
            is_let_in = self._counts.admit(kind, now_ns)
        if is_let_in:
            return None
        if kind == "tokens":
            return TOKEN_TOO_SOON
        return THROTTLED_DATA if kind in {"quotes", "option_chain"} else THROTTLED


class _Endpoint:
    """All methods of one path."""

    def __init__(
        self, wire: WireApplication, by_method: dict[str, Route], *, is_public: bool = False, is_older: bool = False
    ) -> None:
        self._wire = wire
        self._by_method = by_method
        self._is_public = is_public
        self._is_older = is_older

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        wire = self._wire
        route = self._by_method.get(scope["method"])
        if route is None:
            told = path_error(405, "Method Not Allowed", scope["path"], wire.now_ns() // 1_000_000)
            await tell(send, told)
            return
        carrier = wire.carrier
        if carrier is None:
            await tell(send, await self._answer(route, scope, await body_of(receive)))
        else:
            path = scope["path"].removeprefix(BASE)
            await carrier.answer(wire, scope, receive, send, functools.partial(self._answer, route, scope), path)

    async def _answer(self, route: Route, scope: Any, body: bytes) -> Answer:
        told = await self._told(route, scope, body)
        return older_error(told) if self._is_older and told.status >= ERRORS_FROM else told

    async def _told(self, route: Route, scope: Any, body: bytes) -> Answer:
        wire = self._wire
        if not self._is_public:
            refusal = wire.refuse_stranger(scope, route_path(route))
            if refusal is not None:
                return refusal
        refusal = wire.count(route, body)
        if refusal is None and body and not self._is_public:
            refusal = wire.refuse_other_client(body, route_path(route))
        if refusal is not None:
            return refusal
        query = scope["query_string"]
        request = Request(scope["path_params"], query_of(query) if query else {}, body)
        try:
            return await route.handler(wire, request)
        except WireRefusal as refused:
            return refused.answer
        except Refused as refused:
            return wire.refused(refused)


def _by_path(routes: Iterable[Route]) -> dict[str, dict[str, Route]]:
    """Return the routes of each path, by method."""
    paths: dict[str, dict[str, Route]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = route
    return paths


def route_path(route: Route) -> str:
    """Return the whole path of an endpoint."""
    return BASE + route.path


def dead_token(path: str) -> Answer:
    """Return what a token that is dead, or none of this client's, is answered with: three shapes, by the path."""
    if path.startswith(_DATA_PATHS):
        return data_error(401, "808", "Authentication Failed - Client ID or Access Token invalid")
    if path.startswith(_CHART_PATHS):
        return trading_error(400, "DH-906", "Invalid Token")
    return trading_error(401, "DH-901", "Client ID or user generated access token is invalid or expired.")


def too_many_wrong(path: str, wait_s: int) -> Answer:
    """Return what a wrong token is answered with after many others, in the shape that the path has."""
    told = THROTTLED_DATA if path.startswith(_DATA_PATHS) else THROTTLED
    return told._replace(retry_after_s=wait_s)


def query_of(query: bytes) -> dict[str, str]:
    """Read a query; the last value of a name counts."""
    try:
        return dict(parse_qsl(query.decode("ascii"), max_num_fields=QUERY_PARTS_MAX, keep_blank_values=True))
    except ValueError:
        return {}
