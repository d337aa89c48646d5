"""From fills to trades: what was opened, what closed it, and what that came to (pure, exact).

A trade is what one order opened and one order closed, first in first out, for each strategy and symbol separately. An
order that turns a position around closes with one part and opens with the other. The charges of an order are divided
among its trades by their shares, in whole paise: so they sum to what was charged, by month and by symbol as well.
"""

from __future__ import annotations

from collections import deque
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from ...domain.money import exact
from .charging import NO_PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...messages.orders import OrderFilled, Product

PAISA: Final = Decimal("0.01")

Direction: TypeAlias = Literal["LONG", "SHORT"]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """What was opened, and closed; or, at the end, is still open."""

    strategy: str
    symbol: str
    direction: Direction

    quantity: int
    """Shares."""

    entry_ns: int
    """Time of its first fill: nanoseconds since 1970-01-01 UTC."""

    entry_price: Decimal
    """Rupees a share, the average of its fills."""

    exit_ns: int | None
    """Time of the fill that completed it; None while it is open."""

    exit_price: Decimal | None
    """Rupees a share; while it is open None."""

    profit: Decimal
    """Rupees before charges; of an open one at the last price."""

    charges: Decimal
    """Rupees."""

    product: Product | None = None
    """Which the order that opened it named; None: it named none."""

    @property
    def net(self) -> Decimal:
        """Rupees, after charges."""
        return self.profit - self.charges

    @property
    def is_open(self) -> bool:
        """Whether it was open at the end."""
        return self.exit_ns is None


class _Lot:
    """Shares that one order opened, and what is left of them."""

    __slots__ = ("charges", "entry_ns", "order", "price", "product", "quantity")

    def __init__(self, fill: OrderFilled, charges: Decimal, product: Product | None) -> None:
        self.order, self.entry_ns, self.quantity = fill.client_order_id, fill.occurred_ns, fill.quantity
        self.price, self.product = exact(fill.price), product
        self.charges = charges
        """Of what is left."""

    def take(self, quantity: int) -> Decimal:
        """Take shares away; return their part of the charges."""
        part = self.charges if quantity == self.quantity else rounded_share(self.charges, quantity, self.quantity)
        self.charges -= part
        self.quantity -= quantity
        return part


class _Piece:
    """Shares that one order opened and one order closed, fill by fill."""

    __slots__ = (
        "charges",
        "direction",
        "entry_ns",
        "exit_ns",
        "paid",
        "product",
        "quantity",
        "received",
        "strategy",
        "symbol",
    )

    def __init__(self, fill: OrderFilled, direction: Direction, lot: _Lot) -> None:
        self.strategy, self.symbol, self.direction = fill.strategy, fill.symbol, direction
        self.entry_ns, self.exit_ns, self.product = lot.entry_ns, fill.occurred_ns, lot.product
        self.quantity = 0
        self.paid = self.received = self.charges = Decimal(0)

    def trade(self) -> Trade:
        profit = self.received - self.paid
        return Trade(
            strategy=self.strategy,
            symbol=self.symbol,
            direction=self.direction,
            quantity=self.quantity,
            entry_ns=self.entry_ns,
            entry_price=self.paid / self.quantity,
            exit_ns=self.exit_ns,
            exit_price=self.received / self.quantity,
            profit=profit if self.direction == "LONG" else -profit,
            charges=self.charges,
            product=self.product,
        )


def trades_of(
    fills: Sequence[OrderFilled],
    costs: Sequence[Decimal],
    last_prices: dict[str, float],
    products: Mapping[str, Product] = NO_PRODUCTS,
) -> list[Trade]:
    """Return all trades in the order of their exits, those that are open at the end last, by entry.

    Args:
        fills: in the order of time.
        costs: the charges of each, in rupees.
        last_prices: by symbol, in rupees: what open trades are worth.
        products: by client order id, of the orders that named one.
    """
    lots: dict[tuple[str, str], deque[_Lot]] = {}
    held: dict[tuple[str, str], int] = {}
    pieces: dict[tuple[str, str], _Piece] = {}
    for fill, cost in zip(fills, costs, strict=True):
        whose = fill.strategy, fill.symbol
        waiting = lots.setdefault(whose, deque())
        position = held.get(whose, 0)
        signed = fill.quantity if fill.side == "BUY" else -fill.quantity
        lot = _Lot(fill, cost, products.get(fill.client_order_id))
        if position * signed < 0:
            _close(fill, lot, waiting, pieces, direction="LONG" if position > 0 else "SHORT")
        if lot.quantity:
            waiting.append(lot)
        held[whose] = position + signed
    still_open = [
        trade
        for whose, waiting in lots.items()
        for trade in _left(*whose, waiting, long=held[whose] > 0, last=exact(last_prices[whose[1]]))
    ]
    closed = [piece.trade() for piece in sorted(pieces.values(), key=lambda piece: piece.exit_ns)]
    return closed + sorted(still_open, key=lambda trade: trade.entry_ns)


def _close(
    fill: OrderFilled,
    closing: _Lot,
    waiting: deque[_Lot],
    pieces: dict[tuple[str, str], _Piece],
    *,
    direction: Direction,
) -> None:
    """Close the oldest lots with the shares of a fill, as far as these go."""
    while closing.quantity and waiting:
        lot = waiting[0]
        quantity = min(closing.quantity, lot.quantity)
        key = lot.order, fill.client_order_id
        piece = pieces.get(key)
        if piece is None:
            piece = pieces[key] = _Piece(fill, direction, lot)
        piece.quantity += quantity
        piece.paid += lot.price * quantity
        piece.received += closing.price * quantity
        piece.charges += lot.take(quantity) + closing.take(quantity)
        piece.exit_ns = fill.occurred_ns
        if not lot.quantity:
            waiting.popleft()


def round_trips(trades: Sequence[Trade]) -> list[Decimal]:
    """Return what each position came to from flat to flat, after charges: rupees, in the order of their ends.

    Trades of one strategy and symbol that were held together are one position; one that is still open has no result.

    Args:
        trades: all of them, open ones included.
    """
    by_whose: dict[tuple[str, str], list[Trade]] = {}
    for trade in trades:
        by_whose.setdefault((trade.strategy, trade.symbol), []).append(trade)
    found: list[tuple[int, Decimal]] = []
    for of_whose in by_whose.values():
        ends_ns: int | None = 0
        net = Decimal(0)
        for trade in sorted(of_whose, key=lambda each: each.entry_ns):
            if ends_ns is not None and trade.entry_ns >= ends_ns:
                if ends_ns:
                    found.append((ends_ns, net))
                ends_ns, net = trade.exit_ns, trade.net
            else:
                ends_ns = None if ends_ns is None or trade.exit_ns is None else max(ends_ns, trade.exit_ns)
                net += trade.net
        if ends_ns:
            found.append((ends_ns, net))
    return [net for _, net in sorted(found, key=lambda each: each[0])]


def rounded_share(amount: Decimal, shares: int, of: int) -> Decimal:
    """Return the part of an amount that belongs to some of the shares, to the paisa."""
    return (amount * shares / of).quantize(PAISA, ROUND_HALF_EVEN)


def _left(strategy: str, symbol: str, waiting: deque[_Lot], *, long: bool, last: Decimal) -> Iterator[Trade]:
    """Yield the open trades, one for each order that opened shares."""
    by_order: dict[str, list[_Lot]] = {}
    for lot in waiting:
        by_order.setdefault(lot.order, []).append(lot)
    for lots in by_order.values():
        quantity = sum(lot.quantity for lot in lots)
        paid = sum((lot.price * lot.quantity for lot in lots), Decimal(0))
        profit = last * quantity - paid
        yield Trade(
            strategy=strategy,
            symbol=symbol,
            direction="LONG" if long else "SHORT",
            quantity=quantity,
            entry_ns=lots[0].entry_ns,
            entry_price=paid / quantity,
            exit_ns=None,
            exit_price=None,
            profit=profit if long else -profit,
            charges=sum((lot.charges for lot in lots), Decimal(0)),
            product=lots[0].product,
        )
