"""The closing auction in an account: what is taken when, what ends at 15:15, and the square-off at 15:20."""

from datetime import datetime

import pytest

from natya.actors.exchange.account import Refused, SuperTicket
from natya.actors.exchange.account.requests import Modification, SuperModification
from natya.domain.time import IST, SECOND_NS
from natya.messages.instruments import InstrumentDefinition
from natya.messages.market import Tick

SBIN = InstrumentDefinition(
    symbol="SBIN", segment="NSE_EQ", tick_size_rupees=0.05, security_id="3045", is_underlying=True
)
KEY = ("NSE_EQ", "3045")


def at(clock):
    moment = datetime.fromisoformat(f"2026-10-07T{clock}").replace(tzinfo=IST)
    return int(moment.timestamp()) * SECOND_NS + moment.microsecond * 1000


def show(client, price):
    tick = Tick(symbol="SBIN", price=price, quantity=1, exchange_ns=client.account.now_ns, source="test", sequence=1)
    client.changes += client.account.move(tick)


@pytest.fixture
def client(open_account):
    """A share that derivatives are of, at 800 rupees."""
    client = open_account()
    client.ask("list_instruments", SBIN)
    show(client, 800.0)
    return client


@pytest.fixture
def place(client):
    def at_clock(clock, **fields):
        go(client, clock)
        return client.place(**{"instrument": KEY, "product": "CNC"} | fields)

    return at_clock


def go(client, clock):
    while client.account.next_ns <= at(clock):
        client.wait_until(client.account.next_ns)
    client.wait_until(at(clock))


def paid(client, order_id):
    return [trade.price for trade in client.account.trades(order_id)]


class TestAnOrder:
    @pytest.mark.parametrize("clock", ["15:15", "15:19:58", "15:28", "15:33", "15:36"])
    def test_is_refused_while_none_is_taken(self, place, clock):
        with pytest.raises(Refused, match="Market is Closed"):
            place(clock)

    def test_of_the_entry_has_the_price_of_the_auction(self, client, place):
        order_id = place("15:21")
        show(client, 700.0)
        assert client.status(order_id) == "PENDING"

        go(client, "15:31")
        show(client, 805.0)
        assert (client.status(order_id), paid(client, order_id)) == ("TRADED", [805.0])

    @pytest.mark.parametrize(
        ("clock", "fields", "why"),
        [
            ("15:21", {"validity": "IOC"}, "found IOC"),
            ("15:21", {"order_type": "STOP_LOSS_MARKET", "trigger_price": 810.0}, "found STOP_LOSS_MARKET"),
            ("15:21", {"price": 800.0, "disclosed_quantity": 5}, "found one with a disclosed quantity"),
            ("15:21", {"price": 825.0}, "a limit of 776.00 to 824.00 rupees"),
            ("15:26", {}, "a LIMIT order is wanted from 15:25 on"),
            ("15:27:59.600", {"price": 800.0}, "the entry of the closing auction is wanted"),
        ],
    )
    def test_is_rejected_where_the_auction_has_no_place_for_it(self, client, place, clock, fields, why):
        order = client.order(place(clock, **fields))

        assert (order.status, order.reason.startswith("EXCH:16387:"), why in order.reason) == ("REJECTED", True, True)

    def test_without_a_price_of_the_auction_expires_when_it_is_over(self, client, place):
        order_id = place("15:21")
        go(client, "15:34:59")
        assert client.status(order_id) == "PENDING"

        go(client, "15:35")
        assert (client.status(order_id), client.order(order_id).updated_ns) == ("EXPIRED", at("15:35"))

    @pytest.mark.parametrize(("clock", "may"), [("15:16", False), ("15:22", True), ("15:26", True), ("15:29", False)])
    def test_that_rests_is_changed_and_withdrawn_only_while_orders_are_taken(self, client, place, clock, may):
        order_id = place("15:14", price=790.0)
        go(client, clock)
        change = Modification(order_id=order_id, order_type="LIMIT", quantity=5, limit_price=795.0)

        for verb, asked in (("modify", change), ("cancel", order_id)):
            if may:
                client.ask(verb, asked)
            else:
                with pytest.raises(Refused, match="the entry of the closing auction is wanted"):
                    client.ask(verb, asked)
        assert client.status(order_id) == ("CANCELLED" if may else "PENDING")

    def test_for_the_next_day_is_taken_when_none_of_today_is(self, client, place):
        order_id = place("15:16", amo_time="OPEN")

        assert client.order(order_id).arrival == 0
        with pytest.raises(Refused, match="Market is Open"):
            place("15:21", amo_time="OPEN")

    def test_in_a_market_that_never_closes_trades_at_once(self, open_account):
        client = open_account(always_open=True)
        client.ask("list_instruments", SBIN)
        go(client, "15:16")
        show(client, 800.0)

        assert paid(client, client.place(instrument=KEY, product="CNC")) == [800.0]


class TestTheEndOfContinuousTrading:
    def test_ends_a_stop_order_and_carries_a_limit_into_the_auction(self, client, place):
        stop = place("15:14", order_type="STOP_LOSS_MARKET", trigger_price=810.0)
        resting = place("15:14:02", price=795.0)
        go(client, "15:15")
        assert (client.status(stop), client.status(resting)) == ("EXPIRED", "PENDING")

        go(client, "15:30")
        show(client, 790.0)
        assert paid(client, resting) == [790.0]

    def test_ends_no_stop_that_is_triggered_nor_one_of_another_market(self, client, place):
        client.tick(1500.0)
        triggered = place("15:13", price=805.0, order_type="STOP_LOSS", trigger_price=801.0)
        show(client, 806.0)
        other = client.place(product="CNC", order_type="STOP_LOSS_MARKET", trigger_price=1510.0)
        go(client, "15:16")

        assert client.order(triggered).is_triggered
        assert (client.status(triggered), client.status(other)) == ("PENDING", "PENDING")

    def test_rejects_a_stop_that_is_in_transit_then(self, client, place):
        order_id = place("15:14:59.8", order_type="STOP_LOSS_MARKET", trigger_price=810.0)

        assert (client.status(order_id), "the entry of the closing auction" in client.order(order_id).reason) == (
            "REJECTED",
            True,
        )

    def test_ends_the_entry_and_the_stop_of_super_orders_and_carries_their_target(self, client):
        ticket = {"instrument": KEY, "side": "BUY", "product": "CNC", "quantity": 10, "target_price": 805.0}
        fields = {"stop_price": 780.0, "order_type": "LIMIT"}
        go(client, "15:10")
        (waits,) = client.ask("place_super", SuperTicket(**ticket, **fields, limit_price=790.0)).ids
        (held,) = client.ask("place_super", SuperTicket(**ticket, **fields, limit_price=800.0)).ids
        client.wait()
        go(client, "15:15")
        rows = {row.order_id: row for row in client.account.super_orders()}
        assert (rows[waits].status, rows[held].stop_status, rows[held].target_status) == (
            *("EXPIRED", "CANCELLED"),
            "PENDING",
        )

        for verb, asked in (
            ("place_super", (SuperTicket(**ticket, **fields, limit_price=800.0),)),
            ("modify_super", (SuperModification(order_id=held, leg="TARGET_LEG", target_price=806.0),)),
            ("cancel_super", (held, "TARGET_LEG")),
        ):
            with pytest.raises(Refused, match="Market is Closed"):
                client.ask(verb, *asked)
        go(client, "15:30")
        show(client, 806.0)
        assert {row.order_id: row for row in client.account.super_orders()}[held].status == "CLOSED"


class TestTheSquareOff:
    def test_enters_the_auction(self, client, place):
        place("15:10", product="INTRADAY")
        go(client, "15:21")
        (order,) = (each for each in client.account.orders() if each.source == "SQUARE_OFF")
        assert (order.created_ns, order.status) == (at("15:20"), "PENDING")

        go(client, "15:31")
        show(client, 790.0)
        assert paid(client, order.order_id) == [790.0]
        assert [position.net_quantity for position in client.account.positions()] == [0]

    def test_of_shares_without_derivatives_is_at_the_same_time_in_continuous_trading(self, client):
        client.tick(1500.0)
        client.place(quantity=10)
        go(client, "15:21")

        (order,) = (each for each in client.account.orders() if each.source == "SQUARE_OFF")
        assert (order.created_ns, order.status) == (at("15:20"), "TRADED")


class TestExitAll:
    def test_leaves_an_order_that_nobody_may_withdraw(self, client, place):
        order_id = place("15:14", price=790.0)
        go(client, "15:16")
        client.ask("exit_all")

        assert client.status(order_id) == "PENDING"

    @pytest.mark.parametrize(("clock", "may"), [("15:16", False), ("15:21", True), ("15:29", False)])
    def test_closes_positions_while_orders_are_taken(self, client, place, clock, may):
        place("15:10")
        go(client, clock)

        if not may:
            with pytest.raises(Refused, match="Market is Closed"):
                client.ask("exit_all")
            return
        client.ask("exit_all")
        go(client, "15:31")
        show(client, 799.0)
        assert [position.net_quantity for position in client.account.positions()] == [0]


def test_the_changes_of_a_day_are_the_account(client, place):
    place("15:10", product="INTRADAY")
    place("15:14", order_type="STOP_LOSS_MARKET", trigger_price=810.0)
    place("15:21")
    go(client, "15:31")
    show(client, 790.0)
    go(client, "15:36")

    other = client.replayed()
    assert other.comparable() == client.account.comparable()
