"""What stands beside the broker's protocol, for tests and for people: prices by hand, the list of instruments, faults.

`GET /__market` lists instruments with their last prices, `POST /__market` sets a price, `POST /__market/instruments`
lists an instrument; `PUT /__faults` plays a plan of faults (`faults.FaultPlan`), `GET /__faults` tells how often each
has fallen, `DELETE /__faults` ends it. They need the client's token as everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ....messages.instruments import InstrumentDefinition
from ...web import body_of
from ..faults import FaultPlan
from .answers import Answer, tell
from .asking import HandRefused, ListInstrument, MarketTold, SetPrice, ShowMarket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .carrying import Carrier

MARKET: Final = "/__market"
INSTRUMENTS: Final = "/__market/instruments"
FAULTS: Final = "/__faults"


class Wire(Protocol):
    """What the hand needs of the application."""

    @property
    def carrier(self) -> Carrier | None:
        """Who carries faults out, where they may be asked for."""

    async def by_hand(self, message: Any) -> Any:
        """Ask the market's actor."""

    def refuse_stranger(self, scope: Any, path: str) -> Answer | None:
        """Return the error of a stranger."""


class _Definition(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An instrument as a person writes it; see `InstrumentDefinition`."""

    symbol: str
    security_id: str
    exchange_segment: str = "NSE_EQ"
    tick_size_rupees: float = 0.05
    lot_size: int = 1
    instrument: str = "EQUITY"
    expiry: str | None = None
    strike_rupees: float | None = None
    option_type: str | None = None
    underlying: str = ""
    isin: str = ""


class Hand:
    """The endpoints."""

    def __init__(self, wire: Wire) -> None:
        self._wire: Final = wire

    def endpoints(self) -> tuple[tuple[str, Any], ...]:
        """Return them by path."""
        handles = {MARKET: self._market, INSTRUMENTS: self._instruments}
        if self._wire.carrier is not None:
            handles[FAULTS] = self._faults
        return tuple((path, _Guarded(self._wire, handle)) for path, handle in handles.items())

    async def _faults(self, method: str, body: bytes) -> Answer:
        carrier = self._wire.carrier
        assert carrier is not None, "it is served only where there is one"
        if method == "DELETE":
            carrier.take(FaultPlan())
        elif method in {"POST", "PUT"}:
            try:
                carrier.take(msgspec.json.decode(body, type=FaultPlan))
            except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
                return refusal(400, str(fault))
        elif method != "GET":
            return refusal(405, "GET, PUT, POST or DELETE wanted")
        return carrier.told()

    async def _market(self, method: str, body: bytes) -> Answer:
        if method == "GET":
            told = await self._wire.by_hand(ShowMarket("listed"))
            if not isinstance(told, MarketTold):
                return refusal(503, "the market is not available")
            return _json(
                [
                    {
                        "symbol": listing.symbol,
                        "exchangeSegment": listing.instrument[0],
                        "securityId": listing.security_id,
                        "tickSizeRupees": listing.reference.tick_size_rupees,
                        "lotSize": listing.reference.lot_size,
                        "lastPrice": price,
                    }
                    for listing, price in told.value
                ]
            )
        if method != "POST":
            return refusal(405, "GET or POST wanted")
        return await self._change(SetPrice, body, lambda price: price)

    async def _instruments(self, method: str, body: bytes) -> Answer:
        if method != "POST":
            return refusal(405, "POST wanted")
        return await self._change(_Definition, body, _listed)

    async def _change(self, kind: type[Any], body: bytes, made: Callable[[Any], Any]) -> Answer:
        try:
            message = made(msgspec.json.decode(body, type=kind))
        except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
            return refusal(400, str(fault))
        told = await self._wire.by_hand(message)
        if isinstance(told, MarketTold):
            return _json(told.value)
        return refusal(400, told.reason) if isinstance(told, HandRefused) else refusal(503, "not available")


class _Guarded:
    """An endpoint for who has the token."""

    def __init__(self, wire: Wire, handle: Callable[[str, bytes], Awaitable[Answer]]) -> None:
        self._wire: Final = wire
        self._handle: Final = handle

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        told = self._wire.refuse_stranger(scope, scope["path"])
        if told is None:
            told = await self._handle(scope["method"], await body_of(receive))
        await tell(send, told)


def refusal(status: int, reason: str) -> Answer:
    """Refuse, with a reason."""
    return Answer(status, msgspec.json.encode({"error": reason[:500]}))


def _json(value: Any) -> Answer:
    return Answer(200, msgspec.json.encode(value))


def _listed(given: _Definition) -> ListInstrument:
    definition = {
        "symbol": given.symbol,
        "security_id": given.security_id,
        "segment": given.exchange_segment,
        "tick_size_rupees": given.tick_size_rupees,
        "lot_size": given.lot_size,
        "instrument_type": given.instrument,
        "expiry": given.expiry,
        "strike_rupees": given.strike_rupees,
        "option_type": given.option_type,
        "underlying": given.underlying,
        "isin": given.isin,
        "trading_symbol": given.symbol,
        "display_name": given.symbol,
    }
    fields = [definition[name] if name in definition else _default(name) for name in _FIELDS]
    return ListInstrument(msgspec.convert(["InstrumentDefinition", *fields], InstrumentDefinition))


_FIELDS: Final = InstrumentDefinition.__struct_fields__
_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(InstrumentDefinition)}


def _default(name: str) -> Any:
    return _DEFAULTS[name]
