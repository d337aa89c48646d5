"""What the broker tells of the account's funds, in the actor that trades."""

import pytest
from natya_builders import a_tick
from natya_orders_stage import Release

from natya.messages.orders import OrderIntended, OrderRefused
from natya.messages.risk import FundsTold, ReadRisk

LIMITS = {"margin_use_max_percent": 100.0, "margin_percent": 20.0, "position_max": 10_000, "quantity_max": 1_000}


@pytest.fixture
def trading(stage):
    """INFY at 100 rupees; a share needs 20 of them."""
    stage.open(**LIMITS, value_max_rupees=1e9)
    now_ns = stage.system.base.clock.now_ns()
    stage.tell(a_tick(price=100.0, exchange_ns=now_ns))
    stage.settle()
    return stage


def tell(stage, rupees, *, ahead_ns=1):
    now_ns = stage.system.base.clock.now_ns()
    stage.tell(FundsTold(available_rupees=rupees, as_of_ns=now_ns + ahead_ns))
    stage.settle()


def ordered(stage, order):
    stage.submit(order)
    stage.settle()
    return stage.disk.kinds(order.client_order_id)


def test_nothing_opens_before_they_are_told_and_as_much_as_they_are_for_afterwards(trading, make):
    assert ordered(trading, make.order("A-1", quantity=1)) == [OrderRefused]
    tell(trading, 1_000.0)

    assert ordered(trading, make.order("A-2", quantity=50)) == [OrderIntended]
    assert ordered(trading, make.order("A-3", quantity=1)) == [OrderRefused]


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_what_was_ordered_before_they_were_asked_for_is_in_them_and_nothing_after(trading, make, side):
    tell(trading, 1_000.0)
    assert ordered(trading, make.order("A-1", side, quantity=50)) == [OrderIntended]
    tell(trading, 200.0)  # the broker has taken it off
    assert ordered(trading, make.order("A-2", side, quantity=10)) == [OrderIntended]
    tell(trading, 200.0, ahead_ns=-10 * 10**9)  # of which both were ordered after: whether they are in it nobody knows

    assert ordered(trading, make.order("A-3", side, quantity=1)) == [OrderRefused]


@pytest.mark.parametrize(("ahead_ns", "kinds"), [(1, [OrderIntended]), (-10 * 10**9, [OrderIntended])])
def test_what_is_on_its_way_to_the_journal_when_they_are_told_is_not_in_them(trading, make, ahead_ns, kinds):
    tell(trading, 1_000.0)
    trading.disk.mode = "hold"
    trading.submit(make.order("A-1", quantity=30))
    trading.settle()
    tell(trading, 1_000.0, ahead_ns=ahead_ns)
    trading.disk.mode = "write"
    trading.system.tell("journal", Release())
    trading.settle()

    assert ordered(trading, make.order("A-2", quantity=20)) == kinds
    assert ordered(trading, make.order("A-3", quantity=1)) == [OrderRefused]


def test_are_handed_over_to_the_next_life(trading):
    tell(trading, 1_000.0)
    actor = trading.system.base.find("orders").instance
    told = actor._context.funds
    state = actor.snapshot()
    actor._context.funds = None
    actor.restore(state)

    assert actor._context.funds == told != None  # noqa: E711


def test_are_told_with_what_is_needed_of_them_to_who_asks(trading, make):
    tell(trading, 1_000.0)
    ordered(trading, make.order("A-1", quantity=5))
    told = trading.system.request("orders", ReadRisk())
    (figure,) = [each for each in told.figures if each.limit_name == "margin_use_max_percent"]

    assert (figure.limit, figure.found) == (100.0, 10.0)
    assert figure.formed.startswith("100.00 of 1,000.00 at the broker ")
