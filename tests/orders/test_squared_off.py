"""Positions that the broker has squared off at the end of the day are closed in the book, once, and nothing is sent."""

import pytest
from natya_orders_stage import Release

from natya.actors.orders.parts.squared_off import squared_off_id
from natya.domain.booked import SQUARED_OFF
from natya.domain.client_order_ids import is_client_order_id, is_own
from natya.messages.broker import PlaceOrder
from natya.messages.orders import OrderFilled, OrderIntended
from natya.messages.reconciliation import PositionsDiffer, SquaredOff


def told(shares=10, price=99.5, symbol="INFY"):
    return PositionsDiffer(positions=(), squared_off=(SquaredOff(symbol=symbol, shares=shares, price=price),))


def taken_over(stage):
    stage.settle()
    fills = [fact for fact in stage.disk.facts if isinstance(fact, OrderFilled) and fact.trade_id == SQUARED_OFF]
    return [(each.strategy, each.side, each.quantity, each.price) for each in fills]


def holding(make, quantity=10, name="H-1", *, product="INTRADAY", **of):
    terms = {"side": "BUY", "quantity": quantity, "strategy": "crossover"} | of
    return (
        make.intent(name, product=product, **terms),
        make.accepted(name, f"B-{name}"),
        make.filled(name, **terms),
    )


@pytest.fixture
def held(stage, make):
    return stage.open(*holding(make))


def shares_of(stage):
    stage.settle()
    return {each.symbol: each.quantity for each in stage.statistics.positions}


def test_what_a_strategy_holds_is_closed_at_the_brokers_price_and_nothing_leaves(held):
    held.tell(told())

    assert taken_over(held) == [("crossover", "SELL", 10, 99.5)]
    assert shares_of(held) == {"INFY": 0}
    assert (held.statistics.open_orders, PlaceOrder in held.heard()) == (0, False)
    (intent,) = [fact for fact in held.disk.facts if isinstance(fact, OrderIntended)][1:]
    assert (intent.order_type, intent.product, intent.quantity) == ("MARKET", "INTRADAY", 10)


def test_it_is_closed_once_also_where_it_is_told_again_before_that_is_durable_and_afterwards(held):
    held.disk.mode = "hold"
    for _ in range(2):
        held.tell(told())
    held.settle()
    held.disk.mode = "write"
    held.system.tell("journal", Release())
    held.settle()
    held.tell(told())

    assert taken_over(held) == [("crossover", "SELL", 10, 99.5)]
    assert shares_of(held) == {"INFY": 0}


def test_it_is_closed_once_a_day_whatever_is_held_again_of_it(held, make):
    held.tell(told())
    held.settle()
    held.place(make.order("H-2", product="INTRADAY"), "B-H-2")
    held.tell(make.report(client_order_id="H-2", quantity=10, broker_order_id="B-H-2"))
    held.settle()
    written = len(held.disk.facts)
    held.tell(told())

    assert taken_over(held) == [("crossover", "SELL", 10, 99.5)]
    assert len(held.disk.facts) == written


def test_each_strategy_has_its_part(stage, make):
    short = holding(make, 4, "H-2", side="SELL", strategy="other")
    stage.open(*holding(make), *short, *holding(make, 7, "H-3", product="CNC"))
    stage.tell(told(6))

    assert sorted(taken_over(stage)) == [("crossover", "SELL", 10, 99.5), ("other", "BUY", 4, 99.5)]
    assert shares_of(stage) == {"INFY": 7}, "what is held as CNC stays"


@pytest.mark.parametrize("wrong", [told(9), told(-10), told(symbol="TCS")])
def test_nothing_is_closed_where_something_else_is_held_than_was_compared(held, wrong):
    held.tell(wrong)

    assert taken_over(held) == []


def test_one_that_the_journal_refuses_is_taken_over_when_it_is_told_again_and_looked_up_by_nobody(held):
    held.disk.mode = "refuse"
    held.tell(told())
    held.settle()
    held.disk.mode = "write"
    assert (taken_over(held), held.heard()) == ([], [])
    held.tell(told())

    assert taken_over(held) == [("crossover", "SELL", 10, 99.5)]


def test_the_exits_of_a_bracket_are_cancelled_with_it(stage, make):
    entry = make.intent(product="INTRADAY", target_price=110.0, stop_loss_price=90.0)
    stop = make.intent("A-1S", side="SELL", order_type="STOP", trigger_price=90.0, product="INTRADAY")
    stage.open(entry, make.accepted(), make.filled(), stop, make.accepted("A-1S", "B-2"), make.cancelled("A-1S"))
    stage.settle()
    assert any("their stop is gone" in each for each in stage.statistics.unprotected)
    stage.tell(told())
    stage.settle()

    assert shares_of(stage) == {"INFY": 0}
    assert stage.statistics.unprotected == ()


@pytest.mark.parametrize("strategy", ["crossover", "a strategy of a long name"])
def test_the_id_is_one_of_the_strategys_own_and_another_for_each_symbol_and_day(strategy):
    day_ns = 86_400 * 10**9
    ids = [squared_off_id(strategy, symbol, day * day_ns) for symbol in ("INFY", "TCS") for day in (20_000, 20_001)]

    assert len(set(ids)) == 4
    assert all(is_client_order_id(each) and is_own(strategy, each) for each in ids)
