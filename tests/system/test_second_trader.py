"""The official client as a second trader on the account of a live system."""

import pytest
from dhanhq import DhanContext, dhanhq
from natya_live import LIMITS, SYMBOL, Rester, facts
from natya_processes import await_that

from natya import TradingSystem
from natya.config.loader import load_settings
from natya.messages.order_listing import PositionSettled, SettlePosition
from natya.messages.orders import OrderRefused
from natya.messages.reconciliation import DifferenceEnded, OrderAdopted, OrderLost, OrderMismatch, PositionMismatch
from natya.messages.risk_state import RiskStateChanged

OURS = (OrderLost, OrderMismatch, PositionMismatch)
"""What is on its way for two looks, which are as near as the test wants them, may be one of these, and ends."""


@pytest.fixture
def client(exchange):
    context = DhanContext(exchange.first["client_id"], exchange.first["token"])
    context.get_dhan_http().base_url = exchange.first["rest"]
    yield dhanhq(context)
    context.get_dhan_http().session.close()


@pytest.fixture
def live(tmp_path, exchange):
    """Make a live system in the same data directory each time."""

    def build(product="INTRADAY"):
        given = {
            "system.data_dir": str(tmp_path / "natya"),
            "feed.symbols": [SYMBOL],
            "control.enabled": False,
            "orders.session": "none",
            "orders.symbols": [SYMBOL],
            "broker.compare_interval_s": 0.2,
            "broker.live": True,
            "broker.options": {"product": product},
            "broker.confirmed_limits": LIMITS,
            "strategies": [
                {"name": "rester", "strategy": Rester, "symbols": [SYMBOL], "parameters": {"count": 1}},
            ],
        }
        return TradingSystem(load_settings("live", environment=exchange.environment, overrides=given))

    return build


@pytest.fixture
def system(live, exchange):
    with live() as running:
        await_rests(running, exchange)
        yield running


def await_rests(system, exchange):
    await_that(lambda: counts(system).open_orders == 1 and exchange.states() == {"PENDING": 1})


def counts(system):
    return system.look().statistics["orders"]


def rounds(system):
    return system.look().statistics["reconciliation"].rounds


def await_rounds(system, more=3):
    wanted = rounds(system) + more
    await_that(lambda: rounds(system) >= wanted)


def ended(tmp_path):
    return [(each.kind, each.subject) for each in facts(tmp_path / "natya", DifferenceEnded)]


def number_of(exchange):
    (row,) = exchange.ask("GET", "/v2/orders")
    return row["orderId"], row["securityId"]


def test_is_told_once_touched_never_and_halts_where_its_ids_are_a_natyas(tmp_path, exchange, client, system):
    def told(kind):
        return facts(tmp_path / "natya", kind)

    def place(tag):
        answer = client.place_order(
            security_id=security,
            exchange_segment=client.NSE,
            transaction_type=client.BUY,
            quantity=1,
            order_type=client.LIMIT,
            product_type=client.INTRA,
            price=1_450.0,
            tag=tag,
        )
        assert answer["status"] == "success", answer
        return answer["data"]["orderId"]

    _, security = number_of(exchange)
    await_rounds(system)
    await_that(lambda: sum(len(told(kind)) for kind in OURS) == len(told(DifferenceEnded)))
    await_that(lambda: counts(system).risk_state == "NORMAL")
    assert told(OrderAdopted) == []

    foreign = place("by-hand")
    await_that(lambda: told(OrderAdopted))
    await_rounds(system)
    (adopted,) = told(OrderAdopted)
    assert (adopted.broker_order_id, adopted.told_id, adopted.instrument) == (foreign, "by-hand", SYMBOL)
    assert counts(system).risk_state == "NORMAL"

    place("crossover-1-1")
    await_that(lambda: counts(system).risk_state == "HALTED")
    (halted,) = await_that(lambda: told(RiskStateChanged))  # it holds before it is written
    assert (halted.state, halted.changed_by) == ("HALTED", "reconciliation")
    await_that(lambda: counts(system).open_orders == 0)  # ours; those of others are not touched
    await_rounds(system)
    assert exchange.states() == {"PENDING": 2, "CANCELLED": 1}
    assert len(told(OrderAdopted)) == 2
    await_that(lambda: sum(len(told(kind)) for kind in OURS) == len(told(DifferenceEnded)))
    assert told(PositionMismatch) == []


def test_a_position_that_another_has_opened_in_our_symbol_lets_only_orders_pass_that_close(
    tmp_path, exchange, client, system
):
    exchange.price(1_449.0)  # what rests here trades
    await_that(lambda: counts(system).fills == 1)
    _, security = number_of(exchange)
    fields = {"security_id": security, "exchange_segment": client.NSE, "product_type": client.INTRA}
    trade = {"quantity": 3, "order_type": client.MARKET, "price": 0.0}
    client.place_order(transaction_type=client.BUY, **fields, **trade)
    (mismatch,) = await_that(lambda: facts(tmp_path / "natya", PositionMismatch))
    assert (mismatch.symbol, mismatch.ours, mismatch.theirs, mismatch.is_ours) == (SYMBOL, 1, 4, True)
    await_that(lambda: counts(system).risk_state == "REDUCING")

    client.place_order(transaction_type=client.SELL, **fields, **trade)
    await_that(lambda: counts(system).risk_state == "NORMAL")
    await_that(lambda: ("PositionMismatch", SYMBOL) in ended(tmp_path))


def test_a_position_that_another_has_closed_is_settled_by_a_persons_word(tmp_path, exchange, client, live):
    """Not one of INTRADAY: in the evening that is taken for the broker's squaring off."""
    with live("CNC") as system:
        await_rests(system, exchange)
        exchange.price(1_449.0)  # what rests here trades
        await_that(lambda: counts(system).fills == 1)
        _, security = number_of(exchange)
        fields = {"security_id": security, "exchange_segment": client.NSE, "product_type": client.CNC}
        client.place_order(transaction_type=client.SELL, **fields, quantity=1, order_type=client.MARKET, price=0.0)
        await_that(lambda: facts(tmp_path / "natya", PositionMismatch))
        await_that(lambda: counts(system).risk_state == "REDUCING")

        word = SettlePosition(symbol=SYMBOL, shares=0, price=1_449.0, reason="the terminal shows it")
        answer = await_that(
            lambda: isinstance(said := system.request("orders", word, timeout_s=30), PositionSettled) and said
        )

        assert [each.split("-")[0] for each in answer.client_order_ids] == ["rester"]
        await_that(lambda: counts(system).risk_state == "NORMAL")
        await_that(lambda: ("PositionMismatch", SYMBOL) in ended(tmp_path))
        assert {each.symbol: each.quantity for each in counts(system).positions} == {SYMBOL: 0}
        assert len(exchange.ask("GET", "/v2/orders")) == 2


def test_a_position_that_another_has_opened_while_nobody_looked_is_found_before_a_strategy_orders(
    tmp_path, exchange, client, live
):
    with live() as running:
        exchange.price(1_449.0)  # what rests here trades
        await_that(lambda: counts(running).fills == 1)
    _, security = number_of(exchange)
    fields = {"security_id": security, "exchange_segment": client.NSE, "product_type": client.INTRA}
    client.place_order(transaction_type=client.BUY, quantity=3, order_type=client.MARKET, price=0.0, **fields)

    with live() as running:
        assert counts(running).risk_state == "REDUCING"
        exchange.price(1_449.0)
        (refused,) = await_that(lambda: facts(tmp_path / "natya", OrderRefused))

    reason, _, compared = refused.reason.partition(", compared ")
    assert refused.rule == "risk_state"
    assert reason == (
        "in REDUCING at most 0 shares may be closed by BUY, found 1: 1 held as INTRADAY here, 4 at the broker"
    )
    assert compared.endswith(" IST")
