"""What an account shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ....messages.broker import ExchangeStatistics
from .state import BRACKETED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....messages.exchange import (
        AccountOrder,
        AccountTrade,
        Alert,
        ForeverOrder,
        MoneyMoved,
        SuperOrder,
        SwitchesSet,
    )
    from ....messages.instruments import InstrumentDefinition
    from .core import Core
    from .money import Money
    from .requests import MarginTicket, MarginTogether
    from .shown import Shown
    from .views import AccountHolding, AccountPosition, Funds, Margin


class Views:
    """The views of an account; nothing changes by them."""

    def __init__(self, core: Core, money: Money, shown: Shown) -> None:
        self._core = core
        self._money = money
        self._shown = shown

    def orders(self) -> Sequence[AccountOrder]:
        """Return the orders of the day, oldest first; none that has paid out a contract, as no broker shows any."""
        state = self._core.state
        return tuple(row for row in state.orders.values() if row.order_id not in state.paid_out)

    def order(self, order_id: str) -> AccountOrder | None:
        """Return an order of the day, as `orders` has it."""
        state = self._core.state
        return None if order_id in state.paid_out else state.orders.get(order_id)

    def by_correlation(self, correlation_id: str) -> AccountOrder | None:
        """Return the newest order of a correlation id; None, too, while it is in transit, as at the broker."""
        row = self._core.state.orders.get(self._core.state.of_correlation.get(correlation_id, ""))
        return None if row is None or row.status == "TRANSIT" else row

    def trades(self, order_id: str = "") -> Sequence[AccountTrade]:
        """Return the trades of the day, of one order where it is named; of those that `orders` has."""
        state = self._core.state
        trades = (trade for trade in state.trades if trade.order_id not in state.paid_out)
        return tuple(trade for trade in trades if not order_id or trade.order_id == order_id)

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

    def margin_together(self, asked: MarginTogether) -> Margin:
        """Return what orders would need together, with what positions and open orders need where that is asked.

        Raises:
            Refused: an instrument is not listed.
        """
        return self._money.margin_together(asked, self._core.today)

    def super_orders(self) -> Sequence[SuperOrder]:
        """Return the super orders of the day; their entries and exits are orders."""
        state = self._core.state
        return tuple(
            row if row.status != "TRANSIT" else replace(row, status=state.orders[row.order_id].status)
            for row in state.super_orders.values()
            if state.orders[row.order_id].product not in BRACKETED
        )

    def forever_orders(self) -> Sequence[ForeverOrder]:
        """Return the forever orders: those that wait, and those that ended today."""
        return tuple(self._core.state.forever_orders.values())

    def alerts(self, alert_id: str = "") -> Sequence[Alert]:
        """Return the alerts, or the one that is named."""
        return tuple(row for row in self._core.state.alerts.values() if not alert_id or row.alert_id == alert_id)

    def switches(self) -> SwitchesSet:
        """Return the trader's controls as they stand."""
        return self._core.state.switches

    def listed(self) -> Sequence[InstrumentDefinition]:
        """Return the instruments that were listed by this account."""
        return tuple(self._core.state.listed.values())

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
