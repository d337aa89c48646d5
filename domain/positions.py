"""Positions by average cost (pure): exact, rounded only where they are returned for display.

An open position carries its cost as a fraction: closing a part of it releases exactly that part of the cost. Realised
profit is the cash received less paid, plus the cost of what is open; nothing is rounded before `Holding.position`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, Self, TypeAlias

from ..messages.holdings import Position
from ..messages.orders import OrderFilled
from .money import COST_PLACES, PAISA_PLACES, PRICE_PLACES, exact, rounded

_SCALE: Final = 10**PRICE_PLACES
_PRICE_UNITS_MAX: Final = 10**15
"""Below it a float distinguishes all integers of price units, so the nearest unit is exact if it converts back."""

_SHARE_BITS_MAX: Final = 1 << 16
"""Each partial close may add a few bits to the denominator of the cost, until the position is flat. After some ten
thousand partial closes the cost is rounded to 32,768 binary places: far finer than any amount is shown."""

KeptHolding: TypeAlias = tuple[int, str, str, str, str]
"""A holding as it is kept in a file: signed shares, then what its cost is made of, in hexadecimal digits."""


class Holding:
    """What is held of one symbol: signed shares, their exact cost, and the realised profit."""

    __slots__ = ("_cash", "_cost", "_scale", "_shares_of_unit", "quantity")

    def __init__(self) -> None:
        self.quantity = 0
        """Shares: above 0 long, below 0 short."""

        # In units of a rupee / _scale; the cost, below 0 when short (received), in units / _shares_of_unit.
        self._cash = 0
        self._cost = 0
        self._scale = _SCALE
        self._shares_of_unit = 1

    def kept(self) -> KeptHolding:
        """Return it exactly, to be kept."""
        return (
            self.quantity, f"{self._cash:x}", f"{self._cost:x}", f"{self._scale:x}", f"{self._shares_of_unit:x}"
        )  # fmt: skip

    @classmethod
    def from_kept(cls, kept: KeptHolding) -> Self:
        """Return what was kept."""
        holding = cls()
        holding.quantity = kept[0]
        holding._cash, holding._cost, holding._scale, holding._shares_of_unit = (int(each, 16) for each in kept[1:])
        return holding

    @property
    def cost(self) -> Fraction:
        """Rupees paid for what is open; below 0 when short (received)."""
        return Fraction(self._cost, self._scale * self._shares_of_unit)

    @property
    def realized(self) -> Fraction:
        """Realised profit: rupees, before charges."""
        return Fraction(self._cash, self._scale) + self.cost

    def trade(self, quantity: int, price: float) -> None:
        """Add one trade: signed shares (below 0 sold) at rupees a share.

        A trade against the position closes it at average cost; any remainder opens a position on the other side.
        """
        units = self._units(price)
        held, after = self.quantity, self.quantity + quantity
        self.quantity = after
        self._cash -= units * quantity
        if held * quantity >= 0:
            self._cost += units * quantity * self._shares_of_unit
        elif held * after > 0:
            self._close_part(after, held)
        else:
            self._cost, self._shares_of_unit = units * after, 1

    def move(self, quantity: int, cost: Fraction) -> None:
        """Add signed shares that were not traded but moved here or away (below 0), at their cost: signed rupees.

        The cost has to be a decimal number.
        """
        units = self._whole(*cost.as_integer_ratio())
        held, after = self.quantity, self.quantity + quantity
        self.quantity = after
        self._cash -= units
        if held * quantity >= 0:
            self._cost += units * self._shares_of_unit
        elif held * after > 0:
            self._close_part(after, held)
        else:
            common = math.gcd(after, quantity)
            self._cost, self._shares_of_unit = units * (abs(after) // common), abs(quantity) // common

    def position(self, symbol: str) -> Position:
        """Return it rounded: average price to four places, profit to the paisa."""
        part = self._scale * self._shares_of_unit
        held = self.quantity
        return Position(
            symbol=symbol,
            quantity=held,
            average_price=rounded(abs(self._cost), part * max(abs(held), 1), PRICE_PLACES),
            realized_pnl=rounded(self._cash * self._shares_of_unit + self._cost, part, PAISA_PLACES),
            cost=rounded(self._cost, part, COST_PLACES) if held else Decimal(0),
        )

    def _close_part(self, after: int, held: int) -> None:
        """Keep `after` of `held` shares, and the same fraction of the cost."""
        common = math.gcd(after, held)
        kept, of = abs(after) // common, abs(held) // common
        # Against the small numbers only: a common divisor of two large ones would cost a millisecond.
        common = math.gcd(self._cost, of)
        self._cost //= common
        of //= common
        common = math.gcd(self._shares_of_unit, kept)
        self._cost *= kept // common
        self._shares_of_unit = self._shares_of_unit // common * of
        if self._shares_of_unit.bit_length() > _SHARE_BITS_MAX:
            self._cost = (self._cost << _SHARE_BITS_MAX // 2) // self._shares_of_unit
            self._shares_of_unit = 1 << _SHARE_BITS_MAX // 2

    def _units(self, price: float) -> int:
        """Return an exact price in units of a rupee / _scale, which grows where the price has more decimal places."""
        try:
            units = round(price * self._scale)
        except OverflowError:  # behind a price of some hundred places the scale is beyond any float
            return self._whole(*exact(price).as_integer_ratio())
        if units < _PRICE_UNITS_MAX and units / self._scale == price:
            return units
        return self._whole(*exact(price).as_integer_ratio())

    def _whole(self, numerator: int, denominator: int) -> int:
        """Return an exact amount in units of a rupee / _scale, which grows where it has more decimal places."""
        while self._scale % denominator:
            # Tens suffice: an amount is a decimal number, so its denominator divides a power of ten.
            self._scale *= 10
            self._cash *= 10
            self._cost *= 10
        return numerator * (self._scale // denominator)


class Positions:
    """The holdings of an account: one for every symbol ever traded."""

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}

    def kept(self) -> dict[str, KeptHolding]:
        """Return them exactly, to be kept."""
        return {symbol: holding.kept() for symbol, holding in self._holdings.items()}

    @classmethod
    def from_kept(cls, kept: dict[str, KeptHolding]) -> Self:
        """Return what was kept."""
        positions = cls()
        positions._holdings = {symbol: Holding.from_kept(each) for symbol, each in kept.items()}
        return positions

    def apply(self, fill: OrderFilled) -> None:
        """Add one trade. The caller ensures that each trade comes once."""
        self.trade(fill.symbol, fill.quantity if fill.side == "BUY" else -fill.quantity, fill.price)

    def trade(self, symbol: str, quantity: int, price: float) -> None:
        """Add one trade: signed shares (below 0 sold) at rupees a share."""
        holding = self._holdings.get(symbol)
        if holding is None:
            holding = self._holdings[symbol] = Holding()
        holding.trade(quantity, price)

    def move(self, symbol: str, quantity: int, cost: Fraction) -> None:
        """Add signed shares that were not traded but moved here or away, at their cost (see `Holding.move`)."""
        self._holdings.setdefault(symbol, Holding()).move(quantity, cost)

    def quantity(self, symbol: str) -> int:
        """Return the signed shares held; 0 for a symbol never traded."""
        holding = self._holdings.get(symbol)
        return holding.quantity if holding else 0

    @property
    def holdings(self) -> dict[str, Holding]:
        """What is held, by symbol, of every symbol ever traded: to be read, not changed."""
        return self._holdings

    def all(self) -> tuple[Position, ...]:
        """Return one position for every symbol ever traded, by symbol."""
        return tuple(holding.position(symbol) for symbol, holding in sorted(self._holdings.items()))


class StrategyPositions:
    """The positions of each strategy."""

    def __init__(self) -> None:
        self._positions: dict[str, Positions] = {}

    def kept(self) -> dict[str, dict[str, KeptHolding]]:
        """Return them exactly, to be kept."""
        return {strategy: positions.kept() for strategy, positions in self._positions.items()}

    @classmethod
    def from_kept(cls, kept: dict[str, dict[str, KeptHolding]]) -> Self:
        """Return what was kept."""
        positions = cls()
        positions._positions = {strategy: Positions.from_kept(each) for strategy, each in kept.items()}
        return positions

    def apply(self, fill: OrderFilled) -> None:
        """Add one trade. The caller ensures that each trade comes once."""
        positions = self._positions.get(fill.strategy)
        if positions is None:
            positions = self._positions[fill.strategy] = Positions()
        positions.apply(fill)

    def quantity(self, strategy: str, symbol: str) -> int:
        """Return the signed shares of a strategy in one symbol."""
        positions = self._positions.get(strategy)
        return positions.quantity(symbol) if positions else 0

    def of(self, strategy: str) -> dict[str, int]:
        """Return the signed shares of a strategy by symbol, of every symbol that is not flat."""
        positions = self._positions.get(strategy)
        held = positions.holdings.items() if positions else ()
        return {symbol: holding.quantity for symbol, holding in held if holding.quantity}

    def all(self, strategy: str) -> tuple[Position, ...]:
        """Return one position for every symbol that a strategy ever traded, by symbol."""
        positions = self._positions.get(strategy)
        return positions.all() if positions else ()

    def shares(self) -> dict[tuple[str, str], int]:
        """Return the signed shares by strategy and symbol, those that are not flat; a copy."""
        return {(name, symbol): held for name in self._positions for symbol, held in self.of(name).items()}


def unrealized(positions: Iterable[Position], last_prices: Mapping[str, float]) -> dict[str, Decimal]:
    """Return the unrealised profit of each position in rupees, to the paisa, by symbol.

    A flat position has 0. An open position without a last price is left out: its profit is unknown.

    Args:
        positions: of any symbols.
        last_prices: rupees a share, by symbol.
    """
    profits = {}
    for position in positions:
        if not position.quantity:
            profits[position.symbol] = rounded(0, 1, PAISA_PLACES)
        elif position.symbol in last_prices:
            worth = Fraction(exact(last_prices[position.symbol])) * position.quantity
            if position.cost is None:
                profit = worth - Fraction(position.average_price) * position.quantity
            else:
                profit = worth - Fraction(position.cost)
            profits[position.symbol] = rounded(profit.numerator, profit.denominator, PAISA_PLACES)
    return profits
