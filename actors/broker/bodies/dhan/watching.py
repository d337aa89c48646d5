"""Which orders are open or in doubt, and when they are looked at.

Looks follow each other at an interval: short after something has happened, long while nothing does, and longer where
the socket of order updates tells. An update is no report: what it says of an order makes that order's look come at once
(see `hints.py`), and the look, which reads order book and trades, is what is reported.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from .....domain.time import SECOND_NS
from .....messages.broker import OrderPlaced
from ...body import BrokerSession, Due
from .hints import SPACING_S, Hints
from .looks import Interval, Sight, look
from .progress import Watched, progress_of, symbol_told, take

if TYPE_CHECKING:
    from .....domain.dhan.trading.orders import OrderRow, TradeRow
    from .....messages.broker import OrderUpdated
    from ....runtime import Timer
    from .talk import Talk


class Watching:
    """Looks at the orders it watches until they have ended, and reports what is new of them."""

    def __init__(self, session: BrokerSession, talk: Talk) -> None:
        """Watch nothing yet."""
        self._session: Final = session
        self._talk: Final = talk
        self.orders: Final[dict[str, Watched]] = {}
        """Open or in doubt, by client order id."""

        self._interval: Final = Interval()
        self._next_look: Timer | None = None
        self._next_look_s = 0.0
        """The wait that `_next_look` was set for."""

        self._is_looking = False
        self._rests = False
        """Whether no further look is begun."""

        self._hints: Final = Hints()
        self._next_hinted: Timer | None = None
        self._hinted_ns: int | None = None
        """When updates last made it look."""

    def watch(self, *orders: Watched) -> None:
        """Look at them from the next look on."""
        self.orders.update((order.client_order_id, order) for order in orders)

    def forget(self, client_order_id: str) -> None:
        """Stop looking at an order: it has ended."""
        self.orders.pop(client_order_id, None)
        self._hints.forget(client_order_id)

    def rest(self) -> None:
        """Begin no further look: a silent broker would be looked at for ever."""
        self._rests = True
        for timer in (self._next_look, self._next_hinted):
            if timer is not None:
                timer.cancel()

    def look_soon(self) -> None:
        """Look at the orders after the shortest interval at most: something has happened, or will.

        A look that is due as soon already stays, or orders in quick succession would put it off for ever.
        """
        self._interval.shorten(is_eased=self._is_eased())
        self._plan_look()

    def _plan_look(self) -> None:
        """Have the next look after the interval at the latest."""
        if self._next_look is not None and self._next_look_s > self._interval.seconds:
            self._next_look.cancel()
            self._next_look = None
        self._look_later()

    def _look_later(self) -> None:
        if self.orders and self._next_look is None and not self._is_looking and not self._rests:
            self._next_look_s = self._interval.seconds
            self._next_look = self._session.after(self._next_look_s, Due(self._look))

    def _look(self) -> None:
        self._next_look = None
        if self._rests:
            return
        if not self._is_looking:
            self._look_at(tuple(self.orders.values()), is_hinted=False)
            return
        for watched in self.orders.values():  # after the look that is under way, which may be of a few of them
            self._hints.suspect(watched)

    def _look_at(self, orders: tuple[Watched, ...], *, is_hinted: bool) -> None:
        self._is_looking = True
        then = functools.partial(self._take_sight, is_hinted=is_hinted)
        self._talk.run(look(orders, self._session.clock.now_ns()), then)

    def _is_eased(self) -> bool:
        return self._hints.may_ease(self.orders.values())

    def _take_sight(self, sight: Sight, *, is_hinted: bool) -> None:
        self._is_looking = False
        if sight.problem:
            self._session.log("orders.not_seen", level="warning", reason=sight.problem)
        news = False
        for watched, row in sight.rows:
            if self.orders.get(watched.client_order_id) is watched:  # else it has ended meanwhile
                news |= self._take_row(watched, row, sight.trades, is_hinted=is_hinted)
        is_eased = self._is_eased()
        if news:
            self._interval.shorten(is_eased=is_eased)
        else:
            any_open = any(order.broker_order_id for order in self.orders.values())
            self._interval.lengthen(any_open=any_open, is_eased=is_eased)
        self._plan_look()
        self._look_hinted()

    def _take_row(self, watched: Watched, row: OrderRow, trades: tuple[TradeRow, ...], *, is_hinted: bool) -> bool:
        """Report what is new of an order, and say whether anything is."""
        news = False
        if not watched.broker_order_id:
            if symbol_told(watched, row.exchange_segment, row.security_id) not in {"", watched.symbol}:
                self._session.log("order.of_another", level="error", client_order_id=watched.client_order_id)
                return False
            watched.broker_order_id = row.order_id
            tell_placed(self._session, watched)
            news = True
        progress = progress_of(watched, row, trades, self._session.clock.now_ns())
        take(watched, progress)
        if not is_hinted and (progress.trades or progress.has_ended):
            self._hints.note_seen(watched, has_ended=progress.has_ended)
        for report in progress.trades:
            self._session.report(report)
        if progress.has_ended:
            del self.orders[watched.client_order_id]
            self._hints.forget(watched.client_order_id)
            if progress.ending is not None:
                self._session.report(progress.ending)
        return news or bool(progress.trades) or progress.has_ended

    # What updates say.

    def connect(self) -> None:
        """Look at all orders: what happened while no updates came is never told."""
        self._hints.connect(self.orders.values())
        self._look_hinted()

    def lose(self) -> None:
        """Look by interval alone: updates do not come."""
        if self._hints.is_connected:
            self._hints.lose()
            self.look_soon()

    def suspect(self, watched: Watched) -> None:
        """Look at an order at once: an update of it came before it was watched."""
        self._hints.suspect(watched)
        self._look_hinted()

    def take_update(self, update: OrderUpdated) -> None:
        """Look at an order that is watched now, if the update may say more of it than is known."""
        watched = self.orders.get(update.client_order_id)
        if watched is None:
            number = update.broker_order_id
            watched = next((each for each in self.orders.values() if each.broker_order_id == number), None)
        if watched is None:
            self._session.log("update.not_watched", level="debug", broker_order_id=update.broker_order_id)
            return
        self._hints.take(update, watched)
        if self._hints.is_behind(watched):
            self._interval.shorten()  # for when the order book does not show yet what the update says
        self._look_hinted()

    def _look_hinted(self) -> None:
        """Look at those orders of which updates say that something has happened: at once, but not without a pause."""
        if self._is_looking or self._rests or self._next_hinted is not None or not self._hints.any_due:
            return
        now_ns = self._session.clock.monotonic_ns()
        wait_s = 0.0 if self._hinted_ns is None else SPACING_S - (now_ns - self._hinted_ns) / SECOND_NS
        if wait_s > 0:
            self._next_hinted = self._session.after(wait_s, Due(self._look_after_pause))
            return
        orders = self._hints.take_due(self.orders)
        if orders:
            self._hinted_ns = now_ns
            self._look_at(orders, is_hinted=True)

    def _look_after_pause(self) -> None:
        self._next_hinted = None
        self._look_hinted()


def tell_placed(session: BrokerSession, watched: Watched) -> None:
    """Report that the broker has the order, and under which number."""
    placed = OrderPlaced(
        client_order_id=watched.client_order_id,
        broker_order_id=watched.broker_order_id,
        symbol=watched.symbol,
        side=watched.side,
    )
    session.report(placed)
