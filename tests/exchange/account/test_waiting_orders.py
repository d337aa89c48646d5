"""Forever orders and alerts: they wait for a price, over days, and then place orders."""

import pytest
from msgspec.structs import replace

from natya.actors.exchange.account import (
    AlertModification,
    AlertTicket,
    ForeverModification,
    ForeverTicket,
    Refused,
)
from natya.actors.exchange.account.alerts import OPERATORS
from natya.domain.time import SECOND_NS
from natya.messages.exchange import AlertCondition, AlertOrder

INFY, TCS, FUTURE = ("NSE_EQ", "1594"), ("NSE_EQ", "11536"), ("NSE_FNO", "51235")
DAY_S = 86_400


def a_forever(**changes):
    fields = {"instrument": INFY, "side": "BUY", "product": "CNC", "order_type": "LIMIT", "quantity": 10}
    return ForeverTicket(**(fields | {"limit_price": 1461.0, "trigger_price": 1460.0} | changes))


TECHNICAL = {"comparison": "TECHNICAL_WITH_VALUE", "indicator": "SMA_5", "time_frame": "ONE_MIN"}


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

    def test_sends_it_as_it_was_asked_for(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever(side="SELL", product="MTF", disclosed_quantity=4, correlation_id="mine"))
        (forever,) = client.account.forever_orders()
        client.tick(1459.0)

        (order,) = client.account.orders()
        assert (order.side, order.product, order.order_type, order.quantity) == ("SELL", "MTF", "LIMIT", 10)
        assert (order.limit_price, order.disclosed_quantity, order.correlation_id) == (1461.0, 4, "mine")
        assert (order.parent_id, order.leg) == (forever.order_id, "TARGET_LEG")

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"product": "INTRADAY"}, "productType: CNC, MTF or MARGIN wanted, found INTRADAY"),
            ({"order_type": "STOP_LOSS"}, "orderType: LIMIT or MARKET wanted, found STOP_LOSS"),
            ({"order_type": "MARKET"}, "Invalid Price for orderType"),
            ({"limit_price": 0.0}, "Invalid Price for orderType"),
            ({"trigger_price": 0.0}, "triggerPrice: one above 0 wanted"),
            ({"trigger_price": 1460.03}, "triggerPrice: a multiple of 0.1 wanted, found 1460.03"),
            ({"limit_price": 1460.03}, "price: a multiple of 0.1 wanted, found 1460.03"),
            ({"quantity": 0}, "quantity: at least 1"),
            ({"second_quantity": 5}, "Invalid Price for orderType"),
            ({"second_quantity": 5, "second_limit_price": 1400.0}, "triggerPrice: one above 0 wanted"),
            ({"instrument": ("NSE_EQ", "1")}, "securityId"),
            (
                {"instrument": FUTURE, "product": "MARGIN", "quantity": 64},
                "quantity: a multiple of 65 wanted, found 64",
            ),
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, client, wrong, field):
        with pytest.raises(Refused, match=field):
            client.ask("place_forever", a_forever(**wrong))
        assert client.account.forever_orders() == ()

    @pytest.mark.parametrize(("prices", "sent"), [([1460.0], 1), ([1459.0, 1459.9], 0), ([1459.0, 1460.0], 1)])
    def test_that_came_before_any_price_waits_for_the_side_on_which_it_is_not(self, client, prices, sent):
        client.ask("place_forever", a_forever())
        for price in prices:
            client.tick(price)

        assert len(client.account.orders()) == sent

    def test_of_one_leg_has_no_second_one_to_change(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_forever", a_forever()).ids[0]
        change = ForeverModification(
            order_id=order_id, leg="STOP_LOSS_LEG", order_type="MARKET", quantity=3, trigger_price=1510.0
        )

        with pytest.raises(Refused, match="legName: a leg of the order wanted, found STOP_LOSS_LEG"):
            client.ask("modify_forever", change)

    def test_of_two_legs_has_the_one_changed_that_is_named(self, client):
        client.tick(1500.0)
        order_id = client.ask(
            "place_forever",
            a_forever(trigger_price=1550.0, second_quantity=10, second_trigger_price=1450.0, second_limit_price=1449.0),
        ).ids[0]
        client.ask(
            "modify_forever",
            ForeverModification(
                order_id=order_id,
                leg="STOP_LOSS_LEG",
                order_type="LIMIT",
                quantity=3,
                limit_price=1399.0,
                trigger_price=1400.0,
                validity="IOC",
                disclosed_quantity=1,
            ),
        )

        (row,) = client.account.forever_orders()
        assert [(leg.quantity, leg.price, leg.trigger_price, leg.rises) for leg in row.legs] == [
            (10, 1461.0, 1550.0, True),
            (3, 1399.0, 1400.0, False),
        ]
        assert (row.validity, row.disclosed_quantity, row.updated_ns) == ("IOC", 1, client.account.now_ns)

    def test_that_is_changed_to_what_cannot_be_stays_as_it_was(self, client):
        client.tick(1500.0)
        order_id = client.ask("place_forever", a_forever()).ids[0]
        before = client.account.forever_orders()
        change = ForeverModification(
            order_id=order_id, leg="ENTRY_LEG", order_type="MARKET", quantity=3, trigger_price=1510.03
        )

        with pytest.raises(Refused, match=r"triggerPrice: a multiple of 0\.1 wanted"):
            client.ask("modify_forever", change)
        assert client.account.forever_orders() == before

    def test_that_nobody_knows_is_refused(self, client):
        with pytest.raises(Refused, match="orderId: a forever order wanted, found none of 'X'"):
            client.ask("cancel_forever", "X")

    def test_whose_order_the_account_refuses_is_over_without_it(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever(correlation_id="x" * 26))
        client.tick(1450.0)

        (row,) = client.account.forever_orders()
        assert (row.legs[0].status, row.is_open, client.account.orders()) == ("REJECTED", False, ())

    def test_sends_nothing_while_the_market_is_closed(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever())
        client.wait(6 * 3_600)
        client.tick(1450.0)

        assert (client.account.orders(), client.account.forever_orders()[0].is_open) == ((), True)

    def test_is_sent_at_night_where_the_market_is_always_open(self, open_account):
        client = open_account(always_open=True)
        client.tick(1500.0)
        client.ask("place_forever", a_forever())
        client.wait(12 * 3_600)
        client.tick(1450.0)
        client.wait()

        assert [order.status for order in client.account.orders()] == ["TRADED"]

    def test_of_a_contract_ends_with_its_last_day(self, client):
        client.tick(25_000.0, FUTURE)
        client.ask(
            "place_forever",
            a_forever(instrument=FUTURE, product="MARGIN", quantity=65, trigger_price=24_000.0, limit_price=24_000.0),
        )

        (row,) = client.account.forever_orders()
        assert (row.expires_ns - client.account.now_ns) // SECOND_NS == 20 * DAY_S + 14 * 3_600

    def test_is_shown_until_the_day_of_its_end_is_over(self, client):
        client.tick(1500.0)
        ended, waits = (client.ask("place_forever", a_forever()).ids[0] for _ in range(2))
        client.ask("cancel_forever", ended)
        assert [each.order_id for each in client.account.forever_orders()] == [ended, waits]

        client.wait(DAY_S)

        assert [each.order_id for each in client.account.forever_orders()] == [waits]

    def test_lives_for_a_year(self, client):
        client.tick(1500.0)
        client.ask("place_forever", a_forever())

        client.wait(364 * DAY_S)
        assert client.account.forever_orders()[0].is_open
        client.wait(5 * DAY_S)

        assert not any(row.is_open for row in client.account.forever_orders())


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        # From below, from the value, from above it: to below, to it, to above.
        ("CROSSING_UP", "-!! --- ---"),
        ("CROSSING_DOWN", "--- --- !!-"),
        ("CROSSING_ANY_SIDE", "-!! --- !!-"),
        ("GREATER_THAN", "--! --! --!"),
        ("LESS_THAN", "!-- !-- !--"),
        ("GREATER_THAN_EQUAL", "-!! -!! -!!"),
        ("LESS_THAN_EQUAL", "!!- !!- !!-"),
        ("EQUAL", "-!- -!- -!-"),
        ("NOT_EQUAL", "!-! !-! !-!"),
    ],
)
def test_a_condition_holds_where_the_price_comes_from_and_goes_to(operator, holds):
    found = " ".join(
        "".join("!" if OPERATORS[operator](before, last, 10.0) else "-" for last in (9.9, 10.0, 10.1))
        for before in (9.9, 10.0, 10.1)
    )

    assert found == holds


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

    @pytest.mark.parametrize(
        ("operator", "prices", "first", "fires"),
        [
            ("CROSSING_UP", [1449.0], 1451.0, True),
            ("CROSSING_UP", [1451.0, 1449.0], 1451.0, True),
            ("CROSSING_UP", [1449.0], 1449.5, False),
            ("CROSSING_UP", [1451.0], 1460.0, False),
            ("CROSSING_DOWN", [1449.0, 1451.0], 1449.0, True),
            ("CROSSING_ANY_SIDE", [1451.0], 1440.0, True),
            ("CROSSING_UP", [], 1451.0, False),
        ],
    )
    def test_knows_in_a_new_process_from_where_the_price_comes(self, client, operator, prices, first, fires):
        for place, price in enumerate(prices):
            client.tick(price)
            if not place:
                client.ask("place_conditional", an_alert(operator))
        if not prices:
            client.ask("place_conditional", an_alert(operator))
        client.account = client.replayed()
        client.tick(first)

        assert client.account.alerts()[0].status == ("TRIGGERED" if fires else "ACTIVE")

    def test_that_is_changed_in_a_new_process_knows_it_still(self, client):
        client.tick(1440.0)
        alert_id = client.ask("place_conditional", an_alert("CROSSING_UP")).ids[0]
        client.account = client.replayed()
        condition = replace(client.account.alerts()[0].condition, value=1445.0)
        client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=condition))
        client.tick(1446.0)

        assert client.account.alerts()[0].status == "TRIGGERED"

    def test_that_is_changed_comes_from_the_last_price_of_all(self, client):
        client.tick(1440.0)
        alert_id = client.ask("place_conditional", an_alert("CROSSING_UP")).ids[0]
        client.tick(1446.0)
        condition = replace(client.account.alerts()[0].condition, value=1445.0)
        client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=condition))
        client.tick(1447.0)

        assert client.account.alerts()[0].status == "ACTIVE"

    @pytest.mark.parametrize("operator", ["CROSSING_UP", "CROSSING_DOWN", "CROSSING_ANY_SIDE"])
    def test_is_restated_by_the_side_from_which_a_crossing_comes_alone(self, client, operator):
        client.ask("place_conditional", an_alert(operator))

        assert [len(client.tick(price)) for price in (1440.0, 1441.0, 1442.0)] == [1, 0, 0]

    @pytest.mark.parametrize("operator", ["GREATER_THAN", "GREATER_THAN_EQUAL", "EQUAL"])
    def test_without_a_crossing_is_restated_by_no_price(self, client, operator):
        client.ask("place_conditional", an_alert(operator))

        assert [client.tick(price) for price in (1440.0, 1449.0)] == [(), ()]

    def test_that_came_before_any_price_waits_for_one_and_then_for_a_crossing(self, client):
        client.ask("place_conditional", an_alert("CROSSING_UP"))
        client.tick(1440.0)
        client.account = client.replayed()
        client.tick(1451.0)

        assert client.account.alerts()[0].status == "TRIGGERED"

    def test_sends_each_of_its_orders_whose_market_is_open(self, client):
        client.tick(1500.0)
        shares = an_alert().orders[0]
        future = replace(shares, instrument=FUTURE, product="MARGIN", quantity=65, limit_price=25_000.0)
        client.ask("place_conditional", replace(an_alert(), orders=(shares, future, shares)))
        client.wait(5 * 3_600 + 35 * 60)  # 15:35: shares trade no longer
        client.tick(1400.0)

        (order,) = client.account.orders()
        assert order.instrument == FUTURE
        assert client.account.alerts()[0].order_ids == (order.order_id,)

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

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"operator": "LIKE"}, "operator: one of CROSSING_UP, "),
            ({"comparison": "VOLUME"}, "comparisonType: one of PRICE_WITH_VALUE, TECHNICAL_WITH_VALUE, "),
            (TECHNICAL | {"indicator": "SMA_7"}, "indicatorName: one of SMA_5, SMA_10, "),
            (TECHNICAL | {"time_frame": "HOUR"}, "timeFrame: one of ONE_MIN, FIVE_MIN, FIFTEEN_MIN, DAY wanted"),
            (TECHNICAL | {"comparison": "TECHNICAL_WITH_INDICATOR"}, "comparingIndicatorName: one of SMA_5, "),
            ({"frequency": "DAILY"}, "frequency: ONCE wanted, found DAILY"),
            ({"instrument": FUTURE}, "exchangeSegment: NSE_EQ, BSE_EQ or IDX_I wanted, found NSE_FNO"),
            ({"instrument": ("BSE_EQ", "1")}, "securityId"),
        ],
        ids=str,
    )
    def test_on_what_cannot_be_is_refused(self, client, wrong, field):
        alert = an_alert()
        condition = {name: getattr(alert.condition, name) for name in alert.condition.__struct_fields__} | wrong

        with pytest.raises(Refused, match=field):
            client.ask("place_conditional", AlertTicket(condition=AlertCondition(**condition), orders=alert.orders))

    @pytest.mark.parametrize(
        ("orders", "field"),
        [
            (lambda _: (), "orders: 1 to 15 wanted, found 0"),
            (lambda order: (order(),) * 16, "orders: 1 to 15 wanted, found 16"),
            (lambda order: (order(), order(quantity=0)), "quantity: at least 1"),
            (lambda order: (order(), order(instrument=("NSE_EQ", "1"))), "securityId"),
            (lambda order: (order(), order(limit_price=0.0)), "price: one above 0 for LIMIT wanted"),
        ],
        ids=["none", "too many", "of nothing", "of what is not listed", "without a price"],
    )
    def test_whose_orders_cannot_be_is_refused(self, client, orders, field):
        alert = an_alert()

        def order(**changes):
            (known,) = alert.orders
            return AlertOrder(**{name: getattr(known, name) for name in known.__struct_fields__} | changes)

        with pytest.raises(Refused, match=field):
            client.ask("place_conditional", AlertTicket(condition=alert.condition, orders=orders(order)))

    def test_may_have_fifteen_orders_and_sends_each_as_it_is(self, client):
        client.tick(1500.0)
        fields = {"side": "SELL", "product": "INTRADAY", "order_type": "STOP_LOSS", "quantity": 7, "validity": "IOC"}
        fields |= {"instrument": INFY, "limit_price": 1440.0, "trigger_price": 1441.0, "disclosed_quantity": 3}
        alert = an_alert()
        ids = client.ask(
            "place_conditional", AlertTicket(condition=alert.condition, orders=(AlertOrder(**fields),) * 15)
        ).ids
        client.tick(1449.0)

        sent = client.account.orders()
        assert len(sent) == 15
        assert [{name: getattr(order, name) for name in fields} for order in sent] == [fields] * 15
        assert {order.parent_id for order in sent} == {*ids}
        (row,) = client.account.alerts()
        assert (row.last_price, row.triggered_ns) == (1449.0, client.account.now_ns)

    @pytest.mark.parametrize(
        ("operator", "value", "price"), [("GREATER_THAN", 3100.0, 3101.0), ("LESS_THAN", 2900.0, 2899.0)]
    )
    def test_waits_for_what_it_was_changed_to_and_sends_the_orders_it_had(self, client, operator, value, price):
        client.tick(1500.0)
        client.tick(3000.0, TCS)
        alert_id = client.ask("place_conditional", an_alert()).ids[0]
        condition = AlertCondition(
            instrument=TCS,
            comparison="PRICE_WITH_VALUE",
            operator=operator,
            value=value,
            expires_on="2026-10-09",
        )
        client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=condition))
        client.tick(1400.0)  # of what it was for
        assert client.account.orders() == ()

        client.tick(price, TCS)

        assert [order.instrument for order in client.account.orders()] == [INFY]

    def test_sends_the_orders_it_was_changed_to(self, client):
        client.tick(1500.0)
        alert = an_alert()
        alert_id = client.ask("place_conditional", alert).ids[0]
        orders = (*alert.orders, *alert.orders)
        client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=alert.condition, orders=orders))
        client.tick(1400.0)

        assert len(client.account.orders()) == 2
        with pytest.raises(Refused, match="Alert is already TRIGGERED"):
            client.ask("cancel_conditional", alert_id)

    def test_that_is_changed_to_what_cannot_be_stays_as_it_was(self, client):
        client.tick(1500.0)
        alert = an_alert()
        alert_id = client.ask("place_conditional", alert).ids[0]
        before = client.account.alerts()

        with pytest.raises(Refused, match="orders: 1 to 15 wanted, found 0"):
            client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=alert.condition, orders=()))
        with pytest.raises(Refused, match="operator"):
            client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=an_alert("LIKE").condition))
        assert client.account.alerts() == before

    def test_that_nobody_knows_is_refused(self, client):
        with pytest.raises(Refused, match="alertId: an alert wanted, found none of 'X'"):
            client.ask("cancel_conditional", "X")

    def test_that_is_cancelled_sends_nothing(self, client):
        client.tick(1500.0)
        client.ask("cancel_conditional", client.ask("place_conditional", an_alert()).ids[0])
        client.tick(1400.0)

        assert (client.account.orders(), client.account.alerts()[0].status) == ((), "CANCELLED")

    def test_ends_on_its_day(self, client):
        client.tick(1500.0)
        client.ask("place_conditional", an_alert(expires_on="2026-10-08"))

        client.ask("place_conditional", an_alert("GREATER_THAN", expires_on="2026-10-08"))
        client.tick(1500.0)

        client.wait(DAY_S)
        assert [alert.status for alert in client.account.alerts()] == ["ACTIVE", "TRIGGERED"]
        client.wait(DAY_S)

        assert [alert.status for alert in client.account.alerts()] == ["EXPIRED", "TRIGGERED"]

    @pytest.mark.parametrize("days", [("2026-10-08", "2026-10-09", ""), ("2026-10-09", "", "2026-10-08")], ids=str)
    def test_that_is_changed_ends_on_the_day_that_was_said_last(self, client, days):
        """A year on where none was."""
        client.tick(1500.0)
        first, *others = (an_alert(expires_on=day).condition for day in days)
        alert_id = client.ask("place_conditional", an_alert(expires_on=first.expires_on)).ids[0]
        for condition in others:
            client.ask("modify_conditional", AlertModification(alert_id=alert_id, condition=condition))
        client.wait(3 * DAY_S)

        assert client.account.alerts()[0].status == ("EXPIRED" if days[-1] else "ACTIVE")


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
