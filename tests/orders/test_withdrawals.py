"""Cancellations that wait: whose they are, how many, and that none is lost or doubled."""

import pytest

from natya.actors.orders.withdrawing.withdrawals import WITHDRAWALS_MAX, Withdrawals


class TestACancellationThatWaits:
    @pytest.mark.parametrize(("only", "is_asked", "others"), [("", True, ""), ("mine", True, ""), ("x", False, "x")])
    def test_counts_only_from_who_may_speak_for_the_strategy(self, only, is_asked, others):
        waiting = Withdrawals()
        assert waiting.add("A-1", only=only, asked_by="asha")

        assert bool(waiting.asked_by("A-1", "mine")) is is_asked
        assert waiting.others("A-1", "mine") == others

    def test_of_a_stranger_does_not_hide_that_of_the_owner(self):
        waiting = Withdrawals()
        waiting.add("A-1", only="stranger", asked_by="stranger")
        waiting.add("A-1", only="mine", asked_by="mine")

        assert waiting.asked_by("A-1", "mine") == "mine"
        assert waiting.take_all() == (("A-1", "mine", "mine"), ("A-1", "stranger", "stranger"))

    def test_is_taken_once(self):
        waiting = Withdrawals()
        waiting.add("A-1", only="mine", asked_by="mine")

        assert waiting.take_all()
        assert not waiting.take_all()
        assert "A-1" not in waiting

    def test_is_refused_where_too_many_wait(self):
        waiting = Withdrawals()
        waiting.restore({str(number): {"": "asha"} for number in range(WITHDRAWALS_MAX)})

        assert not waiting.add("one more", only="", asked_by="asha")
        assert "one more" not in waiting
