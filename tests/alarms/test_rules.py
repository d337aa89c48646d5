import msgspec
import pytest

from natya.actors.alarms.rules import RULES
from natya.actors.observability import View
from natya.messages.broker import UpdatesStatistics
from natya.messages.database import DatabaseStatistics
from natya.messages.delivery import DeliveryStatistics, SubscriptionStatus
from natya.messages.events import EventsStatistics
from natya.messages.health import ServiceStatistics, TokenStatistics
from natya.messages.market import FeedStatistics
from natya.messages.nodes import NodesStatistics
from natya.messages.order_listing import OrdersStatistics
from natya.messages.reconciliation import ReconciliationStatistics
from natya.messages.supervision import ChildStatus, SupervisionTree

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


BILLING = of(SubscriptionStatus, subscription="billing")
WELL = a_view(
    orders=the_orders(),
    feed=of(FeedStatistics),
    events=of(EventsStatistics),
    delivery=of(DeliveryStatistics, subscriptions=(BILLING,), dead_letters=2),
    database=of(DatabaseStatistics),
    updates=of(UpdatesStatistics, connected=True),
    service=of(ServiceStatistics, clock_skew_s=1.9),
    reconciliation=of(ReconciliationStatistics),
    nodes=of(NodesStatistics, is_connected=True, strategies={"dip": "pune-1"}),
    tokens=of(TokenStatistics, alive=True, ends_ns=NOW_NS + 31 * MINUTE_NS),
    disk_free_bytes=1 << 40,
)
ILL = {
    "not_answering": View(tree=None, statistics={}),
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


def found(view, before=WELL):
    return {rule.name: [text for _, text in rule.find(view, before, NOW_NS)] for rule in RULES}


class TestARule:
    def test_finds_nothing_where_all_is_well(self):
        assert not [texts for texts in found(WELL).values() if texts]

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_finds_what_it_is_for_and_no_other_does(self, rule):
        assert {name for name, texts in found(ILL[rule.name]).items() if texts} == {rule.name}

    def test_is_there_for_all_that_may_be_ill(self):
        assert {rule.name for rule in RULES} == set(ILL)

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

    def test_of_trouble_leaves_out_a_dry_run_which_is_none(self):
        assert not found(a_view(a_child(trouble="dry run: nothing leaves")))["trouble"]

    @pytest.mark.parametrize("name", ["feed_gap", "dead_letters", "events_given_up_fast", "restarting"])
    def test_of_what_has_grown_is_silent_when_it_grows_no_more(self, name):
        assert not found(ILL[name], before=ILL[name])[name]
