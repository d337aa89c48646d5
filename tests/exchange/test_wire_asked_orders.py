"""What each endpoint of orders asks of the account, to the letter, and what it answers; no server."""

import msgspec
import pytest
from natya_asked_exchange import INFY, STOP, WHOSE, an_outcome, ask, asked

from natya.actors.exchange.account import (
    AlertModification,
    AlertTicket,
    ForeverModification,
    ForeverTicket,
    Modification,
    Refused,
    SuperModification,
    SuperTicket,
    Ticket,
)
from natya.messages.exchange import AccountOrder, Alert, AlertCondition, AlertOrder, SuperOrder

TICKET = Ticket(
    instrument=("NSE_EQ", "1594"),
    side="SELL",
    product="CNC",
    order_type="STOP_LOSS",
    quantity=10,
    validity="IOC",
    limit_price=99.0,
    trigger_price=99.5,
    disclosed_quantity=4,
    correlation_id="one",
)


class TestAnOrder:
    @pytest.mark.parametrize(
        ("changes", "ticket"),
        [
            ({}, {}),
            ({"orderType": "LIMIT"}, {"order_type": "LIMIT", "trigger_price": 0.0}),
            ({"orderType": "STOP_LOSS_MARKET"}, {"order_type": "STOP_LOSS_MARKET", "limit_price": 0.0}),
            ({"orderType": "MARKET"}, {"order_type": "MARKET", "limit_price": 0.0, "trigger_price": 0.0}),
            ({"afterMarketOrder": True, "amoTime": "OPEN_30"}, {"amo_time": "OPEN_30"}),
            ({"afterMarketOrder": True}, {"amo_time": "OPEN"}),
            ({"afterMarketOrder": False, "amoTime": "OPEN_30"}, {}),
            *(({"productType": product}, {"product": product}) for product in ("INTRADAY", "MARGIN", "MTF")),
        ],
        ids=str,
    )
    def test_is_placed_with_every_field_that_its_type_has(self, changes, ticket):
        ticket = msgspec.structs.replace(TICKET, **ticket)

        assert asked("POST /orders", STOP | changes) == ("place", ticket)
        assert asked("POST /orders/slicing", STOP | changes) == ("place_sliced", ticket)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"price": 0}, "price is required"),
            ({"triggerPrice": 0}, "triggerPrice is required"),
            ({"orderType": "LIMIT", "price": 0}, "price is required"),
            ({"orderType": "STOP_LOSS_MARKET", "triggerPrice": 0}, "triggerPrice is required"),
        ],
        ids=str,
    )
    def test_without_what_its_type_needs_is_asked_of_nobody(self, changes, reason):
        for line in ("POST /orders", "POST /orders/slicing"):
            status, told, calls = ask(line, STOP | changes)

            assert (status, told["errorCode"], told["errorMessage"], calls) == (400, "DH-905", reason, [])

    @pytest.mark.parametrize(
        ("fields", "exits"),
        [
            (
                {"productType": "BO", "boProfitValue": 30, "boStopLossValue": 10, "triggerPrice": 5},
                {"product": "BO", "target_offset": 30.0, "stop_offset": 10.0},
            ),
            ({"productType": "CO", "triggerPrice": 90}, {"product": "CO", "trigger_price": 90.0}),
            (
                {"productType": "CO", "boStopLossValue": 10, "boProfitValue": 5},
                {"product": "CO", "stop_offset": 10.0},
            ),
            ({"productType": "BO", "boProfitValue": None, "boStopLossValue": None}, {"product": "BO"}),
        ],
        ids=str,
    )
    def test_with_exits_of_its_own_is_asked_with_them(self, fields, exits):
        ticket = msgspec.structs.replace(TICKET, **({"order_type": "LIMIT", "trigger_price": 0.0} | exits))

        assert asked("POST /orders", STOP | {"orderType": "LIMIT", "triggerPrice": 0} | fields) == ("place", ticket)

    @pytest.mark.parametrize("product", ["CO", "BO"])
    def test_with_exits_of_its_own_is_not_sliced(self, product):
        status, told, calls = ask("POST /orders/slicing", STOP | {"productType": product})

        assert (status, calls) == (400, [])
        assert told["errorMessage"] == f"productType: one of CNC, INTRADAY, MARGIN, MTF is wanted, found {product}"

    @pytest.mark.parametrize(
        ("leg", "prices", "taken"),
        [
            ("TARGET_LEG", {"price": 120.0, "triggerPrice": 1}, {"limit_price": 120.0, "exit_price": 120.0}),
            ("STOP_LOSS_LEG", {"price": 0, "triggerPrice": 90.0}, {"exit_price": 90.0}),
            ("STOP_LOSS_LEG", {"price": 90.0}, {"limit_price": 90.0, "exit_price": 90.0}),
            (
                "STOP_LOSS_LEG",
                {"orderType": "STOP_LOSS", "price": 89.0, "triggerPrice": 90.0},
                {"order_type": "STOP_LOSS", "limit_price": 89.0, "trigger_price": 90.0, "exit_price": 90.0},
            ),
            ("ENTRY_LEG", {"price": 101.0}, {"limit_price": 101.0}),
        ],
    )
    def test_of_several_legs_is_restated_by_one(self, leg, prices, taken):
        body = {**WHOSE, "orderType": "LIMIT", "quantity": 10, "legName": leg} | prices

        assert asked("PUT /orders/{order_id}", body, order_id="41") == (
            "modify",
            Modification(**({"order_id": "41", "order_type": "LIMIT", "quantity": 10, "leg": leg} | taken)),
        )

    def test_is_answered_by_its_number_and_status_and_each_slice_by_its_own(self):
        assert ask("POST /orders", STOP)[:2] == (200, {"orderId": "41", "orderStatus": "TRANSIT"})
        sliced = ask("POST /orders/slicing", STOP, told={"place_sliced": an_outcome("41", "42")})

        assert sliced[:2] == (200, [{"orderId": number, "orderStatus": "TRANSIT"} for number in ("41", "42")])

    def test_is_restated_by_the_number_of_the_path(self):
        change = {name: value for name, value in STOP.items() if name not in {"correlationId", *INFY}}

        assert asked("PUT /orders/{order_id}", change | {"orderId": "9"}, order_id="41") == (
            "modify",
            Modification(
                order_id="41",
                order_type="STOP_LOSS",
                quantity=10,
                limit_price=99.0,
                trigger_price=99.5,
                disclosed_quantity=4,
                validity="IOC",
            ),
        )

    @pytest.mark.parametrize(
        ("line", "name", "call"),
        [
            ("DELETE /orders/{order_id}", "order_id", "cancel"),
            ("GET /orders/{order_id}", "order_id", "order"),
            ("GET /orders/external/{correlation_id}", "correlation_id", "by_correlation"),
            ("GET /trades/{order_id}", "order_id", "trades"),
            ("DELETE /forever/orders/{order_id}", "order_id", "cancel_forever"),
            ("DELETE /alerts/orders/{alert_id}", "alert_id", "cancel_conditional"),
            ("GET /alerts/orders/{alert_id}", "alert_id", "alerts"),
        ],
    )
    def test_is_asked_for_by_an_id_that_can_be_one(self, line, name, call):
        nothing = {"order": None, "by_correlation": None, "trades": (), "alerts": ()}
        for number in ("41", "A b.c_-", "x" * 64):
            assert asked(line, told=nothing, **{name: number}) == (call, number)
        for number in ("", "x" * 65, "a/b", "\u00e9"):
            status, told, calls = ask(line, told=nothing, **{name: number})
            assert (status, told["errorCode"], calls) == (400, "DH-905", [])

    def test_that_is_not_there_is_none_or_not_found(self):
        assert ask("GET /orders/{order_id}", told={"order": None}, order_id="41")[:2] == (200, [])
        assert ask("GET /orders/external/{correlation_id}", told={"by_correlation": None}, correlation_id="a")[0] == 404
        assert ask("GET /alerts/orders/{alert_id}", told={"alerts": ()}, alert_id="7")[0] == 404
        assert ask("GET /trades", told={"trades": ()}) == (200, [], [("trades", "")])

    def test_of_several_stands_for_itself(self):
        legs = [STOP | {"sequence": str(place), "correlationId": str(place)} for place in (1, 2, 3, 4)]
        del legs[1]["price"]
        outcomes = [an_outcome("41"), Refused("invalid", "no"), an_outcome("42")]
        status, told, calls = ask("POST /alerts/multi/orders", {**WHOSE, "orders": legs}, told={"place": outcomes})

        assert (status, [ticket.correlation_id for _, ticket in calls]) == (200, ["1", "3", "4"])
        assert [(row["sequence"], row["orderStatus"], row.get("orderId")) for row in told["orders"]] == [
            ("1", "TRANSIT", "41"),
            ("2", "REJECTED", told["orders"][1].get("orderId")),
            ("3", "REJECTED", told["orders"][2].get("orderId")),
            ("4", "TRANSIT", "42"),
        ]


SUPER = {
    **{name: STOP[name] for name in (*WHOSE, *INFY, "productType", "quantity", "price", "correlationId")},
    "orderType": "LIMIT",
    "targetPrice": 90.0,
    "stopLossPrice": 105.0,
    "trailingJump": 0.5,
}
SUPER_TICKET = SuperTicket(
    instrument=("NSE_EQ", "1594"),
    side="SELL",
    product="CNC",
    order_type="LIMIT",
    quantity=10,
    limit_price=99.0,
    target_price=90.0,
    stop_price=105.0,
    trailing_jump=0.5,
    correlation_id="one",
)


class TestASuperOrder:
    def test_is_placed_with_every_field(self):
        at_market = msgspec.structs.replace(SUPER_TICKET, order_type="MARKET", limit_price=0.0)

        assert asked("POST /super/orders", SUPER) == ("place_super", SUPER_TICKET)
        assert asked("POST /super/orders", SUPER | {"orderType": "MARKET", "price": 0}) == ("place_super", at_market)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"orderType": "MARKET"}, "Invalid Price for orderType"),
            ({"price": 0}, "price is required"),
            ({"productType": "BO"}, "productType: "),
        ],
    )
    def test_with_a_price_that_is_not_of_its_type_is_asked_of_nobody(self, changes, reason):
        status, told, calls = ask("POST /super/orders", SUPER | changes)

        assert (status, calls) == (400, [])
        assert reason in told["errorMessage"]

    @pytest.mark.parametrize(
        ("changes", "modification"),
        [
            (
                {
                    "legName": "ENTRY_LEG",
                    "orderType": "LIMIT",
                    "quantity": 12,
                    "price": 98.0,
                    "targetPrice": 91.0,
                    "stopLossPrice": 104.0,
                    "trailingJump": 0.25,
                },
                {
                    "leg": "ENTRY_LEG",
                    "order_type": "LIMIT",
                    "quantity": 12,
                    "limit_price": 98.0,
                    "target_price": 91.0,
                    "stop_price": 104.0,
                    "trailing_jump": 0.25,
                },
            ),
            ({"legName": "TARGET_LEG", "targetPrice": 91.0}, {"leg": "TARGET_LEG", "target_price": 91.0}),
            (
                {"legName": "STOP_LOSS_LEG", "stopLossPrice": 104.0, "trailingJump": 0},
                {"leg": "STOP_LOSS_LEG", "stop_price": 104.0},
            ),
        ],
        ids=lambda each: each.get("legName", ""),
    )
    def test_has_changed_what_is_said_and_nothing_else(self, changes, modification):
        assert asked("PUT /super/orders/{order_id}", WHOSE | changes | {"orderId": "9"}, order_id="41") == (
            "modify_super",
            SuperModification(order_id="41", **modification),
        )

    @pytest.mark.parametrize(
        ("order", "legs"),
        [
            ({"target_price": 90.0, "stop_price": 105.0}, ["STOP_LOSS_LEG", "TARGET_LEG"]),
            ({"target_price": 90.0}, ["TARGET_LEG"]),
            ({"stop_price": 105.0}, ["STOP_LOSS_LEG"]),
        ],
        ids=str,
    )
    @pytest.mark.parametrize(("side", "other"), [("BUY", "SELL"), ("SELL", "BUY")])
    def test_is_shown_with_the_legs_that_it_has(self, order, legs, side, other):
        entry = AccountOrder(
            order_id="41",
            symbol="INFY",
            instrument=("NSE_EQ", "1594"),
            side=side,
            product="CNC",
            order_type="LIMIT",
            quantity=10,
            filled_quantity=10,
            status="TRADED",
        )
        exits = [
            msgspec.structs.replace(entry, order_id=number, filled_quantity=filled)
            for number, filled in (("42", 3), ("43", 4))
        ]
        shown = SuperOrder(
            order_id="41",
            trailing_jump=0.5,
            target_order_id="42",
            stop_order_id="43",
            stop_status="TRADED",
            status="TRIGGERED",
            **order,
        )
        elsewhere = SuperOrder(order_id="9", target_price=1.0)
        told = {"super_orders": (shown, elsewhere), "orders": (entry, *exits), "last_price": 98.5}
        _, (row,), calls = ask("GET /super/orders", told=told)

        assert calls == [("super_orders",), ("orders",), ("last_price", "INFY")]
        assert (row["orderId"], row["orderStatus"], row["legName"], row["ltp"]) == (
            *("41", "TRIGGERED", "ENTRY_LEG"),
            98.5,
        )
        wanted = {
            "STOP_LOSS_LEG": {"price": 105.0, "orderStatus": "TRADED", "triggeredQuantity": 4, "trailingJump": 0.5},
            "TARGET_LEG": {"price": 90.0, "orderStatus": "PENDING", "triggeredQuantity": 3, "trailingJump": 0.0},
        }
        left = {"STOP_LOSS_LEG": 0, "TARGET_LEG": 7}
        assert row["legDetails"] == [
            {
                "orderId": "41",
                "legName": leg,
                "transactionType": other,
                "totalQuatity": 10,
                "remainingQuantity": left[leg],
                **wanted[leg],
            }
            for leg in legs
        ]

    def test_whose_exits_are_not_placed_yet_has_all_of_them_left(self):
        entry = AccountOrder(
            order_id="41",
            symbol="INFY",
            instrument=("NSE_EQ", "1594"),
            side="BUY",
            product="CNC",
            order_type="MARKET",
            quantity=10,
        )
        told = {"super_orders": (SuperOrder(order_id="41", target_price=90.0),), "orders": (entry,), "last_price": 1.0}
        (leg,) = ask("GET /super/orders", told=told)[1][0]["legDetails"]

        assert (leg["triggeredQuantity"], leg["remainingQuantity"], leg["orderStatus"]) == (0, 10, "PENDING")

    def test_is_cancelled_by_a_leg_that_it_has(self):
        line = "DELETE /super/orders/{order_id}/{leg}"
        for leg in ("ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"):
            assert asked(line, order_id="41", leg=leg) == ("cancel_super", "41", leg)

        assert ask(line, order_id="41", leg="NA")[::2] == (400, [])


FOREVER = {
    **{name: STOP[name] for name in (*WHOSE, *INFY, "quantity", "price", "triggerPrice", "validity")},
    **{name: STOP[name] for name in ("productType", "disclosedQuantity", "correlationId")},
    "orderType": "LIMIT",
    "orderFlag": "OCO",
    "quantity1": 7,
    "price1": 109.0,
    "triggerPrice1": 110.0,
}
FOREVER_TICKET = ForeverTicket(
    instrument=("NSE_EQ", "1594"),
    side="SELL",
    product="CNC",
    order_type="LIMIT",
    quantity=10,
    trigger_price=99.5,
    limit_price=99.0,
    validity="IOC",
    disclosed_quantity=4,
    correlation_id="one",
    second_quantity=7,
    second_trigger_price=110.0,
    second_limit_price=109.0,
)
ALONE = {"second_quantity": 0, "second_trigger_price": 0.0, "second_limit_price": 0.0}


class TestAForeverOrder:
    @pytest.mark.parametrize(
        ("changes", "ticket"),
        [
            ({}, {}),
            ({"orderFlag": "SINGLE"}, ALONE),
            ({"orderType": "MARKET"}, {"order_type": "MARKET", "limit_price": 0.0, "second_limit_price": 0.0}),
        ],
        ids=str,
    )
    def test_is_placed_with_every_field_of_the_legs_that_it_has(self, changes, ticket):
        ticket = msgspec.structs.replace(FOREVER_TICKET, **ticket)

        assert asked("POST /forever/orders", FOREVER | changes) == ("place_forever", ticket)

    @pytest.mark.parametrize("name", ["triggerPrice", "price", "quantity1", "triggerPrice1", "price1"])
    def test_without_a_part_of_a_leg_is_asked_of_nobody(self, name):
        status, told, calls = ask("POST /forever/orders", FOREVER | {name: 0})

        assert (status, calls) == (400, [])
        assert told["errorMessage"] == f"{name.removesuffix('1') if name == 'price1' else name} is required"

    @pytest.mark.parametrize(
        ("said", "leg"), [("TARGET_LEG", "TARGET_LEG"), ("STOP_LOSS_LEG", "STOP_LOSS_LEG"), ("NA", "")]
    )
    def test_has_one_leg_restated(self, said, leg):
        kept = ("quantity", "price", "triggerPrice", "validity", "disclosedQuantity", "orderType", "orderFlag")
        change = {**WHOSE, **{name: FOREVER[name] for name in kept}, "legName": said, "orderId": "9"}
        line = "PUT /forever/orders/{order_id}"

        assert asked(line, change, order_id="41") == (
            "modify_forever",
            ForeverModification(
                order_id="41",
                leg=leg,
                order_type="LIMIT",
                quantity=10,
                trigger_price=99.5,
                limit_price=99.0,
                disclosed_quantity=4,
                validity="IOC",
            ),
        )
        for name in ("triggerPrice", "price"):
            assert ask(line, change | {name: 0}, order_id="41")[::2] == (400, [])


CONDITION = {
    "comparisonType": "TECHNICAL_WITH_VALUE",
    "exchangeSegment": "NSE_EQ",
    "securityId": "11536",
    "operator": "CROSSING_UP",
    "expDate": "2026-12-31",
    "frequency": "ALWAYS",
    "indicatorName": "SMA_5",
    "comparingIndicatorName": "EMA_10",
    "timeFrame": "FIVE_MIN",
    "comparingValue": 250.5,
    "userNote": "note",
}
ALERT_CONDITION = AlertCondition(
    instrument=("NSE_EQ", "11536"),
    comparison="TECHNICAL_WITH_VALUE",
    operator="CROSSING_UP",
    value=250.5,
    indicator="SMA_5",
    other_indicator="EMA_10",
    time_frame="FIVE_MIN",
    frequency="ALWAYS",
    expires_on="2026-12-31",
    note="note",
)
ALERT_ORDER = {
    **{name: STOP[name] for name in (*INFY, "productType", "orderType", "quantity", "validity")},
    "price": "99.0",
    "triggerPrice": "99.5",
    "discQuantity": "4",
}
ORDER_OF_ALERT = AlertOrder(
    instrument=("NSE_EQ", "1594"),
    side="SELL",
    product="CNC",
    order_type="STOP_LOSS",
    quantity=10,
    validity="IOC",
    limit_price=99.0,
    trigger_price=99.5,
    disclosed_quantity=4,
)


class TestAConditionalOrder:
    def test_is_placed_and_restated_with_every_field(self):
        body = {**WHOSE, "condition": CONDITION, "orders": [ALERT_ORDER]}
        ticket = AlertTicket(condition=ALERT_CONDITION, orders=(ORDER_OF_ALERT,))

        assert asked("POST /alerts/orders", body) == ("place_conditional", ticket)
        change = AlertModification(alert_id="7", condition=ALERT_CONDITION, orders=(ORDER_OF_ALERT,))
        assert asked("PUT /alerts/orders/{alert_id}", body | {"alertId": "9"}, alert_id="7") == (
            "modify_conditional",
            change,
        )

    @pytest.mark.parametrize("orders", [{}, {"orders": None}, {"orders": []}], ids=str)
    def test_without_orders_is_restated_with_those_it_has_and_not_placed(self, orders):
        body = {**WHOSE, "condition": CONDITION, **orders}

        assert ask("POST /alerts/orders", body)[::2] == (400, [])
        assert asked("PUT /alerts/orders/{alert_id}", body, alert_id="7") == (
            "modify_conditional",
            AlertModification(alert_id="7", condition=ALERT_CONDITION),
        )

    @pytest.mark.parametrize(
        ("comparison", "needs"),
        [
            ("TECHNICAL_WITH_VALUE", {"indicatorName", "timeFrame", "comparingValue"}),
            ("TECHNICAL_WITH_INDICATOR", {"indicatorName", "timeFrame", "comparingIndicatorName"}),
            ("TECHNICAL_WITH_CLOSE", {"indicatorName", "timeFrame"}),
            ("PRICE_WITH_VALUE", {"comparingValue"}),
        ],
    )
    def test_has_what_its_comparison_needs(self, comparison, needs):
        for name in ("indicatorName", "timeFrame", "comparingValue", "comparingIndicatorName", "userNote", "expDate"):
            condition = CONDITION | {"comparisonType": comparison}
            del condition[name]
            status, _, calls = ask("POST /alerts/orders", {**WHOSE, "condition": condition, "orders": [ALERT_ORDER]})

            assert (status, len(calls)) == ((400, 0) if name in needs else (200, 1)), name

    def test_says_nothing_of_what_is_not_said(self):
        condition = {name: CONDITION[name] for name in ("exchangeSegment", "securityId", "operator", "comparingValue")}
        body = {**WHOSE, "condition": {**condition, "comparisonType": "PRICE_WITH_VALUE"}, "orders": [ALERT_ORDER]}
        _, ticket = asked("POST /alerts/orders", body)

        assert ticket.condition == AlertCondition(
            instrument=("NSE_EQ", "11536"), comparison="PRICE_WITH_VALUE", operator="CROSSING_UP", value=250.5
        )
        condition = {name: CONDITION[name] for name in ("exchangeSegment", "securityId", "operator")}
        condition |= {"comparisonType": "TECHNICAL_WITH_CLOSE", "indicatorName": "SMA_5", "timeFrame": "DAY"}
        _, ticket = asked("POST /alerts/orders", body | {"condition": condition})
        assert (ticket.condition.value, ticket.condition.other_indicator) == (0.0, "")

    def test_is_shown_by_itself_and_among_all(self):
        alerts = tuple(
            Alert(alert_id=number, condition=ALERT_CONDITION, orders=(ORDER_OF_ALERT,)) for number in ("7", "8")
        )
        _, one, calls = ask("GET /alerts/orders/{alert_id}", told={"alerts": alerts[:1]}, alert_id="7")
        _, every, all_calls = ask("GET /alerts/orders", told={"alerts": alerts})

        assert (one["alertId"], [each["alertId"] for each in every]) == ("7", ["7", "8"])
        assert (calls, all_calls) == ([("alerts", "7")], [("alerts",)])
        assert every[0] == one
