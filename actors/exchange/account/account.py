"""One account at the paper exchange, as a broker keeps it. Pure: time and prices are passed in."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from ....messages.broker import ExchangeStatistics
from .core import Core, Quote
from .day import Day
from .money import Money
from .orders import Orders
from .shown import Shown
from .views import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ....config.sections.exchange import ExchangeSettings
    from ....messages.exchange import (
        AccountOrder,
        AccountTrade,
        ExchangeFact,
        MoneyMoved,
    )
    from ....messages.market import Tick
    from .listings import Listings
    from .requests import MarginTicket, Modification, Ticket
    from .views import AccountHolding, AccountPosition, Funds, Margin


class Account:
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
        self._core = Core(settings, listings, now_ns=now_ns)
        self._money = Money(self._core)
        self._orders = Orders(self._core, self._money)
        self._day = Day(self._core, self._money, self._orders)
        self._shown = Shown(self._core, self._money)

    # Memory.

    def apply(self, change: ExchangeFact) -> None:
        """Apply a change of an earlier run."""
        self._core.state.apply(change)

    def resume(self, changes: Iterable[ExchangeFact] = ()) -> None:
        """Apply changes of an earlier run, and let its open orders rest again."""
        for change in changes:
            self._core.state.apply(change)
        self._day.resume()

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
        core.now_ns = max(core.now_ns, now_ns)
        if core.now_ns >= core.wake_ns:
            self._day.pass_time()
            while core.due and core.due[0][0] <= core.now_ns:
                self._orders.arrive(heapq.heappop(core.due)[2])
            core.wake_ns = self._day.next_ns()
        return core.take_changes()

    def move(self, tick: Tick) -> tuple[ExchangeFact, ...]:
        """Move the market of one instrument to its next tick."""
        core = self._core
        core.ticks += 1
        quote = core.quotes.get(tick.symbol)
        if quote is None:
            core.quotes[tick.symbol] = Quote(tick)
        else:
            quote.move(tick)
        self._orders.hear_all(core.matching.move(tick))
        return core.take_changes()

    # Orders.

    def place(self, ticket: Ticket) -> Outcome:
        """Take an order.

        Raises:
            Refused: nothing was placed.
        """
        return self._done(self._orders.place(ticket))

    def place_sliced(self, ticket: Ticket) -> Outcome:
        """Take an order above the freeze quantity, as several.

        Raises:
            Refused: nothing was placed.
        """
        return self._done(*self._orders.place_sliced(ticket))

    def modify(self, change: Modification) -> Outcome:
        """Restate a pending order.

        Raises:
            Refused: nothing has changed.
        """
        return self._done(self._orders.modify(change))

    def cancel(self, order_id: str) -> Outcome:
        """Cancel what is open of an order.

        Raises:
            Refused: nothing has changed.
        """
        return self._done(self._orders.cancel(order_id))

    def _done(self, *rows: AccountOrder) -> Outcome:
        ids = tuple(row.order_id for row in rows)
        return Outcome(ids=ids, status=rows[0].status, changes=self._core.take_changes())

    # Views.

    def orders(self) -> Sequence[AccountOrder]:
        """Return the orders of the day, oldest first."""
        return tuple(self._core.state.orders.values())

    def order(self, order_id: str) -> AccountOrder | None:
        """Return an order of the day."""
        return self._core.state.orders.get(order_id)

    def by_correlation(self, correlation_id: str) -> AccountOrder | None:
        """Return the newest order of a correlation id; None, too, while it is in transit, as at the broker."""
        row = self._core.state.orders.get(self._core.state.of_correlation.get(correlation_id, ""))
        return None if row is None or row.status == "TRANSIT" else row

    def trades(self, order_id: str = "") -> Sequence[AccountTrade]:
        """Return the trades of the day, of one order where it is named."""
        return tuple(trade for trade in self._core.state.trades if not order_id or trade.order_id == order_id)

    def past_trades(self, since_ns: int, until_ns: int) -> Sequence[AccountTrade]:
        """Return the trades of a time (the end exclusive; nanoseconds since 1970-01-01 UTC), oldest first."""
        return self._shown.past_trades(since_ns, until_ns)

    def positions(self) -> Sequence[AccountPosition]:
        """Return the positions of the day, the closed ones among them."""
        return self._shown.positions()

    def holdings(self) -> Sequence[AccountHolding]:
        """Return what is owned."""
        return self._shown.holdings()

    def funds(self) -> Funds:
        """Return the money as it stands."""
        return self._money.funds()

    def margin_of(self, *tickets: MarginTicket) -> tuple[Margin, ...]:
        """Return what orders would need, each by itself.

        Raises:
            Refused: an instrument is not listed.
        """
        return tuple(self._money.margin_of(ticket, self._core.today) for ticket in tickets)

    def ledger(self, since_ns: int, until_ns: int) -> Sequence[MoneyMoved]:
        """Return the vouchers of a time (the end exclusive; nanoseconds since 1970-01-01 UTC), oldest first."""
        return tuple(voucher for voucher in self._core.state.ledger if since_ns <= voucher.occurred_ns < until_ns)

    def last_price(self, symbol: str) -> float:
        """Return the last price of a symbol: rupees; 0 before the first tick."""
        return self._core.last_price(symbol)

    def statistics(self) -> ExchangeStatistics:
        """Return the counts of the account."""
        core = self._core
        return ExchangeStatistics(
            ticks=core.ticks,
            orders=len(core.state.orders),
            trades=core.state.traded,
            resting_orders=len(core.state.open),
        )

    def comparable(self) -> tuple[object, ...]:
        """Return the state as values that compare."""
        return self._core.state.comparable()
