"""What is remembered of orders that were posted, when there were many."""

import pytest

from natya.actors.broker.adapters.once import Once
from natya.domain.time import DAY_NS


@pytest.fixture
def once():
    """Remembers two orders; of A-1 and A-2, posted at 0 and 1, the first has a result."""
    once = Once(orders_max=2)
    for monotonic_ns, client_order_id in enumerate(("A-1", "A-2")):
        once.begin(client_order_id, "content", now_ns=1, monotonic_ns=monotonic_ns)
    once.find("A-1").future.set_result("placed")
    return once


def test_one_more_takes_the_place_of_one_with_a_result_of_the_day_before(once):
    _, is_first = once.begin("A-3", "content", now_ns=1, monotonic_ns=DAY_NS)

    assert is_first
    assert [once.find(each) is None for each in ("A-1", "A-2", "A-3")] == [True, False, False]


@pytest.mark.parametrize(("at_ns", "is_settled"), [(DAY_NS - 1, True), (DAY_NS + 1, False)])
def test_one_more_is_refused_where_all_are_of_this_day_or_without_a_result(once, at_ns, is_settled):
    if not is_settled:
        once.forget("A-1")
        once.begin("A-1", "content", now_ns=1, monotonic_ns=0)

    assert once.begin("A-3", "content", now_ns=1, monotonic_ns=at_ns) == (
        "at most 2 orders of one adapter in a day wanted, found one more"
    )
