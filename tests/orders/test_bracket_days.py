"""When the exchange takes the exits of brackets, and since when those of days before may be placed again."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from natya.actors.orders.parts.bracketing.days import Days
from natya.domain.time import IST, SECOND_NS


def at(day, hour, minute=0, second=0):
    """Of January 2026: the 9th is a Friday, the 26th a holiday."""
    return int(datetime(2026, 1, day, hour, minute, second, tzinfo=IST).timestamp()) * SECOND_NS


@pytest.fixture
def waits():
    """The seconds of the timers that were set."""
    return []


@pytest.fixture
def days(waits):
    def made(now_ns, *, session="NSE", compares=False, is_compared=False, market_rules=True):
        context = SimpleNamespace(
            now_ns=lambda: now_ns,
            settings=SimpleNamespace(session=session, is_compared=compares),
            is_compared=is_compared,
            market_rules=market_rules,
            after=lambda seconds, _message: waits.append(seconds) or SimpleNamespace(cancel=waits.clear),
        )
        return Days(context)

    return made


@pytest.mark.parametrize(
    ("now_ns", "session", "is_taken"),
    [
        (at(9, 9, 14, 59), "NSE", False),
        (at(9, 9, 15), "NSE", True),
        (at(9, 15, 30), "NSE", False),
        (at(9, 20), "MCX", True),
        (at(10, 12), "NSE", False),
        (at(26, 12), "NSE", False),
        (at(10, 12), "none", True),
    ],
    ids=["before it opens", "when it opens", "when it closes", "MCX in the evening", "Saturday", "holiday", "none"],
)
def test_orders_are_taken_in_a_session(days, now_ns, session, is_taken):
    assert days(now_ns, session=session).takes_orders("GOLD" if session == "MCX" else "INFY") is is_taken


@pytest.mark.parametrize(
    ("now_ns", "compares", "is_compared", "has_begun"),
    [
        (at(9, 9, 14, 59), False, False, False),
        (at(9, 9, 15, 4), False, False, False),
        (at(9, 9, 15, 4), True, True, False),
        (at(9, 9, 15, 5), False, False, True),
        (at(9, 9, 15, 5), True, True, True),
        (at(9, 9, 15, 5), True, False, False),
        (at(9, 9, 15, 59), True, False, False),
        (at(9, 9, 16), True, False, True),
        (at(9, 15, 30), True, True, False),
        (at(10, 12), True, True, False),
    ],
)
def test_a_day_begins_with_its_session_and_a_look_at_the_brokers_positions(
    days, now_ns, compares, is_compared, has_begun
):
    began_ns = days(now_ns, compares=compares, is_compared=is_compared).began_ns("INFY")

    assert began_ns == (at(9, 0) if has_begun else 0)


@pytest.mark.parametrize(
    ("now_ns", "until_ns"),
    [
        (at(9, 8), at(9, 9, 15, 5)),
        (at(9, 9, 15, 2), at(9, 9, 15, 3)),
        (at(9, 9, 15, 5), at(12, 9, 15, 5)),
        (at(9, 15, 30), at(12, 9, 15, 5)),
        (at(10, 12), at(12, 9, 15, 5)),
        (at(26, 12), at(27, 9, 15, 5)),
    ],
    ids=["before it opens", "when it opens", "once it has begun", "when it closes", "Saturday", "holiday"],
)
def test_exits_wait_until_the_next_day_has_begun_with_one_timer(days, waits, now_ns, until_ns):
    waiting = days(now_ns)
    for _ in range(2):
        waiting.wait("INFY")
    assert waits == [(until_ns - now_ns) / SECOND_NS]
    waiting.looked()

    assert waits == []


def test_a_machine_that_may_sleep_over_it_is_asked_each_minute(days, waits):
    days(at(10, 12), market_rules=False).wait("INFY")

    assert waits == [60.0]
