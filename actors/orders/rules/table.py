"""The rules, in their order. A new rule is a function in the file of its family and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ....config.sections.orders import OrdersSettings
from ....messages.orders import SubmitOrder
from . import clock, exposure, flow, identity, instrument, margin, price, size, state
from .situation import Refusal, Rule, Situation

RULES: Final[tuple[Rule, ...]] = (
    state.risk_state,
    clock.clock_skew_max_s,
    identity.client_order_id,
    identity.duplicate,
    identity.order_age_max_s,
    instrument.symbol,
    instrument.session,
    price.terms,
    price.exits,
    size.quantity_max,
    size.freeze_quantity,
    price.price_age_max_s,
    price.price_band_age_max_s,
    price.price_collar_percent,
    size.value_max_rupees,
    exposure.open_value_max_rupees,
    exposure.gross_value_max_rupees,
    exposure.position_max,
    exposure.strategy_position_max,
    exposure.unknown_orders_max,
    exposure.day_loss_max_rupees,
    margin.margin_use_max_percent,
    flow.orders_in_flight_max,
    flow.strategy_orders_in_flight_max,
    flow.orders_a_moment_max,
    flow.orders_a_second_max,
    flow.orders_a_minute_max,
    flow.orders_an_hour_max,
    flow.orders_a_day_max,
    flow.strategy_orders_a_day_max,
    flow.strategy_trades_a_day_max,
    flow.repeats_max,
)
"""A rule's name in a refusal is its function's name, and that of the setting that limits it."""

OF_ONE_ORDER: Final[tuple[Rule, ...]] = (
    instrument.symbol,
    instrument.session,
    price.exits,
    size.quantity_max,
    size.freeze_quantity,
    price.price_age_max_s,
    price.price_band_age_max_s,
    price.price_collar_percent,
    size.value_max_rupees,
)
"""The rules that a changed order must keep as a whole."""

ON_CHANGES: Final[tuple[Rule, ...]] = (
    state.risk_state,
    clock.clock_skew_max_s,
    exposure.open_value_max_rupees,
    exposure.gross_value_max_rupees,
    exposure.position_max,
    exposure.strategy_position_max,
    exposure.unknown_orders_max,
    exposure.day_loss_max_rupees,
    margin.margin_use_max_percent,
)
"""The rules that the open quantity of a changed order must keep."""

LIMITS: Final[dict[Rule, tuple[str, ...]]] = {
    price.price_collar_percent: ("price_collar_percent", "option_collar_percent"),
}
"""The settings of a rule that has several."""

SHARES_MAX: Final[dict[Rule, Callable[[SubmitOrder, Situation], int]]] = {
    size.quantity_max: lambda _order, situation: situation.limits.quantity_max,
    size.freeze_quantity: lambda order, situation: situation.freeze_quantities[order.symbol],
}
"""Of rules that refuse an order for its size alone: as many shares as they let pass in one."""

OFF: Final[tuple[object, ...]] = (0, "none", {})
"""Values of a limit that turn its rule off."""


def rules_of(limits: OrdersSettings) -> tuple[Rule, ...]:
    """Return the rules that these limits turn on: those that are off cost an order nothing."""
    return tuple(rule for rule in RULES if is_on(rule, limits))


def is_on(rule: Rule, limits: OrdersSettings) -> bool:
    """Say whether a rule may ever refuse: it has no limit, or one that is not 0, none or empty."""
    return any(getattr(limits, name, True) not in OFF for name in settings_of(rule))


def settings_of(rule: Rule) -> tuple[str, ...]:
    """Return the names of the settings that limit it."""
    return LIMITS.get(rule, (rule.__name__,))


def judge(order: SubmitOrder, situation: Situation, rules: tuple[Rule, ...] = RULES) -> Refusal | None:
    """Check the rules in order; return the first refusal, or None if the order passes.

    The rule that refuses is asked again for its reason: to keep each answer costs the orders that pass.
    """
    for rule in rules:
        if rule(order, situation):
            most = SHARES_MAX[rule](order, situation) if rule in SHARES_MAX else None
            return Refusal(rule=rule.__name__, reason=rule(order, situation), shares_max=most)
    return None
