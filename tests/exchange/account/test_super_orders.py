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
        client.wait(7)
        client.tick(1530.0, bids=[(1530.0, 4)], asks=[])
        target, stop = exits(client)["TARGET_LEG"], exits(client)["STOP_LOSS_LEG"]

        assert (target.filled_quantity, target.updated_ns) == (4, client.account.now_ns)
        assert (stop.quantity, stop.filled_quantity, stop.updated_ns) == (6, 0, client.account.now_ns)
        client.tick(1480.0)
        assert client.account.positions()[0].net_quantity == 0

    def test_has_exits_for_no_more_than_is_left_where_they_trade_before_all_of_it_is_there(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        client.ask("place_super", a_super())
        client.wait()
        client.tick(1530.0, bids=[(1530.0, 2)], asks=[(1531.0, 9)])
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 3)])  # seven of ten are there, and two are gone

        left = {leg: (order.quantity, order.filled_quantity) for leg, order in exits(client).items()}
        assert left == {"TARGET_LEG": (7, 2), "STOP_LOSS_LEG": (5, 0)}
        client.tick(1480.0)
        assert client.account.positions()[0].net_quantity == 0

    def test_goes_on_with_its_exits_in_a_new_process(self, client, entered):
        other = client.replayed()
        client.account = other
        client.tick(1535.0)
        client.tick(1536.0)

        assert row(client).status == "CLOSED"
        assert exits(client)["STOP_LOSS_LEG"].status == "CANCELLED"

    @pytest.mark.parametrize(
        ("alone", "price"), [({"stop_price": 0.0}, 1535.0), ({"target_price": 0.0}, 1485.0)], ids=str
    )
    def test_goes_on_with_a_target_or_a_stop_alone_in_a_new_process(self, client, alone, price):
        client.tick(1500.0)
        client.ask("place_super", a_super(**alone))
        client.wait()
        client.account = client.replayed()
        client.tick(price)
        client.tick(price)

        assert row(client).status == "CLOSED"

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
            ({"order_type": "STOP_LOSS"}, "orderType: LIMIT or MARKET wanted, found STOP_LOSS"),
            ({"limit_price": 0.0}, "Invalid Price for orderType"),
            ({"target_price": 1500.0}, "targetPrice: a price above 1500.0 wanted, found 1500.0"),
            ({"stop_price": 1500.0}, "stopLossPrice: a price below 1500.0 wanted, found 1500.0"),
            ({"target_price": 1530.05}, "targetPrice: a multiple of 0.1 wanted, found 1530.05"),
            ({"stop_price": 1490.05}, "stopLossPrice: a multiple of 0.1 wanted, found 1490.05"),
            ({"stop_price": 0.0, "trailing_jump": 1.0}, "trailingJump: 0 without a stop wanted, found 1.0"),
            ({"side": "SELL"}, "targetPrice: a price below 1500.0 wanted, found 1530.0"),
            (
                {"side": "SELL", "target_price": 1480.0},
                "stopLossPrice: a price above 1500.0 wanted, found 1490.0",
            ),
            (
                {"order_type": "MARKET", "limit_price": 0.0, "stop_price": 1500.1},
                "stopLossPrice: a price below 1500.0 wanted, found 1500.1",
            ),
        ],
    )
    def test_is_refused_with_prices_that_do_not_fit(self, client, changes, text):
        client.tick(1500.0)
        with pytest.raises(Refused) as caught:
            client.ask("place_super", a_super(**changes))

        assert caught.value.text == text

    def test_of_a_rupee_is_measured_as_any_other(self, client):
        client.tick(2.0)

        with pytest.raises(Refused, match=r"targetPrice: a price above 2\.0 wanted, found 1\.0"):
            client.ask("place_super", a_super(limit_price=2.0, target_price=1.0, stop_price=0.0))

    @pytest.mark.parametrize("alone", [{"stop_price": 0.0}, {"target_price": 0.0}], ids=str)
    def test_with_one_exit_may_have_its_entry_changed_in_one_thing(self, client, alone):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super(**alone)).ids[0]
        client.wait()
        client.ask("modify_super", SuperModification(order_id=order_id, leg="ENTRY_LEG", quantity=6))
        client.ask("modify_super", SuperModification(order_id=order_id, leg="ENTRY_LEG", limit_price=1501.0))

        entry = client.order(order_id)
        assert (entry.quantity, entry.limit_price, entry.order_type) == (6, 1501.0, "LIMIT")

    def test_may_have_a_target_or_a_stop_alone(self, client):
        client.tick(1500.0)
        for alone, leg in (({"stop_price": 0.0}, "TARGET_LEG"), ({"target_price": 0.0}, "STOP_LOSS_LEG")):
            order_id = client.ask("place_super", a_super(**alone)).ids[0]
            client.wait()

            assert [each.leg for each in client.account.orders() if each.parent_id == order_id] == [leg]

    def test_that_sells_has_exits_that_buy_and_a_stop_that_trails_downwards(self, client):
        client.tick(1500.0)
        client.ask("place_super", a_super(side="SELL", target_price=1480.0, stop_price=1510.0, trailing_jump=2.0))
        client.wait()
        found = exits(client)
        assert {leg: (each.side, each.limit_price, each.trigger_price) for leg, each in found.items()} == {
            "TARGET_LEG": ("BUY", 1480.0, 0.0),
            "STOP_LOSS_LEG": ("BUY", 0.0, 1510.0),
        }
        client.tick(1501.9)
        client.tick(1495.9)
        assert exits(client)["STOP_LOSS_LEG"].trigger_price == 1506.0
        client.tick(1506.0)

        assert (row(client).status, exits(client)["TARGET_LEG"].status) == ("CLOSED", "CANCELLED")
        assert client.account.positions()[0].net_quantity == 0

    def test_trails_by_whole_jumps_from_where_it_was_last(self, client):
        client.tick(1500.0)
        client.ask("place_super", a_super(trailing_jump=2.0))
        client.wait()
        stops = []
        for price in (1501.9, 1502.0, 1503.9, 1504.0):
            client.tick(price)
            stops.append(row(client).stop_price)

        assert stops == [1490.0, 1492.0, 1492.0, 1494.0]

    @pytest.mark.parametrize(
        ("side", "target", "stop", "up"),
        [("BUY", 1520.0, 1490.0, 1), ("SELL", 1480.0, 1510.0, -1)],
        ids=["buys", "sells"],
    )
    def test_that_trails_counts_what_is_over_a_whole_jump_towards_the_next(self, client, side, target, stop, up):
        client.tick(1500.0)
        client.ask("place_super", a_super(side=side, target_price=target, stop_price=stop, trailing_jump=2.0))
        client.wait()
        moved = []
        for over in (3.0, 3.9, 4.0, 7.9, 8.0):
            client.tick(1500.0 + up * over)
            moved.append(up * (row(client).stop_price - stop))

        assert moved == [2.0, 2.0, 4.0, 6.0, 8.0]

    def test_whose_entry_is_cancelled_before_it_trades_has_ended_with_all_of_it(self, client):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        client.ask("cancel_super", order_id, "ENTRY_LEG")

        found = row(client)
        assert (found.status, found.target_status, found.stop_status) == ("CANCELLED",) * 3
        with pytest.raises(Refused, match="Order is already CANCELLED"):
            client.ask("cancel_super", order_id, "ENTRY_LEG")

    def test_whose_entry_is_rejected_has_ended_with_all_of_it(self, client):
        client.tick(1500.0)
        client.ask("place_super", a_super(quantity=1_000_000))
        client.wait()

        found = row(client)
        assert (found.status, found.target_status, found.stop_status) == ("REJECTED", "CANCELLED", "CANCELLED")

    @pytest.mark.parametrize("exit_", [{"target_price": 2500.0}, {"stop_price": 900.0}], ids=["target", "stop"])
    def test_whose_exit_is_beyond_the_price_band_is_rejected_before_it_trades(self, client, exit_):
        client.tick(1500.0)
        client.ask("place_super", a_super(**exit_))
        client.wait()

        (entry,) = client.account.orders()
        (price,) = exit_.values()
        assert (entry.status, row(client).status) == ("REJECTED", "REJECTED")
        assert f"Rate not within circuit limits: 1200.00 to 1800.00 wanted, found {price:.2f}" in entry.reason

    @pytest.mark.parametrize(
        ("exit_", "close", "statuses"),
        [
            ({"target_price": 1750.0}, 1300.0, {"TARGET_LEG": "REJECTED", "STOP_LOSS_LEG": "PENDING"}),
            ({"stop_price": 1250.0}, 1600.0, {"TARGET_LEG": "PENDING", "STOP_LOSS_LEG": "REJECTED"}),
        ],
        ids=["target", "stop"],
    )
    def test_whose_exit_is_rejected_all_the_same_says_so_and_keeps_the_other(self, client, exit_, close, statuses):
        """The band is that of another close by the time that the entry trades."""
        client.tick(1510.0)
        client.ask("place_super", a_super(**exit_))
        client.wait()
        client.tick(1499.0, close=close)

        assert {leg: order.status for leg, order in exits(client).items()} == statuses
        found = row(client)
        assert {"TARGET_LEG": found.target_status, "STOP_LOSS_LEG": found.stop_status} == statuses
        assert found.status == "TRADED"

    @pytest.mark.parametrize(
        ("price", "statuses"), [(1480.0, ("CANCELLED", "TRIGGERED")), (1535.0, ("TRIGGERED", "CANCELLED"))]
    )
    def test_has_exits_also_for_what_its_entry_trades_after_they_have_traded(self, client, price, statuses):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        client.ask("place_super", a_super())
        client.wait()
        client.tick(1530.0, bids=[(1530.0, 4)], asks=[(1531.0, 9)])

        assert (row(client).status, row(client).target_status) == ("PART_TRADED", "TRIGGERED")
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 6)])
        assert {leg: (each.status, each.quantity) for leg, each in exits(client).items()} == {
            "TARGET_LEG": ("PENDING", 6),
            "STOP_LOSS_LEG": ("PENDING", 6),
        }
        client.account = client.replayed()
        client.tick(price)
        client.tick(price)
        assert (row(client).status, client.account.positions()[0].net_quantity) == ("CLOSED", 0)
        assert (row(client).target_status, row(client).stop_status) == statuses

    def test_that_is_beyond_its_target_when_it_enters_has_no_stop(self, client):
        client.tick(1500.0)
        client.ask("place_super", a_super(order_type="MARKET", limit_price=0.0))
        client.tick(1540.0)
        client.wait()

        assert {leg: order.average_price for leg, order in exits(client).items()} == {"TARGET_LEG": 1540.0}
        assert (row(client).status, client.account.positions()[0].net_quantity) == ("CLOSED", 0)

    def test_that_is_beyond_its_target_with_a_part_of_its_entry_has_exits_for_the_rest(self, client):
        client.tick(1500.0)
        client.ask("place_super", a_super(order_type="MARKET", limit_price=0.0))
        client.tick(1540.0, bids=[(1540.0, 50)], asks=[(1540.0, 4)])
        client.wait()
        assert {leg: order.filled_quantity for leg, order in exits(client).items()} == {"TARGET_LEG": 4}
        client.tick(1520.0, bids=[(1519.0, 50)], asks=[(1520.0, 6)])

        assert {leg: (order.quantity, order.status) for leg, order in exits(client).items()} == {
            "TARGET_LEG": (6, "PENDING"),
            "STOP_LOSS_LEG": (6, "PENDING"),
        }

    @pytest.mark.parametrize("alone", [{"stop_price": 0.0}, {"target_price": 0.0}], ids=str)
    def test_with_one_exit_has_no_price_of_the_other_when_it_has_entered(self, client, alone):
        client.tick(1500.0)
        client.ask("place_super", a_super(**alone))
        client.wait()

        assert (row(client).target_price, row(client).stop_price) == (
            alone.get("target_price", 1530.0),
            alone.get("stop_price", 1490.0),
        )

    def test_trails_no_more_once_all_of_it_is_cancelled(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_super", a_super(trailing_jump=1.0)).ids[0]
        client.wait()
        client.ask("cancel_super", order_id, "ENTRY_LEG")

        assert client.tick(1510.0) == ()

    def test_keeps_what_its_entry_has_traded_when_the_rest_of_it_is_cancelled(self, client):
        client.tick(1500.0, bids=[(1499.9, 50)], asks=[(1500.0, 4)])
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        client.ask("cancel", order_id)
        assert {each.status for each in exits(client).values()} == {"PENDING"}
        client.tick(1540.0)

        assert (row(client).status, client.account.positions()[0].net_quantity) == ("CLOSED", 0)

    def test_that_nobody_knows_is_refused(self, client, entered):
        change = SuperModification(order_id="7", leg="TARGET_LEG", target_price=1510.0)
        for verb, arguments in (("modify_super", (change,)), ("cancel_super", ("7", "TARGET_LEG"))):
            with pytest.raises(Refused, match="orderId: a super order wanted, found none of '7'"):
                client.ask(verb, *arguments)


class TestALegThatIsCancelled:
    def test_leaves_the_other(self, client, entered):
        client.ask("cancel_super", entered, "TARGET_LEG")
        assert (row(client).target_status, row(client).stop_status) == ("CANCELLED", "PENDING")
        client.tick(1540.0)
        assert client.account.positions()[0].net_quantity == 10
        client.tick(1485.0)

        assert (row(client).status, row(client).stop_status) == ("CLOSED", "TRIGGERED")

    @pytest.mark.parametrize("second", ["TARGET_LEG", "STOP_LOSS_LEG"])
    def test_as_the_other_leaves_the_position_and_closes_nothing(self, client, entered, second):
        first = "STOP_LOSS_LEG" if second == "TARGET_LEG" else "TARGET_LEG"
        for leg in (first, second):
            client.ask("cancel_super", entered, leg)

        assert (row(client).status, client.account.positions()[0].net_quantity) == ("CANCELLED", 10)

    def test_trails_no_more(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_super", a_super(trailing_jump=1.0)).ids[0]
        client.wait()
        client.ask("cancel_super", order_id, "STOP_LOSS_LEG")
        client.tick(1510.0)

        assert (row(client).stop_price, row(client).trailing_jump) == (1490.0, 0.0)

    @pytest.mark.parametrize("leg", ["TARGET_LEG", "STOP_LOSS_LEG"])
    def test_is_cancelled_once(self, client, entered, leg):
        client.ask("cancel_super", entered, leg)

        with pytest.raises(Refused, match="Order is already CANCELLED"):
            client.ask("cancel_super", entered, leg)

    def test_must_be_one(self, client, entered):
        wanted = "legName: ENTRY_LEG, TARGET_LEG or STOP_LOSS_LEG wanted, found ''"
        with pytest.raises(Refused, match=wanted):
            client.ask("cancel_super", entered, "")
        with pytest.raises(Refused, match=wanted):
            client.ask("modify_super", SuperModification(order_id=entered, leg=""))


class TestALegThatIsChanged:
    @pytest.mark.parametrize(
        ("price", "change"),
        [
            (1500.0, {"leg": "TARGET_LEG", "target_price": 1800.1}),
            (1500.0, {"leg": "STOP_LOSS_LEG", "stop_price": 1199.9}),
            (1510.0, {"leg": "TARGET_LEG", "target_price": 1800.1}),
            (1510.0, {"leg": "ENTRY_LEG", "target_price": 1800.1}),
        ],
        ids=["target", "stop", "before the entry has traded", "with the entry"],
    )
    def test_to_a_price_beyond_the_band_stays_where_it_is(self, client, price, change):
        client.tick(price, close=1500.0)
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        with pytest.raises(Refused, match=r"Rate not within circuit limits: 1200\.00 to 1800\.00 wanted, found"):
            client.ask("modify_super", SuperModification(order_id=order_id, **change))

        assert (row(client).target_price, row(client).stop_price) == (1530.0, 1490.0)

    @pytest.mark.parametrize(
        ("gone", "change", "found"),
        [
            ("TARGET_LEG", {"leg": "STOP_LOSS_LEG", "stop_price": 1495.0}, ("stop_price", 1495.0)),
            ("STOP_LOSS_LEG", {"leg": "TARGET_LEG", "target_price": 1560.0}, ("target_price", 1560.0)),
        ],
    )
    def test_is_changed_where_the_other_is_cancelled(self, client, entered, gone, change, found):
        client.ask("cancel_super", entered, gone)
        client.ask("modify_super", SuperModification(order_id=entered, **change))

        assert getattr(row(client), found[0]) == found[1]

    def test_is_not_measured_by_the_other_where_that_is_cancelled(self, client, entered):
        client.tick(1529.0)
        client.ask("cancel_super", entered, "TARGET_LEG")
        client.tick(1550.0)
        client.ask("modify_super", SuperModification(order_id=entered, leg="STOP_LOSS_LEG", stop_price=1540.0))

        assert exits(client)["STOP_LOSS_LEG"].trigger_price == 1540.0

    def test_before_its_entry_has_traded_is_measured_by_the_price_of_the_entry(self, client):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        client.ask("modify_super", SuperModification(order_id=order_id, leg="TARGET_LEG", target_price=1505.0))
        assert row(client).target_price == 1505.0

        with pytest.raises(Refused, match=r"stopLossPrice: a price below 1500\.0 wanted, found 1500\.0"):
            client.ask("modify_super", SuperModification(order_id=order_id, leg="STOP_LOSS_LEG", stop_price=1500.0))

    def test_that_is_the_entry_is_changed_with_the_prices_of_its_exits(self, client):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super(trailing_jump=3.0)).ids[0]
        client.wait()
        client.ask(
            "modify_super",
            SuperModification(
                order_id=order_id,
                leg="ENTRY_LEG",
                quantity=6,
                limit_price=1505.0,
                target_price=1540.0,
                stop_price=1495.0,
                trailing_jump=2.0,
            ),
        )
        entry, found = client.order(order_id), row(client)
        assert (entry.quantity, entry.limit_price, entry.order_type) == (6, 1505.0, "LIMIT")
        assert (found.target_price, found.stop_price, found.trailing_jump) == (1540.0, 1495.0, 2.0)
        client.tick(1505.0)

        assert {each.quantity for each in exits(client).values()} <= {6}

    @pytest.mark.parametrize("exit_", [{"target_price": 1540.0}, {"stop_price": 1495.0}], ids=str)
    def test_that_is_the_entry_cannot_put_a_cancelled_one_back(self, client, exit_):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super(**dict.fromkeys(exit_, 0.0))).ids[0]
        client.wait()

        with pytest.raises(Refused, match="A cancelled leg cannot be put back"):
            client.ask("modify_super", SuperModification(order_id=order_id, leg="ENTRY_LEG", **exit_))

    @pytest.mark.parametrize("price", [1500.0, 1510.0], ids=["after the entry has traded", "before"])
    @pytest.mark.parametrize("field", ["target_price", "stop_price"])
    @pytest.mark.parametrize("by_entry", [False, True], ids=["by its leg", "with the entry"])
    def test_has_a_price(self, client, price, field, by_entry):
        client.tick(price)
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        before = client.account.comparable()
        leg = "ENTRY_LEG" if by_entry else {"target_price": "TARGET_LEG", "stop_price": "STOP_LOSS_LEG"}[field]
        name = {"target_price": "targetPrice", "stop_price": "stopLossPrice"}[field]

        with pytest.raises(Refused, match=f"{name}: one above 0 wanted, found 0"):
            client.ask("modify_super", SuperModification(order_id=order_id, leg=leg, **{field: 0.0}))
        assert client.account.comparable() == before

    def test_that_is_an_entry_for_the_market_in_transit_is_measured_by_the_last_price(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_super", a_super(order_type="MARKET", limit_price=0.0)).ids[0]

        with pytest.raises(Refused, match=r"targetPrice: a price above 1500\.0 wanted"):
            client.ask("modify_super", SuperModification(order_id=order_id, leg="TARGET_LEG", target_price=1495.0))

    def test_that_is_the_entry_may_be_one_for_the_market(self, client):
        client.tick(1510.0)
        order_id = client.ask("place_super", a_super()).ids[0]
        client.wait()
        change = SuperModification(order_id=order_id, leg="ENTRY_LEG", order_type="MARKET", limit_price=0.0)
        client.ask("modify_super", change)

        assert (client.order(order_id).status, client.order(order_id).average_price) == ("TRADED", 1510.0)

    @pytest.mark.parametrize(
        ("leg", "change", "other"),
        [
            ("TARGET_LEG", {"target_price": 1540.0}, "STOP_LOSS_LEG"),
            ("STOP_LOSS_LEG", {"stop_price": 1495.0}, "TARGET_LEG"),
        ],
    )
    def test_leaves_the_order_of_the_other_as_it_is(self, client, entered, leg, change, other):
        before = exits(client)
        client.wait(5)
        client.ask("modify_super", SuperModification(order_id=entered, leg=leg, **change))

        found = exits(client)
        assert (found[leg].updated_ns, found[other]) == (client.account.now_ns, before[other])

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
        ("change", "stop"),
        [
            ({"leg": "TARGET_LEG", "target_price": 1540.0}, 1511.0),
            ({"leg": "STOP_LOSS_LEG", "trailing_jump": 2.0}, 1511.0),
            ({"leg": "STOP_LOSS_LEG"}, 1509.0),
        ],
        ids=["the target", "another jump", "no jump"],
    )
    def test_trails_on_unless_it_is_the_stop_and_has_no_jump(self, client, trailed, change, stop):
        client.ask("modify_super", SuperModification(order_id=trailed, **change))
        client.tick(1521.0)

        assert exits(client)["STOP_LOSS_LEG"].trigger_price == row(client).stop_price == stop

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

    def test_of_the_stop_leaves_its_order_alone_once_that_is_triggered(self, client, entered):
        client.tick(1480.0, bids=[], asks=[(1480.1, 5)])
        client.ask("modify_super", SuperModification(order_id=entered, leg="STOP_LOSS_LEG", stop_price=1470.0))

        stop = exits(client)["STOP_LOSS_LEG"]
        assert (stop.trigger_price, stop.is_triggered) == (1490.0, True)

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
