"""The counts of a day, and what was sent in the last seconds: each order counts once, for as long as it should."""

import pytest

from natya.actors.orders.book.day import Day, alike
from natya.domain.time import DAY_NS, SECOND_NS, day_of


@pytest.fixture
def day():
    return Day()


@pytest.fixture
def send(make, day):
    """Let so many alike pass the gate at a second."""

    def build(at_s, count=1, **fields):
        for number in range(count):
            day.intended(make.intent(f"S-{at_s}-{number}", occurred_ns=at_s * SECOND_NS, **fields))

    return build


class TestOrdersThatAreAlike:
    def test_count_once_however_often_it_is_asked(self, make, day, send):
        like = alike(make.order())
        send(1)
        assert [day.alike_since(0, like) for _ in range(3)] == [1, 1, 1]
        send(2)
        send(3, quantity=7)

        assert [day.alike_since(0, like) for _ in range(3)] == [2, 2, 2]
        assert day.alike_since(0, alike(make.order(quantity=7))) == 1

    def test_do_not_count_any_more_from_the_time_asked_for(self, make, day, send):
        like = alike(make.order())
        for second in (1, 2, 3):
            send(second)

        assert [day.alike_since(second * SECOND_NS, like) for second in (0, 1, 2, 3, 4)] == [3, 2, 1, 0, 0]

    def test_count_across_the_days_once(self, make, day, send):
        like = alike(make.order())
        send(1, count=3)
        assert day.alike_since(0, like) == 3
        for number in (1, 2):
            day.begin(number, {})
            assert (day.orders, day.alike_since(0, like)) == (0, 3 + number - 1)
            send(1 + number)
            assert (day.orders, day.alike_since(0, like)) == (1, 3 + number)

    def test_count_as_orders_sent_since_do(self, day, send):
        send(1, count=2)
        send(2, count=2)

        for since_s, count in ((0, 4), (1, 2), (2, 0)):
            since_ns = since_s * SECOND_NS
            assert day.sent_since(since_ns) == count
            assert [day.has_sent_since(since_ns, orders) for orders in (count, count + 1)] == [True, False]


def test_a_rejection_counts_after_the_time_asked_for_and_not_at_it(day):
    for second in (1, 2, 3):
        day.rejected(second * SECOND_NS)

    assert [day.rejected_since(second * SECOND_NS) for second in (0, 1, 3)] == [3, 2, 0]


def test_a_day_ends_when_the_next_begins_in_india(day):
    number = day_of(1_791_181_800 * SECOND_NS)
    day.begin(number, {})

    assert day_of(day.ends_ns - 1) == number
    assert day_of(day.ends_ns) == number + 1
    assert day.ends_ns - (number + 1) * DAY_NS == -19_800 * SECOND_NS
