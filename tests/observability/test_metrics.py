import re
from decimal import Decimal
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_messages import distinct
from prometheus_client.parser import text_string_to_metric_families

from natya.actors.observability import Counters, prometheus_text
from natya.actors.observability.metrics import ACTOR_STATES, METRICS, RISK_STATES, Metric
from natya.actors.observability.view import View
from natya.messages.broker import BrokerStatistics, UpdatesStatistics
from natya.messages.database import DatabaseStatistics
from natya.messages.delivery import DeliveryStatistics
from natya.messages.events import EventsStatistics, Published
from natya.messages.health import TIMING_BOUNDS_S, Budget, Called, ServiceStatistics, Timing, TokenStatistics
from natya.messages.history import HistoryStatistics
from natya.messages.journal import JournalStatistics
from natya.messages.kill_switch import KillSwitchStatistics
from natya.messages.market import FeedStatistics
from natya.messages.nodes import NodesStatistics
from natya.messages.order_listing import OrdersStatistics
from natya.messages.reconciliation import ReconciliationStatistics
from natya.messages.risk_state import RiskState
from natya.messages.supervision import ActorState, ChildStatus, SupervisionTree
from natya.messages.web import WebStatistics

TOPICS = ("ticks", "facts", "candles")


def samples_of(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def a_feed(**last_prices):
    return FeedStatistics(
        **dict.fromkeys(("ticks", "candles", "bad_rows"), 0), source="test", ended=False, last_prices=last_prices
    )


def a_service(**changes):
    return ServiceStatistics(
        **{"service": "dhan", "waiting": 0, "called": (), "budgets": (), "answer": Timing()} | changes
    )


@pytest.fixture
def read(a_view):
    counters = Counters()

    def read(*children, **statistics):
        return samples_of(prometheus_text(a_view(*children, **statistics), counters, commit=""))

    return read


class TestTheTableOfMetrics:
    def test_has_each_name_once_as_prometheus_wants_it(self):
        names = [metric.name for metric in METRICS]

        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z][a-z_]*[a-z]", name) and not name.endswith("_total") for name in names)

    def test_has_no_label_that_could_name_an_order_an_account_or_a_person(self):
        labels = {label for metric in METRICS for label in metric.labels}

        harmless = "actor code endpoint feed kind result rule service state topic verb why window"
        assert labels <= set(harmless.split())

    def test_is_all_that_another_metric_needs(self, read, monkeypatch):
        bows = Metric(name="bows", help="Bows.", kind="gauge", read=lambda view: [((), len(view.tree.children))])
        monkeypatch.setattr("natya.actors.observability.counting.METRICS", (*METRICS, bows))

        assert read()["natya_bows", ()] == 3


class TestWhatActorsCount:
    def test_is_read_with_its_labels(self, read, build):
        found = read(
            build.child("system/feed", restarts=2, mailbox_depth=7, failures=5),
            broker=build.broker(placed=3, in_doubt=1),
            orders=build.orders(risk_state="HALTED", refused_by_rule={"quantity": 4}),
        )

        assert found["natya_orders_sent_total", (("result", "placed"), ("verb", "place"))] == 3
        assert found["natya_risk_rejects_total", (("rule", "quantity"),)] == 4
        assert found["natya_risk_state", (("state", "HALTED"),)] == 1
        assert found["natya_risk_state", (("state", "NORMAL"),)] == 0
        assert found["natya_mailbox_depth", (("actor", "feed"),)] == 7
        assert found["natya_handler_errors_total", (("actor", "feed"),)] == 5

    def test_is_told_kind_by_kind(self, read):
        counts = dict.fromkeys(("delivered", "subscribers", "dead_letters", "last_sequence"), 0)
        stored = dict.fromkeys(("ticks", "candles", "duplicates", "batches", "projected_sequence"), 0)
        found = read(
            events=EventsStatistics(ticks=1, facts=2, candles=3, **counts),
            database=DatabaseStatistics(core_path="c", market_path="m", cache_hits=4, cache_misses=5, **stored),
        )

        of_topics = {topic: found["natya_bus_published_total", (("topic", topic),)] for topic in TOPICS}
        of_answers = {result: found["natya_store_cache_total", (("result", result),)] for result in ("hit", "miss")}
        assert of_topics == {"ticks": 1, "facts": 2, "candles": 3}
        assert of_answers == {"hit": 4, "miss": 5}

    def test_says_what_became_of_the_ticks_that_an_actor_was_sent(self, read, build):
        counts = dict.fromkeys(("ticks", "facts", "delivered", "subscribers", "dead_letters", "last_sequence"), 0)
        sent = (Published(subscriber="slow", ticks=10),)
        found = read(
            build.child("system/strategies/slow", handled=5, mailbox_depth=2, conflated=3, dropped=1),
            events=EventsStatistics(published=sent, **counts),
            feed=msgspec.structs.replace(a_feed(), arrived=9),
        )

        names = (
            "bus_ticks_sent_total",
            "bus_handled_total",
            "mailbox_depth",
            "bus_conflated_total",
            "bus_dropped_total",
        )
        assert [found[f"natya_{name}", (("actor", "slow"),)] for name in names] == [10, 5, 2, 3, 1]
        assert found["natya_feed_arrived_total", ()] == 9

    def test_goes_on_after_the_restart_of_who_counts(self, read, build):
        read(broker=build.broker(placed=5))

        key = "natya_orders_sent_total", (("result", "placed"), ("verb", "place"))
        assert read(broker=build.broker(placed=2))[key] == 7
        assert read(broker=build.broker(placed=3))[key] == 8

    def test_is_not_counted_twice_while_orders_reads_its_book_back(self, read, build):
        assert read(orders=build.orders(orders=100))["natya_orders_submitted_total", ()] == 100
        assert read(orders=build.orders(orders=40))["natya_orders_submitted_total", ()] == 100
        assert read(orders=build.orders(orders=101))["natya_orders_submitted_total", ()] == 101

    def test_of_durations_is_a_histogram(self, read, build):
        timing = Timing(counts=(1, 2, *(0,) * (len(TIMING_BOUNDS_S) - 2), 4), sum_s=50.0)
        found = read(broker=build.broker(acknowledgement=timing))

        assert found["natya_order_ack_seconds_bucket", (("le", "0.0001"),)] == 1
        assert found["natya_order_ack_seconds_bucket", (("le", "10.0"),)] == 3
        assert found["natya_order_ack_seconds_count", ()] == 7
        assert found["natya_order_ack_seconds_sum", ()] == 50


FIELDS = {
    BrokerStatistics: {
        "order_ack_seconds": "acknowledgement", "orders_inflight": "placing", "broker_reports": "reports",
        "broker_reports_refused": "refused_reports",
    },
    OrdersStatistics: {
        "orders_submitted": "orders", "fills": "fills", "orders_rejected": "rejected", "orders_open": "open_orders",
        "orders_unknown": "uncertain_orders", "illegal_transitions": "illegal_transitions",
        "order_unknown_age_seconds": "uncertain_age_s",
    },
    KillSwitchStatistics: {"kill_switch_engaged": "engaged"},
    ReconciliationStatistics: {
        "reconcile_rounds": "rounds", "reconcile_failures": "failures", "reconcile_diffs_open": "differences",
        "reconcile_age_seconds": "age_s",
    },
    UpdatesStatistics: {"order_updates_connected": "connected", "order_updates": "updates"},
    FeedStatistics: {
        "feed_ticks": "ticks", "feed_arrived": "arrived", "feed_conflated": "conflated", "feed_queued": "queued",
        "feed_connections": "connections", "feed_reconnects": "reconnects", "feed_gaps": "gaps",
        "feed_silent_instruments": "silent",
    },
    HistoryStatistics: {"history_gaps_open": "gaps_open"},
    EventsStatistics: {"bus_delivered": "delivered", "dead_letters": "dead_letters"},
    DeliveryStatistics: {"dlq_depth": "dead_letters"},
    JournalStatistics: {
        "journal_fsync_seconds": "commit", "journal_appended": "appended", "journal_records": "records",
    },
    DatabaseStatistics: {
        "journal_seq": "journal_sequence", "store_ticks": "ticks", "store_lag_events": "lag",
        "store_queries": "queries",
    },
}  # fmt: skip
"""Metrics that are one field of the statistics of one actor, without a label."""

BY_SERVICE = {"http_answer_seconds": "answer", "http_waiting": "waiting", "rate_wait_seconds": "rate_wait",
              "clock_skew_seconds": "clock_skew_s"}  # fmt: skip
BY_ACTOR = {
    "bus_handled": "handled", "bus_conflated": "conflated", "bus_dropped": "dropped", "mailbox_depth": "mailbox_depth",
    "actor_restarts": "restarts", "handler_errors": "failures",
}  # fmt: skip


def read_of(name, view):
    """Return what one metric reads, by its labels' values; each has as many as it says."""
    (metric,) = (each for each in METRICS if each.name == name)
    found = dict(metric.read(view))
    assert all(len(labels) == len(metric.labels) for labels in found)
    return found


class TestEachMetric:
    def of(self, **statistics):
        return View(tree=SupervisionTree(children=()), statistics=statistics)

    @pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
    def test_of_one_field_reads_that_field_of_the_only_one_that_has_it(self, kind):
        known, second = distinct(kind), distinct(kind)
        view = self.of(other=distinct(TokenStatistics), first=known, second=second)

        assert {name: read_of(name, view) for name in FIELDS[kind]} == {
            name: {(): getattr(known, field)} for name, field in FIELDS[kind].items()
        }
        assert not any(read_of(name, self.of(other=distinct(TokenStatistics))) for name in FIELDS[kind])

    def test_of_a_service_is_read_by_its_name(self):
        called = Called(endpoint="/orders", outcome="200", calls=7)
        budget = Budget(kind="orders", window="250 in 1m", remaining=9, allowed=250)
        one = distinct(ServiceStatistics, service="one", called=(called,), budgets=(budget,))
        two = distinct(ServiceStatistics, service="two")
        view = self.of(one=one, two=two)

        for name, field in BY_SERVICE.items():
            assert read_of(name, view) == {("one",): getattr(one, field), ("two",): getattr(two, field)}
        assert read_of("broker_http", view) == {("one", "/orders", "200"): 7}
        assert read_of("rate_budget_remaining", view) == {("one", "orders", "250 in 1m"): 9}
        assert read_of("rate_budget_limit", view) == {("one", "orders", "250 in 1m"): 250}

    def test_of_an_actor_is_read_by_its_name_and_none_where_nobody_tells_of_them(self):
        child = distinct(ChildStatus, path="system/strategies/dip", state="PARKED")
        view = View(tree=SupervisionTree(children=(child,), stalls=3), statistics={})
        nobody = View(tree=None, statistics={})

        for name, field in BY_ACTOR.items():
            assert read_of(name, view) == {("dip",): getattr(child, field)}
            assert read_of(name, nobody) == {}
        assert read_of("actor_state", view) == {("dip", state): float(state == "PARKED") for state in ACTOR_STATES}
        assert (read_of("loop_stalls", view), read_of("loop_stalls", nobody)) == ({(): 3}, {})
        assert read_of("actor_state", nobody) == {}

    def test_of_several_fields_or_other_units_is_what_it_says(self):
        view = self.of(
            broker=(broker := distinct(BrokerStatistics)),
            tokens=distinct(TokenStatistics, ends_ns=5 * 10**9),
            nodes=distinct(NodesStatistics, strategies={"a": "pune-1", "b": "", "c": ""}),
            orders=distinct(
                OrdersStatistics, risk_state="HALTED", unprotected=("a", "b"), refused_by_rule={"symbol": 4}
            ),
            feed=(feed := distinct(FeedStatistics, source="dhan")),
            events=distinct(EventsStatistics, published=(Published(subscriber="dip", ticks=6),)),
            delivery=distinct(DeliveryStatistics, oldest_dead_letter_ns=3 * 10**9),
            database=distinct(DatabaseStatistics, down="locked"),
            reconciliation=distinct(ReconciliationStatistics, told={"OrderLost": 2}),
            web=(web := distinct(WebStatistics)),
        )

        assert {name: read_of(name, view) for name in (
            "orders_sent", "token_expires_timestamp_seconds", "strategies_nowhere", "brackets_unprotected",
            "risk_rejects", "risk_state", "feed_data_age_seconds", "bus_ticks_sent", "dlq_oldest_timestamp_seconds",
            "store_down", "reconcile_diffs", "web_requests",
        )} == {
            "orders_sent": {
                ("place", "placed"): broker.placed, ("place", "refused"): broker.refused,
                ("place", "in_doubt"): broker.in_doubt, ("replace", "replaced"): broker.replaced,
                ("replace", "refused"): broker.replace_refused, ("replace", "in_doubt"): broker.replace_in_doubt,
                ("cancel", "asked"): broker.withdrawn,
            },
            "token_expires_timestamp_seconds": {(): 5.0},
            "strategies_nowhere": {(): 2},
            "brackets_unprotected": {(): 2},
            "risk_rejects": {("symbol",): 4},
            "risk_state": {(state,): float(state == "HALTED") for state in RISK_STATES},
            "feed_data_age_seconds": {("dhan",): feed.data_age_s},
            "bus_ticks_sent": {("dip",): 6},
            "dlq_oldest_timestamp_seconds": {(): 3.0},
            "store_down": {(): 1.0},
            "reconcile_diffs": {("OrderLost",): 2},
            "web_requests": {("web",): web.requests},
        }  # fmt: skip

    def test_of_the_process_is_what_the_view_says(self):
        wait, turn = Timing(sum_s=1.0), Timing(sum_s=2.0)
        view = View(
            tree=None, statistics={}, disk_free_bytes=7, log_lines_lost=3, waits={"a": wait}, turns={"b": turn},
            refused={"busy": 4},
        )  # fmt: skip

        assert read_of("mailbox_wait_seconds", view) == {("a",): wait}
        assert read_of("handler_seconds", view) == {("b",): turn}
        assert read_of("control_refused", view) == {("busy",): 4}
        assert read_of("log_lines_lost", view) == {(): 3}
        assert read_of("disk_free_bytes", view) == {(): 7}
        assert read_of("disk_free_bytes", View(tree=None, statistics={})) == {}


class TestAges:
    def test_are_those_that_their_owners_tell(self, read, build):
        found = read(
            orders=build.orders(uncertain_orders=1, uncertain_age_s=90.0, unprotected=("a", "b")),
            feed=msgspec.structs.replace(a_feed(), data_age_s=2.5),
            reconciliation=ReconciliationStatistics(
                rounds=4, failures=1, differences=1, compared_ns=1, age_s=30.0, told={"OrderLost": 2}
            ),
        )

        assert found["natya_order_unknown_age_seconds", ()] == 90
        assert found["natya_brackets_unprotected", ()] == 2
        assert found["natya_feed_data_age_seconds", (("feed", "test"),)] == 2.5
        assert found["natya_reconcile_age_seconds", ()] == 30
        assert found["natya_reconcile_rounds_total", ()] == 4
        assert found["natya_reconcile_failures_total", ()] == 1
        assert found["natya_reconcile_diffs_open", ()] == 1
        assert found["natya_reconcile_diffs_total", (("kind", "OrderLost"),)] == 2

    def test_of_what_has_never_come_are_not_told(self, read):
        reconciliation = ReconciliationStatistics(rounds=0, failures=0, differences=0)
        names = {name for name, _ in read(feed=a_feed(), reconciliation=reconciliation, service=a_service())}

        assert not names & {
            "natya_feed_data_age_seconds",
            "natya_reconcile_age_seconds",
            "natya_clock_skew_seconds",
        }

    def test_of_a_service_are_told_by_its_name(self, read):
        waited = Timing(counts=(0, 3, *(0,) * (len(TIMING_BOUNDS_S) - 1)), sum_s=0.5)
        found = read(service=a_service(rate_wait=waited, clock_skew_s=-3.0))

        assert found["natya_clock_skew_seconds", (("service", "dhan"),)] == -3
        assert found["natya_rate_wait_seconds_count", (("service", "dhan"),)] == 3
        assert found["natya_rate_wait_seconds_sum", (("service", "dhan"),)] == 0.5


class TestExposure:
    def test_is_of_all_positions_at_their_last_prices(self, read, build):
        held = [("TCS", 10), ("INFY", -5), ("SBIN", 0)]
        positions = tuple(
            build.position(symbol=symbol, quantity=quantity, average_price=Decimal(1), realized_pnl=Decimal(0))
            for symbol, quantity in held
        )
        found = read(orders=build.orders(positions=positions), feed=a_feed(TCS=100.0, INFY=50.0))

        assert found["natya_exposure_rupees", (("kind", "gross"),)] == 1_250
        assert found["natya_exposure_rupees", (("kind", "net"),)] == 750

    def test_is_not_told_while_a_price_is_not_known(self, read, build):
        position = build.position(symbol="TCS", quantity=1, average_price=Decimal(1), realized_pnl=Decimal(0))
        found = read(orders=build.orders(positions=(position,)), feed=a_feed())

        assert not [name for name, _ in found if name == "natya_exposure_rupees"]
        assert found["natya_profit_rupees", (("kind", "realized"),)] == 0
        assert ("natya_profit_rupees", (("kind", "unrealized"),)) not in found

    @pytest.mark.parametrize("quantity", [0, 1])
    def test_is_told_without_a_feed_where_nothing_is_held(self, read, build, quantity):
        position = build.position(symbol="TCS", quantity=quantity, average_price=Decimal(1), realized_pnl=Decimal(5))
        found = read(orders=build.orders(positions=(position,)))

        told = {(name, kind[0][1]): value for (name, kind), value in found.items() if name.endswith("_rupees")}
        profit = {("natya_profit_rupees", "realized"): 5}
        nothing = {("natya_exposure_rupees", kind): 0 for kind in ("net", "gross")}
        assert told == profit | ({} if quantity else nothing | {("natya_profit_rupees", "unrealized"): 0})

    def test_with_prices_has_the_profit_of_what_is_open(self, read, build):
        position = build.position(symbol="TCS", quantity=4, average_price=Decimal(90), realized_pnl=Decimal(5))
        found = read(orders=build.orders(positions=(position,)), feed=a_feed(TCS=100.0))

        assert found["natya_profit_rupees", (("kind", "unrealized"),)] == 40


class TestCountersOfLivesInARow:
    @given(lives=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), min_size=1, max_size=5))
    def test_never_go_down_and_never_say_more_than_was_counted(self, lives):
        counters, told, truth = Counters(), 0.0, 0
        for steps in lives:
            value = 0
            for step in steps:
                value += step
                truth += step
                before, told = told, counters.count(("a", ()), value, lasting=False)
                assert before <= told <= truth

    @given(lives=st.lists(st.integers(1, 9), min_size=1, max_size=5))
    def test_of_durations_neither(self, lives):
        counters, sums = Counters(), []
        for times in lives:
            for upto in sorted(2 * [*range(times + 1)]):  # looked at twice, for one that did not count meanwhile
                timing = Timing(counts=(upto, *(0,) * len(TIMING_BOUNDS_S)), sum_s=float(upto))
                sums.append(counters.timing(("a", ()), timing))

        assert [each.counts[0] for each in sums] == sorted(each.counts[0] for each in sums)
        assert sums[-1].counts[0] == sums[-1].sum_s == sum(lives)


def test_every_metric_can_be_read_of_a_view_without_anything(a_view):
    assert prometheus_text(msgspec.structs.replace(a_view(), tree=None, statistics={}), Counters(), commit="")


def test_every_state_that_there_is_has_a_series():
    assert get_args(ActorState) == ACTOR_STATES
    assert get_args(RiskState) == RISK_STATES
