"""Whom the broker is asked for, and when."""

from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.orders.book import Book
from natya.actors.orders.reconciling.lookups import Lookups, others_that_traded
from natya.actors.orders.reconciling.rounds import Rounds
from natya.domain.orders import Order
from natya.domain.time import DAY_NS


@pytest.mark.parametrize(
    ("fields", "days_later", "found"),
    [
        ({}, 1, ("B-2", "B-5")),
        ({}, 0, ()),
        ({"broker_order_id": "B-9"}, 1, ()),
        ({"side": "SELL"}, 1, ("B-4",)),
        ({"symbol": "TCS"}, 1, ()),
    ],
    ids=["an earlier day", "today", "its number is known", "the other side", "another symbol"],
)
def test_trades_of_others_since_its_day_are_told_of_an_order_in_doubt(make, fields, days_later, found):
    book, doubtful = Book(), Order.from_intent(make.intent("A-1"))
    for number, side, trades in ((2, "BUY", True), (3, "BUY", False), (4, "SELL", True), (5, "BUY", True)):
        book.apply(make.intent(f"A-{number}", side=side))
        book.apply(make.accepted(f"A-{number}", broker_order_id=f"B-{number}"))
        if trades:
            book.apply(make.filled(f"A-{number}", side=side))
    book.apply(make.refusal("A-6"))
    doubtful = msgspec.structs.replace(doubtful, **fields)
    now_ns = doubtful.intended_ns + days_later * DAY_NS

    assert sorted(others_that_traded(book, doubtful, now_ns)) == list(found)


class TestRounds:
    @pytest.fixture
    def rounds(self):
        """With the seconds of the timers that were started, and how many of them were stopped."""
        started, stopped = [], []

        def start(after_s):
            started.append(after_s)
            return SimpleNamespace(cancel=lambda: stopped.append(after_s))

        rounds = Rounds(start)
        rounds.started, rounds.stopped = started, stopped
        return rounds

    def test_have_one_timer_as_long_as_one_is_needed(self, rounds):
        for after_s in (1.0, 2.0):
            rounds.keep(is_needed=True, after_s=after_s)
        assert (rounds.started, rounds.stopped) == ([1.0], []), "it is not put off"
        rounds.fired()
        rounds.keep(is_needed=True, after_s=3.0)
        assert (rounds.started, rounds.stopped) == ([1.0, 3.0], [])
        for _ in range(2):
            rounds.keep(is_needed=False, after_s=4.0)

        assert (rounds.started, rounds.stopped) == ([1.0, 3.0], [3.0])

    def test_have_none_where_none_is_needed(self, rounds):
        rounds.keep(is_needed=False, after_s=1.0)
        rounds.stop()

        assert (rounds.started, rounds.stopped) == ([], [])


class TestLookups:
    def test_know_what_was_sent_and_not_answered(self):
        lookups = Lookups()
        lookups.place("A-1")
        lookups.doubt("A-2")
        found = [[lookups.is_placing(name) for name in ("A-1", "A-2")]]
        lookups.answered("A-1")
        found.append([lookups.is_placing(name) for name in ("A-1", "A-2")])

        assert found == [[True, False], [False, False]]

    def test_ask_for_a_doubtful_order_in_every_round_until_it_is_settled(self):
        lookups = Lookups()
        lookups.doubt("A-1")

        assert [lookups.next_round() for _ in range(3)] == [("A-1",)] * 3
        lookups.settle("A-1")
        assert lookups.next_round() == ()
        assert not lookups.is_needed

    def test_give_the_session_one_whole_round_to_answer_for_what_was_placed(self):
        lookups = Lookups()
        lookups.place("A-1")

        assert lookups.is_needed
        assert [lookups.next_round() for _ in range(2)] == [(), ("A-1",)]

    def test_ask_for_nothing_that_was_answered(self):
        lookups = Lookups()
        lookups.place("A-1")
        lookups.next_round()
        lookups.answered("A-1")

        assert lookups.next_round() == ()
        assert lookups.placing == ()

    def test_hold_a_start_back_until_every_order_is_proved(self):
        lookups = Lookups()
        assert lookups.is_proved
        lookups.require("A-1")
        lookups.require("A-2")
        lookups.prove("A-1")
        assert not lookups.is_proved
        lookups.prove("A-2")

        assert lookups.is_proved
        assert lookups.next_round() == ("A-1", "A-2")


class TestAnOrderThatAStartHasToProve:
    def test_is_asked_for_until_the_broker_has_found_or_denied_it_whatever_else_is_heard(self):
        lookups = Lookups()
        lookups.require("A-1")
        lookups.settle("A-1")

        assert lookups.next_round() == ("A-1",)
        assert not lookups.is_proved
        lookups.prove("A-1")
        lookups.settle("A-1")
        assert (lookups.next_round(), lookups.is_needed, lookups.is_proved) == ((), False, True)
