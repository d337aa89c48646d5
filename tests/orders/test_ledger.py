"""The facts on their way into the book."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import BUILDERS

from natya.actors.orders.book.ledger import Ledger
from natya.domain.accounts import AccountUnfinishedError
from natya.messages.accounts import AccountEntered, RecordingPlayed
from natya.messages.holdings import HoldingsRead, OpenOrder
from natya.messages.journal import Appended, AppendRefused, append_refused, appended
from natya.messages.orders import CancellationIntended, ModificationIntended
from natya.messages.risk_state import RiskStateChanged
from natya.messages.strategy_state import SaveState, StateRead, StrategyStateSaved

STATE = {"strategy": "crossover", "number": 1, "covers": 1, "state": b"s", "submitted": (), "occurred_ns": 1}


def a_change(quantity):
    return ModificationIntended(
        client_order_id="A-1", number=1, quantity=quantity, limit_price=101.0, trigger_price=None, occurred_ns=5
    )


def confirmed(append):
    return appended(append, 1)


def denied(append):
    return append_refused(append, "disk full")


@pytest.fixture
def ledger():
    return Ledger()


class TestWhatAStrategyHolds:
    def test_is_told_with_its_own_open_orders_alone(self, make):
        ledger = Ledger()
        for intent in (make.intent("A-1"), make.intent("B-1", strategy="other"), make.intent("A-2")):
            ledger.book.apply(intent)
        ledger.book.apply(make.filled("A-2", quantity=10))
        ledger.write((make.intent("B-2", strategy="other"),), make.order("B-2", strategy="other"))

        assert ledger.holdings("crossover", life=1, sequence=0).filled == {"A-1": 0}
        assert ledger.holdings("other", life=1, sequence=0).filled == {"B-1": 0, "B-2": 0}
        assert ledger.holdings("other", life=1, sequence=0).shares == {}

    def test_is_told_with_its_open_orders_as_they_are_now(self, make):
        ledger = Ledger()
        facts = (
            make.intent("A-1", quantity=10),
            make.accepted("A-1"),
            make.filled("A-1", quantity=4),
            make.intent("A-2"),
        )
        for fact in (*facts, make.uncertain("A-2")):
            ledger.book.apply(fact)
        told = ledger.holdings("crossover", life=1, sequence=0)

        assert [(each.filled, each.is_uncertain) for each in told.open_orders] == [(4, False), (0, True)]
        assert told.open_orders[0].intent == make.intent("A-1", quantity=10)
        assert told.open_orders[0].broker_order_id

    def test_is_told_with_all_of_it_and_with_the_cancellations_that_are_in_flight(self, make):
        ledger = Ledger()
        asked = CancellationIntended(client_order_id="A-1", number=1, asked_by="asha", occurred_ns=77)
        facts = make.intent("A-1"), make.accepted("A-1"), make.filled("A-1", quantity=4), asked
        for fact in facts:
            ledger.book.apply(fact)
        told = OpenOrder(intent=facts[0], broker_order_id="B-1", filled=4, is_uncertain=False, cancelling=asked)

        assert ledger.holdings("crossover", life=3, sequence=9) == HoldingsRead(
            strategy="crossover",
            shares={"INFY": 4},
            filled={"A-1": 4},
            life=3,
            positions=ledger.book.strategy_positions("crossover"),
            open_orders=(told,),
            sequence=9,
            exits=(),
        )

    def test_is_told_with_its_state_and_the_orders_of_it_that_never_came(self, ledger, make):
        orders = make.order("A-1"), make.order("A-2")
        ledger.book.apply(make.intent("A-1"))
        saved = SaveState(strategy="crossover", number=1, covers=1, state=b"s", submitted=orders)
        ledger.states.take(saved)

        assert ledger.state("crossover", sequence=9, life=4) == StateRead(
            strategy="crossover", sequence=9, life=4, saved=saved, unsent=orders[1:]
        )
        assert ledger.state("other", sequence=9, life=4) == StateRead(
            strategy="other", sequence=9, life=4, saved=None, unsent=()
        )


class TestAnAccountThatIsEntered:
    def test_is_that_of_the_book_of_the_states_and_of_the_next_run_alike(self, ledger, make):
        ledger.book.apply(make.intent("A-1"))
        ledger.book.apply(make.filled("A-1", quantity=10))
        ledger.states.apply(StrategyStateSaved(**STATE))
        for account in (1, 2):
            ledger.enter(AccountEntered(account=account, choice="new", occurred_ns=1))

        assert ledger.holdings("crossover", life=1, sequence=0).shares == {}
        assert ledger.state("crossover", sequence=1, life=1).saved is None
        assert ledger.accounts.choose("new", 5) == AccountEntered(account=3, choice="new", occurred_ns=5)
        ledger.enter(AccountEntered(account=0, choice="session", occurred_ns=1))
        assert ledger.holdings("crossover", life=1, sequence=0).shares == {"INFY": 10}
        assert ledger.state("crossover", sequence=1, life=1).saved.state == b"s"

    def test_is_played_to_its_end_when_the_recording_is(self, ledger):
        ledger.enter(AccountEntered(account=1, choice="new", occurred_ns=1))
        with pytest.raises(AccountUnfinishedError):
            ledger.accounts.choose("newest", 5)
        ledger.enter(RecordingPlayed(source="r", ticks=1, candles=0, occurred_ns=1))

        assert ledger.accounts.choose("newest", 5).account == 1


class TestAFactOnItsWay:
    def test_is_in_no_book_before_it_is_durable(self, ledger, make):
        append = ledger.write((make.intent(),), make.order())

        assert append.correlation_id == "A-1"
        assert "A-1" not in ledger.book
        assert (len(ledger), ledger.is_waiting("A-1"), list(ledger.intents)) == (1, True, ["A-1"])
        ledger.confirm(confirmed(append))
        assert "A-1" in ledger.book
        assert (len(ledger), ledger.is_waiting("A-1"), list(ledger.intents)) == (0, False, [])

    def test_is_seen_ahead_so_that_it_is_not_written_twice(self, ledger, make):
        ledger.confirm(confirmed(ledger.write((make.intent(),), make.order())))
        first = ledger.write((make.accepted(), make.filled(quantity=4)))
        second = ledger.write((make.filled(trade_id="T-2", quantity=6),))

        assert ledger.order("A-1").state == "FILLED"
        assert ledger.book.order("A-1").state == "INTENDED"
        ledger.confirm(confirmed(first))
        ledger.confirm(confirmed(second))
        assert ledger.book.order("A-1").state == "FILLED"

    def test_is_in_the_book_before_what_is_not_read_yet_and_the_ledger_says_so(self, ledger, make):
        append = ledger.write((make.intent(),))
        assert ledger.is_read_alone
        ledger.confirm(confirmed(append))

        assert not ledger.is_read_alone

    def test_that_is_refused_is_forgotten_and_the_others_are_not(self, ledger, make):
        ledger.confirm(confirmed(ledger.write((make.intent(),), make.order())))
        first, second = ledger.write((make.filled(quantity=4),)), ledger.write((make.accepted(),))
        ledger.give_up(denied(first))

        assert ledger.order("A-1").state == "ACCEPTED"
        ledger.confirm(confirmed(second))
        assert ledger.book.order("A-1").filled == 0

    def test_that_halts_is_looked_at_again_with_its_order_when_one_before_is_refused(self, ledger, make):
        """What the broker has said of an order that was thought dead comes with a change of the risk state."""
        for fact in (make.intent(), make.expired()):
            ledger.book.apply(fact)
        halt = RiskStateChanged(previous="NORMAL", state="HALTED", cause="risen", changed_by="orders", occurred_ns=1)
        first = ledger.write((make.accepted(),))
        ledger.write((make.filled(quantity=4),), change=halt)
        ledger.give_up(denied(first))

        assert (ledger.order("A-1").filled, ledger.risk_state) == (4, "HALTED")
        assert ledger.changes == (halt,)

    def test_that_is_a_refused_intent_leaves_nothing_behind(self, ledger, make):
        ledger.give_up(denied(ledger.write((make.intent(),), make.order())))

        assert ledger.order("A-1") is None
        assert not ledger.intents


class TestAChangeOnItsWay:
    @pytest.mark.parametrize("answer", [confirmed, denied])
    def test_reserves_what_its_order_grows_by_until_the_journal_has_answered(self, ledger, make, answer):
        for fact in (
            make.intent(order_type="LIMIT", limit_price=100.0, side="SELL"),
            make.accepted(),
            make.intent("B-1"),
        ):
            ledger.book.apply(fact)
        waiting = make.order("B-2")
        ahead = ledger.write((make.intent("B-2"),), waiting)
        append = ledger.write((a_change(quantity=17),))
        grown = ledger.reserved["A-1"]

        assert ledger.reserved == {"B-2": waiting, "A-1": grown}
        assert (grown.side, grown.quantity, grown.limit_price, grown.strategy) == ("SELL", 7, 101.0, "crossover")
        assert ledger.intents == {"B-2": waiting}, "it is no order more"
        ledger.confirm(confirmed(ahead))
        (ledger.confirm if answer is confirmed else ledger.give_up)(answer(append))
        assert ledger.reserved == {}

    def test_reserves_a_single_share_that_its_order_grows_by(self, ledger, make):
        for fact in (make.intent(order_type="LIMIT", limit_price=100.0), make.accepted()):
            ledger.book.apply(fact)
        ledger.write((a_change(quantity=11),))

        assert [each.quantity for each in ledger.reserved.values()] == [1]

    def test_reserves_nothing_where_its_order_grows_by_nothing(self, ledger, make):
        for fact in (make.intent(order_type="LIMIT", limit_price=100.0), make.accepted()):
            ledger.book.apply(fact)
        ledger.write((a_change(quantity=10),))

        assert ledger.reserved == {}


class TestAnAnswer:
    def test_to_an_append_of_the_same_order_by_an_earlier_life_is_not_taken_for_ours(self, make):
        earlier, ledger = Ledger(writer="earlier"), Ledger(writer="this")
        theirs, ours = (each.write((make.intent("A-1"),), make.order("A-1")) for each in (earlier, ledger))

        assert ledger.confirm(confirmed(theirs)) is None
        assert ledger.give_up(denied(theirs)) is None
        assert ledger.confirm(confirmed(ours)) is not None
        assert ledger.confirm(confirmed(ours)) is None

    def test_to_another_append_than_the_oldest_is_not_taken_for_ours(self, ledger, make):
        oldest, newer = ledger.write((make.intent("A-1"),)), ledger.write((make.accepted("A-1"),))

        assert ledger.confirm(confirmed(newer)) is None
        assert ledger.give_up(denied(newer)) is None
        assert ledger.confirm(confirmed(oldest)) is not None
        assert ledger.give_up(denied(newer)) is not None


STEPS = st.lists(st.sampled_from(["facts", "change", "both", "confirm", "refuse", "stray"]), max_size=25)


@given(steps=STEPS, states=st.lists(st.sampled_from(["NORMAL", "HALTED"]), min_size=25, max_size=25))
def test_changes_of_the_risk_state_are_those_of_all_that_is_on_its_way(steps, states):
    ledger, sent, durable = Ledger(), deque(), "NORMAL"
    for number, (step, state) in enumerate(zip(steps, states, strict=False)):
        order_id = f"A-{number}"
        change = RiskStateChanged(
            previous="NORMAL", state=state, cause=order_id, changed_by="orders", occurred_ns=number
        )
        if step == "facts":
            sent.append(ledger.write((BUILDERS.intent(order_id),)))
        elif step == "change":
            sent.append(ledger.write_change(change))
        elif step == "both":
            sent.append(ledger.write((BUILDERS.intent(order_id),), change=change))
        elif step == "stray":
            stray = {"correlation_id": order_id, "writer": "an earlier life", "number": number + 1}
            assert ledger.confirm(Appended(first_sequence=1, last_sequence=1, **stray)) is None
            assert ledger.give_up(AppendRefused(reason="full", **stray)) is None
        elif sent:
            append = sent.popleft()
            if step == "refuse":
                ledger.give_up(denied(append))
            else:
                ledger.confirm(confirmed(append))
                durable = next((fact.state for fact in append.facts if isinstance(fact, RiskStateChanged)), durable)

        on_their_way = [fact for append in sent for fact in append.facts if isinstance(fact, RiskStateChanged)]
        assert list(ledger.changes) == on_their_way
        assert ledger.risk_state == (on_their_way[-1].state if on_their_way else durable)


class TestAnAppend:
    def test_follows_the_one_of_its_order_that_is_on_its_way(self, make):
        ledger = Ledger(writer="orders-1")
        first = ledger.write((make.intent("A-1"),), make.order("A-1"))
        other = ledger.write((make.intent("B-1"),), make.order("B-1"))
        second = ledger.write((make.accepted("A-1"),))
        for answered in (first, other, second):
            ledger.confirm(confirmed(answered))
        third = ledger.write((make.filled("A-1", quantity=1),))

        assert [each.number for each in (first, other, second, third)] == [1, 2, 3, 4]
        assert [each.follows for each in (first, other, second, third)] == [0, 0, 1, 0]
        assert {each.writer for each in (first, other, second, third)} == {"orders-1"}

    def test_of_the_risk_state_follows_the_change_before(self):
        ledger = Ledger(writer="orders-1")
        changes = [
            RiskStateChanged(previous=before, state=state, cause="why", changed_by="me", occurred_ns=1)
            for before, state in (("NORMAL", "REDUCING"), ("REDUCING", "HALTED"))
        ]

        assert [ledger.write_change(change).follows for change in changes] == [0, 1]
