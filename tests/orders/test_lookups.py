"""Whom the broker is asked for, and when."""

from natya.actors.orders.reconciling.lookups import Lookups


class TestLookups:
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
