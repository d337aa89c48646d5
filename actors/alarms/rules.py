"""When there is an alarm: every rule, once. Pure: a rule looks at a view, and at the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from ...domain.readiness import DISK_CRITICAL_BYTES, DISK_WARN_BYTES, clock_fault, token_fault
from ...domain.time import DAY_NS
from ...domain.wording import counted
from ...messages.addresses import BROKER, JOURNAL, ORDERS, SYSTEM
from ...messages.broker import UpdatesStatistics
from ...messages.database import DatabaseStatistics
from ...messages.delivery import DeliveryStatistics
from ...messages.events import EventsStatistics
from ...messages.health import ServiceStatistics, Severity, TokenStatistics
from ...messages.market import FeedStatistics
from ...messages.nodes import NodesStatistics
from ...messages.order_listing import OrdersStatistics
from ...messages.reconciliation import ReconciliationStatistics

if TYPE_CHECKING:
    from ..observability import View

RESTARTS_MAX: Final = 3
"""Restarts of one actor between two looks that are no alarm."""

NEEDED: Final = frozenset({ORDERS, JOURNAL, BROKER})
"""Through whom an order leaves."""

GIVEN_UP_MAX: Final = 20
"""Events that durable subscriptions give up between two looks, and that is not many yet."""

BUDGET_SHARE_MIN: Final = 0.1
"""Of the requests that a service allows in an hour or a day; fewer left are an alarm."""

BUDGET_PERIOD_MIN_S: Final = 3_600.0
"""Seconds: a shorter window is used up by any burst, and whole again in a moment."""

Found: TypeAlias = "Iterator[tuple[str, str]]"
"""Whom it is about, which tells several of one rule apart, and what is the matter."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    name: str
    severity: Severity
    find: Callable[[View, View, int], Found]
    """Looks at the view now, the one before, and the time: nanoseconds since 1970-01-01 UTC."""

    after_s: float = 0.0
    """How long it must have lasted."""


def _orders(view: View) -> Iterator[OrdersStatistics]:
    return (each for each in view.statistics.values() if isinstance(each, OrdersStatistics))


def _not_answering(view: View, _before: View, _now_ns: int) -> Found:
    if SYSTEM in view.silent:
        yield SYSTEM, "the root of the supervision tree does not answer"
    for name in sorted(view.silent & NEEDED):
        yield name, f"{name} runs and does not answer: nobody knows whether orders leave"


def _halted(view: View, _before: View, _now_ns: int) -> Found:
    for orders in _orders(view):
        if orders.risk_state == "HALTED":
            yield "orders", f"trading is halted: {orders.risk_cause}"


def _reducing(view: View, _before: View, _now_ns: int) -> Found:
    for orders in _orders(view):
        if orders.risk_state == "REDUCING":
            yield "orders", f"only orders that make a position smaller pass: {orders.risk_cause}"


def _unknown(view: View, _before: View, _now_ns: int) -> Found:
    for orders in _orders(view):
        if orders.uncertain_orders:
            yield "orders", f"{counted(orders.uncertain_orders, 'order')} may or may not be at the broker"


def _unprotected(view: View, _before: View, _now_ns: int) -> Found:
    for orders in _orders(view):
        for each in orders.unprotected:
            yield each.partition(":")[0], each


def _down(view: View, _before: View, _now_ns: int) -> Found:
    for child in () if view.tree is None else view.tree.children:
        if child.state in {"UNAVAILABLE", "RESTARTING", "STOPPED"}:
            yield view.name_of(child.path), f"{view.name_of(child.path)} is down: {child.last_error or child.state}"


def _parked(view: View, _before: View, _now_ns: int) -> Found:
    for child in () if view.tree is None else view.tree.children:
        if child.state == "PARKED":
            name = view.name_of(child.path)
            yield name, f"{name} failed for good, and its open orders stay as they are: {child.last_error}"


def _restarting(view: View, before: View, _now_ns: int) -> Found:
    known = {} if before.tree is None else {each.path: each.restarts for each in before.tree.children}
    for child in () if view.tree is None else view.tree.children:
        restarts = child.restarts - known.get(child.path, child.restarts)
        if restarts >= RESTARTS_MAX:
            name = view.name_of(child.path)
            yield name, f"{name} was restarted {restarts} times in a moment: {child.last_error}"


def _troubled(view: View, _before: View, _now_ns: int) -> Found:
    for child in () if view.tree is None else view.tree.children:
        if child.trouble and child.state == "RUNNING" and not child.trouble.startswith("dry run"):
            yield view.name_of(child.path), f"{view.name_of(child.path)}: {child.trouble}"
    for name, fault in view.services.items():
        if fault:
            yield f"container {name}", f"{name}, of the container: {fault}"


def _nowhere(view: View, _before: View, _now_ns: int) -> Found:
    for nodes in view.statistics.values():
        if isinstance(nodes, NodesStatistics):
            for strategy, where in nodes.strategies.items():
                if not where:
                    yield strategy, f"{strategy} runs on no node, and its open orders stay as they are"


def _gap(view: View, before: View, _now_ns: int) -> Found:
    for name, feed in view.statistics.items():
        then = before.statistics.get(name)
        if isinstance(feed, FeedStatistics) and isinstance(then, FeedStatistics) and feed.gaps > then.gaps:
            yield name, f"the feed missed something: {counted(feed.gaps - then.gaps, 'gap')}"


def _silent(view: View, _before: View, _now_ns: int) -> Found:
    for name, feed in view.statistics.items():
        if isinstance(feed, FeedStatistics) and feed.silent:
            yield name, f"nothing comes any more of {counted(feed.silent, 'instrument')}"


def _updates(view: View, _before: View, _now_ns: int) -> Found:
    for name, updates in view.statistics.items():
        if isinstance(updates, UpdatesStatistics) and not updates.connected:
            yield name, f"order updates do not come: {updates.reason or 'not connected'}"


def _token(view: View, _before: View, now_ns: int) -> Found:
    for name, token in view.statistics.items():
        if isinstance(token, TokenStatistics) and (
            fault := token_fault(alive=token.alive, ends_ns=token.ends_ns, now_ns=now_ns)
        ):
            yield name, fault


def _clock(view: View, _before: View, _now_ns: int) -> Found:
    for name, service in view.statistics.items():
        if isinstance(service, ServiceStatistics) and (fault := clock_fault(service.clock_skew_s, service.service)):
            yield name, fault


def _budget(view: View, _before: View, _now_ns: int) -> Found:
    for name, service in view.statistics.items():
        if not isinstance(service, ServiceStatistics):
            continue
        for each in service.budgets:
            if each.period_s >= BUDGET_PERIOD_MIN_S and each.remaining < BUDGET_SHARE_MIN * each.allowed:
                left = f"{each.remaining:,} requests are left at {service.service}"
                yield f"{name} {each.kind} {each.window}", f"{left} of {each.window} ({each.kind})"


def _compared(view: View, _before: View, _now_ns: int) -> Found:
    for name, reconciliation in view.statistics.items():
        if isinstance(reconciliation, ReconciliationStatistics) and reconciliation.differences:
            yield name, f"{counted(reconciliation.differences, 'difference')} between the broker's books and ours"


def _dead_letters(view: View, before: View, _now_ns: int) -> Found:
    for name, events in view.statistics.items():
        then = before.statistics.get(name)
        if isinstance(events, EventsStatistics) and isinstance(then, EventsStatistics):
            more = events.dead_letters - then.dead_letters
            if more > 0:
                yield name, f"{counted(more, 'message')} that no handler completed"


def _given_up(view: View, _before: View, _now_ns: int) -> Found:
    for delivery in view.statistics.values():
        if isinstance(delivery, DeliveryStatistics):
            for each in delivery.subscriptions:
                if each.dead_letters:
                    yield (
                        each.subscription,
                        (
                            f"{each.subscription} has given up {counted(each.dead_letters, 'event')}: "
                            f"{each.last_error or 'before this start'}"
                        ),
                    )


def _given_up_fast(view: View, before: View, _now_ns: int) -> Found:
    for name, delivery in view.statistics.items():
        then = before.statistics.get(name)
        if isinstance(delivery, DeliveryStatistics) and isinstance(then, DeliveryStatistics):
            more = delivery.dead_letters - then.dead_letters
            if more > GIVEN_UP_MAX:
                yield name, f"durable subscriptions have given up {counted(more, 'event')} in a moment"


def _given_up_old(view: View, _before: View, now_ns: int) -> Found:
    for name, delivery in view.statistics.items():
        if isinstance(delivery, DeliveryStatistics) and 0 < delivery.oldest_dead_letter_ns < now_ns - DAY_NS:
            days = (now_ns - delivery.oldest_dead_letter_ns) // DAY_NS
            yield name, f"a dead letter has waited for {counted(days, 'day')} for a person"


def _database(view: View, _before: View, _now_ns: int) -> Found:
    for name, database in view.statistics.items():
        if isinstance(database, DatabaseStatistics) and database.down:
            yield name, f"the database files are not open: {database.down}"


def _disk_low(view: View, _before: View, _now_ns: int) -> Found:
    free = view.disk_free_bytes
    if free is not None and DISK_CRITICAL_BYTES <= free < DISK_WARN_BYTES:
        yield "disk", f"{free >> 20:,} MiB are free"


def _disk_full(view: View, _before: View, _now_ns: int) -> Found:
    free = view.disk_free_bytes
    if free is not None and free < DISK_CRITICAL_BYTES:
        yield "disk", f"only {free >> 20:,} MiB are free: orders are refused when nothing can be made durable"


def _log_lost(view: View, _before: View, _now_ns: int) -> Found:
    if view.log_fault:
        lost = counted(view.log_lines_lost, "line")
        yield "log", f"the log cannot be written ({view.log_fault}): {lost} lost"


RULES: Final = (
    Rule(name="not_answering", severity="critical", find=_not_answering, after_s=10.0),
    Rule(name="halted", severity="critical", find=_halted),
    Rule(name="reducing", severity="warning", find=_reducing),
    Rule(name="orders_unknown", severity="critical", find=_unknown, after_s=30.0),
    Rule(name="unprotected", severity="critical", find=_unprotected, after_s=5.0),
    Rule(name="down", severity="critical", find=_down, after_s=15.0),
    Rule(name="parked", severity="critical", find=_parked),
    Rule(name="nowhere", severity="critical", find=_nowhere, after_s=30.0),
    Rule(name="restarting", severity="warning", find=_restarting),
    Rule(name="trouble", severity="warning", find=_troubled, after_s=30.0),
    Rule(name="feed_gap", severity="warning", find=_gap),
    Rule(name="feed_silent", severity="warning", find=_silent, after_s=15.0),
    Rule(name="order_updates", severity="warning", find=_updates, after_s=60.0),
    Rule(name="token", severity="critical", find=_token),
    Rule(name="budget", severity="warning", find=_budget),
    Rule(name="reconciliation", severity="critical", find=_compared),
    Rule(name="clock_skew", severity="warning", find=_clock),
    Rule(name="dead_letters", severity="warning", find=_dead_letters),
    Rule(name="events_given_up", severity="warning", find=_given_up),
    Rule(name="events_given_up_fast", severity="critical", find=_given_up_fast),
    Rule(name="events_given_up_old", severity="warning", find=_given_up_old),
    Rule(name="database", severity="warning", find=_database, after_s=15.0),
    Rule(name="log_lost", severity="warning", find=_log_lost, after_s=10.0),
    Rule(name="disk_low", severity="warning", find=_disk_low),
    Rule(name="disk_full", severity="critical", find=_disk_full),
)
"""All of them."""
