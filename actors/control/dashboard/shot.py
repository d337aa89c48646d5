"""What the dashboard is sent, once a second: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ....domain.positions import unrealized
from ....messages.broker import BrokerStatistics
from ....messages.delivery import DeliveryStatistics
from ....messages.events import EventsStatistics
from ....messages.health import TIMING_BOUNDS_S, ServiceStatistics, Timing, TokenStatistics
from ....messages.journal import JournalStatistics
from ....messages.market import FeedStatistics
from ....messages.order_listing import OrdersStatistics
from ...observability import health_of, profit_in

if TYPE_CHECKING:
    from ...observability import View

SYMBOLS_MAX: Final = 100
"""Symbols whose prices are sent; the page says if there are more."""


def shot_of(view: View, *, wall_ns: int) -> dict[str, Any]:
    """Put a view into what the page shows; money is text, with its paise."""
    health = health_of(view, now_ns=wall_ns)
    orders = _first(view, OrdersStatistics)
    feed = _first(view, FeedStatistics)
    prices = {} if feed is None else feed.last_prices
    delivery, router = _first(view, DeliveryStatistics), _first(view, EventsStatistics)
    return {
        "time_ms": wall_ns // 1_000_000,
        "live": health.live,
        "ready": health.ready,
        "reason": health.reason,
        "risk_state": health.risk_state,
        "risk_cause": "" if orders is None else orders.risk_cause,
        "components": [_component(each, view) for each in health.components],
        "prices": dict(sorted(prices.items())[:SYMBOLS_MAX]),
        "prices_left_out": max(0, len(prices) - SYMBOLS_MAX),
        "feed": None if feed is None else _feed(feed),
        "orders": None if orders is None else _orders(orders, prices, view),
        "timings": _timings(view),
        "budgets": [
            {"kind": budget.kind, "window": budget.window, "remaining": budget.remaining}
            for each in view.statistics.values()
            if isinstance(each, ServiceStatistics)
            for budget in each.budgets
        ],
        "token_ends_ms": next(
            (each.ends_ns // 1_000_000 for each in view.statistics.values() if isinstance(each, TokenStatistics)), None
        ),
        "lanes": [
            *([] if router is None else _router_lanes(router)),
            *([] if delivery is None else _durable(delivery)),
        ],
        "dead_letters": None if router is None else router.dead_letters,
        "disk_free_bytes": view.disk_free_bytes,
    }


def percentile_ms(timing: Timing, share: float) -> float | None:
    """Return the upper end of the class that the percentile is in, in milliseconds; None: nothing was timed.

    Of what took longer than all bounds it is infinite, which is told as -1.
    """
    total = sum(timing.counts)
    if not total:
        return None
    below = 0
    for bound_s, count in zip(TIMING_BOUNDS_S, timing.counts, strict=False):
        below += count
        if below >= share * total:
            return 1_000 * bound_s
    return -1.0


def _component(component: Any, view: View) -> dict[str, Any]:
    children = () if view.tree is None else view.tree.children
    child = next((each for each in children if view.name_of(each.path) == component.name), None)
    return {
        "name": component.name,
        "depth": 0 if child is None else max(0, child.path.count("/") - 1),
        "health": component.state,
        "reason": component.reason,
        "state": "" if child is None else child.state,
        "restarts": 0 if child is None else child.restarts,
        "breaker": "" if child is None else child.breaker,
        "waiting": 0 if child is None else child.mailbox_depth,
        "last_error": "" if child is None else child.last_error,
    }


def _feed(feed: FeedStatistics) -> dict[str, Any]:
    return {
        "source": feed.source,
        "ticks": feed.ticks,
        "gaps": feed.gaps,
        "silent": feed.silent,
        "age_s": feed.data_age_s,
        "market_ms": max(feed.priced_ns.values(), default=0) // 1_000_000,
    }


def _router_lanes(router: EventsStatistics) -> list[dict[str, Any]]:
    """Return what the router hands on: at most once, and nothing of it waits there."""
    return [
        {"name": "ticks", "passed": router.ticks, "waiting": None, "given_up": None, "breaker": "", "reason": ""},
        {"name": "facts", "passed": router.facts, "waiting": None, "given_up": None, "breaker": "", "reason": ""},
    ]


def _durable(delivery: DeliveryStatistics) -> list[dict[str, Any]]:
    return [
        {
            "name": each.subscription,
            "passed": each.handled,
            "waiting": max(each.pending, each.behind),
            "given_up": each.dead_letters,
            "breaker": each.breaker,
            "reason": each.last_error,
        }
        for each in delivery.subscriptions
    ]


def _orders(orders: OrdersStatistics, prices: dict[str, float], view: View) -> dict[str, Any]:
    held = [each for each in orders.positions if each.quantity]
    open_profit = unrealized(held, prices)
    profit = profit_in(view)
    assert profit is not None  # there are orders
    return {
        "submitted": orders.orders,
        "fills": orders.fills,
        "rejected": orders.rejected,
        "open": orders.open_orders,
        "uncertain": orders.uncertain_orders,
        "refused_by_rule": orders.refused_by_rule,
        "realized": str(profit.realized),
        "unrealized": None if profit.unrealized is None else str(profit.unrealized),
        "positions": [
            {
                "symbol": each.symbol,
                "quantity": each.quantity,
                "average_price": str(each.average_price),
                "last_price": prices.get(each.symbol),
                "realized": str(each.realized_pnl),
                "unrealized": str(open_profit[each.symbol]) if each.symbol in open_profit else None,
            }
            for each in orders.positions
        ],
    }


def _timings(view: View) -> list[dict[str, Any]]:
    found = []
    broker, journal = _first(view, BrokerStatistics), _first(view, JournalStatistics)
    if broker is not None:
        found.append(("order acknowledged", broker.acknowledgement))
    if journal is not None:
        found.append(("journal commit", journal.commit))
    found += [
        (f"answer of {each.service}", each.answer)
        for each in view.statistics.values()
        if isinstance(each, ServiceStatistics)
    ]
    return [
        {
            "name": name,
            "count": sum(timing.counts),
            "p50_ms": percentile_ms(timing, 0.5),
            "p99_ms": percentile_ms(timing, 0.99),
        }
        for name, timing in found
    ]


def _first(view: View, kind: type) -> Any:
    return next((each for each in view.statistics.values() if isinstance(each, kind)), None)
