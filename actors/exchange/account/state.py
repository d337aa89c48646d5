"""The state of an account: the fold of its facts, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import astuple

from ....messages.exchange import (
    AccountOrder,
    AccountTrade,
    Alert,
    DayBegan,
    ExchangeFact,
    ForeverOrder,
    Instrument,
    InstrumentListed,
    MoneyMoved,
    PositionConverted,
    ProductType,
    SuperOrder,
    SwitchesSet,
)
from ....messages.instruments import InstrumentDefinition
from ....messages.orders import Side
from .positions import Owned, Traded

DELIVERED: Final[frozenset[ProductType]] = frozenset({"CNC", "MTF"})
"""Products whose open positions become holdings."""

BRACKETED: Final[frozenset[ProductType]] = frozenset({"CO", "BO"})
"""Products whose orders have exits of their own: cover and bracket orders."""

INTRADAY: Final[frozenset[ProductType]] = frozenset({"INTRADAY", "CO", "BO"})
"""Products whose positions are closed the same day."""

SUPER: Final = "SUPER"
"""Source of the exits of super orders, and of cover and bracket orders."""

EXPIRY: Final = "EXPIRY"
"""Source of what pays out a contract that has expired: no broker shows an order, or a trade, of that."""


class State:
    """Orders, trades, positions, holdings, money and controls of one account."""

    def __init__(self) -> None:
        """Begin before the first fact."""
        self.orders: dict[str, AccountOrder] = {}
        """Of the day, and those that are still open, in the order they were placed."""

        self.open: dict[str, AccountOrder] = {}
        self.parked: dict[str, AccountOrder] = {}
        """After-market orders that wait for their release."""

        self._leaves: dict[tuple[Instrument, ProductType, str], list[int]] = {}
        """Shares that open orders may still trade: of ordinary ones, of targets, of stops."""

        self.of_correlation: dict[str, str] = {}
        """The newest order of each correlation id."""

        self.paid_out: set[str] = set()
        """Ids of the orders by which contracts that have expired were paid out."""

        self.trades: list[AccountTrade] = []
        """Of the day."""

        self.past_trades: list[AccountTrade] = []
        self.super_orders: dict[str, SuperOrder] = {}
        self.forever_orders: dict[str, ForeverOrder] = {}
        self.alerts: dict[str, Alert] = {}
        self.positions: dict[tuple[Instrument, ProductType], Traded] = {}
        self.listed: dict[Instrument, InstrumentDefinition] = {}
        """Instruments that were listed by this account, by segment and id."""

        self.holdings: dict[Instrument, Owned] = {}
        self.ledger: list[MoneyMoved] = []
        self.cash_rupees = Decimal(0)
        """Balance of the ledger."""

        self.blocked_rupees = Decimal(0)
        """Margin of the open orders."""

        self.charges_rupees = Decimal(0)
        """Of the day, not yet in the ledger."""

        self.switches = SwitchesSet()
        self.day = 0
        """The trading day: days since 1970-01-01; 0 before the first."""

        self.issued = 0
        """Ids given out so far, over all days."""

        self.arrivals = 0
        """Orders that have arrived at the exchange so far."""

        self.traded = 0
        """Trades so far, over all days."""

        self.newest_ns = 0
        """Time of the newest fact: nanoseconds since 1970-01-01 UTC."""

    def apply(self, fact: ExchangeFact) -> None:
        """Add one fact."""
        _APPLY[type(fact)](self, fact)
        occurred_ns = getattr(fact, _TIMES.get(type(fact), "occurred_ns"))
        self.newest_ns = max(self.newest_ns, occurred_ns)

    def position(self, instrument: Instrument, product: ProductType) -> Traded | None:
        """Return what was traded of an instrument in a product; None if nothing was."""
        return self.positions.get((instrument, product))

    def net(self, instrument: Instrument, product: ProductType) -> int:
        """Return the signed shares that are open."""
        traded = self.positions.get((instrument, product))
        return traded.net if traded is not None else 0

    def leaves_like(self, row: AccountOrder) -> int:
        """Return the shares that open orders of the same instrument, product and side may still trade.

        Of target and stop of a position only one does.
        """
        return sum(self.leaves(row.instrument, row.product, row.side))

    def leaves_behind(self, row: AccountOrder) -> int:
        """Return the shares of those of these that are in transit behind this one, which may be at the exchange.

        An order of a client that comes later takes nothing from one that is judged before it.
        """
        return sum(
            each.remaining_quantity
            for each in self.open.values()
            if not each.arrival
            and (row.arrival or each.order_id > row.order_id)
            and (each.instrument, each.product, each.side) == (row.instrument, row.product, row.side)
        )

    def leaves(self, instrument: Instrument, product: ProductType, side: Side) -> tuple[int, int]:
        """Return the shares that open orders may still trade: ordinary ones, and exits of super orders."""
        ordinary, targets, stops = self._leaves.get((instrument, product, side), (0, 0, 0))
        return ordinary, max(targets, stops)

    def comparable(self) -> tuple[Any, ...]:
        """Return everything as values that compare: for tests, and to verify a replay."""
        return (
            *(self.orders, self.open, self.of_correlation, self.trades, self.past_trades, self.super_orders),
            *(self.forever_orders, self.alerts, self.ledger, self.cash_rupees, self.blocked_rupees),
            *(self.charges_rupees, astuple(self.switches), self.day, self.issued, self.arrivals, self.traded),
            self.listed,
            {key: traded.comparable() for key, traded in self.positions.items()},
            {key: owned.comparable() for key, owned in self.holdings.items()},
        )

    def _list(self, fact: InstrumentListed) -> None:
        definition = fact.definition
        self.listed[definition.segment, definition.security_id] = definition

    def _order(self, row: AccountOrder) -> None:
        before = self.orders.get(row.order_id)
        self.orders[row.order_id] = row
        left = row.remaining_quantity - (before.remaining_quantity if before is not None else 0)
        if left:
            key = row.instrument, row.product, row.side
            kind = 0 if row.source != SUPER else 1 if row.leg == "TARGET_LEG" else 2
            leaves = self._leaves.get(key)
            if leaves is None:
                leaves = self._leaves[key] = [0, 0, 0]
            leaves[kind] += left
        if before is None:
            self._new_order(row)
        elif before.margin_each_rupees:
            self.blocked_rupees -= before.blocked_rupees
        if row.margin_each_rupees:
            self.blocked_rupees += row.blocked_rupees
        self.arrivals = max(self.arrivals, row.arrival)
        if row.is_open:
            self.open[row.order_id] = row
        else:
            self.open.pop(row.order_id, None)
        if row.amo_time:
            if row.status == "PENDING" and not row.arrival:
                self.parked[row.order_id] = row
            else:
                self.parked.pop(row.order_id, None)

    def _new_order(self, row: AccountOrder) -> None:
        self.issued += 1
        if row.correlation_id:
            self.of_correlation[row.correlation_id] = row.order_id
        if row.source == EXPIRY:
            self.paid_out.add(row.order_id)

    def last_traded(self, instrument: Instrument) -> float:
        """Return the price of the account's last trade of an instrument: rupees, 0 without any."""
        for trades in (self.trades, self.past_trades):
            for trade in reversed(trades):
                if trade.instrument == instrument:
                    return trade.price
        return 0.0

    def _trade(self, trade: AccountTrade) -> None:
        self.trades.append(trade)
        self.traded += 1
        self.charges_rupees += trade.charges_rupees
        key = trade.instrument, trade.product
        traded = self.positions.get(key)
        if traded is None:
            traded = self.positions[key] = Traded(trade.symbol)
        traded.trade(trade.quantity if trade.side == "BUY" else -trade.quantity, trade.price)

    def _super(self, row: SuperOrder) -> None:
        self.super_orders[row.order_id] = row

    def _forever(self, row: ForeverOrder) -> None:
        self.issued += row.order_id not in self.forever_orders
        self.forever_orders[row.order_id] = row

    def _alert(self, row: Alert) -> None:
        self.issued += row.alert_id not in self.alerts
        self.alerts[row.alert_id] = row

    def _convert(self, fact: PositionConverted) -> None:
        source = self.positions[fact.instrument, fact.source]
        key = fact.instrument, fact.target
        target = self.positions.get(key)
        if target is None:
            target = self.positions[key] = Traded(fact.symbol)
        cost = source.cost_of(fact.quantity)
        source.shift(-fact.quantity, -cost)
        target.shift(fact.quantity, cost)

    def _money(self, fact: MoneyMoved) -> None:
        self.ledger.append(fact)
        self.cash_rupees += fact.amount_rupees

    def _switches(self, fact: SwitchesSet) -> None:
        self.switches = fact

    def _day(self, fact: DayBegan) -> None:
        self.day = fact.day
        self.past_trades += self.trades
        self.trades = []
        self.charges_rupees = Decimal(0)
        self.orders = dict(self.open)
        self.of_correlation = {row.correlation_id: row.order_id for row in self.open.values() if row.correlation_id}
        self.super_orders = {key: row for key, row in self.super_orders.items() if row.order_id in self.orders}
        self.forever_orders = {key: row for key, row in self.forever_orders.items() if row.is_open}
        self.switches = SwitchesSet()
        for owned in self.holdings.values():
            owned.unsettled = 0
        for (instrument, product), traded in list(self.positions.items()):
            if product in DELIVERED:
                self._deliver(instrument, traded)
            if product in DELIVERED or not traded.net:
                del self.positions[instrument, product]
            else:
                traded.carry()

    def _deliver(self, instrument: Instrument, traded: Traded) -> None:
        owned = self.holdings.get(instrument)
        if owned is None:
            owned = self.holdings[instrument] = Owned(traded.symbol)
        owned.settle(traded.net, traded.cost)
        if not owned.quantity:
            del self.holdings[instrument]


_APPLY: Final[dict[type, Callable[[State, Any], None]]] = {
    AccountOrder: State._order,  # noqa: SLF001  the table of this class
    AccountTrade: State._trade,  # noqa: SLF001
    SuperOrder: State._super,  # noqa: SLF001
    ForeverOrder: State._forever,  # noqa: SLF001
    Alert: State._alert,  # noqa: SLF001
    PositionConverted: State._convert,  # noqa: SLF001
    MoneyMoved: State._money,  # noqa: SLF001
    SwitchesSet: State._switches,  # noqa: SLF001
    DayBegan: State._day,  # noqa: SLF001
    InstrumentListed: State._list,  # noqa: SLF001
}

_TIMES: Final[dict[type, str]] = {
    AccountOrder: "updated_ns",
    SuperOrder: "updated_ns",
    ForeverOrder: "updated_ns",
    Alert: "created_ns",
}
"""Names of the fields that say when a fact occurred, where it is not `occurred_ns`."""
