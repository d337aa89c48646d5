"""What cannot be of an order is refused with both states named; what is late, repeated or out of order is not."""

from itertools import pairwise

import msgspec
import natya_builders as builders
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_order_facts import (
    INTENT,
    asked,
    fill,
    intended,
    modified,
    not_cancelled,
    the_order,
    unanswered,
    unchanged,
)

from natya.domain.orders import Order, advance
from natya.domain.transitions import IllegalTransitionError, illegal, step
from natya.messages.orders import OrderAccepted, OrderTriggered


def triggered():
    return OrderTriggered(client_order_id="A-1", occurred_ns=2)


def accepted(broker_order_id):
    return OrderAccepted(client_order_id="A-1", broker_order_id=broker_order_id, occurred_ns=2)


CANNOT_BE = {
    "another number at the broker": ("accepted", accepted("B-2"), "OrderAccepted", "ACCEPTED", "ACCEPTED"),
    "a rejection after a trade": ("accepted part", "rejected", "OrderRejected", "PART_FILLED", "REJECTED"),
    "a rejection after all": ("accepted full", "rejected", "OrderRejected", "FILLED", "REJECTED"),
    "a rejection of a cancelled one": ("accepted cancelled", "rejected", "OrderRejected", "CANCELLED", "REJECTED"),
    "a rejection of an expired one": ("accepted expired", "rejected", "OrderRejected", "EXPIRED", "REJECTED"),
    "a cancellation of nothing open": ("full", "cancelled", "OrderCancelled", "FILLED", "CANCELLED"),
    "an expiry of nothing open": ("full", "expired", "OrderExpired", "FILLED", "EXPIRED"),
    "a trigger of no stop": ("accepted", triggered(), "OrderTriggered", "ACCEPTED", "TRIGGERED"),
    "more than was ordered": ("part", fill(9, 7), "OrderFilled", "PART_FILLED", "FILLED"),
    "a change of what has ended": ("cancelled", intended(1, 20), "ModificationIntended", "CANCELLED", "MODIFYING"),
    "a second change in flight": ("change", intended(2, 30), "ModificationIntended", "INTENDED", "MODIFYING"),
    "a change out of the row": ("accepted", intended(2, 30), "ModificationIntended", "ACCEPTED", "MODIFYING"),
    "a change made beyond the next": ("accepted", modified(2, 20), "OrderModified", "ACCEPTED", "MODIFIED"),
    "one refused that nobody asked for": ("accepted", unchanged(1), "ModificationRefused", "ACCEPTED", "NOT MODIFIED"),
    "cancelling what has ended": ("cancelled", asked(1), "CancellationIntended", "CANCELLED", "CANCELLING"),
    "a second cancellation in flight": ("cancel", asked(2), "CancellationIntended", "INTENDED", "CANCELLING"),
    "a cancellation out of the row": ("accepted", asked(2), "CancellationIntended", "ACCEPTED", "CANCELLING"),
    "a doubt of none": ("accepted", unanswered(1), "CancellationUncertain", "ACCEPTED", "CANCELLING IN DOUBT"),
    "a refusal of none": ("accepted", not_cancelled(1), "CancellationRefused", "ACCEPTED", "NOT CANCELLED"),
}


class TestWhatCannotBe:
    @pytest.mark.parametrize("case", CANNOT_BE)
    def test_is_refused_with_both_states_and_the_fact_named(self, make, case):
        before, fact, name, was, would_be = CANNOT_BE[case]
        words = {"part": fill(1, 4), "full": fill(1, 10), "change": intended(1, 20), "cancel": asked(1)}
        order = the_order(*(words.get(word) or getattr(make, word)() for word in before.split()))
        fact = getattr(make, fact)() if isinstance(fact, str) else fact

        with pytest.raises(IllegalTransitionError, match="wanted, found") as refused:
            step(order, fact)
        transition = refused.value.transition
        assert (transition.fact, transition.before, transition.after) == (name, was, would_be)
        assert str(refused.value).startswith(f"{name} of A-1 from {was} to {would_be}: ")

    @pytest.mark.parametrize("fields", [{"symbol": "OTHER"}, {"side": "SELL"}], ids=str)
    def test_is_a_trade_of_something_else(self, make, fields):
        assert illegal(the_order(), make.filled(**fields)) is not None

    def test_is_nothing_that_is_said_again(self, make):
        facts = (make.accepted(), intended(1, 20), modified(1, 20), asked(1), unanswered(1), not_cancelled(1))
        order = the_order(*facts, fill(1, 4), make.cancelled())

        assert [fact for fact in (*facts, fill(1, 4), make.cancelled()) if illegal(order, fact) is not None] == []

    @pytest.mark.parametrize(
        ("order_type", "may"), [("STOP", True), ("STOP_LIMIT", True), ("LIMIT", False), ("MARKET", False)]
    )
    def test_is_a_trigger_of_what_is_no_stop(self, order_type, may):
        order = msgspec.structs.replace(the_order(), order_type=order_type)

        assert (illegal(order, triggered()) is None) is may

    @pytest.mark.parametrize("before", ["", "accepted", "uncertain", "expired", "rejected"])
    def test_is_no_rejection_of_what_the_broker_has_not_traded_or_ended(self, make, before):
        order = the_order(*(getattr(make, word)() for word in before.split()))

        assert illegal(order, make.rejected()) is None

    def test_is_no_trade_that_fills_it(self):
        assert step(the_order(fill(1, 4)), fill(2, 6)).state == "FILLED"

    @pytest.mark.parametrize(
        ("facts", "number", "may"),
        [((), 1, True), ((), 2, False), ((intended(1, 20),), 1, True), ((intended(1, 20),), 2, False)],
    )
    def test_is_a_change_beyond_the_next_that_somebody_else_can_have_made(self, facts, number, may):
        assert (illegal(the_order(*facts), modified(number, 20)) is None) is may

    def test_is_no_trade_that_comes_after_the_end(self, make):
        for ending in (make.cancelled(), make.expired(), make.rejected()):
            assert step(the_order(ending), fill(1, 4)).filled == 4


class Play:
    """An honest exchange and a book that hears of it over three ways, each as slow and as repetitive as it likes.

    The way of answers, of updates and of the order book: each fact of the exchange is put into one or several of them,
    and each is emptied in whatever sequence. What the book intends itself is in the journal before it is asked for.
    """

    def __init__(self, draw):
        self.draw = draw
        self.book = self.truth = Order.from_intent(INTENT)
        self.ways = [[], [], []]
        self.trades = 0

    def happens(self, fact):
        """Let it be so at the exchange."""
        self.truth = advance(self.truth, fact)
        for way in self.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4)):
            self.ways[way].append(fact)

    def hears(self, fact):
        self.book = step(self.book, fact)

    def intends(self, fact):
        self.hears(fact)
        self.truth = advance(self.truth, fact)

    def hear(self):
        if ways := [way for way in self.ways if way]:
            way = self.draw(st.sampled_from(ways))
            self.hears(way.pop(self.draw(st.integers(0, len(way) - 1))))

    def doubt(self):
        self.hears(builders.uncertain())

    def accept(self):
        if self.truth.is_open:
            self.happens(builders.accepted())

    def reject(self):
        if self.truth.is_open and not self.truth.broker_order_id and not self.truth.cancellations:
            self.happens(builders.rejected())

    def trade(self):
        if self.truth.is_open and self.truth.broker_order_id:
            self.trades += 1
            left = self.truth.quantity - self.truth.filled
            self.happens(fill(self.trades, self.draw(st.integers(1, left))))

    def expire(self):
        if self.truth.is_open and self.truth.broker_order_id:
            self.happens(builders.expired())

    def change(self):
        book = self.book
        if book.is_open and book.broker_order_id and book.pending is None:
            self.intends(intended(book.modifications + 1, self.draw(st.integers(book.filled + 1, 20))))

    def answer_change(self):
        truth = self.truth
        change = truth.pending
        if change is not None:
            made = truth.is_open and change.quantity > truth.filled and self.draw(st.booleans())
            self.happens(modified(change.number, change.quantity) if made else unchanged(change.number))

    def cancel(self):
        if self.book.is_open and self.book.cancelling is None:
            self.intends(asked(self.book.cancellations + 1))

    def doubt_cancellation(self):
        if self.book.cancelling is not None:
            self.hears(unanswered(self.book.cancelling.number))

    def answer_cancellation(self):
        truth = self.truth
        if truth.asked_to_cancel is None:
            return
        if truth.is_open and truth.broker_order_id and self.draw(st.booleans()):
            self.happens(builders.cancelled())
        else:
            self.happens(not_cancelled(truth.asked_to_cancel.number))

    def hear_all(self):
        while any(self.ways):
            self.hear()


STEPS = st.lists(
    st.sampled_from([
        *(Play.accept, Play.trade, Play.trade, Play.hear, Play.hear, Play.hear, Play.doubt, Play.reject, Play.expire),
        *(Play.change, Play.answer_change, Play.cancel, Play.answer_cancellation, Play.doubt_cancellation),
    ]),
    max_size=30,
)  # fmt: skip


class TestAnHonestExchange:
    @given(st.data())
    def test_is_never_refused_and_is_agreed_with_whatever_way_its_word_takes(self, data):
        play = Play(data.draw)
        before = [play.book]
        for act in data.draw(STEPS):
            act(play)
            before.append(play.book)
        play.hear_all()
        book, truth = play.book, play.truth

        assert all(earlier.filled <= later.filled for earlier, later in pairwise(before))
        assert (book.state, book.filled, book.quantity) == (truth.state, truth.filled, truth.quantity) or not (
            book.broker_order_id or truth.broker_order_id
        )
        assert (book.trade_ids, book.settled, book.cancellations_refused) == (
            truth.trade_ids,
            truth.settled,
            truth.cancellations_refused,
        )
        assert book.cancelling == truth.cancelling

    @given(st.data())
    def test_that_contradicts_itself_leaves_the_order_as_it_was(self, data):
        play = Play(data.draw)
        for act in data.draw(STEPS):
            act(play)
        lies = [accepted("B-9"), builders.rejected(), triggered(), fill(99, 21), modified(9, 3), not_cancelled(9)]
        told = [fact for fact in lies if illegal(play.book, fact) is not None]
        before = play.book
        for fact in told:
            with pytest.raises(IllegalTransitionError):
                step(play.book, fact)

        assert {type(fact).__name__ for fact in told} >= {"OrderTriggered", "OrderFilled", "OrderModified"}
        assert play.book is before
        assert {step(before, fact).filled for fact in lies if fact not in told} <= {before.filled}
