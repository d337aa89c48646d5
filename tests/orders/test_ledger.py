"""The facts on their way into the book."""

import pytest

from natya.actors.orders.ledger import Ledger
from natya.messages.journal import Appended, AppendRefused


def confirmed(append, first=1):
    last = first + len(append.facts) - 1
    return Appended(first_sequence=first, last_sequence=last, correlation_id=append.correlation_id)


def denied(append):
    return AppendRefused(reason="disk full", correlation_id=append.correlation_id)


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

        assert ledger.holdings("crossover", life=1).filled == {"A-1": 0}
        assert ledger.holdings("other", life=1).filled == {"B-1": 0, "B-2": 0}
        assert ledger.holdings("other", life=1).shares == {}


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

    def test_that_is_refused_is_forgotten_and_the_others_are_not(self, ledger, make):
        ledger.confirm(confirmed(ledger.write((make.intent(),), make.order())))
        first, second = ledger.write((make.filled(quantity=4),)), ledger.write((make.accepted(),))
        ledger.give_up(denied(first))

        assert ledger.order("A-1").state == "ACCEPTED"
        ledger.confirm(confirmed(second))
        assert ledger.book.order("A-1").filled == 0

    def test_that_is_a_refused_intent_leaves_nothing_behind(self, ledger, make):
        ledger.give_up(denied(ledger.write((make.intent(),), make.order())))

        assert ledger.order("A-1") is None
        assert not ledger.intents


class TestAnAnswer:
    def test_to_something_else_is_not_taken_for_ours(self, ledger, make):
        nobody = confirmed(ledger.write((make.intent("A-1"),), make.order("A-1")))
        other = Appended(first_sequence=1, last_sequence=1, correlation_id="A-9")
        longer = Appended(first_sequence=1, last_sequence=2, correlation_id="A-1")

        assert ledger.confirm(other) is None
        assert ledger.confirm(longer) is None
        assert ledger.give_up(AppendRefused(reason="", correlation_id="A-9")) is None
        assert ledger.confirm(nobody) is not None
        assert ledger.confirm(nobody) is None
