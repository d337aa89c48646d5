"""Which strategies close a position themselves (plain): since when, and what they could not close.

A strategy that squares off has what is open cancelled first, the exits of its brackets too, and sells when that has
ended. Meanwhile no bracket of it closes anything at the market: both would sell the same shares. Where it tells that it
could not, or has not for `SQUARING_OFF_MAX_S`, its brackets close what they hold, and a person is told of the rest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

from .....domain.brackets.by_others import is_sold_besides
from .....domain.time import SECOND_NS
from .....domain.wording import printable
from ..due import SquaringOffDue

if TYPE_CHECKING:
    from .....domain.orders import Order
    from .....messages.orders import SquaringOffEnded
    from ....runtime import ActorAddress, Timer
    from ..context import OrdersContext

Waiting: TypeAlias = "list[tuple[str, ActorAddress]]"
Handover: TypeAlias = tuple[dict[tuple[str, str], int], dict[tuple[str, str], str], Waiting]
"""By strategy and symbol: since when a position is squared off, in nanoseconds of the second clock; and why it could
not be closed. The orders that are to be cancelled for it once the book is complete, and who wants it. Of the strategy's
part the journal knows nothing."""

SQUARING_OFF_MAX_S: Final = 30.0
"""Seconds that a strategy may square off before a bracket closes what it holds without an order that does, and a person
is told: it may wait for the end of an order that never came."""

LOOKS_LATER_S: Final = 1.0
"""Seconds that are waited beyond that, so that it is over for sure."""


class SquaringOff:
    """The positions that are being squared off, by strategy and symbol."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with none."""
        self._context: Final = context
        self._since_ns: dict[tuple[str, str], int] = {}
        """Nanoseconds of the second clock."""

        self._why_not: dict[tuple[str, str], str] = {}
        """Why it could not be closed."""

        self._waiting: Waiting = []
        """Client order ids of what is to be cancelled once the book is complete, and who wants it."""

        self._timer: Timer | None = None

    def handover(self) -> Handover:
        """Return what the next life of orders is to know: the strategy goes on, or waits for what was lost."""
        return self._since_ns, self._why_not, self._waiting

    def restore(self, state: Handover) -> None:
        """Take it over."""
        since_ns, why_not, waiting = state
        self._since_ns |= since_ns
        self._why_not |= why_not
        self._waiting += waiting
        self._wait()

    def put_off(self, client_order_id: str, sender: ActorAddress) -> None:
        """Let the cancellation of an order wait until the book is complete."""
        self._waiting.append((client_order_id, sender))

    def take_waiting(self) -> Waiting:
        """Return once what waited, in the order in which it came."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def begin(self, order: Order) -> None:
        """Note that a strategy has an order cancelled to close its position: that begins, or goes on."""
        self._since_ns[order.strategy, order.symbol] = self._context.elapsed_ns()
        self._wait()

    def end(self, ended: SquaringOffEnded) -> None:
        """Note that it is over, and of what is still held why; before the book is complete, all may be."""
        of = (ended.strategy, ended.symbol)
        self._since_ns.pop(of, None)
        self._why_not.pop(of, None)
        context = self._context
        if ended.reason and (not context.is_read or context.ledger.book.strategy_shares(*of)):
            self._why_not[of] = printable(ended.reason, 200)

    def forget(self, strategy: str) -> tuple[tuple[str, str], ...]:
        """Take it that a strategy, which has begun anew, has forgotten what it was closing; return what that was."""
        gone = tuple(of for of in self._since_ns if of[0] == strategy)
        for of in gone:
            del self._since_ns[of]
        return gone

    def too_slow(self) -> tuple[tuple[str, str], ...]:
        """Return what has been squared off for too long."""
        return tuple(of for of in self._since_ns if self._lasts_s(of) >= SQUARING_OFF_MAX_S)

    def looked(self) -> None:
        """Look again (`SquaringOffDue`) when the next one takes too long."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wait()

    def closes_itself(self, entry: Order) -> bool:
        """Say whether its strategy closes the shares of a bracket at the market, or is about to."""
        ledger = self._context.ledger
        if self._lasts_s((entry.strategy, entry.symbol)) < SQUARING_OFF_MAX_S:
            return True
        return is_sold_besides(entry, (*ledger.book.open_orders(), *ledger.intents.values()))

    def words(self) -> tuple[str, ...]:
        """Say of what strategies hold, and could not close, that no order closes it."""
        book = self._context.ledger.book
        wanted: dict[tuple[str, str], tuple[float, str]] = {
            (each.strategy, each.symbol): (
                each.quantity - each.filled,
                f"the order {each.client_order_id} at the market has expired",
            )
            for each in book.expired
        }
        slow = dict.fromkeys(self.too_slow(), f"it has closed nothing for {SQUARING_OFF_MAX_S:g} s")
        wanted |= {of: (math.inf, why) for of, why in (self._why_not | slow).items()}
        found = []
        for (strategy, symbol), (most, why) in wanted.items():
            shares, closing = book.strategy_shares(strategy, symbol), 0
            if not shares:
                self._why_not.pop((strategy, symbol), None)
                continue
            side = "SELL" if shares > 0 else "BUY"
            for each in book.open_orders():
                if (each.strategy, each.symbol, each.side) == (strategy, symbol, side) and each.broker_order_id:
                    closing += each.leaves
            left = min(abs(shares) - closing, most)
            if left > 0:
                found.append(f"{strategy}: {left} {symbol} held that it wanted closed: {why}")
        return tuple(found)

    def _lasts_s(self, of: tuple[str, str]) -> float:
        """Return for how many seconds a position has been squared off; infinity: it is not."""
        since_ns = self._since_ns.get(of)
        return math.inf if since_ns is None else (self._context.elapsed_ns() - since_ns) / SECOND_NS

    def _wait(self) -> None:
        """Have one timer, for the one that will have lasted too long first."""
        lasting_s = [each for each in map(self._lasts_s, self._since_ns) if each < SQUARING_OFF_MAX_S]
        if self._timer is None and lasting_s:
            wait_s = SQUARING_OFF_MAX_S - max(lasting_s) + LOOKS_LATER_S
            self._timer = self._context.after(wait_s, SquaringOffDue())
