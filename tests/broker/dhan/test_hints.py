"""What order updates say, and what follows for the looks: which orders are due, and whether looks may be rarer."""

import pytest
from natya_dhan_rows import watched

from natya.actors.broker.bodies.dhan.hints import Hints
from natya.domain.dhan.words import ENDED_STATUSES, OPEN_STATUSES
from natya.messages.broker import OrderUpdated


@pytest.fixture
def hints():
    hints = Hints()
    hints.connect(())
    return hints


def an_update(status="PENDING", filled=0):
    return OrderUpdated(broker_order_id="7", client_order_id="A-1", status=status, filled=filled)


def seen(filled=0, number="7"):
    return watched(number=number, trades={"E1": filled} if filled else {})


class TestAnOrder:
    @pytest.mark.parametrize("status", sorted({*OPEN_STATUSES, *ENDED_STATUSES, "SOMETHING"}))
    @pytest.mark.parametrize(("number", "filled", "told"), [("7", 5, 4), ("7", 5, 5), ("7", 5, 6), ("", 0, 0)])
    def test_is_due_when_an_update_says_more_of_it_than_is_seen_or_what_is_not_known(
        self, hints, status, number, filled, told
    ):
        order = seen(filled, number)
        hints.take(an_update(status, told), order)
        says_more = told > filled or status in ENDED_STATUSES

        assert hints.is_behind(order) is says_more
        assert hints.any_due is (says_more or status not in OPEN_STATUSES or not number)
        assert hints.may_ease([order]) is (bool(number) and not says_more)

    def test_is_behind_by_the_most_that_was_ever_told(self, hints):
        for status, filled in (("PART_TRADED", 6), ("CANCELLED", 5), ("PENDING", 0)):
            hints.take(an_update(status, filled), seen())
        assert hints.is_behind(seen(5))
        assert hints.is_behind(seen(7))  # it has ended, and nobody has seen that

        hints.forget("A-1")
        hints.take(an_update("PART_TRADED", 6), seen())
        assert [hints.is_behind(seen(filled)) for filled in (5, 6, 7)] == [True, False, False]

    @pytest.mark.parametrize("later", [0, 5, 6])
    def test_that_may_still_trade_is_behind_by_the_most_that_was_ever_told(self, hints, later):
        for filled in (6, later):
            hints.take(an_update("PART_TRADED", filled), seen())

        assert [hints.is_behind(seen(filled)) for filled in (5, 6)] == [True, False]

    def test_is_due_once(self, hints):
        hints.suspect(seen())

        assert hints.take_due({"A-1": seen(), "B-1": seen()}) == (seen(),)
        assert not hints.any_due

    def test_that_is_forgotten_is_neither_due_nor_behind(self, hints):
        hints.take(an_update("CANCELLED"), seen())
        hints.forget("A-1")

        assert (hints.any_due, hints.is_behind(seen())) == (False, False)
        hints.forget("A-1")

    def test_of_before_the_connection_is_due(self):
        hints = Hints()
        assert not hints.may_ease([])
        hints.connect([seen()])

        assert (hints.any_due, hints.may_ease([seen()])) == (True, True)
        hints.lose()
        assert not hints.may_ease([])


class TestALook:
    @pytest.mark.parametrize(
        ("told", "has_ended", "is_trusted"),
        [
            (None, False, False),
            (("PART_TRADED", 4), False, False),
            (("PART_TRADED", 5), False, True),
            (("PART_TRADED", 6), False, True),
            (("PART_TRADED", 5), True, False),
            (("CANCELLED", 5), True, True),
        ],
    )
    def test_that_shows_what_no_update_said_is_the_end_of_trust_until_the_next_update(
        self, hints, told, has_ended, is_trusted
    ):
        if told is not None:
            hints.take(an_update(*told), seen())
        hints.note_seen(seen(5), has_ended=has_ended)
        assert hints.may_ease([]) is is_trusted

        hints.take(an_update("PART_TRADED", 5), seen(5))
        assert hints.may_ease([])
