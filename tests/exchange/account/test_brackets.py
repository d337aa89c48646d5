"""Cover and bracket orders: a position that is never without its stop."""

import pytest

from natya.actors.exchange.account import Modification, Refused, SuperModification, Ticket

INFY = ("NSE_EQ", "1594")


def a_bracket(**changes):
    fields = {"side": "BUY", "product": "BO", "order_type": "LIMIT", "quantity": 10, "limit_price": 1500.0}
    fields |= {"target_offset": 30.0, "stop_offset": 10.0}
    return Ticket(instrument=INFY, **(fields | changes))


def a_cover(**changes):
    fields = {"product": "CO", "order_type": "MARKET", "limit_price": 0.0, "target_offset": 0.0, "stop_offset": 0.0}
    return a_bracket(**(fields | {"trigger_price": 1490.0} | changes))


def entered(client, ticket=None):
    """Place an order, and let it trade; return the id of its entry."""
    client.tick(1500.0)
    order_id = client.ask("place", ticket or a_bracket()).ids[0]
    client.wait()
    return order_id


def legs(client):
    return {order.leg: order for order in client.account.orders() if order.leg}


def net(client):
    return sum(position.net_quantity for position in client.account.positions())


def changed(order_id, **changes):
    fields = {"order_type": "LIMIT", "quantity": 10} | changes
    return Modification(order_id=order_id, **fields)


@pytest.mark.parametrize(
    ("side", "target", "stop"), [("BUY", 1530.0, 1490.0), ("SELL", 1470.0, 1510.0)], ids=["long", "short"]
)
@pytest.mark.parametrize("order_type", ["LIMIT", "MARKET"])
def test_a_bracket_has_its_exits_as_far_from_what_it_paid_as_was_told(client, side, target, stop, order_type):
    limit_price = 1500.0 if order_type == "LIMIT" else 0.0
    entered(client, a_bracket(side=side, order_type=order_type, limit_price=limit_price))

    found = legs(client)
    assert (found["TARGET_LEG"].limit_price, found["STOP_LOSS_LEG"].trigger_price) == (target, stop)
    assert {(order.product, order.quantity) for order in found.values()} == {("BO", 10)}
    assert {found[leg].side for leg in ("TARGET_LEG", "STOP_LOSS_LEG")} == {"SELL" if side == "BUY" else "BUY"}


@pytest.mark.parametrize(
    ("price", "traded", "ended"), [(1531.0, "TARGET_LEG", "STOP_LOSS_LEG"), (1489.0, "STOP_LOSS_LEG", "TARGET_LEG")]
)
def test_of_its_exits_one_cancels_the_other(client, price, traded, ended):
    entered(client)
    client.tick(price)

    assert (legs(client)[traded].status, legs(client)[ended].status, net(client)) == ("TRADED", "CANCELLED", 0)


def test_a_cover_order_has_a_stop_alone_by_its_price_or_by_its_distance(client):
    entered(client, a_cover())
    assert {leg: order.trigger_price for leg, order in legs(client).items()} == {
        "ENTRY_LEG": 0.0,
        "STOP_LOSS_LEG": 1490.0,
    }
    client.tick(1489.0)
    assert net(client) == 0

    entered(client, a_cover(trigger_price=0.0, stop_offset=20.0))

    assert legs(client)["STOP_LOSS_LEG"].trigger_price == 1480.0


class TestWithdrawn:
    def test_before_it_trades_it_is_gone(self, client):
        client.tick(1510.0)
        order_id = client.ask("place", a_bracket()).ids[0]
        client.wait()

        assert client.ask("cancel", order_id).status == "CANCELLED"
        assert [(leg, order.status) for leg, order in legs(client).items()] == [("ENTRY_LEG", "CANCELLED")]

    @pytest.mark.parametrize("leg", ["ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"])
    def test_by_whichever_leg_after_it_has_traded_its_position_is_closed(self, client, leg):
        entered(client)

        assert client.ask("cancel", legs(client)[leg].order_id).status == "CANCELLED"
        client.wait()

        assert (net(client), client.account.trades()[-1].side) == (0, "SELL")
        assert {order.status for order in client.account.orders()} == {"TRADED", "CANCELLED"}

    def test_half_traded_its_rest_is_gone_and_what_it_has_is_closed(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        order_id = client.ask("place", a_bracket()).ids[0]
        client.wait()
        assert net(client) == 4

        client.ask("cancel", order_id)
        client.wait()

        assert (net(client), client.account.orders()[0].filled_quantity) == (0, 4)

    def test_twice_is_refused(self, client):
        order_id = entered(client)
        client.ask("cancel", order_id)

        with pytest.raises(Refused, match="already"):
            client.ask("cancel", order_id)
        client.wait()
        assert net(client) == 0

    def test_while_the_market_is_closed_it_is_refused_and_keeps_its_exits(self, client, monkeypatch):
        order_id = entered(client)
        monkeypatch.setattr(type(client.account._core), "takes_orders", lambda *_: False)

        with pytest.raises(Refused, match="Closed"):
            client.ask("cancel", order_id)
        assert [order.is_open for order in legs(client).values()] == [False, True, True]


class TestRestated:
    @pytest.mark.parametrize("by_own_id", [True, False])
    def test_its_exits_move_by_their_leg(self, client, by_own_id):
        entry_id = entered(client)
        for leg, own, price in (("TARGET_LEG", "limit_price", 1525.0), ("STOP_LOSS_LEG", "trigger_price", 1495.0)):
            if by_own_id:
                change = changed(legs(client)[leg].order_id, **{own: price})
            else:
                change = changed(entry_id, leg=leg, exit_price=price)
            client.ask("modify", change)

        found = legs(client)
        assert (found["TARGET_LEG"].limit_price, found["STOP_LOSS_LEG"].trigger_price) == (1525.0, 1495.0)

    def test_its_entry_while_it_is_open(self, client):
        client.tick(1510.0)
        order_id = client.ask("place", a_bracket()).ids[0]
        client.wait()
        client.ask("modify", changed(order_id, quantity=20, limit_price=1505.0, leg="ENTRY_LEG"))
        client.tick(1504.0)

        found = legs(client)
        assert {order.quantity for order in found.values()} == {20}
        assert (found["TARGET_LEG"].limit_price, found["STOP_LOSS_LEG"].trigger_price) == (1535.0, 1495.0)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"leg": "TARGET_LEG"}, "^price: one above 0 for TARGET_LEG wanted"),
            ({"leg": "STOP_LOSS_LEG"}, "^triggerPrice: one above 0"),
            ({"leg": "STOP_LOSS_LEG", "exit_price": 1600.0}, "^stopLossPrice: a price below"),
            ({"order_type": "STOP_LOSS", "limit_price": 1.0, "trigger_price": 1.0}, "^orderType: LIMIT or MARKET"),
        ],
    )
    def test_to_what_is_none_is_refused(self, client, change, reason):
        with pytest.raises(Refused, match=reason):
            client.ask("modify", changed(entered(client), **change))


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        (a_bracket(target_offset=0.0), "boProfitValue: a distance above 0"),
        (a_bracket(stop_offset=0.0), "boStopLossValue: a distance above 0"),
        (a_bracket(stop_offset=0.03), "boStopLossValue: a multiple of 0.1"),
        (a_bracket(target_offset=1500.0), "boProfitValue: a distance below 1500.0"),
        (a_bracket(order_type="STOP_LOSS", trigger_price=1500.0), "orderType: LIMIT or MARKET"),
        (a_bracket(amo_time="OPEN"), "afterMarketOrder: false for BO"),
        (a_cover(trigger_price=0.0), "boStopLossValue: a distance above 0 for CO"),
        (a_cover(trigger_price=1500.0), "triggerPrice: a price below 1500.0"),
        (a_cover(side="SELL"), "triggerPrice: a price above 1500.0"),
        (a_cover(trigger_price=1490.05), "triggerPrice: a multiple of 0.1"),
        (a_bracket(stop_offset=0.0, trigger_price=1490.0), "boStopLossValue: a distance above 0 for BO"),
        (a_bracket(limit_price=1400.0, stop_offset=1450.0), "boStopLossValue: a distance below 1400.0"),
        (a_cover(order_type="LIMIT", limit_price=1480.0), "triggerPrice: a price below 1480.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_with_its_field(client, ticket, reason):
    client.tick(1500.0)

    with pytest.raises(Refused, match=f"^{reason}"):
        client.ask("place", ticket)
    assert client.account.orders() == ()


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_cover_order_without_any_price_yet_is_taken_and_rejected_for_that(client, side):
    order_id = client.ask("place", a_cover(side=side)).ids[0]
    client.wait()

    assert (client.status(order_id), "No quote" in client.order(order_id).reason) == ("REJECTED", True)


def test_an_order_that_closes_all_is_none_of_its_legs(client):
    entered(client, a_cover())
    client.tick(1500.0, bids=[], asks=[])
    client.ask("exit_all")
    client.wait()
    order = client.account.orders()[-1]
    assert (order.source, order.status) == ("EXIT_ALL", "PENDING")

    with pytest.raises(Refused, match="Order was placed by EXIT_ALL"):
        client.ask("modify", changed(order.order_id, limit_price=1490.0))
    assert client.ask("cancel", order.order_id).status == "CANCELLED"


def test_the_order_that_leaves_its_position_stays(client):
    order_id = entered(client)
    client.tick(1500.0, bids=[], asks=[])
    client.ask("cancel", order_id)
    client.wait()
    order = client.account.orders()[-1]
    assert (order.source, order.status) == ("BRACKET_EXIT", "PENDING")

    for call in (lambda: client.ask("cancel", order.order_id), lambda: client.ask("modify", changed(order.order_id))):
        with pytest.raises(Refused):
            call()
    assert client.status(order.order_id) == "PENDING"


def test_before_the_opening_it_may_be_withdrawn(client):
    client.tick(1510.0)
    client.wait((23 * 60 + 3) * 60)  # 09:03 of the next day
    order_id = client.ask("place", a_bracket()).ids[0]
    client.wait()

    assert client.ask("cancel", order_id).status == "CANCELLED"


def test_the_verbs_of_super_orders_do_not_know_it(client):
    order_id = entered(client)

    assert client.account.super_orders() == ()
    for call in (
        lambda: client.ask("cancel_super", order_id, "STOP_LOSS_LEG"),
        lambda: client.ask("modify_super", SuperModification(order_id=order_id, leg="TARGET_LEG", target_price=1540.0)),
    ):
        with pytest.raises(Refused, match="orderId: a super order"):
            call()


def test_slices_of_a_bracket_are_refused(client):
    client.tick(1500.0)

    with pytest.raises(Refused, match="productType"):
        client.ask("place_sliced", a_bracket())


@pytest.mark.parametrize("stop_offset", [2000.0, 1000.0])
def test_a_position_whose_stop_is_rejected_is_left_at_once(client, stop_offset):
    client.ask("place", a_bracket(order_type="MARKET", limit_price=0.0, stop_offset=stop_offset))
    client.tick(1500.0)
    client.wait()
    client.wait()

    found = legs(client)
    assert "Rate not within circuit limits" in found["STOP_LOSS_LEG"].reason
    assert (found["ENTRY_LEG"].status, found["TARGET_LEG"].status, net(client)) == ("TRADED", "CANCELLED", 0)


def test_an_entry_whose_stop_is_rejected_buys_no_more(client):
    client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
    client.ask("place", a_cover(order_type="LIMIT", limit_price=1500.0, trigger_price=0.0, stop_offset=1000.0))
    client.wait()
    client.wait()
    client.tick(1500.0)
    client.tick(1490.0)

    entry = legs(client)["ENTRY_LEG"]
    assert (entry.status, entry.filled_quantity, net(client)) == ("CANCELLED", 4, 0)


def test_it_is_closed_with_intraday_positions_and_charged_as_one(client):
    entered(client)
    bracket = client.account.trades()[0].charges_rupees
    client.ask(
        "place",
        Ticket(instrument=INFY, side="BUY", product="INTRADAY", order_type="LIMIT", quantity=10, limit_price=1500.0),
    )
    client.wait()
    assert client.account.trades()[-1].charges_rupees == bracket

    client.wait(6 * 3600)

    assert net(client) == 0
    assert not any(order.is_open for order in client.account.orders())
