"""A market's time in another process: its timers and questions are among those of the parent's market."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime.clock import SystemClock
from natya.actors.runtime.market_clock import OURS, MarketClock
from natya.actors.runtime.quiet import Question, Quiescence
from natya.actors.runtime.workers import dues as dues_module
from natya.actors.runtime.workers.dues import Dues
from natya.actors.runtime.workers.far_market import FarMarket, FarQuiescence
from natya.actors.runtime.workers.link import LinkError
from natya.actors.runtime.workers.wire import Answered, Arm, Asks, Disarm

OPENING_NS = 1_700_000_000_000_000_000


class Joined:
    """Both ends, without a process between them."""

    def __init__(self):
        self.market = MarketClock(SystemClock(), OPENING_NS)
        self.quiet = Quiescence(self.market)
        services = SimpleNamespace(market=self.market, quiet=self.quiet)
        self.cell = SimpleNamespace(services=services, in_market_time=True, market_phase=OURS, dead=False, life=0)
        self.said = []
        self.dues = Dues(self.cell, self.say)
        self.far = FarMarket(SystemClock(), OPENING_NS, self.tell)
        self.far_quiet = FarQuiescence(self.far, lambda: None)

    def tell(self, parcel):
        (self.dues.keep if isinstance(parcel, (Arm, Disarm)) else self.dues.hear)(parcel)

    def say(self, number):
        self.said.append(number)
        self.far.go_to(self.market.time_ns)
        self.far.pass_on(number)


TIMERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=12)
"""Of each timer: how late it is, how many further ones it sets when it fires, and whether it cancels the one before."""


def fired(market, set_by, timers):
    """Return what fires in a market, and when, where timers are set by one clock."""
    seen, left, before = [], list(timers), []

    def put(count):
        for _ in range(min(count, len(left))):
            delay_ns, more, cancels = left.pop(0)
            number = len(timers) - len(left)
            if cancels and before:
                before.pop().cancel()
            before.append(set_by.after(delay_ns, lambda number=number, more=more: ring(number, more)))

    def ring(number, more):
        seen.append((number, set_by.now_ns()))
        put(more)

    put(5)
    while market.next_due_ns() is not None:
        market.fire_next()
    return seen


@given(TIMERS)
def test_timers_of_another_process_fire_as_those_of_the_market_itself(timers):
    here, joined = MarketClock(SystemClock(), OPENING_NS), Joined()

    assert fired(joined.market, joined.far, timers) == fired(here, here, timers)


def test_a_cancelled_timer_is_not_said_and_the_market_does_not_stop_for_it():
    joined = Joined()
    timer = joined.far.after(5, pytest.fail)
    timer.cancel()
    timer.cancel()

    assert not timer.waiting
    assert joined.market.next_due_ns() is None


def test_what_is_said_after_a_cancellation_does_nothing():
    joined = Joined()
    joined.far.after(5, pytest.fail).cancel()

    joined.far.pass_on(1)


def test_timers_of_a_process_that_has_ended_are_gone():
    joined = Joined()
    for delay_ns in (3, 5):
        joined.far.after(delay_ns, pytest.fail)
    joined.dues.cancel_timers()

    assert joined.market.next_due_ns() is None


def test_an_outcome_is_handled_when_the_market_says_so():
    joined, handled = Joined(), []
    question = joined.far_quiet.question_begun(joined.cell)
    assert not joined.quiet.holds(0)

    joined.far_quiet.question_ended(question, lambda: handled.append(1))
    assert handled == []
    (waiting,) = joined.quiet._questions
    waiting.deliver()

    assert handled == [1]


def test_an_outcome_that_nobody_holds_the_market_for_is_handled_at_once():
    joined, handled = Joined(), []
    joined.cell.in_market_time = False
    question = joined.far_quiet.question_begun(joined.cell)
    joined.far_quiet.question_ended(question, lambda: handled.append(1))

    assert handled == [1]
    assert joined.quiet.holds(0)


def test_the_question_of_a_life_that_is_over_holds_nothing():
    joined = Joined()
    joined.far_quiet.question_begun(joined.cell)
    joined.cell.life += 1

    (question,) = joined.quiet._questions
    assert isinstance(question, Question)
    assert question.is_void


@pytest.mark.parametrize(
    ("rules", "parcels", "complaint"),
    [
        (False, (Arm(1, OPENING_NS),), "a new timer of a simulated market wanted, found number 1"),
        (True, (Arm(1, 5), Arm(1, 6)), "a new timer of a simulated market wanted, found number 1"),
        (True, (Arm(1, 5), Arm(2, 5), Arm(3, 5)), "at most 2 pending timers wanted"),
    ],
)
def test_what_no_process_of_ours_asks_for_is_refused(monkeypatch, rules, parcels, complaint):
    monkeypatch.setattr(dues_module, "TIMERS_MAX", 2)
    joined = Joined()
    joined.market.rules = rules

    *taken, refused = parcels
    for parcel in taken:
        joined.dues.keep(parcel)

    with pytest.raises(LinkError, match=complaint):
        joined.dues.keep(refused)


def test_an_unknown_number_is_no_harm():
    joined = Joined()
    joined.dues.keep(Disarm(9))
    joined.dues.hear(Answered(9))
    joined.dues.hear(Asks(9))

    assert joined.said == [9]
