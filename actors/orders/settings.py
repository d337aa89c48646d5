"""Settings of the orders actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from ...config.sections.orders import OrdersSettings
from ...messages.addresses import ORDERS
from ...messages.events import Subscribe
from ...messages.orders import Product

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...config.sections.strategy import StrategySettings
    from ...messages.accounts import AccountChoice


def subscription(limits: OrdersSettings) -> Subscribe:
    """Return the subscription of orders at the router, as these limits need it: a subscriber has only one."""
    return Subscribe(
        subscriber=ORDERS, topics=("OperationAsked", "Tick") if limits.need_prices else ("OperationAsked",)
    )


class OrdersActorSettings(OrdersSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `[orders]`, and the limits of single strategies."""

    strategy_position_max: dict[str, int] = msgspec.field(default_factory=dict)
    """By strategy: shares of one symbol that it may hold if all its open orders fill; absent: no limit of its own."""

    strategy_orders_in_flight_max: dict[str, int] = msgspec.field(default_factory=dict)
    """By strategy: its orders without an answer of the broker; absent: no limit of its own."""

    halt_paths: tuple[str, ...] = ()
    """While a file is at any of these no order leaves (`config/halt_file.py`); empty: there is no such file."""

    keeps_stops: bool = True
    """Whether stops that only make smaller what is held stay where a halt cancels all orders."""

    audited: bool = False
    """Whether limits that differ from those of the run before are journaled, as they are where real orders leave."""

    product: Product = "INTRADAY"
    """That the broker session gives to orders which name none."""

    is_compared: bool = False
    """Whether reconciliation compares the broker's positions with ours."""

    keeps_states: bool = True
    """Whether the states of strategies are journaled; else they are kept in memory, as long as the run lasts."""

    @classmethod
    def of(
        cls,
        limits: OrdersSettings,
        *,
        account: AccountChoice | None = None,
        strategies: Iterable[StrategySettings] = (),
        halt_paths: tuple[str, ...] = (),
        audited: bool = False,
    ) -> Self:
        """Combine the section with the account of the run, the limits of its strategies and the files of the switch."""
        given = msgspec.structs.asdict(limits)
        if account is not None:
            given["account"] = account
        shares, in_flight = {}, {}
        for each in strategies:
            if each.position_max is not None:
                shares[each.name] = each.position_max
            if each.orders_in_flight_max is not None:
                in_flight[each.name] = each.orders_in_flight_max
        return cls(
            **given,
            strategy_position_max=shares,
            strategy_orders_in_flight_max=in_flight,
            halt_paths=halt_paths,
            audited=audited,
        )
