"""What is asked about the orders of a strategy that was parked, when, and what is told of the answer."""

import pytest

from natya.actors.runtime import RuntimeActor
from natya.actors.runtime.offload import Outcome
from natya.actors.supervision import ChildSpec
from natya.actors.supervision.parking import ParkedOrders
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.order_listing import CancelOrders, OrdersCancelling
from natya.messages.supervision import Unavailable

CANCEL = CancelOrders(everything=True, strategy="bad", person="system")
READ = ReadHoldings(strategy="bad")
DOWN = Unavailable(actor="orders", reason="breaker open", retry_after_s=5.0)


class Supervisor:
    """Notes what is asked, what is told and what is put off."""

    name = "system"

    def __init__(self):
        self.asked, self.told, self.later = [], [], []

    def ask(self, target, message, *, timeout_s, then):
        self.asked.append((target, message, timeout_s))
        self.then = then

    def call_after(self, seconds, act):
        self.later.append(seconds)
        self.act = act

    def log(self, event, *, level="info", **fields):
        self.told.append((event, level, fields))


@pytest.fixture
def supervisor():
    return Supervisor()


def a_strategy(**changes):
    return ChildSpec("bad", RuntimeActor, **changes)


class TestAParkedStrategy:
    def test_is_asked_about_and_its_orders_stay_unless_its_spec_says_else(self, supervisor):
        ParkedOrders(supervisor, orders="book").parked(a_strategy())
        assert supervisor.asked == [("book", READ, 10.0)]
        supervisor.asked.clear()
        ParkedOrders(supervisor, orders="book").parked(a_strategy(cancels_orders=True))

        assert supervisor.asked == [("book", CANCEL, 10.0), ("book", READ, 10.0)]

    def test_of_a_system_without_orders_is_not_asked_about(self, supervisor):
        ParkedOrders(supervisor, orders="").parked(a_strategy(cancels_orders=True))

        assert supervisor.asked == []

    @pytest.mark.parametrize(
        ("outcome", "told"),
        [
            (
                Outcome(value=HoldingsRead(strategy="bad", shares={"INFY": -3}, filled={"b-2": 0, "b-1": 1})),
                ("child.left_open", {"child": "bad", "orders": ["b-1", "b-2"], "shares": {"INFY": -3}}),
            ),
            (Outcome(value=DOWN), ("child.left_unknown", {"child": "bad", "reason": str(DOWN)})),
            (Outcome(error=TimeoutError("late")), ("child.left_unknown", {"child": "bad", "reason": "late"})),
        ],
    )
    def test_has_told_what_it_left_or_that_it_is_not_known(self, supervisor, outcome, told):
        ParkedOrders(supervisor, orders="book").parked(a_strategy())
        supervisor.then(outcome)

        assert supervisor.told == [(told[0], "warning", told[1])]
        assert supervisor.later == []


class TestItsOpenOrders:
    OPEN = OrdersCancelling(client_order_ids=("b-1",))
    NONE = OrdersCancelling(client_order_ids=())

    @pytest.fixture
    def rounds(self, supervisor):
        """Cancel them with these answers, one after another; returns the seconds waited after each."""

        def rounds(*answers):
            ParkedOrders(supervisor, orders="book").cancel("bad")
            for number, answer in enumerate(answers):
                if number:
                    supervisor.act()
                supervisor.then(Outcome(error=answer) if isinstance(answer, Exception) else Outcome(value=answer))
            assert supervisor.asked == [("book", CANCEL, 10.0)] * len(answers)
            return supervisor.later

        return rounds

    def test_are_looked_for_until_none_was_open_at_the_last_of_four_looks(self, supervisor, rounds):
        assert rounds(*[self.NONE] * 5) == [2, 4, 8, 16]
        assert supervisor.told == []

    @pytest.mark.parametrize("answer", [OPEN, NONE, DOWN])
    @pytest.mark.parametrize("when", ["while it is asked", "between two looks"])
    def test_are_its_own_again_when_it_begins_again(self, supervisor, answer, when):
        orders = ParkedOrders(supervisor, orders="book")
        orders.cancel("bad")
        if when == "while it is asked":
            orders.begins("bad")
            supervisor.then(Outcome(value=answer))
        else:
            supervisor.then(Outcome(value=answer))
            orders.begins("bad")
        supervisor.act()
        assert supervisor.asked == [("book", CANCEL, 10.0)]

        orders.cancel("bad")
        supervisor.act()  # of the rounds before: others are under way
        assert supervisor.asked == [("book", CANCEL, 10.0)] * 2

    def test_of_another_are_not_when_one_begins_again(self, supervisor):
        orders = ParkedOrders(supervisor, orders="book")
        orders.cancel("bad")
        orders.begins("good")
        supervisor.then(Outcome(value=self.NONE))
        supervisor.act()

        assert supervisor.asked == [("book", CANCEL, 10.0)] * 2

    def test_are_cancelled_as_long_as_there_are_any(self, supervisor, rounds):
        assert rounds(*[self.OPEN] * 6, self.NONE) == [2, 4, 8, 16, 16, 16]
        assert supervisor.told == [("child.orders_cancelled", "warning", {"child": "bad", "orders": ("b-1",)})] * 6

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (OrdersCancelling(client_order_ids=("b-1",), problem="ask again"), None),
            (DOWN, str(DOWN)),
            (TimeoutError("late"), "late"),
        ],
    )
    def test_are_asked_for_again_where_nobody_answered(self, supervisor, rounds, answer, reason):
        assert rounds(*[answer] * 6, self.NONE) == [2, 4, 8, 16, 16, 16]
        fields = {"child": "bad", "reason": reason or str(answer)}
        assert supervisor.told == [("child.orders_not_cancelled", "warning", fields)] * 6
