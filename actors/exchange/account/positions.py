"""What was traded of an instrument in one product, and what is owned of it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from ....domain.money import COST_PLACES, exact_sum, exact_value, rounded
from ....domain.positions import Holding

_PLACES: Final = 30
"""Decimal places of the cost of moved shares: enough for a day's sum to show as the exact one, and bounded."""


class Traded:
    """A position: by average cost, with the day's and the carried sums on both sides."""

    __slots__ = (
        *("_base", "_holding", "buy_quantity", "buy_rupees", "carried_cost", "carried_quantity"),
        *("sell_quantity", "sell_rupees", "symbol"),
    )

    def __init__(self, symbol: str) -> None:
        """Begin flat."""
        self.symbol = symbol
        self._holding = Holding()
        self._base = Fraction(0)
        """Realised profit that is settled already."""

        self.carried_quantity = 0
        """Signed shares that were open when the day began."""

        self.carried_cost = Fraction(0)
        self.buy_quantity = self.sell_quantity = 0
        self.buy_rupees = self.sell_rupees = Decimal(0)

    @property
    def net(self) -> int:
        """Signed shares that are open."""
        return self._holding.quantity

    @property
    def cost(self) -> Fraction:
        """Rupees paid for what is open; below 0 when short."""
        return self._holding.cost

    @property
    def realized(self) -> Fraction:
        """Realised profit of the day, before charges: rupees."""
        return self._holding.realized - self._base

    def trade(self, quantity: int, price: float) -> None:
        """Add one trade: signed shares at rupees a share."""
        self._holding.trade(quantity, price)
        if quantity > 0:
            self.buy_quantity += quantity
            self.buy_rupees += exact_value(price, quantity)
        else:
            self.sell_quantity -= quantity
            self.sell_rupees += exact_value(price, -quantity)

    def cost_of(self, quantity: int) -> Fraction:
        """Return the part of the cost that belongs to signed shares of those that are open, to 30 places."""
        part = self.cost * quantity / self.net
        return Fraction(rounded(part.numerator, part.denominator, _PLACES))

    def shift(self, quantity: int, cost: Fraction) -> None:
        """Move shares in or out (below 0) at their cost, signed as they are: nothing is bought or sold by it.

        A share that leaves was bought today, if any was; else it is one that was carried.
        """
        was_long = (self.net or quantity) > 0
        self._holding.move(quantity, cost)
        size = abs(quantity) if (quantity > 0) == was_long else -abs(quantity)
        today = self.buy_quantity if was_long else self.sell_quantity
        of_today = max(size, -today)
        moved = abs(cost / quantity) * of_today
        rupees = rounded(moved.numerator, moved.denominator, COST_PLACES)
        if was_long:
            self.buy_quantity += of_today
            self.buy_rupees = exact_sum(self.buy_rupees, rupees) if self.buy_quantity else Decimal(0)
        else:
            self.sell_quantity += of_today
            self.sell_rupees = exact_sum(self.sell_rupees, rupees) if self.sell_quantity else Decimal(0)
        carried = (size - of_today) if was_long else (of_today - size)
        if carried:
            self.carried_cost += self.carried_cost * carried / self.carried_quantity
            self.carried_quantity += carried

    def carry(self) -> None:
        """Begin a new day: what is open is carried, what was realised is settled."""
        self._base = self._holding.realized
        self.carried_quantity, self.carried_cost = self.net, self.cost
        self.buy_quantity = self.sell_quantity = 0
        self.buy_rupees = self.sell_rupees = Decimal(0)

    def comparable(self) -> tuple[Any, ...]:
        """Return everything as values that compare."""
        day = self.buy_quantity, self.sell_quantity, self.buy_rupees, self.sell_rupees
        return self.symbol, self.net, self.cost, self.realized, self.carried_quantity, self.carried_cost, day


class Owned:
    """A holding: shares, the part of them that is not yet delivered, and their cost."""

    __slots__ = ("cost", "quantity", "symbol", "unsettled")

    def __init__(self, symbol: str) -> None:
        """Begin with none."""
        self.symbol = symbol
        self.quantity = self.unsettled = 0
        self.cost = Fraction(0)

    def settle(self, net: int, cost: Fraction) -> None:
        """Add what the last trading day bought (signed shares at their cost), or take what it sold."""
        if net >= 0:
            self.unsettled += net
            self.cost += cost
        else:
            self.cost += self.cost * net / self.quantity if self.quantity else 0
        self.quantity += net

    def comparable(self) -> tuple[Any, ...]:
        """Return everything as values that compare."""
        return self.symbol, self.quantity, self.unsettled, self.cost
