"""What the log says of orders: each event by its name, as grave as it is, with what one needs to look into it."""

import pytest
from natya_builders import an_order
from natya_orders_stage import FakeJournal

from natya.actors.orders import OrdersActor
from natya.messages.accounts import AccountEntered
from natya.messages.broker import (
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotPlaced,
    OrderPlaced,
    OrdersLeft,
    ReplaceInDoubt,
)
from natya.messages.kill_switch import HaltTrading
from natya.messages.order_listing import CancelOrders, SettleOrder
from natya.messages.orders import CancelOrder, ModifyOrder
from natya.messages.risk import BandsTold, ChangeLimits, LimitsChanged
from natya.messages.risk_state import ReduceOnly, Resume
from natya.messages.strategy_state import ReadState, SaveState
from natya.messages.supervision import Unavailable

AGAIN_AND_AGAIN = ("order.looked_up",)
"""Events that come again and again by a timer."""


@pytest.fixture
def said(stage, logged):
    """What is logged after a message."""

    def say(*messages, sender=None):
        stage.settle()
        logged()
        for message in messages:
            stage.tell(message, sender)
            stage.settle()
        return [each for each in logged() if each[1] not in AGAIN_AND_AGAIN]

    return say


def test_a_start_names_the_account_and_its_end(stage, make, logged):
    stage.open(make.intent(), make.accepted(), account="new")
    stage.tell(OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", quantity=10))
    stage.settle()
    told = [each for each in logged() if each[1] in {"account.entered", "orders.reconciled"}]

    assert told == [
        ("INFO", "account.entered", {"account": 1, "choice": "new"}),
        ("INFO", "orders.reconciled", {"sequence": 2, "risk_state": "NORMAL"}),
    ]


class TestWhatTheBrokerSays:
    OTHERS = "instrument: INFY as ordered wanted, found 'TCS'"
    TURNED = "side: BUY as ordered wanted, found SELL"
    KNOWN = "an order unknown to the broker wanted, found it there as 'B-1': no"

    @pytest.mark.parametrize(
        ("message", "told"),
        [
            (
                ReplaceInDoubt(client_order_id="A-1", number=1, reason="late"),
                ("WARNING", "change.in_doubt", {"client_order_id": "A-1", "reason": "late"}),
            ),
            (
                LookupFailed(client_order_id="A-1", reason="busy"),
                ("WARNING", "lookup.failed", {"client_order_id": "A-1", "reason": "busy"}),
            ),
            (
                OrderNotPlaced(client_order_id="A-1", reason="no"),
                (
                    *("ERROR", "transition.refused"),
                    {
                        "client_order_id": "A-1",
                        "fact": "OrderRejected",
                        "before": "ACCEPTED",
                        "after": "REJECTED",
                        "reason": KNOWN,
                    },
                ),
            ),
            (
                OrderInDoubt(client_order_id="Z-1", reason="late"),
                ("WARNING", "order.foreign", {"client_order_id": "Z-1"}),
            ),
            (
                OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", symbol="TCS"),
                ("WARNING", "lookup.failed", {"client_order_id": "A-1", "reason": OTHERS}),
            ),
            (
                OrderFound(client_order_id="A-1", broker_order_id="B-1", state="OPEN", side="SELL"),
                ("WARNING", "lookup.failed", {"client_order_id": "A-1", "reason": TURNED}),
            ),
            (
                Unavailable(actor="broker", reason="it restarts", retry_after_s=1.0),
                ("ERROR", "answer.failed", {"actor": "broker", "reason": "it restarts"}),
            ),
        ],
        ids=lambda each: each[1] if isinstance(each, tuple) else "",
    )
    def test_is_logged_where_it_is_not_what_it_should_be(self, stage, make, said, message, told):
        stage.open()
        stage.place(make.order())

        assert said(message) == [told]

    def test_of_a_cancellation_that_it_refused_is_logged(self, stage, make, said):
        stage.open()
        stage.place(make.order())

        assert said(make.report("CANCEL_REJECTED", reason="busy")) == [
            ("WARNING", "cancel.rejected", {"client_order_id": "A-1", "reason": "busy"})
        ]

    def test_of_price_bands_is_logged_once_for_each_problem(self, stage, said):
        stage.open()
        told = [BandsTold(bands=(), as_of_ns=1, problem=problem) for problem in ("a", "a", "", "a", "b")]

        assert said(*told) == [("WARNING", "bands.not_told", {"reason": reason}) for reason in "aab"]

    def test_of_an_order_that_was_thought_dead_is_logged_with_what_follows(self, stage, make, said):
        stage.open(make.intent(), make.expired())
        cause = "order A-1 was EXPIRED, and the broker has it"

        assert said(OrderPlaced(client_order_id="A-1", broker_order_id="B-1")) == [
            ("ERROR", "order.resurrected", {"client_order_id": "A-1", "state": "EXPIRED"}),
            ("ERROR", "risk_state.changed", {"state": "HALTED", "cause": cause, "by": "orders"}),
        ]

    def test_of_what_left_without_an_intent_is_logged_with_what_follows(self, stage, said):
        stage.open()
        cause = "sent: one order out for each intent in wanted, found 1 without an intent: Z-1"

        assert said(OrdersLeft(counts=(("Z-1", 1),))) == [
            ("ERROR", "orders.left_without_intent", {"reason": cause}),
            ("ERROR", "risk_state.changed", {"state": "HALTED", "cause": cause, "by": "orders"}),
        ]


class TestWhatAStrategyAsksFor:
    @pytest.mark.parametrize(
        ("message", "told"),
        [
            (CancelOrder(client_order_id="Z-1"), ("WARNING", "cancel.unknown", {"client_order_id": "Z-1"})),
            (
                ModifyOrder(client_order_id="Z-1", quantity=5),
                ("ERROR", "change.refused", {"client_order_id": "Z-1", "sender": ""}),
            ),
        ],
        ids=["cancel", "modify"],
    )
    def test_of_no_order_is_logged(self, stage, said, message, told):
        stage.open()

        assert said(message, sender=stage.strategy) == [told]

    def test_under_an_id_of_another_order_is_logged(self, stage, make, said):
        stage.open()
        stage.place(make.order())
        reason = "quantity 10 wanted, as the order of that id has it, found 7"

        assert said(make.order(quantity=7), sender=stage.strategy) == [
            ("ERROR", "order.id_reused", {"client_order_id": "A-1", "reason": reason})
        ]

    def test_after_another_life_has_read_its_state_is_logged_once(self, stage, said):
        stage.open()
        first, second = stage.strategy, stage.system.probe("second life")
        for life in (first, second):
            stage.tell(ReadState(strategy="crossover"), life)
        state = {"strategy": "crossover", "covers": 1, "state": b"s", "submitted": ()}

        assert said(*(SaveState(number=number, life=1, **state) for number in (3, 4)), sender=first) == [
            ("WARNING", "state.out_of_date", {"strategy": "crossover", "number": 3})
        ]


class TestWhatAPersonDoes:
    def test_is_logged_with_the_person_and_why(self, stage, make, said):
        stage.open()
        stage.place(make.order())
        asha = stage.system.probe("asha")
        halt = {"state": "HALTED", "cause": "enough", "by": "asha"}
        over = {"state": "NORMAL", "cause": "seen", "by": "asha"}

        assert said(CancelOrders(everything=True, person="asha"), sender=asha) == [
            ("WARNING", "orders.cancelled", {"count": 1, "person": "asha"})
        ]
        assert said(HaltTrading(cause="enough", person="asha"), sender=asha) == [("ERROR", "risk_state.changed", halt)]
        assert said(Resume(reason="seen", person="asha"), sender=asha) == [("WARNING", "risk_state.changed", over)]

    def test_to_a_limit_is_logged_as_a_warning_where_more_may_pass(self, stage, said):
        stage.open()
        asha = stage.system.probe("asha")
        wanted = {"reason": "a calm day", "person": "asha"}
        limits = ChangeLimits(values={"quantity_max": "50", "rejects_max": "5"}, confirmed={}, **wanted)
        assert said(limits, sender=asha) == [
            ("INFO", "limit.changed", {"limit": "quantity_max", "before": "100", "after": "50", **wanted}),
            ("INFO", "limit.changed", {"limit": "rejects_max", "before": "0", "after": "5", **wanted}),
        ]
        stage.disk.mode = "refuse"
        (told,) = said(ChangeLimits(values={"quantity_max": "40"}, confirmed={}, **wanted), sender=asha)
        assert told[:2] == ("ERROR", "limit.not_written")
        assert told[2]["reason"].startswith("the journal did not take it: AppendRefused(")

    def test_about_an_order_in_doubt_is_logged(self, stage, make, said):
        stage.open(absence_horizon_s=1e-9, lookup_interval_s=3_600.0)
        stage.submit(make.order())
        stage.broker.receive()
        stage.tell(OrderInDoubt(client_order_id="A-1", reason="no answer"))
        word = SettleOrder(client_order_id="A-1", filled=0, reason="seen", person="asha")

        assert said(word, sender=stage.system.probe("asha")) == [
            ("WARNING", "order.settled", {"client_order_id": "A-1", "person": "asha"})
        ]


def test_what_is_looked_up_is_logged_with_when_that_ends(stage, make, logged):
    stage.open(lookup_interval_s=0.02, absence_horizon_s=600.0)
    stage.place(make.order())
    logged()
    stage.tell(ReplaceInDoubt(client_order_id="A-1", number=1, reason="late"))
    stage.asked_next(FindOrder)
    stage.settle()
    told = [each for each in logged() if each[1] == "order.looked_up"]

    assert told[0] == ("INFO", "order.looked_up", {"client_order_id": "A-1", "again_s": 0.02, "absent_after_s": 600.0})


def test_one_cancellation_too_many_that_waits_is_logged(stage, said, monkeypatch):
    monkeypatch.setattr("natya.actors.orders.withdrawing.withdrawals.WITHDRAWALS_MAX", 0)
    stage.open()
    stage.disk.mode = "hold"
    stage.submit(an_order())

    assert said(CancelOrder(client_order_id="A-1"), sender=stage.strategy) == [
        ("ERROR", "cancel.refused", {"client_order_id": "A-1", "waiting": 10_000})
    ]


class TestAStartThatTheJournalDoesNotTake:
    @pytest.mark.parametrize(
        "refused",
        [
            (AccountEntered, "account.not_entered", {"account": "new"}),
            (LimitsChanged, "limits.not_written", {"audited": True}),
        ],
    )
    def test_is_logged_and_tried_again(self, stage, make, logged, refused):
        kind, event, limits = refused
        stage.disk.refuses = (kind,)
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits(lookup_interval_s=0.02, **limits))
        told = []
        stage.wait_until(lambda: told.extend(logged()) or len([each for each in told if each[1] == event]) >= 2)
        stage.disk.refuses = ()
        stage.wait_until(lambda: any(isinstance(fact, kind) for fact in stage.disk.facts))

        first = next(each for each in told if each[1] == event)
        assert first[0] == "ERROR"
        assert "disk full" in first[2]["answer"]


def test_who_limits_for_a_time_is_logged_as_an_error_and_as_a_warning_when_that_is_taken_back(stage, said):
    stage.open()
    heart = stage.system.probe("heart")

    assert said(ReduceOnly(reason="the disk"), ReduceOnly(reason="the disk"), ReduceOnly(reason=""), sender=heart) == [
        ("ERROR", "risk_state.limited", {"state": "REDUCING", "cause": "the disk", "by": ""}),
        ("WARNING", "risk_state.limited", {"state": "NORMAL", "cause": "", "by": ""}),
    ]


def test_what_the_journal_refuses_is_logged(stage, make, said):
    stage.open()
    stage.disk.mode = "refuse"

    assert said(make.order(), sender=stage.strategy) == [
        ("ERROR", "append.refused", {"client_order_id": "A-1", "reason": "disk full"})
    ]
