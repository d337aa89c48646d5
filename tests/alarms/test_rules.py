import msgspec
import pytest

from natya.actors.alarms.rules import RULES
from natya.actors.observability import View
from natya.messages.broker import UpdatesStatistics
from natya.messages.database import DatabaseStatistics
from natya.messages.delivery import DeliveryStatistics, SubscriptionStatus
from natya.messages.events import EventsStatistics
from natya.messages.health import Budget, ServiceStatistics, TokenStatistics
from natya.messages.market import FeedStatistics
from natya.messages.nodes import NodesStatistics
from natya.messages.order_listing import OrdersStatistics
from natya.messages.reconciliation import ReconciliationStatistics
from natya.messages.supervision import ChildStatus, SupervisionTree
from natya.messages.system import ActorStatistics

NOW_NS = 1_800_000_000_000_000_000
MINUTE_NS = 60 * 10**9


def of(kind, **given):
    """Statistics with zeros for all numbers."""
    zeros = {bool: False, str: "", int: 0, tuple: (), dict: {}}
    made = {}
    for field in msgspec.structs.fields(kind):
        if field.required:
            origin = getattr(field.type, "__origin__", field.type)
            made[field.name] = next((value for each, value in zeros.items() if origin is each), 0)
    return kind(**(made | given))


def a_child(state="RUNNING", **changes):
    fields = {"host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0, "last_error": "KeyError: x"}
    return ChildStatus(path="system/strategies/dip", state=state, **(fields | changes))


def a_view(child=None, *, disk_free_bytes=None, **statistics):
    return View(
        tree=SupervisionTree(children=(child or a_child(),)), statistics=statistics, disk_free_bytes=disk_free_bytes
    )


def the_orders(**changes):
    return of(OrdersStatistics, **({"risk_state": "NORMAL"} | changes))


def a_budget(*, remaining, allowed=7_000, period_s=86_400.0, window="7000 in 1d"):
    return Budget(kind="orders", window=window, remaining=remaining, allowed=allowed, period_s=period_s)


BILLING = of(SubscriptionStatus, subscription="billing")
WELL = a_view(
    orders=the_orders(),
    feed=of(FeedStatistics),
    events=of(EventsStatistics),
    delivery=of(DeliveryStatistics, subscriptions=(BILLING,), dead_letters=2),
    database=of(DatabaseStatistics),
    updates=of(UpdatesStatistics, connected=True),
    service=of(
        ServiceStatistics,
        clock_skew_s=1.9,
        budgets=(a_budget(remaining=0, allowed=250, period_s=60.0, window="250 in 1m"), a_budget(remaining=700)),
    ),
    reconciliation=of(ReconciliationStatistics),
    nodes=of(NodesStatistics, is_connected=True, strategies={"dip": "pune-1"}),
    tokens=of(TokenStatistics, alive=True, ends_ns=NOW_NS + 31 * MINUTE_NS),
    disk_free_bytes=1 << 40,
)
ILL = {
    "not_answering": View(tree=None, statistics={}, silent=frozenset({"system"})),
    "halted": a_view(orders=the_orders(risk_state="HALTED", risk_cause="a ghost")),
    "reducing": a_view(orders=the_orders(risk_state="REDUCING", risk_cause="day loss")),
    "orders_unknown": a_view(orders=the_orders(uncertain_orders=2)),
    "unprotected": a_view(orders=the_orders(unprotected=("bracket A-1: 10 INFY held, and their stop is gone",))),
    "down": a_view(a_child("UNAVAILABLE")),
    "parked": a_view(a_child("PARKED")),
    "nowhere": a_view(nodes=of(NodesStatistics, is_connected=True, strategies={"dip": ""})),
    "restarting": a_view(a_child(restarts=3)),
    "trouble": a_view(a_child(trouble="refused by the broker")),
    "feed_gap": a_view(feed=of(FeedStatistics, gaps=1)),
    "feed_silent": a_view(feed=of(FeedStatistics, silent=3)),
    "order_updates": a_view(updates=of(UpdatesStatistics, connected=False, reason="refused")),
    "token": a_view(tokens=of(TokenStatistics, alive=True, ends_ns=NOW_NS + 29 * MINUTE_NS)),
    "budget": a_view(
        service=of(ServiceStatistics, service="dhan", budgets=(a_budget(remaining=699), a_budget(remaining=700)))
    ),
    "reconciliation": a_view(reconciliation=of(ReconciliationStatistics, differences=2)),
    "clock_skew": a_view(service=of(ServiceStatistics, service="dhan", clock_skew_s=-3.5)),
    "dead_letters": a_view(events=of(EventsStatistics, dead_letters=4)),
    "events_given_up": a_view(
        delivery=of(DeliveryStatistics, subscriptions=(of(SubscriptionStatus, subscription="billing", dead_letters=2),))
    ),
    "events_given_up_fast": a_view(delivery=of(DeliveryStatistics, dead_letters=23)),
    "events_given_up_old": a_view(delivery=of(DeliveryStatistics, oldest_dead_letter_ns=NOW_NS - 25 * 60 * MINUTE_NS)),
    "database": a_view(database=of(DatabaseStatistics, down="in use by process 4711")),
    "log_lost": msgspec.structs.replace(a_view(), log_lines_lost=3, log_fault="PermissionError"),
    "disk_low": a_view(disk_free_bytes=(1 << 30) - 1),
    "disk_full": a_view(disk_free_bytes=(256 << 20) - 1),
}


TOLD = {
    "not_answering": ("system", "the root of the supervision tree does not answer"),
    "halted": ("orders", "trading is halted: a ghost"),
    "reducing": ("orders", "only orders that make a position smaller pass: day loss"),
    "orders_unknown": ("orders", "2 orders may or may not be at the broker"),
    "unprotected": ("bracket A-1", "bracket A-1: 10 INFY held, and their stop is gone"),
    "down": ("dip", "dip is down: KeyError: x"),
    "parked": ("dip", "dip failed for good, and its open orders stay as they are: KeyError: x"),
    "nowhere": ("dip", "dip runs on no node, and its open orders stay as they are"),
    "restarting": ("dip", "dip was restarted 3 times in a moment: KeyError: x"),
    "trouble": ("dip", "dip: refused by the broker"),
    "feed_gap": ("feed", "the feed missed something: 1 gap"),
    "feed_silent": ("feed", "nothing comes any more of 3 instruments"),
    "order_updates": ("updates", "order updates do not come: refused"),
    "token": ("tokens", "the access token ends in 29 minutes"),
    "budget": ("service orders 7000 in 1d", "699 requests are left at dhan of 7000 in 1d (orders)"),
    "reconciliation": ("reconciliation", "2 differences between the broker's books and ours"),
    "clock_skew": ("service", "our clock is -3.5 s off that of dhan"),
    "dead_letters": ("events", "4 messages that no handler completed"),
    "events_given_up": ("billing", "billing has given up 2 events: before this start"),
    "events_given_up_fast": ("delivery", "durable subscriptions have given up 21 events in a moment"),
    "events_given_up_old": ("delivery", "a dead letter has waited for 1 day for a person"),
    "database": ("database", "the database files are not open: in use by process 4711"),
    "log_lost": ("log", "the log cannot be written (PermissionError): 3 lines lost"),
    "disk_low": ("disk", "1,023 MiB are free"),
    "disk_full": ("disk", "only 255 MiB are free: orders are refused when nothing can be made durable"),
}
"""Whom each is about, and what is told."""

AFTER_S = {
    "not_answering": 10,
    "orders_unknown": 30,
    "unprotected": 5,
    "down": 15,
    "nowhere": 30,
    "trouble": 30,
    "feed_silent": 15,
    "order_updates": 60,
    "database": 15,
    "log_lost": 10,
}
"""Of those that are told only when they have lasted."""

CRITICAL = {
    "not_answering",
    "halted",
    "orders_unknown",
    "unprotected",
    "down",
    "parked",
    "nowhere",
    "token",
    "reconciliation",
    "events_given_up_fast",
    "disk_full",
}


def found(view, before=WELL):
    return {rule.name: [text for _, text in rule.find(view, before, NOW_NS)] for rule in RULES}


class TestARule:
    def test_finds_nothing_where_all_is_well(self):
        assert not [texts for texts in found(WELL).values() if texts]

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_finds_what_it_is_for_and_no_other_does(self, rule):
        assert {name for name, texts in found(ILL[rule.name]).items() if texts} == {rule.name}

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_says_whom_it_is_about_and_what_is_the_matter(self, rule):
        assert list(rule.find(ILL[rule.name], WELL, NOW_NS)) == [TOLD[rule.name]]

    def test_of_silence_is_about_those_alone_through_whom_an_order_leaves(self):
        silent = msgspec.structs.replace(WELL, silent=frozenset({"orders", "journal", "broker", "feed", "dip"}))

        assert {rule.name: list(rule.find(silent, WELL, NOW_NS)) for rule in RULES if rule.name == "not_answering"} == {
            "not_answering": [
                (name, f"{name} runs and does not answer: nobody knows whether orders leave")
                for name in ("broker", "journal", "orders")
            ]
        }
        assert [name for name, texts in found(silent).items() if texts] == ["not_answering"]

    def test_is_there_for_all_that_may_be_ill(self):
        assert {rule.name for rule in RULES} == set(ILL)

    def test_is_as_loud_and_waits_for_as_long_as_what_it_is_for(self):
        assert {rule.name: rule.after_s for rule in RULES if rule.after_s} == AFTER_S
        assert {rule.name for rule in RULES if rule.severity == "critical"} == CRITICAL

    @pytest.mark.parametrize(
        ("kind", "grown"),
        [
            (FeedStatistics, {"gaps": 9}),
            (EventsStatistics, {"dead_letters": 9}),
            (DeliveryStatistics, {"dead_letters": 99}),
        ],
    )
    def test_of_what_grows_finds_nothing_where_one_look_was_answered_by_other_counts(self, kind, grown):
        """As by an actor that is not ready yet."""
        early, counted = a_view(it=ActorStatistics(handled=1, failures=0)), a_view(it=of(kind, **grown))

        for before, view in ((early, counted), (counted, early), (counted, counted)):
            assert not [texts for texts in found(view, before).values() if texts]
        assert [texts for texts in found(counted, a_view(it=of(kind))).values() if texts]

    def test_finds_nothing_of_actors_where_nobody_tells_of_them(self):
        told_nothing = found(ILL["not_answering"], before=ILL["not_answering"])

        assert {name for name, texts in told_nothing.items() if texts} == {"not_answering"}

    @pytest.mark.parametrize(
        ("state", "name"),
        [
            ("STARTING", None),
            ("UNAVAILABLE", "down"),
            ("RESTARTING", "down"),
            ("STOPPED", "down"),
            ("PARKED", "parked"),
        ],
    )
    def test_of_an_actor_goes_by_its_state(self, state, name):
        view = a_view(a_child(state, trouble="refused by the broker"))

        assert {each for each, texts in found(view).items() if texts} == ({name} if name else set())

    @pytest.mark.parametrize("state", ["UNAVAILABLE", "RESTARTING", "STOPPED"])
    def test_of_an_actor_that_is_down_without_an_error_says_how(self, state):
        assert found(a_view(a_child(state, last_error=None)))["down"] == [f"dip is down: {state}"]

    @pytest.mark.parametrize(
        ("name", "view"),
        [
            ("restarting", a_view(a_child(restarts=2))),
            ("events_given_up_fast", a_view(delivery=of(DeliveryStatistics, dead_letters=22))),
            (
                "events_given_up_old",
                a_view(delivery=of(DeliveryStatistics, oldest_dead_letter_ns=NOW_NS - 24 * 60 * MINUTE_NS)),
            ),
            ("token", a_view(tokens=of(TokenStatistics, alive=True, ends_ns=NOW_NS + 30 * MINUTE_NS))),
            ("token", a_view(tokens=of(TokenStatistics, alive=True, ends_ns=0))),
            ("disk_low", a_view(disk_free_bytes=1 << 30)),
            ("disk_full", a_view(disk_free_bytes=256 << 20)),
            ("clock_skew", a_view(service=of(ServiceStatistics, clock_skew_s=-2.0))),
            ("clock_skew", a_view(service=of(ServiceStatistics, clock_skew_s=None))),
            ("feed_gap", a_view(feed=of(FeedStatistics, gaps=0))),
            ("dead_letters", a_view(events=of(EventsStatistics, dead_letters=0))),
        ],
    )
    def test_is_silent_up_to_its_limit(self, name, view):
        assert not found(view)[name]

    def test_of_the_disk_is_of_one_kind_at_a_time(self):
        low = found(a_view(disk_free_bytes=256 << 20))

        assert (low["disk_low"], low["disk_full"]) == (["256 MiB are free"], [])

    def test_of_what_has_grown_tells_by_how_much(self):
        before = a_view(
            a_child(restarts=2),
            feed=of(FeedStatistics, gaps=3),
            events=of(EventsStatistics, dead_letters=3),
            delivery=of(DeliveryStatistics, dead_letters=50),
        )
        now = a_view(
            a_child(restarts=7),
            feed=of(FeedStatistics, gaps=5),
            events=of(EventsStatistics, dead_letters=4),
            delivery=of(DeliveryStatistics, dead_letters=150),
        )

        assert {name: texts for name, texts in found(now, before=before).items() if texts} == {
            "restarting": ["dip was restarted 5 times in a moment: KeyError: x"],
            "feed_gap": ["the feed missed something: 2 gaps"],
            "dead_letters": ["1 message that no handler completed"],
            "events_given_up_fast": ["durable subscriptions have given up 100 events in a moment"],
        }

    @pytest.mark.parametrize("name", ["feed_gap", "dead_letters", "events_given_up_fast", "restarting"])
    def test_of_what_has_grown_is_silent_of_who_was_not_there_before(self, name):
        assert not found(ILL[name], before=View(tree=None, statistics={}))[name]

    def test_of_a_dead_letter_says_how_many_whole_days_it_has_waited(self):
        old = a_view(delivery=of(DeliveryStatistics, oldest_dead_letter_ns=NOW_NS - 71 * 60 * MINUTE_NS))

        assert found(old)["events_given_up_old"] == ["a dead letter has waited for 2 days for a person"]

    def test_of_subscriptions_tells_of_each_that_gave_up_and_why(self):
        gave_up = of(SubscriptionStatus, subscription="audit", dead_letters=1, last_error="refused")
        view = a_view(delivery=of(DeliveryStatistics, subscriptions=(BILLING, gave_up)))

        assert found(view)["events_given_up"] == ["audit has given up 1 event: refused"]

    def test_of_updates_that_give_no_reason_says_that_they_are_not_connected(self):
        off = a_view(updates=of(UpdatesStatistics, connected=False))

        assert found(off)["order_updates"] == ["order updates do not come: not connected"]

    @pytest.mark.parametrize(
        ("left_s", "told"), [(29 * 60, "29 minutes"), (119, "1 minute"), (59, "0 minutes"), (-600, "0 minutes")]
    )
    def test_of_a_token_says_in_whole_minutes_when_it_ends(self, left_s, told):
        ending = a_view(tokens=of(TokenStatistics, alive=True, ends_ns=NOW_NS + left_s * 10**9))

        assert found(ending)["token"] == [f"the access token ends in {told}"]

    def test_of_a_token_finds_a_dead_one_too(self):
        dead = a_view(tokens=of(TokenStatistics, alive=False))

        assert found(dead)["token"] == ["there is no good access token: the broker takes nothing"]

    def test_of_the_clock_says_how_far_and_against_whom(self):
        assert found(ILL["clock_skew"])["clock_skew"] == ["our clock is -3.5 s off that of dhan"]

    def test_of_trouble_names_each_service_of_the_container_that_does_not_work(self):
        view = msgspec.structs.replace(a_view(), services={"Model": "ConnectionError: refused", "Cache": ""})

        assert found(view)["trouble"] == ["Model, of the container: ConnectionError: refused"]

    def test_of_trouble_leaves_out_a_dry_run_which_is_none(self):
        assert not found(a_view(a_child(trouble="dry run: nothing leaves")))["trouble"]

    @pytest.mark.parametrize("name", ["feed_gap", "dead_letters", "events_given_up_fast", "restarting"])
    def test_of_what_has_grown_is_silent_when_it_grows_no_more(self, name):
        assert not found(ILL[name], before=ILL[name])[name]
