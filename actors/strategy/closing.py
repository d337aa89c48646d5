"""Squaring off: a position is closed once no other order of it can trade, by one order at a time (plain).

An order that is open may still be filled. To sell ten shares while an order that sells them rests would leave ten too
few, so its end is waited for: the cancellation, or the fill that came first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .order_handle import OrderHandle

ROUNDS_MAX: Final = 3
"""Orders for one symbol; a fill that comes after its order was cancelled makes another necessary."""


class Closing:
    """The symbols that are being squared off, and how far each is."""

    def __init__(
        self,
        *,
        shares: Callable[[str], int],
        open_orders: Callable[[str], Iterable[OrderHandle]],
        order: Callable[[str, int], OrderHandle],
        cancel: Callable[[OrderHandle], None],
        ended: Callable[[str, str], None],
    ) -> None:
        """Make it.

        Args:
            shares: what is held of a symbol, signed.
            open_orders: that are open, of a symbol.
            order: submits an order at the market, for signed shares of a symbol.
            cancel: requests the cancellation of an order that is in the way.
            ended: is told of a symbol that is closed, or why it could not be; empty: it is.
        """
        self._shares: Final = shares
        self._open_orders: Final = open_orders
        self._order: Final = order
        self._cancel: Final = cancel
        self._ended: Final = ended
        self._rounds: dict[str, int] = {}
        self._orders: dict[str, OrderHandle] = {}
        self._cancelled: set[OrderHandle] = set()
        self._shares_max: dict[str, int] = {}
        """How many shares one order may have, of symbols whose order was too large."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those that are not closed yet."""
        return tuple(self._rounds)

    def begin(self, symbol: str) -> None:
        """Cancel the open orders of a symbol, and close the position when they have ended."""
        if symbol in self._rounds:
            return
        self._rounds[symbol] = 0
        self.go_on(symbol)

    def go_on(self, symbol: str) -> None:
        """Take the next step of a symbol, after each fact of one of its orders."""
        if symbol not in self._rounds:
            return
        open_orders = tuple(self._open_orders(symbol))
        for handle in open_orders:  # also the exits of a bracket that were on their way when it began
            if handle is not self._orders.get(symbol) and handle not in self._cancelled:
                self._cancelled.add(handle)
                self._cancel(handle)
        if open_orders:
            return
        order, shares = self._orders.pop(symbol, None), self._shares(symbol)
        if order is not None and order.shares_max is not None and order.shares_max < order.quantity:
            self._shares_max[symbol] = order.shares_max  # it is closed by several, one after another
            order = None
        if order is not None and order.filled < order.quantity:
            self._end(symbol, f"the order {order} ended {order.state}: {order.reason}")
        elif not shares:
            self._end(symbol, "")
        elif symbol in self._shares_max:
            self._place(symbol, shares)
        elif self._rounds[symbol] == ROUNDS_MAX:
            self._end(symbol, f"{shares} shares are held after {ROUNDS_MAX} orders")
        else:
            self._rounds[symbol] += 1
            self._place(symbol, shares)

    def _place(self, symbol: str, shares: int) -> None:
        """Order what closes these shares, or as many of them as one order may have."""
        most = min(abs(shares), self._shares_max.get(symbol, abs(shares)))
        self._orders[symbol] = self._order(symbol, -most if shares > 0 else most)

    def not_cancelled(self, client_order_id: str, why: str) -> None:
        """Give up the symbol of an order that was to be cancelled, and was not, if it is open still."""
        for symbol in self.symbols:
            if any(each == client_order_id and each in self._cancelled for each in self._open_orders(symbol)):
                self._end(symbol, f"the order {client_order_id} was not cancelled: {why}")

    def _end(self, symbol: str, why_not: str) -> None:
        del self._rounds[symbol]
        self._shares_max.pop(symbol, None)
        self._cancelled = {each for each in self._cancelled if each.symbol != symbol}
        self._ended(symbol, why_not)
