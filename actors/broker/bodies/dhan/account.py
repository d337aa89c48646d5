"""What the account has at Dhan, whoever ordered it: all orders of the day, and positions of all products together.

The rows of a day are read as a look-up reads them; Dhan's segments and numbers become the symbols that are asked for.
A row that cannot be read makes the whole unknown: what it is of is not known.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from .....domain.dhan.account.funds import Funds
from .....domain.dhan.account.portfolio import HoldingRow
from .....domain.dhan.trading.orders import OrderRow, TradeRow
from .....domain.instruments import Instrument
from .....messages.reconciliation import (
    AccountBookNotRead,
    AccountBookRead,
    OrderAtBroker,
    PositionAtBroker,
    ReadAccountBook,
)
from . import endpoints
from .flows import Day, Question, WholeDay
from .reading import one_of, rows_of
from .replies import NOTHING_HELD, Reply

if TYPE_CHECKING:
    from ...body import AccountAnswer
    from .flows import Flow
    from .listings import Listings
    from .talk import Talk

Place: TypeAlias = tuple[str, str]
"""Segment and security id."""

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
        self._left: Final = list(request.symbols)
        self._symbols: Final[dict[Place, str]] = {}
        self._unresolved: Final[list[str]] = []

    def begin(self) -> None:
        """Ask for the next symbol; when there is none left, for the account."""
        if not self._left:
            self._talk.run(read_account(), self._take)
            return
        symbol = self._left.pop()
        self._listings.find(symbol, functools.partial(self._note, symbol))

    def _note(self, symbol: str, instrument: Instrument | str) -> None:
        if isinstance(instrument, Instrument):
            self._symbols[instrument.segment, instrument.security_id] = symbol
        else:
            self._unresolved.append(symbol)
        self.begin()

    def _take(self, reply: Reply) -> None:
        if reply.outcome != "told":
            self._then(AccountBookNotRead(reason=reply.reason))
            return
        day, holdings, available_rupees = reply.value
        book = account_book(day, holdings, self._symbols, tuple(sorted(self._unresolved)))
        self._then(msgspec.structs.replace(book, available_rupees=available_rupees))


def read_account() -> Flow[Reply]:
    """Read the funds, without which books can be compared; then holdings, positions, trades and orders, in this order.

    Or tell which of these could not be read.
    """
    reply: Reply = yield Question(endpoints.FUNDS, one_of(Funds))
    available_rupees = reply.value.available_balance if reply.outcome == "told" else None
    reply = yield Question(endpoints.HOLDINGS, rows_of(HoldingRow))
    holdings, faulty = [], 0
    if reply.outcome == "told":
        holdings, faulty = reply.value
    elif NOTHING_HELD not in reply.reason:
        return reply
    reply = yield WholeDay()
    if reply.outcome != "told":
        return reply
    day: Day = reply.value
    if day.unreadable or faulty:
        reason = f"all rows of the account wanted, found {day.unreadable + faulty} that cannot be read"
        return Reply(outcome="unknown", reason=reason)
    return Reply(outcome="told", value=(day, holdings, available_rupees))


def account_book(
    day: Day, holdings: list[HoldingRow], symbols: dict[Place, str], unresolved: tuple[str, ...] = ()
) -> AccountBookRead:
    """Make of the rows what the account has.

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
    )


def _name(place: Place, trading_symbol: str) -> str:
    return " ".join(part for part in (trading_symbol, *place) if part)
