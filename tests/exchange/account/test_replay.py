"""Whatever is asked of an account and whatever the market does: its changes alone make the same account."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.exchange.account import (
    AlertTicket,
    Conversion,
    ForeverTicket,
    Modification,
    PnlExit,
    Refused,
    SuperTicket,
    Ticket,
)
from natya.messages.codec import decode, encode
from natya.messages.exchange import AlertCondition, AlertOrder

INFY, TCS, OPTION = ("NSE_EQ", "1594"), ("NSE_EQ", "11536"), ("NSE_FNO", "51234")
usual_prices = st.integers(14_900, 15_100).map(lambda ticks: ticks / 10)
prices = usual_prices | usual_prices | usual_prices | st.sampled_from([5e-324, 1e-9, 0.05, 1499.99999999, 1e12])
shown_prices = usual_prices | usual_prices | usual_prices | st.sampled_from([0.1, 1499.99999999, 1e12])
"""Of a market, which shows none below a tick."""

sides = st.sampled_from(["BUY", "SELL"])
instruments = st.sampled_from([INFY, INFY, TCS, OPTION])
quantities = st.sampled_from([1, 5, 10, 10, 65, 65, 100_000, 0, 2**63 - 1])
products = st.sampled_from(["CNC", "INTRADAY", "MARGIN"])


@st.composite
def tickets(draw):
    order_type = draw(st.sampled_from(["MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_MARKET"]))
    return Ticket(
        instrument=draw(instruments),
        side=draw(sides),
        product=draw(products),
        order_type=order_type,
        quantity=draw(quantities),
        limit_price=draw(prices) if order_type in {"LIMIT", "STOP_LOSS"} else 0.0,
        trigger_price=draw(prices) if order_type.startswith("STOP") else 0.0,
        validity=draw(st.sampled_from(["DAY", "DAY", "IOC"])),
        amo_time=draw(st.sampled_from(["", "", "", "OPEN"])),
        correlation_id=draw(st.sampled_from(["", "a"])),
    )


supers = st.builds(
    lambda side, price, jump: SuperTicket(
        instrument=INFY,
        side=side,
        product="INTRADAY",
        order_type="LIMIT",
        quantity=10,
        limit_price=price,
        target_price=price + 3 if side == "BUY" else price - 3,
        stop_price=price - 2 if side == "BUY" else price + 2,
        trailing_jump=jump,
    ),
    sides,
    prices,
    st.sampled_from([0.0, 0.5]),
)
brackets = st.builds(
    lambda side, price, product, offset: Ticket(
        instrument=INFY,
        side=side,
        product=product,
        order_type="LIMIT" if price else "MARKET",
        quantity=10,
        limit_price=price,
        target_offset=3.0 if product == "BO" else 0.0,
        stop_offset=offset,
    ),
    sides,
    prices | st.just(0.0),
    st.sampled_from(["BO", "CO"]),
    st.sampled_from([2.0, 2.0, 0.1, 1_000.0]),
)
forevers = st.builds(
    lambda side, trigger, second: ForeverTicket(
        instrument=INFY,
        side=side,
        product="CNC",
        order_type="MARKET",
        quantity=5,
        trigger_price=trigger,
        second_quantity=5 if second else 0,
        second_trigger_price=second,
    ),
    sides,
    prices,
    st.just(0.0) | prices,
)
alerts = st.builds(
    lambda operator, value: AlertTicket(
        condition=AlertCondition(instrument=INFY, comparison="PRICE_WITH_VALUE", operator=operator, value=value),
        orders=(AlertOrder(instrument=TCS, side="BUY", product="CNC", order_type="MARKET", quantity=1),),
    ),
    st.sampled_from(["CROSSING_UP", "LESS_THAN"]),
    prices,
)
numbers = st.integers(0, 10)
levels = st.tuples(st.integers(0, 30), st.integers(0, 30))
steps = st.one_of(
    st.tuples(st.just("tick"), instruments, shown_prices, st.none() | levels),
    st.tuples(st.just("tick"), instruments, shown_prices, st.none() | levels),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 1, 1, 3600, 6 * 3600, 86_400])),
    st.tuples(st.just("place"), tickets()),
    st.tuples(st.just("place"), tickets()),
    st.tuples(st.just("place_super"), supers),
    st.tuples(st.just("place"), brackets),
    st.tuples(st.just("place_forever"), forevers),
    st.tuples(st.just("place_conditional"), alerts),
    st.tuples(st.just("modify"), numbers, quantities, prices),
    st.tuples(st.just("cancel"), numbers),
    st.tuples(st.just("cancel_super"), numbers, st.sampled_from(["ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"])),
    st.tuples(st.just("convert"), st.sampled_from(["CNC", "INTRADAY"]), st.booleans(), quantities),
    st.tuples(st.just("exit_all")),
    st.tuples(st.just("set_kill_switch"), st.booleans()),
    st.tuples(st.just("set_pnl_exit"), st.sampled_from([1.0, 100.0, 10_000.0])),
)


def play(client, step):
    verb, *arguments = step
    account = client.account
    orders = account.orders()
    if verb == "tick":
        instrument, price, shown = arguments
        bids, asks = ([(price - 0.1, shown[0])], [(price, shown[1])]) if shown is not None else (None, None)
        client.tick(price, instrument, bids=bids, asks=asks)
    elif verb == "wait":
        client.wait(*arguments)
    elif verb == "modify" and orders:
        row = orders[arguments[0] % len(orders)]
        change = Modification(
            order_id=row.order_id, order_type="LIMIT", quantity=arguments[1], limit_price=arguments[2]
        )
        client.ask("modify", change)
    elif verb == "cancel" and orders:
        client.ask("cancel", orders[arguments[0] % len(orders)].order_id)
    elif verb == "cancel_super" and (rows := account.super_orders() + orders):  # an order that is none is refused
        client.ask("cancel_super", rows[arguments[0] % len(rows)].order_id, arguments[1])
    elif verb == "convert":
        target, is_long, quantity = arguments
        source = "INTRADAY" if target == "CNC" else "CNC"
        client.ask(
            "convert_position",
            Conversion(instrument=INFY, source=source, target=target, is_long=is_long, quantity=quantity),
        )
    elif verb == "set_pnl_exit":
        client.ask(verb, PnlExit(profit_rupees=arguments[0], loss_rupees=arguments[0], kills=True))
    elif verb in {"place", "place_super", "place_forever", "place_conditional", "exit_all", "set_kill_switch"}:
        client.ask(verb, *arguments)


def expect_stops(orders):
    """Expect that what a cover or bracket order holds has a stop, or is being sold, unless the day has closed it."""
    if any(each.status == "EXPIRED" or each.source in {"SQUARE_OFF", "EXIT_ALL", "PNL_EXIT"} for each in orders):
        return
    for entry in orders:
        if entry.product not in {"CO", "BO"} or entry.leg != "ENTRY_LEG":
            continue
        exits = [each for each in orders if each.parent_id == entry.order_id]
        held = entry.filled_quantity - sum(each.filled_quantity for each in exits)
        ends = [each for each in exits if each.leg == "STOP_LOSS_LEG" or each.source == "BRACKET_EXIT"]
        assert held == sum(each.remaining_quantity for each in ends)


@settings(deadline=None, max_examples=400)
@given(day=st.lists(steps, max_size=30))
def test_the_changes_of_an_account_are_the_account(open_account, day):
    client = open_account()
    client.tick(1500.0)
    for step in day:
        before = client.account.comparable()
        try:
            play(client, step)
        except Refused:
            assert client.account.comparable() == before
        account = client.account
        for order in account.orders():
            assert order.filled_quantity == sum(trade.quantity for trade in account.trades(order.order_id))
            assert order.filled_quantity <= order.quantity
        expect_stops(account.orders())
        assert account.next_ns > account.now_ns - 1
        assert all(holding.quantity > 0 for holding in account.holdings())
    client.changes = [decode(encode(change)) for change in client.changes]

    assert client.replayed().comparable() == client.account.comparable()


class TestAnOrderOnItsWayWhenTheProcessEnds:
    def test_meets_no_tick_before_it_is_in_the_book(self, open_account):
        client = open_account(order_latency_s=5.0)
        client.tick(1500.0)
        order_id = client.place(price=1490.0)
        client.account = client.replayed()

        client.tick(1480.0)
        assert client.status(order_id) == "PENDING"
        client.wait(5)
        client.tick(1485.0)

        assert (client.status(order_id), client.order(order_id).average_price) == ("TRADED", 1485.0)

    @pytest.mark.parametrize(("price", "status"), [(1485.0, "TRADED"), (1495.0, "CANCELLED")])
    def test_trades_at_the_first_tick_or_never_where_it_is_immediate(self, open_account, price, status):
        client = open_account(order_latency_s=5.0)
        client.tick(1500.0)
        order_id = client.place(price=1490.0, validity="IOC", wait=False)
        client.wait(60)
        client.place(price=1400.0)
        client.account = client.replayed()

        client.tick(price)

        assert client.status(order_id) == status
