"""What the broker has squared off: only what nothing else can be."""

from datetime import datetime

import pytest

from natya.domain.squared_off import squared_off
from natya.domain.time import IST
from natya.messages.reconciliation import OrderAtBroker, PositionMismatch, SquaredOff

SYMBOL = "TATASTEEL"


def at(hour, minute, day=25):
    return int(datetime(2026, 11, day, hour, minute, tzinfo=IST).timestamp()) * 10**9


def differs(ours=10, theirs=0, product="", symbol=SYMBOL, **fields):
    return PositionMismatch(
        symbol=symbol, ours=ours, theirs=theirs, product=product, is_ours=True, since_ns=1, occurred_ns=1, **fields
    )


def an_order(number=1, side="SELL", filled=10, average_price=99.5, symbol=SYMBOL):
    return OrderAtBroker(
        broker_order_id=str(number),
        client_order_id="",
        symbol=symbol,
        instrument=symbol,
        side=side,
        quantity=filled or 10,
        filled=filled,
        is_open=False,
        status="TRADED",
        average_price=average_price,
    )


GONE = differs(others=-10), differs(product="INTRADAY")


ITS_ORDER = an_order()
TWENTY_PAST_THREE = at(15, 20)


def found(differing=GONE, by_others=(ITS_ORDER,), now_ns=TWENTY_PAST_THREE):
    return squared_off(differing, by_others, now_ns)


def test_a_position_that_the_brokers_orders_have_closed_at_the_end_of_the_day_is_squared_off_at_their_price():
    assert found() == (SquaredOff(symbol=SYMBOL, shares=10, price=99.5),)


def test_a_position_beside_one_that_may_be_something_else_is_squared_off():
    other = differs(symbol="INFY", others=-10), differs(symbol="INFY", product="INTRADAY")

    assert [each.symbol for each in found((*other, *GONE), (an_order(9, "BUY", symbol="INFY"), ITS_ORDER))] == [SYMBOL]


def test_a_short_position_is_bought_back():
    short = differs(-10, 0, others=10), differs(-10, 0, "INTRADAY")

    assert found(short, (an_order(side="BUY"),)) == (SquaredOff(symbol=SYMBOL, shares=-10, price=99.5),)


def test_what_is_held_in_another_product_beside_it_stays():
    beside = differs(15, 5, others=-10), differs(product="INTRADAY")

    assert [each.shares for each in found(beside)] == [10]


def test_several_orders_have_closed_it_at_their_average_price():
    parts = an_order(1, filled=4, average_price=99.0), an_order(2, filled=6, average_price=100.0), an_order(3, filled=0)

    assert found(by_others=parts) == (SquaredOff(symbol=SYMBOL, shares=10, price=99.6),)


@pytest.mark.parametrize("other", [an_order(9, symbol="INFY"), an_order(9, "BUY", filled=0, average_price=0.0)])
def test_orders_in_other_symbols_and_such_that_have_not_traded_are_none_of_it(other):
    assert len(found(by_others=(an_order(), other))) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"now_ns": at(15, 19)},
        {"now_ns": at(15, 30, day=28)},
        {"differing": (differs(others=-10),)},
        {"differing": (differs(product="INTRADAY"),)},
        {"differing": (differs(others=-10), differs(product="CNC"))},
        {"differing": (differs(10, 4, others=-6), differs(10, 4, "INTRADAY")), "by_others": (an_order(filled=6),)},
        {"differing": (differs(others=0), differs(product="INTRADAY"))},
        {"differing": (differs(others=-4), differs(product="INTRADAY")), "by_others": (an_order(filled=4),)},
        {"differing": (differs(15, 0, others=-15), differs(10, 0, "INTRADAY")), "by_others": (an_order(filled=15),)},
        {"by_others": ()},
        {"by_others": (an_order(filled=9),)},
        {"by_others": (an_order(average_price=0.0),)},
        {"by_others": (an_order(filled=12), an_order(2, "BUY", filled=2))},
        {"by_others": (an_order(filled=6), an_order(2, "BUY", filled=4))},
        {"by_others": (an_order(filled=6), an_order(2, filled=4, average_price=0.0))},
        {"differing": (differs(others=-10), differs(10, 3, "INTRADAY"))},
    ],
    ids=[
        "before the time",
        "on a Saturday",
        "products are not told",
        "all together agree",
        "of another product",
        "some are left there",
        "no order explains it",
        "orders explain less",
        "shares of another product are gone, too",
        "the order is not listed",
        "orders have traded less",
        "the price is not told",
        "somebody has traded both ways",
        "and as much together",
        "the price of one is not told",
        "some of the product are left, which another makes up for",
    ],
)
def test_what_may_be_something_else_is_not(given):
    assert found(**given) == ()
