"""Stops that the market has jumped over (plain): they rest at the broker behind their limit, and close nothing.

That has to last (`lasting`): the trade may be on its way. One that somebody has changed at the broker may have its
trigger elsewhere. A stop of a bracket is cancelled, so that what it was for is closed at the market. Of others it is
told: what their strategy wants then nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.brackets.bracket import turned_as
from .....domain.brackets.exits import JUMPED_OVER, is_beyond
from ...rules import NO_PRICE
from .lasting import Lasting
from .standing import is_exit

if TYPE_CHECKING:
    from .....domain.orders import Order
    from ..cancelling import Cancelling
    from ..context import OrdersContext

JUMPED_OVER_S: Final = 5.0
"""Seconds that the market is beyond the trigger of a stop that rests all the same, until it is closed at the market."""


class JumpedOver:
    """Looks at the market's prices beside every stop."""

    def __init__(self, context: OrdersContext, cancelling: Cancelling) -> None:
        """Begin with nothing seen."""
        self._context: Final = context
        self._cancelling: Final = cancelling
        self._lasting: Final = Lasting(context)
        self._told: dict[str, Order] = {}
        """By the client order id, stops of no bracket that the market has jumped over, as they were then."""

    def look(self, *, is_halted: bool) -> None:
        """Look at each stop; in a halt, in which nothing is closed, at none.

        A stop has a limit at the broker. A market that jumps over it leaves it there, and the loss has no bound.
        """
        context, told = self._context, self._told
        found: dict[str, tuple[Order, float, int]] = {}
        self._told = {}
        if context.market is not None and context.is_read and not is_halted:
            for stop in context.ledger.book.open_orders():
                name = stop.client_order_id
                price, price_ns = context.market.get(stop.symbol, NO_PRICE)
                if not price_ns or not is_beyond(stop, price) or name in context.changed_there:
                    continue
                if self._lasting.is_old(price_ns):
                    self._told |= {name: told[name]} if name in told else {}
                else:
                    found[name] = stop, price, price_ns
        lasting_s = self._lasting.look({name: price_ns for name, (_, _, price_ns) in found.items()})
        for name, (stop, price, _) in found.items():
            lasts_s = lasting_s[name]
            if lasts_s < JUMPED_OVER_S or stop.cancelling is not None:
                continue
            is_of_bracket = is_exit(context.ledger, name)
            if not is_of_bracket:
                self._told[name] = stop
            if name not in told:
                context.log(
                    "bracket.jumped_over" if is_of_bracket else "stop.jumped_over",
                    level="error",
                    client_order_id=name,
                    price=price,
                    trigger_price=stop.trigger_price,
                    limit_price=stop.limit_price,
                    lasts_s=round(lasts_s, 1),
                )
            if is_of_bracket:
                self._cancelling.cancel(name, "", JUMPED_OVER)

    def words(self, *, of_held: bool) -> tuple[str, ...]:
        """Say which stops of no bracket were jumped over: those that were to close what is held, or the others."""
        said = map(self._words_of, self._told.values())
        return tuple(words for words, closes in said if closes == of_held)

    def _words_of(self, stop: Order) -> tuple[str, bool]:
        """Say of a stop of no bracket that it was jumped over, and whether it was to close what is held."""
        shares = self._context.ledger.book.strategy_shares(stop.strategy, stop.symbol)
        closes = min(stop.leaves, turned_as(stop, shares))
        of = f"{closes} {stop.symbol} held, and " if closes else f"{stop.symbol}: "
        price = stop.trigger_price if stop.limit_price is None else stop.limit_price
        which = "trigger" if stop.limit_price is None else "limit"
        return f"stop {stop.client_order_id}: {of}the market has jumped over its {which} of {price:.2f}", closes > 0
