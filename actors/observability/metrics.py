"""Every metric there is, once. To add one, add an entry; names and units are Prometheus' own.

No label has an id of an order, an account or a person: labels are names of actors, rules, endpoints and windows, of
which there are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ...domain.time import SECOND_NS
from ...messages.broker import BrokerStatistics, UpdatesStatistics
from ...messages.database import DatabaseStatistics
from ...messages.delivery import DeliveryStatistics
from ...messages.events import EventsStatistics
from ...messages.health import ServiceStatistics, Timing, TokenStatistics
from ...messages.history import HistoryStatistics
from ...messages.journal import JournalStatistics
from ...messages.kill_switch import KillSwitchStatistics
from ...messages.market import FeedStatistics
from ...messages.nodes import NodesStatistics
from ...messages.order_listing import OrdersStatistics
from ...messages.reconciliation import ReconciliationStatistics
from ...messages.supervision import ChildStatus
from ...messages.web import WebStatistics
from .profit import prices_in, profit_in
from .view import View

Kind: TypeAlias = Literal["counter", "lasting", "gauge", "timing"]
"""`counter`: begins anew when its actor does, and goes on here. `lasting`: outlives its actor, which reads it back."""

Labels: TypeAlias = tuple[str, ...]
Sample: TypeAlias = "tuple[Labels, float | Timing]"

RISK_STATES: Final = ("STARTING", "RECONCILING", "NORMAL", "REDUCING", "HALTED")
ACTOR_STATES: Final = ("STARTING", "RUNNING", "RESTARTING", "UNAVAILABLE", "STOPPING", "STOPPED", "PARKED")


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    name: str
    """Without the prefix, and the `_total` of a counter."""

    help: str
    kind: Kind
    read: Callable[[View], Iterable[Sample]]
    labels: Labels = ()


def _of(kind: type, read: Callable[[Any], float | Timing]) -> Callable[[View], Iterable[Sample]]:
    """Read one number of the only actor that has such statistics."""

    def samples(view: View) -> Iterable[Sample]:
        return [((), read(each)) for each in view.statistics.values() if isinstance(each, kind)][:1]

    return samples


def _each(kind: type, read: Callable[[Any], Iterable[Sample]]) -> Callable[[View], Iterable[Sample]]:
    """Read several numbers of each actor that has such statistics."""

    def samples(view: View) -> Iterable[Sample]:
        return [sample for each in view.statistics.values() if isinstance(each, kind) for sample in read(each)]

    return samples


def _actors(read: Callable[[ChildStatus], float]) -> Callable[[View], Iterable[Sample]]:
    """Read a number of each actor in the tree."""

    def samples(view: View) -> Iterable[Sample]:
        return () if view.tree is None else [((view.name_of(each.path),), read(each)) for each in view.tree.children]

    return samples


def _states(view: View) -> Iterable[Sample]:
    if view.tree is not None:
        for each in view.tree.children:
            for state in ACTOR_STATES:
                yield (view.name_of(each.path), state), float(each.state == state)


def _sent(broker: BrokerStatistics) -> Iterable[Sample]:
    yield ("place", "placed"), broker.placed
    yield ("place", "refused"), broker.refused
    yield ("place", "in_doubt"), broker.in_doubt
    yield ("replace", "replaced"), broker.replaced
    yield ("replace", "refused"), broker.replace_refused
    yield ("replace", "in_doubt"), broker.replace_in_doubt
    yield ("cancel", "asked"), broker.withdrawn


def _exposure(view: View) -> Iterable[Sample]:
    """Value at the last prices; without the price of a symbol that is held there is none, since it would be too low."""
    orders = next((each for each in view.statistics.values() if isinstance(each, OrdersStatistics)), None)
    if orders is None:
        return
    prices = prices_in(view)
    held = [each for each in orders.positions if each.quantity]
    if all(each.symbol in prices for each in held):
        values = [each.quantity * prices[each.symbol] for each in held]
        yield ("net",), sum(values)
        yield ("gross",), sum(map(abs, values))


def _profit(view: View) -> Iterable[Sample]:
    profit = profit_in(view)
    if profit is not None:
        yield ("realized",), float(profit.realized)
        if profit.unrealized is not None:
            yield ("unrealized",), float(profit.unrealized)


def _risk_states(orders: OrdersStatistics) -> Iterable[Sample]:
    return [((state,), float(orders.risk_state == state)) for state in RISK_STATES]


def _called(service: ServiceStatistics) -> Iterable[Sample]:
    return [((service.service, each.endpoint, each.outcome), each.calls) for each in service.called]


def _budgets(service: ServiceStatistics) -> Iterable[Sample]:
    return [((service.service, each.kind, each.window), each.remaining) for each in service.budgets]


def _budget_limits(service: ServiceStatistics) -> Iterable[Sample]:
    return [((service.service, each.kind, each.window), each.allowed) for each in service.budgets if each.allowed]


def _published(events: EventsStatistics) -> Iterable[Sample]:
    yield ("ticks",), events.ticks
    yield ("facts",), events.facts
    yield ("candles",), events.candles


def _ticks_sent(events: EventsStatistics) -> Iterable[Sample]:
    return [((each.subscriber,), each.ticks) for each in events.published]


def _skews(service: ServiceStatistics) -> Iterable[Sample]:
    return [] if service.clock_skew_s is None else [((service.service,), service.clock_skew_s)]


def _ages(feed: FeedStatistics) -> Iterable[Sample]:
    return [] if feed.data_age_s is None else [((feed.source,), feed.data_age_s)]


def _compared(reconciliation: ReconciliationStatistics) -> Iterable[Sample]:
    return [] if reconciliation.age_s is None else [((), reconciliation.age_s)]


def _queries(database: DatabaseStatistics) -> Iterable[Sample]:
    yield ("hit",), database.cache_hits
    yield ("miss",), database.cache_misses


METRICS: Final = (
    # Orders.
    Metric(name="orders_sent", help="Orders, changes and cancellations for the broker, by what came of them.",
           kind="counter", labels=("verb", "result"), read=_each(BrokerStatistics, _sent)),
    Metric(name="order_ack_seconds", help="Time until the broker's first answer to an order.", kind="timing",
           read=_of(BrokerStatistics, lambda of: of.acknowledgement)),
    Metric(name="orders_inflight", help="Orders that wait for the broker's answer.", kind="gauge",
           read=_of(BrokerStatistics, lambda of: of.placing)),
    Metric(name="broker_reports", help="Execution reports of the broker.", kind="counter",
           read=_of(BrokerStatistics, lambda of: of.reports)),
    Metric(name="broker_reports_refused", help="Answers and reports of the broker that could not be true.",
           kind="counter", read=_of(BrokerStatistics, lambda of: of.refused_reports)),
    Metric(name="orders_submitted", help="Orders of the account, refused ones included.", kind="lasting",
           read=_of(OrdersStatistics, lambda of: of.orders)),
    Metric(name="fills", help="Trades of the account.", kind="lasting",
           read=_of(OrdersStatistics, lambda of: of.fills)),
    Metric(name="orders_rejected", help="Orders that our gate refused or the broker rejected.", kind="lasting",
           read=_of(OrdersStatistics, lambda of: of.rejected)),
    Metric(name="orders_open", help="Orders that have not ended.", kind="gauge",
           read=_of(OrdersStatistics, lambda of: of.open_orders)),
    Metric(name="orders_unknown", help="Orders of which it is not known whether the broker has them.", kind="gauge",
           read=_of(OrdersStatistics, lambda of: of.uncertain_orders)),
    Metric(name="brackets_unprotected", help="Brackets whose shares no order closes, or whose stop is gone or unknown.",
           kind="gauge", read=_of(OrdersStatistics, lambda of: len(of.unprotected))),
    Metric(name="illegal_transitions",
           help="What the broker said of orders and cannot be true of them as they stood: refused, and looked up.",
           kind="counter", read=_of(OrdersStatistics, lambda of: of.illegal_transitions)),
    Metric(name="order_unknown_age_seconds", help="Since the oldest order in doubt was intended; 0 without one.",
           kind="gauge", read=_of(OrdersStatistics, lambda of: of.uncertain_age_s)),
    Metric(name="risk_rejects", help="Orders that our gate refused, by rule.", kind="lasting", labels=("rule",),
           read=_each(OrdersStatistics, lambda of: [((rule,), count) for rule, count in of.refused_by_rule.items()])),
    Metric(name="risk_state", help="1 for the risk state that holds, 0 for the others.", kind="gauge",
           labels=("state",), read=_each(OrdersStatistics, _risk_states)),
    Metric(name="exposure_rupees", help="Value of all positions at the last prices.", kind="gauge", labels=("kind",),
           read=_exposure),
    Metric(name="profit_rupees", help="Profit of the account before charges.", kind="gauge", labels=("kind",),
           read=_profit),
    Metric(name="kill_switch_engaged", help="Whether the file HALT is there.", kind="gauge",
           read=_of(KillSwitchStatistics, lambda of: float(of.engaged))),
    # The account at the broker, compared with the book of record.
    Metric(name="reconcile_rounds", help="Comparisons of the account with our book.", kind="counter",
           read=_of(ReconciliationStatistics, lambda of: of.rounds)),
    Metric(name="reconcile_failures", help="Comparisons that could not be made.", kind="counter",
           read=_of(ReconciliationStatistics, lambda of: of.failures)),
    Metric(name="reconcile_diffs", help="Differences that began.", kind="counter", labels=("kind",),
           read=_each(ReconciliationStatistics, lambda of: [((kind,), count) for kind, count in of.told.items()])),
    Metric(name="reconcile_diffs_open", help="Differences that last.", kind="gauge",
           read=_of(ReconciliationStatistics, lambda of: of.differences)),
    Metric(name="reconcile_age_seconds", help="Since the account was compared; none before the first time.",
           kind="gauge", read=_each(ReconciliationStatistics, _compared)),
    # Services over the network.
    Metric(name="broker_http", help="Calls over HTTP, by what came of them.", kind="counter",
           labels=("service", "endpoint", "code"), read=_each(ServiceStatistics, _called)),
    Metric(name="http_answer_seconds", help="Time of answers over HTTP.", kind="timing", labels=("service",),
           read=_each(ServiceStatistics, lambda of: [((of.service,), of.answer)])),
    Metric(name="http_waiting", help="Calls over HTTP without an answer.", kind="gauge", labels=("service",),
           read=_each(ServiceStatistics, lambda of: [((of.service,), of.waiting)])),
    Metric(name="rate_budget_remaining", help="Requests that a service still allows, by window.", kind="gauge",
           labels=("service", "kind", "window"), read=_each(ServiceStatistics, _budgets)),
    Metric(name="rate_budget_limit", help="Requests that a service allows in a window.", kind="gauge",
           labels=("service", "kind", "window"), read=_each(ServiceStatistics, _budget_limits)),
    Metric(name="rate_wait_seconds", help="Time that requests waited for the limits of a service.", kind="timing",
           labels=("service",), read=_each(ServiceStatistics, lambda of: [((of.service,), of.rate_wait)])),
    Metric(name="clock_skew_seconds", help="How far our clock is ahead of a service's, by its newest answer.",
           kind="gauge", labels=("service",), read=_each(ServiceStatistics, _skews)),
    Metric(name="token_expires_timestamp_seconds", help="When the access token ends.", kind="gauge",
           read=_of(TokenStatistics, lambda of: of.ends_ns / SECOND_NS)),
    Metric(name="order_updates_connected", help="Whether the socket of order updates is open.", kind="gauge",
           read=_of(UpdatesStatistics, lambda of: float(of.connected))),
    Metric(name="order_updates", help="Updates of orders that came by socket.", kind="counter",
           read=_of(UpdatesStatistics, lambda of: of.updates)),
    Metric(name="strategies_nowhere", help="Strategies of other machines that run on none.", kind="gauge",
           read=_of(NodesStatistics, lambda of: sum(not where for where in of.strategies.values()))),
    # Market data.
    Metric(name="feed_ticks", help="Ticks that the feed sent on.", kind="counter",
           read=_of(FeedStatistics, lambda of: of.ticks)),
    Metric(name="feed_arrived", help="Ticks of a live feed that came: sent on, left out or yet to be sent.",
           kind="counter", read=_of(FeedStatistics, lambda of: of.arrived)),
    Metric(name="feed_data_age_seconds", help="Since the newest tick of a live feed came.", kind="gauge",
           labels=("feed",), read=_each(FeedStatistics, _ages)),
    Metric(name="feed_conflated", help="Ticks of the feed left out for newer ones.", kind="counter",
           read=_of(FeedStatistics, lambda of: of.conflated)),
    Metric(name="feed_queued", help="Ticks that the feed has yet to send on.", kind="gauge",
           read=_of(FeedStatistics, lambda of: of.queued)),
    Metric(name="feed_connections", help="Open connections of the feed.", kind="gauge",
           read=_of(FeedStatistics, lambda of: of.connections)),
    Metric(name="feed_reconnects", help="Connections of the feed opened again.", kind="counter",
           read=_of(FeedStatistics, lambda of: of.reconnects)),
    Metric(name="feed_gaps", help="Times at which the feed missed something.", kind="counter",
           read=_of(FeedStatistics, lambda of: of.gaps)),
    Metric(name="feed_silent_instruments", help="Instruments that went silent.", kind="gauge",
           read=_of(FeedStatistics, lambda of: of.silent)),
    Metric(name="history_gaps_open", help="Gaps of the feed whose candles are yet to be fetched.", kind="gauge",
           read=_of(HistoryStatistics, lambda of: of.gaps_open)),
    # Events and actors.
    Metric(name="bus_published", help="What the router was given.", kind="counter", labels=("topic",),
           read=_each(EventsStatistics, _published)),
    Metric(name="bus_delivered", help="Messages that the router sent to subscribers.", kind="counter",
           read=_of(EventsStatistics, lambda of: of.delivered)),
    Metric(name="bus_ticks_sent", help="Ticks that the router sent to an actor: handled, waiting or left out.",
           kind="counter", labels=("actor",), read=_each(EventsStatistics, _ticks_sent)),
    Metric(name="bus_handled", help="Messages that an actor's handlers completed.", kind="counter", labels=("actor",),
           read=_actors(lambda of: of.handled)),
    Metric(name="bus_conflated", help="Ticks that an actor was not given for newer ones.", kind="counter",
           labels=("actor",), read=_actors(lambda of: of.conflated)),
    Metric(name="dead_letters", help="Messages that no handler completed.", kind="counter",
           read=_of(EventsStatistics, lambda of: of.dead_letters)),
    Metric(name="dlq_depth", help="Events that durable subscriptions have given up.", kind="gauge",
           read=_of(DeliveryStatistics, lambda of: of.dead_letters)),
    Metric(name="dlq_oldest_timestamp_seconds", help="When the oldest of them was given up.", kind="gauge",
           read=_of(DeliveryStatistics, lambda of: of.oldest_dead_letter_ns / SECOND_NS)),
    Metric(name="bus_dropped", help="Messages that a mailbox refused or discarded at a limit.", kind="counter",
           labels=("actor",), read=_actors(lambda of: of.dropped)),
    Metric(name="mailbox_depth", help="Messages that wait.", kind="gauge", labels=("actor",),
           read=_actors(lambda of: of.mailbox_depth)),
    Metric(name="actor_restarts", help="Restarts after a failure.", kind="counter", labels=("actor",),
           read=_actors(lambda of: of.restarts)),
    Metric(name="handler_errors", help="What handlers raised.", kind="counter", labels=("actor",),
           read=_actors(lambda of: of.failures)),
    Metric(name="actor_state", help="1 for the state of an actor, 0 for the others.", kind="gauge",
           labels=("actor", "state"), read=_states),
    Metric(name="mailbox_wait_seconds", help="Time in the mailbox: of a sample, and of all about orders.",
           kind="timing", labels=("actor",), read=lambda view: [((name,), each) for name, each in view.waits.items()]),
    Metric(name="handler_seconds", help="Time of handlers: of a sample, and of all about orders.", kind="timing",
           labels=("actor",), read=lambda view: [((name,), each) for name, each in view.turns.items()]),
    Metric(name="loop_stalls", help="Turns that held the event loop for too long.", kind="counter",
           read=lambda view: () if view.tree is None else [((), view.tree.stalls)]),
    # Journal, database, machine.
    Metric(name="journal_fsync_seconds", help="Time of a group commit: write and fdatasync.", kind="timing",
           read=_of(JournalStatistics, lambda of: of.commit)),
    Metric(name="journal_appended", help="Records appended to the journal.", kind="counter",
           read=_of(JournalStatistics, lambda of: of.appended)),
    Metric(name="journal_records", help="Records in the journal.", kind="gauge",
           read=_of(JournalStatistics, lambda of: of.records)),
    Metric(name="journal_seq", help="Sequence of the newest record that the database was told of.", kind="gauge",
           read=_of(DatabaseStatistics, lambda of: of.journal_sequence)),
    Metric(name="store_ticks", help="Ticks that the database recorded.", kind="counter",
           read=_of(DatabaseStatistics, lambda of: of.ticks)),
    Metric(name="store_lag_events", help="Facts that the database has yet to project.", kind="gauge",
           read=_of(DatabaseStatistics, lambda of: of.lag)),
    Metric(name="store_down", help="Whether the database files are not open.", kind="gauge",
           read=_of(DatabaseStatistics, lambda of: float(bool(of.down)))),
    Metric(name="store_queries", help="Queries to the database.", kind="counter",
           read=_of(DatabaseStatistics, lambda of: of.queries)),
    Metric(name="store_cache", help="Queries that the cache had, or had not.", kind="counter", labels=("result",),
           read=_each(DatabaseStatistics, _queries)),
    Metric(name="web_requests", help="Requests over HTTP to this machine.", kind="counter", labels=("actor",),
           read=lambda view: [((name,), each.requests) for name, each in view.statistics.items()
                              if isinstance(each, WebStatistics)]),
    Metric(name="control_refused", help="Requests from outside that were turned away.", kind="counter",
           labels=("why",), read=lambda view: [((why,), count) for why, count in view.refused.items()]),
    Metric(name="log_lines_lost", help="Lines of the log that could not be written.", kind="counter",
           read=lambda view: [((), view.log_lines_lost)]),
    Metric(name="disk_free_bytes", help="Free space of data directory or journal, whichever has less.", kind="gauge",
           read=lambda view: () if view.disk_free_bytes is None else [((), view.disk_free_bytes)]),
)  # fmt: skip
"""All of them."""
