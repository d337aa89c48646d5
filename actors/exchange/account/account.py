"""One account at the paper exchange, as a broker keeps it. Pure: time and prices are passed in."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from ....messages.exchange import InstrumentListed
from .alerts import Alerts
from .brackets import Brackets
from .controls import Controls
from .core import Core, Quote
from .day import Day
from .forever_orders import ForeverOrders
from .listings import Listing
from .money import Money
from .orders import Orders
from .refusals import wrong
from .shown import Shown
from .state import BRACKETED
from .super_orders import SuperOrders
from .views import Outcome
from .watching import Views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....config.sections.exchange import ExchangeSettings
    from ....messages.exchange import (
        AccountOrder,
        ExchangeFact,
        Leg,
    )
    from ....messages.instruments import InstrumentDefinition
    from ....messages.market import Tick
    from .listings import Listings
    from .requests import (
        AlertModification,
        AlertTicket,
        Conversion,
        ForeverModification,
        ForeverTicket,
        Modification,
        PnlExit,
        SuperModification,
        SuperTicket,
        Ticket,
    )
    from .state import State


class Account(Views):
    """Orders, positions, holdings and money of one client.

    Each verb changes the state at once and returns the changes; whoever serves it makes them durable before it answers.
    A verb that raises `Refused` has changed nothing. `apply` rebuilds the same state from the changes, in their order;
    after the last of them `resume` puts the open orders into the market.
    """

    def __init__(self, settings: ExchangeSettings, listings: Listings, *, now_ns: int) -> None:
        """Begin with nothing; `pass_time` opens a new account with its first day.

        Args:
            settings: the section `[exchange]`.
            listings: what may be traded.
            now_ns: nanoseconds since 1970-01-01 UTC, until `pass_time` or a tick moves it.
        """
        core = Core(settings, listings, now_ns=now_ns)
        money = Money(core)
        super().__init__(core, money, Shown(core, money))
        self._orders = Orders(self._core, self._money)
        self._day = Day(self._core, self._money, self._orders)
        self._super_orders = SuperOrders(self._core, self._orders)
        self._brackets = Brackets(self._core, self._orders, self._super_orders)
        self._forever_orders = ForeverOrders(self._core, self._orders)
        self._alerts = Alerts(self._core, self._orders)
        self._controls = Controls(self._core, self._money, self._orders, self._day, self._shown)
        self._day.on_turn += [self._forever_orders.pass_day, self._alerts.pass_day]

    # Memory.

    def apply(self, change: ExchangeFact) -> None:
        """Apply a change of an earlier run."""
        self._core.state.apply(change)

    def resume(self, changes: Iterable[ExchangeFact] = (), *, state: State | None = None) -> None:
        """Apply changes of an earlier run, and let its open orders rest again; `state`: that of changes before them."""
        if state is not None:
            self._core.state = state
        for change in changes:
            self._core.state.apply(change)
        for definition in self._core.state.listed.values():
            self._core.listings.remember(Listing.of(definition))
        self._day.resume()
        self._super_orders.resume()
        self._forever_orders.resume()
        self._alerts.resume()

    @property
    def now_ns(self) -> int:
        """The account's time: nanoseconds since 1970-01-01 UTC."""
        return self._core.now_ns

    @property
    def next_ns(self) -> int:
        """When `pass_time` has something to do next, the past for at once: nanoseconds since 1970-01-01 UTC."""
        return self._core.wake_ns

    def pass_time(self, now_ns: int) -> tuple[ExchangeFact, ...]:
        """Let time pass: orders arrive, the day turns, after-market orders are released, the market closes."""
        core = self._core
        while core.wake_ns <= now_ns:  # each event at its own time: after a night the square-off comes before the close
            core.now_ns = max(core.now_ns, core.wake_ns)
            self._day.pass_time()
            while core.due and core.due[0][0] <= core.now_ns:
                self._orders.arrive(heapq.heappop(core.due)[2])
            core.wake_ns = self._day.next_ns()
        core.now_ns = max(core.now_ns, now_ns)
        return core.take_changes()

    def move(self, tick: Tick) -> tuple[ExchangeFact, ...]:
        """Move the market of one instrument to its next tick; a late one moves nothing."""
        core = self._core
        core.ticks += 1
        symbol, price = tick.symbol, tick.price
        quote = core.quotes.get(symbol)
        if quote is None:
            core.quotes[symbol] = Quote(tick)
        elif quote.is_late(tick):  # the market has moved on
            core.matching.move(tick)
            return ()
        else:
            quote.move(tick)
        listing = core.listings.of_symbol(symbol)
        if listing is None:  # before its first tick no order of it can exist
            return ()
        self._orders.hear_all(core.matching.move(tick))
        self._super_orders.move(symbol, price)
        self._forever_orders.move(symbol, price)
        self._alerts.move(listing.instrument, price, tick.exchange_ns)
        self._controls.move()
        return core.take_changes()

    # Orders.

    def place(self, ticket: Ticket) -> Outcome:
        """Take an order.

        Raises:
            Refused: nothing was placed.
        """
        kind = self._brackets if ticket.product in BRACKETED else self._orders
        return self._done(kind.place(ticket))

    def place_sliced(self, ticket: Ticket) -> Outcome:
        """Take an order above the freeze quantity, as several.

        Raises:
            Refused: nothing was placed.
        """
        if ticket.product in BRACKETED:
            raise wrong("productType", "one without exits of its own for slices", ticket.product)
        return self._done(*self._orders.place_sliced(ticket))

    def modify(self, change: Modification) -> Outcome:
        """Restate a pending order.

        Raises:
            Refused: nothing has changed.
        """
        kind = self._brackets if self._brackets.has(change.order_id) else self._orders
        return self._done(kind.modify(change))

    def cancel(self, order_id: str) -> Outcome:
        """Cancel what is open of an order.

        Raises:
            Refused: nothing has changed.
        """
        if self._brackets.has(order_id):
            return self._outcome("CANCELLED", self._brackets.cancel(order_id).order_id)
        return self._done(self._orders.cancel(order_id))

    # Orders with parts of their own.

    def place_super(self, ticket: SuperTicket) -> Outcome:
        """Place an entry with a target and a stop.

        Raises:
            Refused: nothing was placed.
        """
        return self._done(self._super_orders.place(ticket))

    def modify_super(self, change: SuperModification) -> Outcome:
        """Change a leg of a super order.

        Raises:
            Refused: nothing has changed.
        """
        self._brackets.refuse(change.order_id)
        return self._done(self._super_orders.modify(change))

    def cancel_super(self, order_id: str, leg: Leg) -> Outcome:
        """Cancel a leg of a super order; with the entry, all.

        Raises:
            Refused: nothing has changed.
        """
        self._brackets.refuse(order_id)
        self._super_orders.cancel(order_id, leg)
        return self._outcome("CANCELLED", order_id)

    def place_forever(self, ticket: ForeverTicket) -> Outcome:
        """Place an order that waits for its trigger over days.

        Raises:
            Refused: nothing was placed.
        """
        return self._outcome("PENDING", self._forever_orders.place(ticket).order_id)

    def modify_forever(self, change: ForeverModification) -> Outcome:
        """Restate a leg of a forever order.

        Raises:
            Refused: nothing has changed.
        """
        return self._outcome("PENDING", self._forever_orders.modify(change).order_id)

    def cancel_forever(self, order_id: str) -> Outcome:
        """Cancel a forever order.

        Raises:
            Refused: nothing has changed.
        """
        return self._outcome("CANCELLED", self._forever_orders.cancel(order_id).order_id)

    def place_conditional(self, ticket: AlertTicket) -> Outcome:
        """Let orders wait for a condition.

        Raises:
            Refused: nothing was placed.
        """
        return self._outcome("ACTIVE", self._alerts.place(ticket).alert_id)

    def modify_conditional(self, change: AlertModification) -> Outcome:
        """Restate an alert.

        Raises:
            Refused: nothing has changed.
        """
        return self._outcome("ACTIVE", self._alerts.modify(change).alert_id)

    def cancel_conditional(self, alert_id: str) -> Outcome:
        """Cancel an alert.

        Raises:
            Refused: nothing has changed.
        """
        return self._outcome("CANCELLED", self._alerts.cancel(alert_id).alert_id)

    # The account as a whole.

    def exit_all(self) -> Outcome:
        """Cancel all open orders and close all positions at the market.

        Raises:
            Refused: nothing has changed.
        """
        self._controls.exit_all()
        return self._outcome("SUCCESS")

    def convert_position(self, asked: Conversion) -> Outcome:
        """Move shares of an open position to another product.

        Raises:
            Refused: nothing has changed.
        """
        self._controls.convert(asked)
        return self._outcome("SUCCESS")

    def set_kill_switch(self, is_active: bool) -> Outcome:  # noqa: FBT001  the one argument of this verb
        """Stop trading for the rest of the day, or allow it again.

        Raises:
            Refused: a position or an order is open.
        """
        self._controls.set_kill_switch(is_active=is_active)
        return self._outcome("ACTIVATE" if is_active else "DEACTIVATE")

    def set_pnl_exit(self, asked: PnlExit) -> Outcome:
        """Close positions when the day's profit or loss reaches a threshold; at once if it has.

        Raises:
            Refused: nothing has changed.
        """
        self._controls.set_pnl_exit(asked)
        return self._outcome("ACTIVE")

    def cancel_pnl_exit(self) -> Outcome:
        """Take the thresholds away."""
        self._controls.cancel_pnl_exit()
        return self._outcome("INACTIVE")

    def list_instruments(self, *definitions: InstrumentDefinition) -> Outcome:
        """List instruments; those that are listed stay as they are.

        Raises:
            ValueError: another one has the symbol or the id.
        """
        core = self._core
        venues = len(core.listings.venues)
        for definition in definitions:
            listing = Listing.of(definition)
            if core.listings.find(listing.instrument) is None:
                core.listings.add(listing)
                core.do(InstrumentListed(definition=definition, occurred_ns=core.now_ns))
        if len(core.listings.venues) > venues:
            self._day.look_anew()
        return self._outcome("SUCCESS")

    def add_funds(self, rupees: float) -> Outcome:
        """Put money into the account.

        Raises:
            Refused: the amount is not above 0.
        """
        self._controls.add_funds(rupees)
        return self._outcome("SUCCESS")

    def _done(self, *rows: AccountOrder) -> Outcome:
        return self._outcome(rows[0].status, *(row.order_id for row in rows))

    def _outcome(self, status: str, *ids: str) -> Outcome:
        return Outcome(ids=ids, status=status, changes=self._core.take_changes())
