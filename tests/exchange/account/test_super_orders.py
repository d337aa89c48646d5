"""Super orders: an entry, a target and a stop."""

import pytest

from natya.actors.exchange.account import Refused, SuperModification, SuperTicket

INFY = ("NSE_EQ", "1594")


def a_super(**changes):
    fields = {"side": "BUY", "product": "INTRADAY", "order_type": "LIMIT", "quantity": 10, "limit_price": 1500.0}
    fields |= {"target_price": 1530.0, "stop_price": 1490.0}
    return SuperTicket(instrument=INFY, **(fields | changes))


@pytest.fixture
def entered(client):
    """A client whose entry has traded; the id of the super order."""
    client.tick(1500.0)
    order_id = client.ask("place_super", a_super()).ids[0]
    client.wait()
    return order_id


def row(client):
    return client.account.super_orders()[0]


def exits(client):
    return {order.leg: order for order in client.account.orders() if order.parent_id}


class TestASuperOrder:
    def test_has_no_exits_before_its_entry_trades(self, client):
        client.tick(1510.0)
        client.ask("place_super", a_super())
        client.wait()

        assert exits(client) == {}
        assert (row(client).target_status, row(client).stop_status) == ("PENDING", "PENDING")

    def test_has_exits_for_as_much_as_its_entry_has_traded(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        client.ask("place_super", a_super())
        client.wait()
        assert {leg: order.quantity for leg, order in exits(client).items()} == {"TARGET_LEG": 4, "STOP_LOSS_LEG": 4}

        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 3)])

        assert {leg: order.quantity for leg, order in exits(client).items()} == {"TARGET_LEG": 7, "STOP_LOSS_LEG": 7}

    def test_needs_no_margin_for_its_exits(self, client, entered):
        assert [order.blocked_rupees for order in exits(client).values()] == [0, 0]

    def test_is_closed_at_its_target_and_its_stop_is_gone(self, client, entered):
        client.tick(1540.0)

        found = exits(client)
        assert (found["TARGET_LEG"].status, found["TARGET_LEG"].average_price) == ("TRADED", 1530.0)
        assert found["STOP_LOSS_LEG"].status == "CANCELLED"
        assert (row(client).status, row(client).target_status) == ("CLOSED", "TRIGGERED")
        assert client.account.positions()[0].net_quantity == 0
        client.tick(1400.0)
        assert len(client.account.trades()) == 2

    def test_is_closed_at_its_stop_and_its_target_is_gone(self, client, entered):
        client.tick(1485.0)

        found = exits(client)
        assert (found["STOP_LOSS_LEG"].status, found["STOP_LOSS_LEG"].average_price) == ("TRADED", 1485.0)
        assert found["TARGET_LEG"].status == "CANCELLED"
        assert row(client).status == "CLOSED"

    def test_loses_at_one_exit_what_the_other_trades(self, client, entered):
        client.tick(1530.0, bids=[(1530.0, 4)], asks=[])

        assert exits(client)["STOP_LOSS_LEG"].quantity == 6
        client.tick(1480.0)
        assert client.account.positions()[0].net_quantity == 0

    def test_goes_on_with_its_exits_in_a_new_process(self, client, entered):
        other = client.replayed()
        client.account = other
        client.tick(1535.0)
        client.tick(1536.0)

        assert row(client).status == "CLOSED"
        assert exits(client)["STOP_LOSS_LEG"].status == "CANCELLED"

    def test_that_trails_moves_its_stop_with_the_market_and_never_back(self, client):
        client.tick(1500.0)
        client.ask("place_super", a_super(trailing_jump=2.0))
        client.wait()
        client.tick(1505.0)
        assert row(client).stop_price == 1494.0

        client.tick(1501.0)

        assert exits(client)["STOP_LOSS_LEG"].trigger_price == 1494.0

    def test_that_trails_leaves_its_stop_where_it_is_before_its_entry_has_traded(self, client):
        client.tick(1510.0)
        client.ask("place_super", a_super(trailing_jump=2.0))
        client.wait()
        client.tick(1520.0)

        assert row(client).stop_price == 1490.0

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"order_type": "MARKET"}, "Invalid Price for orderType"),
            ({"target_price": 0.0, "stop_price": 0.0}, "targetPrice: a target or a stop wanted, found neither"),
            ({"target_price": 1490.0}, "targetPrice: a price above 1500.0 wanted, found 1490.0"),
            ({"stop_price": 1510.0}, "stopLossPrice: a price below 1500.0 wanted, found 1510.0"),
        ],
    )
    def test_is_refused_with_prices_that_do_not_fit(self, client, changes, text):
        client.tick(1500.0)
        with pytest.raises(Refused) as caught:
            client.ask("place_super", a_super(**changes))

        assert caught.value.text == text


class TestALegThatIsChanged:
    def test_has_its_new_price_at_the_exchange(self, client, entered):
        client.ask("modify_super", SuperModification(order_id=entered, leg="TARGET_LEG", target_price=1510.0))

        client.tick(1511.0)

        assert exits(client)["TARGET_LEG"].average_price == 1510.0

    @pytest.mark.parametrize(
        "change", [{"leg": "TARGET_LEG", "target_price": 1540.0}, {"leg": "STOP_LOSS_LEG", "stop_price": 1480.0}]
    )
    def test_before_its_entry_has_traded_is_at_its_new_price_from_the_beginning(self, client, change):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        client.ask("modify_super", SuperModification(order_id=order_id, **change))
        assert exits(client) == {}
        client.tick(1499.0)

        found = exits(client)
        assert found["TARGET_LEG"].limit_price == change.get("target_price", 1530.0)
        assert found["STOP_LOSS_LEG"].trigger_price == change.get("stop_price", 1490.0)

    @pytest.fixture
    def trailed(self, client):
        """A client whose stop has trailed to 1509, past the entry at 1500; the id of the super order."""
        client.tick(1500.0)
        order_id = client.ask("place_super", a_super(stop_price=1490.0, trailing_jump=1.0)).ids[0]
        client.wait()
        client.tick(1519.0)
        assert row(client).stop_price == 1509.0
        return order_id

    @pytest.mark.parametrize(
        "change",
        [{"leg": "TARGET_LEG", "target_price": 1540.0}, {"leg": "STOP_LOSS_LEG", "stop_price": 1515.0}],
    )
    def test_may_be_where_the_market_is_beyond_the_entry(self, client, trailed, change):
        client.ask("modify_super", SuperModification(order_id=trailed, **change))

        found = exits(client)
        assert found["TARGET_LEG"].limit_price == change.get("target_price", 1530.0)
        assert found["STOP_LOSS_LEG"].trigger_price == change.get("stop_price", 1509.0)

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"leg": "TARGET_LEG", "target_price": 1519.0}, "targetPrice: a price above 1519.0 wanted, found 1519.0"),
            (
                {"leg": "STOP_LOSS_LEG", "stop_price": 1519.0},
                "stopLossPrice: a price below 1519.0 wanted, found 1519.0",
            ),
        ],
    )
    def test_is_refused_at_a_price_that_the_market_has_passed(self, client, trailed, change, text):
        with pytest.raises(Refused) as caught:
            client.ask("modify_super", SuperModification(order_id=trailed, **change))

        assert caught.value.text == text

    def test_of_the_target_is_free_while_the_stop_waits_for_a_buyer(self, client, entered):
        client.tick(1480.0, bids=[], asks=[(1480.1, 5)])
        assert exits(client)["STOP_LOSS_LEG"].is_triggered

        client.ask("modify_super", SuperModification(order_id=entered, leg="TARGET_LEG", target_price=1510.0))

        assert exits(client)["TARGET_LEG"].limit_price == 1510.0

    def test_that_is_cancelled_cannot_be_put_back(self, client, entered):
        client.ask("cancel_super", entered, "STOP_LOSS_LEG")
        assert exits(client)["STOP_LOSS_LEG"].status == "CANCELLED"

        with pytest.raises(Refused) as caught:
            client.ask("modify_super", SuperModification(order_id=entered, leg="STOP_LOSS_LEG", stop_price=1480.0))

        assert caught.value.text == "Order is already CANCELLED"

    def test_of_the_entry_cancelled_cancels_all(self, client, entered):
        client.ask("cancel_super", entered, "ENTRY_LEG")

        assert {order.status for order in exits(client).values()} == {"CANCELLED"}
        assert row(client).status == "CANCELLED"
