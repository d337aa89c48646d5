"""Shares that the broker has no more are closed in the book by a person's word, and nothing is sent."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_orders_stage import Release

from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.parts.awaiting import Awaiting
from natya.actors.orders.parts.settling_positions import SettlingPositions, settled_id
from natya.domain.client_order_ids import is_client_order_id, is_own
from natya.domain.closing import as_told
from natya.domain.gone_positions import Gone
from natya.domain.time import SECOND_NS
from natya.messages.broker import PlaceOrder
from natya.messages.order_listing import PositionSettled, SettlePosition, SettleRefused
from natya.messages.orders import OrderFilled
from natya.messages.reconciliation import PositionMismatch, PositionsDiffer


def differs(ours=14, theirs=0):
    return PositionMismatch(symbol="INFY", ours=ours, theirs=theirs, is_ours=True, since_ns=1, occurred_ns=2)


def holding(make, quantity, name, strategy):
    terms = {"side": "BUY", "quantity": quantity, "strategy": strategy}
    return (
        make.intent(name, product="INTRADAY", **terms),
        make.accepted(name, f"B-{name}"),
        make.filled(name, **terms),
    )


@pytest.fixture
def held(stage, make):
    """Ten shares of one strategy, four of another, and none at the broker since a day on which nobody looked."""
    stage.open(*holding(make, 10, "H-1", "crossover"), *holding(make, 4, "H-2", "dip"))
    stage.tell(PositionsDiffer(positions=(differs(),)))
    stage.settle()
    return stage


def word(**fields):
    return SettlePosition(**{"symbol": "INFY", "shares": 0, "price": 99.5, "reason": "seen", "person": "asha"} | fields)


def said(stage, **fields):
    stage.settle()
    return stage.system.request("orders", word(**fields))


def trades(stage):
    stage.settle()
    fills = [each for each in stage.disk.facts if isinstance(each, OrderFilled) and each.client_order_id[0] != "H"]
    return [(each.strategy, each.side, each.quantity, each.price, each.trade_id) for each in fills]


def test_each_strategys_part_is_closed_at_the_price_that_was_told_and_nothing_leaves(held):
    answer = said(held)

    told_by = "position settled by asha"
    assert trades(held) == [("crossover", "SELL", 10, 99.5, told_by), ("dip", "SELL", 4, 99.5, told_by)]
    assert isinstance(answer, PositionSettled)
    assert [each.split("-")[0] for each in answer.client_order_ids] == ["crossover", "dip"]
    assert {each.symbol: each.quantity for each in held.statistics.positions} == {"INFY": 0}
    assert (held.statistics.open_orders, PlaceOrder in held.heard()) == (0, False)


def test_it_is_answered_when_all_of_it_is_durable(held):
    held.disk.mode = "hold"
    asked = held.system.request_future("orders", word())
    held.settle()
    assert not asked.done()
    again = said(held)
    held.disk.mode = "write"
    held.system.tell("journal", Release())
    held.settle()

    assert again == SettleRefused(reason="INFY is being settled: ask again")
    assert isinstance(asked.result(30), PositionSettled)
    assert len(trades(held)) == 2


@pytest.mark.parametrize("used", [["crossover"], ["dip"], ["crossover", "dip"], []])
def test_it_is_refused_where_an_id_of_the_same_second_is_used(make, used):
    now_ns, told, written = 7 * SECOND_NS, [], []
    ledger = Ledger("x")
    ids = [settled_id(Gone(strategy, "INTRADAY", 1), "INFY", now_ns) for strategy in used]
    before = [fact for name in ids for fact in (make.intent(name), make.cancelled(name))]
    for fact in (*holding(make, 10, "H-1", "crossover"), *holding(make, 4, "H-2", "dip"), *before):
        ledger.book.apply(fact)
    context = SimpleNamespace(
        now_ns=lambda: now_ns,
        ledger=ledger,
        theirs=as_told((differs(),)),
        settings=make.limits(),
        puts_off=lambda _asker: False,
        send=lambda _to, answer: told.append(answer),
        log=lambda *_, **__: None,
        write=written.append,
    )
    SettlingPositions(context, Awaiting(context)).settle(word(), None)

    assert len(written) == (0 if used else 2)
    assert told == [SettleRefused(reason="one settlement a second wanted, found another: ask again")] * bool(used)


def test_it_is_refused_where_the_journal_does_not_take_it(held):
    held.disk.mode = "refuse"
    answer = said(held)
    held.settle()
    held.disk.mode = "write"

    assert isinstance(answer, SettleRefused)
    assert answer.reason.startswith("the journal did not take it: ")
    assert trades(held) == []
    assert {each.symbol: each.quantity for each in held.statistics.positions} == {"INFY": 14}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": " "}, "a reason wanted, found none"),
        ({"shares": 3}, "0 shares, as the broker has, wanted, found 3"),
        ({"symbol": "TCS"}, "a position that differs from the broker's wanted, found none of TCS"),
    ],
)
def test_a_word_that_cannot_be_meant_changes_nothing(held, fields, why):
    assert said(held, **fields) == SettleRefused(reason=why)
    assert trades(held) == []


@pytest.mark.parametrize("mode", ["write", "hold"], ids=["that is placed", "that is on its way to the journal"])
def test_it_waits_for_what_is_open_in_the_symbol(held, make, mode):
    held.disk.mode = mode
    held.submit(make.order("A-1", symbol="INFY", quantity=1))
    held.settle()

    assert said(held) == SettleRefused(reason="no open order in INFY wanted, found some: cancel them first")


def test_what_was_traded_since_the_comparison_is_counted_on_both_sides(stage, make):
    stage.open(*holding(make, 10, "H-1", "crossover"), *holding(make, 4, "H-2", "dip"))
    stage.tell(PositionsDiffer(positions=(differs(ours=12, theirs=2),)))

    assert isinstance(said(stage, shares=4), PositionSettled)
    assert trades(stage) == [("crossover", "SELL", 10, 99.5, "position settled by asha")]


def test_its_ids_are_short_enough_for_every_broker_and_ours():
    name = settled_id(Gone("a strategy of a very long name", "INTRADAY", 5), "NIFTY 29 JAN 26000 CALL", 2**62)

    assert is_client_order_id(name)
    assert is_own("a strategy of a very long name", name)


def test_a_bracket_whose_exits_are_cancelled_is_over_by_it(stage, make):
    prices = {"target_price": 110.0, "stop_loss_price": 95.0}
    exits = [
        fact
        for name in ("A-1S", "A-1T")
        for fact in (
            make.intent(name, side="SELL"),
            make.accepted(name, f"B-{name}"),
            make.cancelled(name),
        )
    ]
    stage.open(make.intent(**prices), make.accepted(), make.filled(), *exits)
    stage.tell(PositionsDiffer(positions=(differs(ours=10),)))
    assert PlaceOrder not in stage.heard()
    assert len(stage.statistics.unprotected) == 1

    assert isinstance(said(stage), PositionSettled)

    assert trades(stage)[1:] == [("crossover", "SELL", 10, 99.5, "position settled by asha")]
    assert (stage.statistics.unprotected, PlaceOrder in stage.heard()) == ((), False)


@pytest.mark.parametrize(("symbol", "is_taken"), [("INFY", False), ("NIFTY-28Dec2099-26000-CE", True)])
def test_only_a_contract_went_for_nothing(stage, make, symbol, is_taken):
    terms = {"side": "BUY", "quantity": 10, "strategy": "crossover", "symbol": symbol}
    stage.open(make.intent("H-1", **terms), make.accepted("H-1", "B-1"), make.filled("H-1", **terms))
    stage.tell(PositionsDiffer(positions=(replace(differs(10), symbol=symbol),)))
    answer = said(stage, symbol=symbol, price=0.0)

    assert isinstance(answer, PositionSettled) is is_taken
    assert trades(stage) == [("crossover", "SELL", 10, 0.0, "position settled by asha")] * is_taken
    assert is_taken or answer.reason == "a price above 0 wanted, found 0: only a contract expires worthless"


@pytest.mark.parametrize(
    ("shares", "expected"),
    [(0, None), (75, "0 shares of {symbol}, which has expired, wanted, found 75")],
    ids=["none", "some"],
)
def test_what_has_expired_is_settled_whatever_was_compared(stage, make, shares, expected):
    symbol = "NIFTY-28Dec2023-26000-CE"
    for number, (strategy, product, side) in enumerate((("a", "MARGIN", "BUY"), ("b", "INTRADAY", "SELL"))):
        terms = {"side": side, "quantity": 75, "strategy": strategy, "symbol": symbol}
        facts = make.intent(f"H-{number}", product=product, **terms), make.accepted(f"H-{number}", f"B-{number}")
        stage.disk.facts += [*facts, make.filled(f"H-{number}", **terms)]
    stage.open()
    answer = said(stage, symbol=symbol, shares=shares, price=0.0)

    told_by = "position settled by asha"
    wanted = [("a", "SELL", 75, 0.0, told_by), ("b", "BUY", 75, 0.0, told_by)]
    assert trades(stage) == wanted * (expected is None)
    assert expected is None or answer.reason == expected.format(symbol=symbol)
    if expected is None:
        again = said(stage, symbol=symbol, shares=0, price=0.0)
        assert again.reason == f"a position in {symbol} wanted, found none"
