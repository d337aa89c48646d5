"""The position of a strategy, by its own fills (plain)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from ...domain.positions import Positions
from ...messages.market import Tick
from ...messages.orders import OrderFilled, Position
from .held import HeldPosition

ENDED_REMEMBERED_MAX: Final = 10_000
"""Ended orders whose late fills still count; the one that ended first is forgotten first."""


class Holdings:
    """Signed shares by symbol. Facts are delivered at least once, and each fill counts once.

    It begins with the book of record (see `HoldingsRead`). From then on only orders that were open there, and those
    announced by `expect`, change it: a fill of any other order is in the book already. The `cumulative_quantity` of an
    order grows with each fill: a fill that does not exceed the last one is a repeat.
    """

    def __init__(
        self, shares: Mapping[str, int], filled: Mapping[str, int], positions: Iterable[Position] = ()
    ) -> None:
        """Begin with the book of record.

        Args:
            shares: signed, by symbol.
            filled: shares by client order id of the open orders.
            positions: of every symbol ever traded; the cost of shares that are in none is not known.
        """
        self._positions = Positions()
        self._realized: dict[str, Fraction] = {}
        for position in positions:
            cost = position.average_price * position.quantity if position.cost is None else position.cost
            self._positions.move(position.symbol, position.quantity, Fraction(cost))
            self._realized[position.symbol] = Fraction(position.realized_pnl)
        self._unknown = {symbol: held for symbol, held in shares.items() if held != self._positions.quantity(symbol)}
        self._shares = dict(shares)
        self._open = dict(filled)
        self._quantities: dict[str, int] = {}
        self._ended: dict[str, int] = {}

    def expect(self, client_order_id: str, quantity: int) -> None:
        """Announce a new order of `quantity` shares; its fills count until it has ended."""
        self._open[client_order_id] = 0
        self._quantities[client_order_id] = quantity

    def end(self, client_order_id: str) -> None:
        """Note that an order has ended. A fill that comes later still counts, since trades outrank everything."""
        filled = self._open.pop(client_order_id, None)
        self._quantities.pop(client_order_id, None)
        if filled is None:
            return
        self._ended[client_order_id] = filled
        if len(self._ended) > ENDED_REMEMBERED_MAX:
            del self._ended[next(iter(self._ended))]

    def add(self, fill: OrderFilled) -> bool:
        """Add the new shares of a fill; False if it was counted before."""
        client_order_id, cumulative = fill.client_order_id, fill.cumulative_quantity
        known = self._open if client_order_id in self._open else self._ended
        seen = known.get(client_order_id)
        if seen is None or cumulative <= seen:
            return False
        known[client_order_id] = cumulative
        if cumulative >= self._quantities.get(client_order_id, cumulative + 1):
            self.end(client_order_id)
        fresh = cumulative - seen
        signed = fresh if fill.side == "BUY" else -fresh
        self._shares[fill.symbol] = self.shares(fill.symbol) + signed
        self._positions.trade(fill.symbol, signed, fill.price)
        return True

    def shares(self, symbol: str) -> int:
        """Return the signed shares held; 0 for a symbol never traded."""
        return self._shares.get(symbol, 0)

    @property
    def symbols(self) -> Iterable[str]:
        """Every symbol that was ever traded in the account."""
        return {**self._positions.holdings, **self._shares}

    def position(self, symbol: str, newest: Mapping[str, Tick]) -> HeldPosition:
        """Return what is held of a symbol; `newest` has the newest tick of each."""
        shares = self.shares(symbol)
        holding = self._positions.holdings.get(symbol)
        if symbol in self._unknown:
            average, realized, cost = None, None, None
        elif holding is None:
            average, realized, cost = None, 0.0, 0.0
        else:
            cost = float(holding.cost)
            average = cost / shares if shares else None
            realized = float(holding.realized + self._realized.get(symbol, 0))
        return HeldPosition.of(shares, symbol=symbol, average=average, realized=realized, cost=cost, newest=newest)
