"""What an account shows: computed from its facts and the last prices, not stored."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ....messages.exchange import ExchangeFact, Instrument, ProductType


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb did. Answer nobody before the changes are durable."""

    ids: tuple[str, ...] = ()
    """Of the orders it placed or changed, in their order."""

    status: str = ""
    """Of the first of them, as the broker answers: `TRANSIT`, `PENDING`, `CANCELLED`, `ACTIVE`."""

    changes: tuple[ExchangeFact, ...] = ()


class AccountPosition(msgspec.Struct, frozen=True, kw_only=True):
    """What was traded of an instrument in one product: the day's, and what was carried."""

    instrument: Instrument
    symbol: str
    product: ProductType
    buy_quantity: int
    sell_quantity: int
    buy_average: float
    sell_average: float
    net_quantity: int
    cost_price: float
    """Rupees a share of what is open, by average cost; 0 when closed."""

    realized_rupees: Decimal
    unrealized_rupees: Decimal
    """At the last price; 0 where there is none yet."""

    last_price: float
    day_buy_quantity: int
    day_sell_quantity: int
    day_buy_rupees: Decimal
    day_sell_rupees: Decimal
    carried_buy_quantity: int = 0
    carried_sell_quantity: int = 0
    carried_buy_rupees: Decimal = Decimal(0)
    carried_sell_rupees: Decimal = Decimal(0)

    @property
    def kind(self) -> str:
        """`LONG`, `SHORT` or `CLOSED`."""
        return "LONG" if self.net_quantity > 0 else "SHORT" if self.net_quantity else "CLOSED"


class AccountHolding(msgspec.Struct, frozen=True, kw_only=True):
    """Shares that are owned."""

    instrument: Instrument
    symbol: str
    quantity: int
    """Delivered, and to be delivered."""

    unsettled_quantity: int
    """Bought on the last trading day (T+1)."""

    available_quantity: int
    """May be sold: less what was sold today."""

    average_cost_rupees: float
    last_price: float


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """Money: what is there, what is in use, what may be used."""

    available_rupees: Decimal
    start_of_day_rupees: Decimal
    utilized_rupees: Decimal
    """By positions, open orders, losses and charges of the day."""

    receivable_rupees: Decimal
    """Of sales of holdings, and profits of the day: usable when they are settled, the next day."""

    withdrawable_rupees: Decimal


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would need."""

    total_rupees: Decimal
    span_rupees: Decimal
    exposure_rupees: Decimal
    variable_rupees: Decimal
    available_rupees: Decimal
    insufficient_rupees: Decimal
    brokerage_rupees: Decimal
    leverage: float
