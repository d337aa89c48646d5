"""Carries out the faults that were asked for: waits, answers something else, cuts the connection, or accepts later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from ....domain.dhan.trading.orders import PlaceOrderRequest
from ...web import answer, body_of
from ..faults import FaultPlan, Faults, Met, price_without_trigger
from .answers import Answer, WireRefusal, tell
from .reading import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..stream_faults import StreamFaults
    from .request import Exchange

ABORT: Final = "natya.abort"
"""Extension of the web server: cuts the connection."""

LATE_MAX: Final = 10_000
"""Requests that are accepted later; one more is accepted at once."""

_STOP: Final = b"STOP_LOSS_MARKET"


class Serve(Protocol):
    """Does what a request asks, its body given."""

    def __call__(self, body: bytes) -> Awaitable[Answer]:
        """Return the answer."""


class Carrier:
    """The plan that is being played, and what is still to be accepted."""

    def __init__(self, stream_faults: StreamFaults) -> None:
        """Begin without a fault.

        Args:
            stream_faults: of the sockets, which it only hands on.
        """
        self._faults = Faults(FaultPlan())
        self._stream_faults: Final = stream_faults
        self._late: Final[set[asyncio.Task[Answer]]] = set()

    def take(self, plan: FaultPlan) -> None:
        """Play this plan from its beginning."""
        self._faults = Faults(plan)
        self._stream_faults.take(plan.streams, plan.seed)

    def told(self) -> Answer:
        """Answer with the plan, and how often each fault has fallen."""
        told = {"plan": self._faults.plan, "fallen": self._faults.fallen, "streams_fallen": self._stream_faults.fallen}
        return Answer(200, msgspec.json.encode(told))

    async def answer(self, exchange: Exchange, scope: Any, receive: Any, send: Any, serve: Serve, path: str) -> None:  # noqa: PLR0913, PLR0917  a request of ASGI, and what it is for
        """Answer one request, or let it meet its fault.

        Args:
            exchange: for orders that are changed on their way.
            scope: of ASGI.
            receive: of ASGI.
            send: of ASGI.
            serve: does what is asked.
            path: of the request, without `/v2`.
        """
        body = await body_of(receive)
        method = scope["method"]
        is_stop = method == "POST" and path == "/orders" and _STOP in body
        met = self._faults.meet(method, path, is_stop=is_stop)
        if met is None:
            await tell(send, await serve(body))
            return
        await self._carry_out(met, exchange, scope["extensions"][ABORT], send, serve, body)

    async def _carry_out(  # noqa: PLR0913, PLR0917  a fault, and the request that meets it
        self, met: Met, exchange: Exchange, abort: Callable[[], object], send: Any, serve: Serve, body: bytes
    ) -> None:
        if met.kind == "delayed_acceptance":
            self._accept_later(serve(body), met.seconds)
            abort()
            return
        if met.kind == "latency":
            await asyncio.sleep(met.seconds)
        if met.kind == "stop_without_trigger":
            body = await _without_trigger(exchange, body)
        if met.acceptance == "BEFORE":
            told = Answer(met.status, b"")
        else:
            told = await serve(body)
        if met.kind.startswith("timeout"):
            await asyncio.sleep(met.seconds)
        if met.kind.startswith(("timeout", "reset")):
            abort()
        elif met.body is not None:
            await answer(send, met.status, met.body)
        else:
            await tell(send, told)

    def _accept_later(self, served: Awaitable[Answer], seconds: float) -> None:
        async def accept() -> Answer:
            await asyncio.sleep(seconds if len(self._late) < LATE_MAX else 0)
            return await served

        task = asyncio.get_running_loop().create_task(accept())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


async def _without_trigger(exchange: Exchange, body: bytes) -> bytes:
    """Return the request for a stop order as the broker took it when market price protection came: for a LIMIT.

    One without a last price stays what it is, and so does one that is no order: whoever serves it refuses it.
    """
    try:
        order = read(PlaceOrderRequest, body)
        listing = exchange.listed.listings.find((order.exchange_segment, order.security_id))
        last_price = 0.0 if listing is None else await exchange.account("last_price", listing.symbol)
    except WireRefusal:
        return body
    if listing is None or not last_price:
        return body
    price = price_without_trigger(order.transaction_type, last_price, listing.reference.grid)
    return msgspec.json.encode(replace(order, order_type="LIMIT", price=price, trigger_price=0.0))
