"""Positions by average cost (pure), in Decimal, without a paisa lost.

What is open carries its exact cost, not an average: closing a part releases its share of the cost, rounded to a
hundredth of a paisa, and the rest stays. So realized profit plus open cost always equals the cash that moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from ...messages.orders import OrderFilled, Position

PAISA: Final = Decimal("0.01")
GRAIN: Final = Decimal("0.0001")
"""Rupees: finer than any tick size of the exchanges (currency futures: 0.0025)."""

_ZERO: Final = Decimal(0)


class Holding:
    """What we hold of one symbol: signed shares, their exact cost, and the profit taken so far."""

    __slots__ = ("cost", "quantity", "realized")

    def __init__(self) -> None:
        self.quantity = 0
        """Shares: above 0 long, below 0 short."""

        self.cost = _ZERO
        """Rupees paid for what is open; below 0 when short (received)."""

        self.realized = _ZERO
        """Rupees, before charges."""

    def trade(self, quantity: int, price: float) -> None:
        """Take in one trade: signed shares (below 0 sold) at rupees a share.

        What goes against the position closes it at average cost; what is left of the trade opens the other side.
        """
        exact = Decimal(repr(price)).quantize(GRAIN, ROUND_HALF_EVEN)
        held = self.quantity
        against = held * quantity < 0
        closing = -held if against and abs(quantity) > abs(held) else quantity if against else 0
        if closing:
            released = self.cost if closing == -held else (self.cost * -closing / held).quantize(GRAIN, ROUND_HALF_EVEN)
            self.realized += -closing * exact - released
            self.cost -= released
        self.cost += (quantity - closing) * exact
        self.quantity = held + quantity

    def position(self, symbol: str) -> Position:
        """Show it to the world: average to four places, profit to the paisa."""
        average = (self.cost / self.quantity).quantize(GRAIN, ROUND_HALF_EVEN) if self.quantity else _ZERO
        realized = self.realized.quantize(PAISA, ROUND_HALF_EVEN)
        return Position(symbol=symbol, quantity=self.quantity, average_price=average, realized_pnl=realized)


class Positions:
    """Every symbol ever traded."""

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}

    def apply(self, fill: OrderFilled) -> None:
        """Take in one trade. The caller sees to it that each trade comes once."""
        holding = self._holdings.get(fill.symbol)
        if holding is None:
            holding = self._holdings[fill.symbol] = Holding()
        holding.trade(fill.quantity if fill.side == "BUY" else -fill.quantity, fill.price)

    def quantity(self, symbol: str) -> int:
        """Return the signed shares held; 0 for a symbol never traded."""
        holding = self._holdings.get(symbol)
        return holding.quantity if holding else 0

    def all(self) -> tuple[Position, ...]:
        """Return one position for every symbol ever traded, by symbol."""
        return tuple(holding.position(symbol) for symbol, holding in sorted(self._holdings.items()))


class StrategyShares:
    """Signed shares by strategy and symbol; the flat ones are left out."""

    def __init__(self) -> None:
        self._shares: dict[str, dict[str, int]] = {}

    def apply(self, fill: OrderFilled) -> None:
        """Take in one trade. The caller sees to it that each trade comes once."""
        shares = self._shares.setdefault(fill.strategy, {})
        held = shares.pop(fill.symbol, 0) + (fill.quantity if fill.side == "BUY" else -fill.quantity)
        if held:
            shares[fill.symbol] = held

    def of(self, strategy: str) -> dict[str, int]:
        """Return what a strategy holds, by symbol; a copy."""
        return dict(self._shares.get(strategy, {}))


def unrealized(positions: Iterable[Position], last_prices: Mapping[str, float]) -> dict[str, Decimal]:
    """Return the open profit of each position in rupees, to the paisa, at these last prices (rupees a share).

    Flat positions count 0. An open position whose price is not known is left out: nobody knows its profit.
    """
    profits = {}
    for position in positions:
        if not position.quantity:
            profits[position.symbol] = _ZERO.quantize(PAISA)
        elif position.symbol in last_prices:
            gain = Decimal(repr(last_prices[position.symbol])) - position.average_price
            profits[position.symbol] = (gain * position.quantity).quantize(PAISA, ROUND_HALF_EVEN)
    return profits
