"""The position of a strategy, by the trades of its shares, whoever ordered them (plain)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from ...domain.positions import Positions
from ...messages.holdings import HoldingsRead
from ...messages.market import Tick
from ...messages.orders import OrderFilled
from .held import HeldPosition

TRADED_REMEMBERED_MAX: Final = 10_000
"""Orders of which it is known how much is filled, so that a trade that is in the journal twice counts once."""


def is_trade_of(strategy: str, fact: Any) -> bool:
    """Say whether it is a trade of shares of this strategy: the flattener closes what it holds by orders of its own."""
    return isinstance(fact, OrderFilled) and fact.strategy == strategy


class Holdings:
    """Signed shares by symbol.

    It begins with the book of record as of one record of the journal (`HoldingsRead.sequence`). Each trade of a newer
    record counts, of whatever order: of one that had ended before, too. The `cumulative_quantity` of an order grows
    with each trade: one that does not exceed the last is a repeat.
    """

    def __init__(self, known: HoldingsRead) -> None:
        """Begin with the book of record."""
        self._sequence: Final = known.sequence
        self._positions = Positions()
        self._realized: dict[str, Fraction] = {}
        for position in known.positions:
            cost = position.average_price * position.quantity if position.cost is None else position.cost
            self._positions.move(position.symbol, position.quantity, Fraction(cost))
            self._realized[position.symbol] = Fraction(position.realized_pnl)
        shares = known.shares
        self._unknown = {symbol: held for symbol, held in shares.items() if held != self._positions.quantity(symbol)}
        self._shares = dict(shares)
        self._filled = dict(known.filled)

    def is_news(self, sequence: int) -> bool:
        """Tell whether a record of the journal is newer than what it began with."""
        return sequence > self._sequence

    def add(self, fill: OrderFilled, sequence: int) -> bool:
        """Add the new shares of a trade, which is in the journal as this record; False if it was counted before."""
        client_order_id, cumulative = fill.client_order_id, fill.cumulative_quantity
        # Of an order that is not known all that came before this trade is in the book that it began with.
        seen = self._filled.get(client_order_id, cumulative - fill.quantity)
        if not self.is_news(sequence) or cumulative <= seen:
            return False
        self._filled[client_order_id] = cumulative
        if len(self._filled) > TRADED_REMEMBERED_MAX:
            del self._filled[next(iter(self._filled))]
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
