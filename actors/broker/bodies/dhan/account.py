"""What the account has at Dhan, whoever ordered it: all orders of the day, positions, and the price bands of symbols.

The rows of a day are read as a look-up reads them; Dhan's segments and numbers become the symbols that are asked for.
A row that cannot be read makes the whole unknown: what it is of is not known.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from .....domain.dhan.account.funds import Funds
from .....domain.dhan.account.portfolio import HoldingRow
from .....domain.dhan.market.quotes import CircuitLimits, quotes_requests
from .....domain.dhan.tolerant import MalformedAnswerError, read
from .....domain.dhan.trading.orders import OrderRow, TradeRow
from .....domain.instruments import Instrument
from .....messages.reconciliation import (
    AccountBookNotRead,
    AccountBookRead,
    OrderAtBroker,
    PositionAtBroker,
    ReadAccountBook,
)
from .....messages.risk import PriceBand
from . import endpoints
from .flows import Day, Question, WholeDay
from .reading import one_of, rows_of
from .replies import Reply

if TYPE_CHECKING:
    from ...body import AccountAnswer
    from .flows import Flow
    from .listings import Listings
    from .talk import Talk

Place: TypeAlias = tuple[str, str]
"""Segment and security id."""

NONE_WANTED: Final[Mapping[Place, str]] = MappingProxyType({})

_DELIVERED_IN: Final = ("NSE_EQ", "BSE_EQ")
"""Segments whose shares go into the depository."""


class AccountReading:
    """One reading: first what Dhan calls our symbols, then everything."""

    def __init__(
        self, listings: Listings, talk: Talk, request: ReadAccountBook, then: Callable[[AccountAnswer], object]
    ) -> None:
        self._listings: Final = listings
        self._talk: Final = talk
        self._then: Final = then
        self._bands_of: Final = frozenset(request.bands_of)
        self._left: Final = list(dict.fromkeys((*request.symbols, *request.bands_of)))
        self._symbols: Final[dict[Place, str]] = {}
        self._freeze_quantities: Final[dict[str, int]] = {}
        self._unresolved: Final[list[str]] = []
        self._is_asking = self._is_waiting = False

    def begin(self) -> None:
        """Ask for one symbol after the other, then for the account.

        A known symbol is answered within the call: a thousand of them are a loop, not a recursion.
        """
        self._is_asking = True
        while self._left and not self._is_waiting:
            symbol = self._left.pop()
            self._is_waiting = True
            self._listings.find(symbol, functools.partial(self._note, symbol))
        self._is_asking = False
        if not self._is_waiting:
            wanted = {place: symbol for place, symbol in self._symbols.items() if symbol in self._bands_of}
            self._talk.run(read_account(wanted), self._take)

    def _note(self, symbol: str, instrument: Instrument | str) -> None:
        self._is_waiting = False
        if isinstance(instrument, Instrument):
            self._symbols[instrument.segment, instrument.security_id] = symbol
            if instrument.slice_quantity_max is not None:
                self._freeze_quantities[symbol] = instrument.slice_quantity_max
        else:
            self._unresolved.append(symbol)
        if not self._is_asking:
            self.begin()

    def _take(self, reply: Reply) -> None:
        if reply.outcome != "told":
            self._then(AccountBookNotRead(reason=reply.reason))
            return
        day, holdings, available_rupees, bands, problem = reply.value
        book = account_book(day, holdings, self._symbols, tuple(sorted(self._unresolved)))
        self._then(
            msgspec.structs.replace(
                book,
                available_rupees=available_rupees,
                bands=bands,
                bands_problem=problem,
                freeze_quantities=self._freeze_quantities,
            )
        )


def read_account(bands_of: Mapping[Place, str] = NONE_WANTED) -> Flow[Reply]:
    """Read funds, without which books can be compared; then holdings, positions, trades, orders and price bands.

    In this order, or tell which could not be read. Bands last: quotes that fail would use up the breaker's trial.

    Args:
        bands_of: symbols by segment and security id.
    """
    reply: Reply = yield Question(endpoints.FUNDS, one_of(Funds))
    available_rupees = reply.value.available_balance if reply.outcome == "told" else None
    reply = yield Question(endpoints.HOLDINGS, rows_of(HoldingRow))
    if reply.outcome != "told":
        return reply
    holdings, faulty = reply.value
    reply = yield WholeDay()
    if reply.outcome != "told":
        return reply
    day: Day = reply.value
    if day.unreadable or faulty:
        reason = f"all rows of the account wanted, found {day.unreadable + faulty} that cannot be read"
        return Reply(outcome="unknown", reason=reason)
    bands, problem = yield from read_bands(bands_of)
    return Reply(outcome="told", value=(day, holdings, available_rupees, bands, problem))


def read_bands(symbols: Mapping[Place, str]) -> Flow[tuple[tuple[PriceBand, ...], str]]:
    """Read the price bands of symbols; return those that are told, and why others could not be read."""
    told: list[PriceBand] = []
    numbered = [place for place in symbols if place[1].isdecimal()]
    for body in quotes_requests(numbered):
        reply: Reply = yield Question(endpoints.QUOTES, _circuit_limits, body=body)
        if reply.outcome != "told":
            return tuple(told), reply.reason or reply.outcome
        for place, limits in reply.value.items():
            if place in symbols and limits.are_told:
                low, high = limits.lower_circuit_limit, limits.upper_circuit_limit
                told.append(PriceBand(symbol=symbols[place], low=low, high=high))
    return tuple(told), ""


def _circuit_limits(data: Any) -> dict[Place, CircuitLimits]:
    """Read quotes; a row that cannot be read tells nothing of the others."""
    found: dict[Place, CircuitLimits] = {}
    segments = data.get("data") if isinstance(data, dict) else None
    if not isinstance(segments, dict):
        raise MalformedAnswerError("quotes by segment wanted, found none")
    for segment, rows in segments.items():
        for number, row in rows.items() if isinstance(rows, dict) else ():
            with contextlib.suppress(MalformedAnswerError):
                found[segment, number] = read(CircuitLimits, row)
    return found


def account_book(
    day: Day, holdings: list[HoldingRow], symbols: dict[Place, str], unresolved: tuple[str, ...] = ()
) -> AccountBookRead:
    """Build the account's book from the rows.

    Args:
        day: rows of the day.
        holdings: what is in the depository.
        symbols: ours, by segment and security id.
        unresolved: symbols of which those are not known.
    """
    filled = _filled(day.trades)
    quantities: Counter[Place] = Counter()
    products: dict[Place, Counter[str]] = {}
    names: dict[Place, str] = {}
    for row in day.positions:
        place = row.exchange_segment, row.security_id
        quantities[place] += row.net_qty
        products.setdefault(place, Counter())[row.product_type] += row.net_qty
        names[place] = row.trading_symbol
    delivered: Counter[Place] = Counter()
    for held in holdings:
        for segment in _DELIVERED_IN:
            if (segment, held.security_id) in symbols:
                delivered[segment, held.security_id] += held.total_qty
    positions = tuple(
        PositionAtBroker(
            symbol=symbols.get(place, ""),
            instrument=_name(place, names.get(place, "")),
            quantity=quantities[place],
            delivered=delivered[place],
            products=tuple(products.get(place, {}).items()),
        )
        for place in sorted({*quantities, *delivered})
    )
    orders = tuple(_order(row, filled[row.order_id], symbols) for row in day.book)
    return AccountBookRead(orders=orders, positions=positions, unresolved=unresolved)


# Helpers.


def _filled(trades: list[TradeRow]) -> Counter[str]:
    """Add up the trades of each order; one that is listed twice counts once."""
    once = {(each.order_id, each.exchange_trade_id): each.traded_quantity for each in trades}
    filled: Counter[str] = Counter()
    for (order_id, _), quantity in once.items():
        filled[order_id] += quantity
    return filled


def _order(row: OrderRow, traded: int, symbols: dict[Place, str]) -> OrderAtBroker:
    place = row.exchange_segment, row.security_id
    return OrderAtBroker(
        broker_order_id=row.order_id,
        client_order_id=row.correlation_id,
        symbol=symbols.get(place, ""),
        instrument=_name(place, row.trading_symbol),
        side=row.transaction_type,
        quantity=row.quantity,
        filled=max(row.filled_qty, traded),
        is_open=row.is_open,
        status=row.order_status,
        limit_price=row.price,
        trigger_price=row.trigger_price,
        average_price=row.average_traded_price,
    )


def _name(place: Place, trading_symbol: str) -> str:
    return " ".join(part for part in (trading_symbol, *place) if part)
