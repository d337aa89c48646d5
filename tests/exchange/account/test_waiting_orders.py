"""Forever orders and alerts: they wait for a price, over days, and then place orders."""

import pytest

from natya.actors.exchange.account import AlertTicket, ForeverModification, ForeverTicket, Refused
from natya.messages.exchange import AlertCondition, AlertOrder

INFY = ("NSE_EQ", "1594")
DAY_S = 86_400


def a_forever(**changes):
    fields = {"side": "BUY", "product": "CNC", "order_type": "LIMIT", "quantity": 10, "limit_price": 1461.0}
    return ForeverTicket(instrument=INFY, **(fields | {"trigger_price": 1460.0} | changes))


def an_alert(operator="LESS_THAN", value=1450.0, **changes):
    fields = {"comparison": "PRICE_WITH_VALUE", "operator": operator, "value": value} | changes
    order = AlertOrder(instrument=INFY, side="BUY", product="CNC", order_type="LIMIT", quantity=5, limit_price=1449.5)
    return AlertTicket(condition=AlertCondition(instrument=INFY, **fields), orders=(order,))


class TestAForeverOrder:
    def test_sends_its_order_when_the_trigger_is_met(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever())
        client.tick(1461.0)
        assert client.account.orders() == ()

        client.tick(1460.0)
        client.wait()

        assert [order.status for order in client.account.orders()] == ["TRADED"]
        (row,) = client.account.forever_orders()
        assert (row.legs[0].status, row.legs[0].order_id) == ("TRIGGERED", client.account.orders()[0].order_id)

    def test_waits_over_days_and_processes(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever())
        client.wait(DAY_S)
        client.account = client.replayed()
        client.tick(1470.0)
        assert client.account.orders() == ()

        client.tick(1459.0)

        assert len(client.account.orders()) == 1

    def test_of_two_legs_sends_one_and_cancels_the_other(self, client):
        client.tick(1500.0)
        client.ask(
            "place_forever",
            a_forever(trigger_price=1550.0, limit_price=1550.0, second_quantity=10, second_trigger_price=1450.0,
                      second_limit_price=1449.0),
        )  # fmt: skip
        client.tick(1449.5)
        client.wait()
        client.tick(1560.0)

        assert [order.leg for order in client.account.orders()] == ["STOP_LOSS_LEG"]
        assert [leg.status for leg in client.account.forever_orders()[0].legs] == ["CANCELLED", "TRIGGERED"]

    def test_waits_at_the_price_that_it_was_changed_to(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_forever", a_forever()).ids[0]
        client.ask(
            "modify_forever",
            ForeverModification(
                order_id=order_id, leg="TARGET_LEG", order_type="MARKET", quantity=3, trigger_price=1510.0
            ),
        )
        client.tick(1509.0)
        assert client.account.orders() == ()

        client.tick(1510.0)

        assert [(order.quantity, order.order_type) for order in client.account.orders()] == [(3, "MARKET")]

    def test_that_is_cancelled_sends_nothing(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_forever", a_forever()).ids[0]
        client.ask("cancel_forever", order_id)

        client.tick(1400.0)

        assert client.account.orders() == ()
        with pytest.raises(Refused, match="Order is already CANCELLED"):
            client.ask("cancel_forever", order_id)

    def test_lives_for_a_year(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever())

        client.wait(364 * DAY_S)
        assert client.account.forever_orders()[0].is_open
        client.wait(5 * DAY_S)

        assert not any(row.is_open for row in client.account.forever_orders())


class TestAnAlert:
    @pytest.mark.parametrize(
        ("operator", "prices", "fires"),
        [
            ("LESS_THAN", [1500.0, 1450.0, 1449.9], True),
            ("LESS_THAN", [1500.0, 1450.0], False),
            ("CROSSING_UP", [1500.0, 1451.0], False),
            ("CROSSING_UP", [1449.0, 1450.0], True),
            ("CROSSING_DOWN", [1451.0, 1450.0], True),
            ("CROSSING_DOWN", [1449.0, 1448.0], False),
            ("CROSSING_ANY_SIDE", [1449.0, 1451.0], True),
            ("EQUAL", [1500.0, 1450.0], True),
            ("NOT_EQUAL", [1450.0, 1450.1], True),
            ("GREATER_THAN_EQUAL", [1449.0, 1450.0], True),
        ],
    )
    def test_sends_its_orders_when_its_condition_holds(self, client, operator, prices, fires):
        client.tick(prices[0])
        client.ask("place_conditional", an_alert(operator))
        for price in prices[1:]:
            client.tick(price)

        (alert,) = client.account.alerts()
        assert alert.status == ("TRIGGERED" if fires else "ACTIVE")
        assert list(alert.order_ids) == [order.order_id for order in client.account.orders()]
        assert len(alert.order_ids) == fires

    def test_sends_them_once(self, client):
        client.tick(1500.0)
        client.ask("place_conditional", an_alert())
        client.tick(1400.0)
        client.tick(1500.0)
        client.tick(1400.0)

        assert len(client.account.orders()) == 1

    def test_whose_orders_the_account_refuses_is_over_without_them(self, client):
        client.tick(1500.0)
        client.ask("place_conditional", an_alert("LESS_THAN"))
        client.wait(6 * 3_600)

        client.tick(1400.0)

        (alert,) = client.account.alerts()
        assert (alert.status, alert.order_ids) == ("TRIGGERED", ())

    def test_on_an_indicator_is_refused(self, client):
        with pytest.raises(Refused, match="comparisonType: PRICE_WITH_VALUE at the paper exchange wanted"):
            client.ask("place_conditional", an_alert(comparison="TECHNICAL_WITH_VALUE", indicator="SMA_5"))

    def test_ends_on_its_day(self, client):
        client.tick(1500.0)
        client.ask("place_conditional", an_alert(expires_on="2026-10-08"))

        client.wait(DAY_S)
        assert client.account.alerts()[0].status == "ACTIVE"
        client.wait(DAY_S)

        assert client.account.alerts()[0].status == "EXPIRED"


@pytest.mark.parametrize(
    ("day", "may"),
    [
        *(("2026-10-07", True), ("2026-10-08", True), ("2027-10-07", True), ("", True)),
        *(("2026-10-06", False), ("2027-10-08", False), ("tomorrow", False)),
    ],
)
def test_an_alert_may_wait_from_today_to_a_year_on(client, day, may):
    client.tick(1500.0)
    if not may:
        with pytest.raises(Refused, match="expDate"):
            client.ask("place_conditional", an_alert(expires_on=day))
        return
    client.ask("place_conditional", an_alert(expires_on=day))

    (alert,) = client.account.alerts()
    assert day or alert.expires_ns == client.account.now_ns + 365 * 86_400 * 10**9
