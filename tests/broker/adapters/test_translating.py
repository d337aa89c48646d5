"""From what a user orders to what Dhan is asked."""

from datetime import date

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from natya import ForeverLeg, ForeverOrderRequest, Instrument, OrderRequest, SuperOrderRequest
from natya.actors.broker.adapters.dhan.translating import (
    alert_order,
    fault_of,
    leg_of_several,
    margin_leg,
    modifying,
    placing,
    placing_forever,
    placing_super,
    stop_limit,
)
from natya.actors.broker.adapters.orders import type_fault
from natya.domain.dhan.writing import InvalidRequestError, body_of
from natya.messages.units import INTEGER_MAX, RUPEES_MAX

DAY = date(2026, 10, 7)
TICKS = st.sampled_from([0.01, 0.05, 0.0025, 1.0])


def an_instrument(tick=0.05, **fields):
    return Instrument(
        **{"symbol": "INFY", "segment": "NSE_EQ", "security_id": "1594", "tick_size_rupees": tick, **fields}
    )


def on_grid(instrument, price):
    return instrument.grid.snap(price) == price


@st.composite
def orders(draw):
    """Orders of every kind, right and wrong, near the grid and off it."""
    price = st.none() | st.floats(0.01, 5_000).map(lambda found: round(found, 2)) | st.floats()
    return OrderRequest(
        symbol="INFY",
        side=draw(st.sampled_from(["BUY", "SELL"])),
        quantity=draw(st.integers(-1, 100)),
        order_type=draw(st.sampled_from(["MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_MARKET"])),
        limit_price=draw(price),
        trigger_price=draw(price),
        disclosed_quantity=draw(st.integers(0, 100)),
        validity=draw(st.sampled_from(["DAY", "IOC"])),
        after_market=draw(st.sampled_from([None, "OPEN"])),
    )


class TestAnOrderThatMayLeave:
    @given(orders(), TICKS)
    def test_can_be_written_in_every_form_and_is_no_stop_at_market(self, order, tick):
        instrument = an_instrument(tick)
        if fault := fault_of(order, instrument, DAY):
            assert " wanted, found " in fault or "OrderRequest: " in fault
            return
        request = placing(order, instrument, "1")
        for written in (
            request,
            modifying("4", order, instrument, "1"),
            leg_of_several(1, order, instrument),
            alert_order(order, instrument),
            margin_leg(order, instrument),
        ):
            assert b"STOP_LOSS_MARKET" not in body_of(written)
        assert request.price == 0.0 or on_grid(instrument, request.price)
        assert (request.price == 0.0) == (order.order_type == "MARKET")
        assert (request.trigger_price == 0.0) == (order.trigger_price is None)

    @given(
        ticks=st.integers(1, 2_000_000), tick=TICKS, side=st.sampled_from(["BUY", "SELL"]), offset=st.floats(1e-9, 0.2)
    )
    def test_as_a_stop_has_its_limit_behind_the_trigger_on_the_grid(self, ticks, tick, side, offset):
        instrument = an_instrument(tick)
        trigger = instrument.grid.nearest(ticks * tick)
        order = OrderRequest(
            symbol="INFY", side=side, quantity=1, order_type="STOP_LOSS", trigger_price=trigger, limit_offset=offset
        )
        limit = stop_limit(order, instrument)
        behind = (limit - trigger) * (1 if side == "BUY" else -1)

        assert on_grid(instrument, limit)
        assert limit >= tick
        assert behind >= 0
        assert behind <= max(trigger * offset, tick) + tick * 1.001
        if limit > tick:
            assert behind >= tick * 0.999


STOP = OrderRequest(
    symbol="INFY",
    side="SELL",
    quantity=40,
    order_type="STOP_LOSS",
    limit_price=99.0,
    trigger_price=99.5,
    product="MARGIN",
    validity="IOC",
    disclosed_quantity=20,
    after_market="OPEN_30",
    client_order_id="A-1",
)
"""Each field is another than where it is not said."""

STOP_TERMS = {
    "transactionType": "SELL",
    "exchangeSegment": "NSE_EQ",
    "productType": "MARGIN",
    "orderType": "STOP_LOSS",
    "securityId": "1594",
    "quantity": 40,
    "correlationId": "A-1",
    "validity": "IOC",
    "disclosedQuantity": 20,
    "price": 99.0,
    "triggerPrice": 99.5,
    "afterMarketOrder": True,
    "amoTime": "OPEN_30",
}


def without(*names):
    return {name: value for name, value in STOP_TERMS.items() if name not in names}


def as_written(request):
    return msgspec.json.decode(body_of(request))


class TestAnOrderWritten:
    """Field by field, in each form."""

    def test_to_be_placed(self):
        assert as_written(placing(STOP, an_instrument(), "1")) == {"dhanClientId": "1", **STOP_TERMS}

    def test_to_be_one_of_several(self):
        assert as_written(leg_of_several(3, STOP, an_instrument())) == {"sequence": "3", **STOP_TERMS}

    def test_to_be_changed(self):
        kept = ("orderType", "quantity", "price", "disclosedQuantity", "triggerPrice", "validity")

        assert as_written(modifying("4", STOP, an_instrument(), "1")) == {
            "dhanClientId": "1",
            "orderId": "4",
            "legName": "NA",
            **{name: STOP_TERMS[name] for name in kept},
        }

    def test_to_leave_on_an_alert_has_its_numbers_as_texts(self):
        terms = without("correlationId", "disclosedQuantity", "afterMarketOrder", "amoTime")

        assert as_written(alert_order(STOP, an_instrument())) == {
            **terms,
            "price": "99",
            "triggerPrice": "99.5",
            "discQuantity": "20",
        }

    @pytest.mark.parametrize(
        ("price", "text"), [(None, "0"), (100.0, "100"), (1449.5, "1449.5"), (20.05, "20.05"), (0.0025, "0.0025")]
    )
    def test_to_leave_on_an_alert_has_no_more_digits_than_it_needs(self, price, text):
        order = OrderRequest(symbol="INFY", side="BUY", quantity=1, order_type="LIMIT", limit_price=price)

        assert alert_order(order, an_instrument(0.0025)).price == text

    def test_to_ask_what_it_would_need(self):
        kept = ("exchangeSegment", "transactionType", "quantity", "productType", "securityId", "price", "triggerPrice")

        assert as_written(margin_leg(STOP, an_instrument())) == {name: STOP_TERMS[name] for name in kept}

    def test_of_the_day_names_no_time_after_the_market(self):
        request = as_written(placing(msgspec.structs.replace(STOP, after_market=None), an_instrument(), "1"))

        assert "amoTime" not in request
        assert request["afterMarketOrder"] is False

    def test_has_no_noise_of_arithmetic_and_no_price_is_moved(self):
        for price, sent in ((1499.4 - 0.05, 1499.35), (1499.33, 1499.33)):
            order = OrderRequest(symbol="INFY", side="BUY", quantity=1, order_type="LIMIT", limit_price=price)

            assert placing(order, an_instrument(), "1").price == sent


class TestThePricesOfAnOrder:
    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    @pytest.mark.parametrize("limit", [None, 99.0, 100.0, 101.0])
    @pytest.mark.parametrize("trigger", [None, 100.0])
    @pytest.mark.parametrize("order_type", ["MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_MARKET"])
    def test_are_those_of_its_type_and_a_limit_is_not_before_its_trigger(self, order_type, trigger, limit, side):
        order = OrderRequest(
            symbol="INFY", side=side, quantity=1, order_type=order_type, limit_price=limit, trigger_price=trigger
        )
        fault = fault_of(order, an_instrument(), DAY)

        may = {
            "MARKET": limit is None and trigger is None,
            "LIMIT": limit is not None and trigger is None,
            "STOP_LOSS": trigger is not None
            and limit in ((None, 100.0, 101.0) if side == "BUY" else (None, 99.0, 100.0)),
            "STOP_LOSS_MARKET": trigger is not None and limit is None,
        }
        assert (not fault) == may[order_type], fault

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"order_type": "LIMIT"}, "limit_price: a price of a LIMIT order wanted, found none"),
            ({"order_type": "MARKET", "limit_price": 9.0}, "limit_price: none of a MARKET order wanted, found 9.0"),
            ({"order_type": "STOP_LOSS"}, "trigger_price: a price of a STOP_LOSS order wanted, found none"),
            (
                {"order_type": "MARKET", "trigger_price": 9.0},
                "trigger_price: none of a MARKET order wanted, found 9.0",
            ),
            (
                {"order_type": "STOP_LOSS", "trigger_price": 9.0, "limit_price": 8.0},
                "limit_price: a price at or above the trigger 9.0 wanted, found 8.0",
            ),
            (
                {"side": "SELL", "order_type": "STOP_LOSS", "trigger_price": 9.0, "limit_price": 10.0},
                "limit_price: a price at or below the trigger 9.0 wanted, found 10.0",
            ),
            ({"validity": "GTC"}, "OrderRequest: Invalid enum value 'GTC' - at `$.validity`"),
            (
                {"order_type": "LIMIT", "limit_price": 9.01},
                "limit_price: a multiple of the tick of 0.05 wanted, found 9.01",
            ),
            (
                {"order_type": "STOP_LOSS", "trigger_price": 9.01},
                "price: a multiple of the tick of 0.05 wanted, found 9.01",
            ),
        ],
    )
    def test_that_are_wrong_are_told_with_what_was_wanted(self, fields, fault):
        order = OrderRequest(**{"symbol": "INFY", "side": "BUY", "quantity": 1, **fields})

        assert fault_of(order, an_instrument(), DAY) == fault

    def test_of_a_stop_with_a_limit_keep_it(self):
        assert stop_limit(STOP, an_instrument()) == 99.0
        assert stop_limit(msgspec.structs.replace(STOP, limit_price=None), an_instrument()) == 99.05

    @pytest.mark.parametrize(("side", "limit"), [("BUY", 1010.0), ("SELL", 990.0)])
    def test_of_a_stop_without_a_limit_lie_behind_its_trigger_by_a_share_of_it(self, side, limit):
        order = OrderRequest(
            symbol="INFY", side=side, quantity=1, order_type="STOP_LOSS", trigger_price=1000.0, limit_offset=0.01
        )

        assert stop_limit(order, an_instrument()) == limit

    @given(quantity=st.integers(1, 200), shown=st.integers(0, 250))
    def test_leave_open_how_much_is_shown_if_it_is_more_than_three_tenths(self, quantity, shown):
        order = OrderRequest(symbol="INFY", side="BUY", quantity=quantity, disclosed_quantity=shown)
        fault = fault_of(order, an_instrument(), DAY)

        assert (not fault) == (shown == 0 or 3 * quantity < 10 * shown <= 10 * quantity)
        assert not fault or fault.startswith("disclosed_quantity: 0, or more than 30% of ")

    @pytest.mark.parametrize("shown", [2, 3, 4, 9, 10, 11])
    def test_leave_open_how_much_is_shown_at_its_bounds(self, shown):
        order = OrderRequest(symbol="INFY", side="BUY", quantity=10, disclosed_quantity=shown)

        assert bool(fault_of(order, an_instrument(), DAY)) == (shown in {2, 3, 11})


class TestASuperOrder:
    def test_is_written_field_by_field(self):
        order = SuperOrderRequest(
            symbol="INFY",
            side="SELL",
            quantity=40,
            order_type="LIMIT",
            limit_price=100.0,
            target_price=90.0,
            stop_loss_price=110.0,
            trailing_jump=0.5,
            product="MTF",
            client_order_id="A-1",
        )

        assert as_written(placing_super(order, an_instrument(), "1")) == {
            "dhanClientId": "1",
            **without("validity", "disclosedQuantity", "triggerPrice", "afterMarketOrder", "amoTime"),
            "productType": "MTF",
            "orderType": "LIMIT",
            "price": 100.0,
            "targetPrice": 90.0,
            "stopLossPrice": 110.0,
            "trailingJump": 0.5,
        }

    @given(
        side=st.sampled_from(["BUY", "SELL"]),
        stop=st.sampled_from([None, 98.0, 99.0, 100.0, 101.0]),
        entry=st.sampled_from([None, 98.0, 99.0, 100.0, 101.0]),
        target=st.sampled_from([None, 98.0, 99.0, 100.0, 101.0]),
    )
    @example(side="BUY", stop=None, entry=100.0, target=100.0)
    @example(side="SELL", stop=100.0, entry=100.0, target=None)
    @example(side="BUY", stop=98.0, entry=100.0, target=99.0)
    @example(side="SELL", stop=99.0, entry=100.0, target=98.0)
    @example(side="SELL", stop=101.0, entry=None, target=None)
    def test_may_leave_where_its_levels_are_in_order_and_it_has_an_exit(self, side, stop, entry, target):
        order = SuperOrderRequest(
            symbol="INFY",
            side=side,
            quantity=1,
            order_type="MARKET" if entry is None else "LIMIT",
            limit_price=entry,
            target_price=target,
            stop_loss_price=stop,
        )
        fault = fault_of(order, an_instrument(), DAY)
        pairs = [(stop, entry), (entry, target), (stop, target)]
        told = [(low, high) if side == "BUY" else (high, low) for low, high in pairs if low and high]

        assert (not fault) == (bool(stop or target) and all(low < high for low, high in told)), fault
        if (stop or target) and fault:
            way = "above" if side == "BUY" else "below"
            wanted = f"stop, entry and target, each {way} the one before, wanted"
            assert fault == f"target_price: {wanted}, found {stop}, {entry}, {target}"

    @pytest.mark.parametrize(
        ("side", "stop", "entry", "target", "may"),
        [
            ("BUY", 90.0, 100.0, 110.0, True),
            ("BUY", 110.0, 100.0, 90.0, False),
            ("BUY", None, 100.0, 110.0, True),
            ("BUY", 100.0, 100.0, None, False),
            ("SELL", 110.0, 100.0, 90.0, True),
            ("SELL", 90.0, 100.0, None, False),
            ("SELL", 110.0, None, 90.0, True),
            ("SELL", None, None, None, False),
            ("BUY", 90.0, 100.01, 110.0, False),
        ],
    )
    def test_has_its_stop_entry_and_target_in_order(self, side, stop, entry, target, may):
        order = SuperOrderRequest(
            symbol="INFY",
            side=side,
            quantity=1,
            order_type="MARKET" if entry is None else "LIMIT",
            limit_price=entry,
            target_price=target,
            stop_loss_price=stop,
        )
        fault = fault_of(order, an_instrument(), DAY)

        assert (not fault) == may, fault
        if may:
            assert msgspec.json.decode(body_of(placing_super(order, an_instrument(), "1")))["price"] == (entry or 0.0)


class TestAForeverOrder:
    def test_of_two_legs_cancels_one_by_the_other(self):
        legs = ForeverLeg(trigger_price=90.0), ForeverLeg(trigger_price=110.0, quantity=2)
        order = ForeverOrderRequest(symbol="INFY", side="SELL", quantity=3, first=legs[0], second=legs[1])
        written = msgspec.json.decode(body_of(placing_forever(order, an_instrument(), "1")))

        assert not fault_of(order, an_instrument(), DAY)
        assert (written["orderFlag"], written["orderType"]) == ("OCO", "MARKET")
        assert [written[name] for name in ("quantity", "price", "triggerPrice")] == [3, 0.0, 90.0]
        assert [written[name] for name in ("quantity1", "price1", "triggerPrice1")] == [2, 0.0, 110.0]

    @pytest.mark.parametrize(("first", "second"), [(89.0, None), (None, 109.0)])
    def test_of_which_one_leg_has_a_limit_and_the_other_none_may_not_leave(self, first, second):
        order = ForeverOrderRequest(
            symbol="INFY",
            side="SELL",
            quantity=3,
            first=ForeverLeg(trigger_price=90.0, limit_price=first),
            second=ForeverLeg(trigger_price=110.0, limit_price=second),
        )

        with pytest.raises(InvalidRequestError, match=f"both legs or of none wanted, found {first} and {second}"):
            placing_forever(order, an_instrument(), "1")

    def test_is_written_field_by_field(self):
        order = ForeverOrderRequest(
            symbol="INFY",
            side="SELL",
            quantity=40,
            first=ForeverLeg(trigger_price=90.0, limit_price=89.0, quantity=30),
            second=ForeverLeg(trigger_price=110.0, limit_price=109.0),
            product="MARGIN",
            validity="IOC",
            client_order_id="A-1",
        )
        single = msgspec.structs.replace(order, first=ForeverLeg(trigger_price=90.0), second=None)
        terms = without("orderType", "quantity", "disclosedQuantity", "afterMarketOrder", "amoTime")
        fields = {"dhanClientId": "1", "disclosedQuantity": 0, **terms, "triggerPrice": 90.0}

        assert as_written(placing_forever(order, an_instrument(), "1")) == {
            **fields,
            "orderFlag": "OCO",
            "orderType": "LIMIT",
            "quantity": 30,
            "price": 89.0,
            "quantity1": 40,
            "price1": 109.0,
            "triggerPrice1": 110.0,
        }
        assert as_written(placing_forever(single, an_instrument(), "1")) == {
            **fields,
            "orderFlag": "SINGLE",
            "orderType": "MARKET",
            "quantity": 40,
            "price": 0.0,
            "quantity1": 0,
            "price1": 0.0,
            "triggerPrice1": 0.0,
        }

    @pytest.mark.parametrize(
        ("first", "second", "fault"),
        [
            ({"trigger_price": 90.01, "limit_price": 89.0}, None, "price: a multiple of the tick of 0.05 wanted"),
            ({"trigger_price": 90.0, "limit_price": 89.01}, None, "limit_price: a multiple of the tick of 0.05 wanted"),
            ({}, {"trigger_price": 110.01}, "price: a multiple of the tick of 0.05 wanted, found 110.01"),
            ({}, {"limit_price": 109.01}, "price: a multiple of the tick of 0.05 wanted, found 109.01"),
            ({"quantity": 7}, None, "quantity: a multiple of the lot of 5 wanted, found 7"),
            ({}, {"quantity": 8}, "quantity: a multiple of the lot of 5 wanted, found 8"),
            ({"quantity": 5}, {"quantity": 10}, ""),
        ],
    )
    def test_whose_leg_is_off_the_grid_or_in_no_whole_lots_may_not_leave(self, first, second, fault):
        first = ForeverLeg(**{"trigger_price": 90.0, **first})
        second = None if second is None else ForeverLeg(**{"trigger_price": 110.0, **second})
        order = ForeverOrderRequest(symbol="INFY", side="SELL", quantity=10, first=first, second=second)
        found = fault_of(order, an_instrument(lot_size=5), DAY)

        assert found.startswith(fault)
        assert bool(found) == bool(fault)


class TestASuperOrderOffTheGrid:
    @pytest.mark.parametrize("field", ["limit_price", "target_price", "stop_loss_price"])
    def test_may_not_leave(self, field):
        prices = {"limit_price": 100.0, "target_price": 110.0, "stop_loss_price": 90.0}
        prices[field] += 0.01
        order = SuperOrderRequest(symbol="INFY", side="BUY", quantity=1, order_type="LIMIT", **prices)

        assert f"a multiple of the tick of 0.05 wanted, found {prices[field]}" in fault_of(order, an_instrument(), DAY)


class TestAnOrderAboveTheFreezeQuantity:
    def test_may_only_leave_sliced(self):
        instrument = an_instrument(freeze_quantity=100)
        order = OrderRequest(symbol="INFY", side="BUY", quantity=250)

        assert "freeze quantity of 100" in fault_of(order, instrument, DAY)
        assert not fault_of(order, instrument, DAY, is_sliced=True)


@pytest.mark.parametrize(
    ("order_type", "price", "fault"),
    [
        ("LIMIT", 100.0, ""),
        ("MARKET", None, ""),
        ("LIMIT", None, "limit_price: a price of a LIMIT order wanted, found None"),
        ("MARKET", 100.0, "limit_price: none of a MARKET order wanted, found 100.0"),
    ],
)
def test_the_entry_of_a_super_order_has_a_price_if_it_is_a_limit(order_type, price, fault):
    order = SuperOrderRequest(
        symbol="INFY",
        side="BUY",
        quantity=10,
        order_type=order_type,
        limit_price=price,
        target_price=110.0,
        stop_loss_price=90.0,
    )

    assert fault_of(order, an_instrument(), DAY) == fault


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("quantity", (1, INTEGER_MAX), (0, -1, INTEGER_MAX + 1, 1.5, "1")),
        ("limit_price", (None, 1e-9, RUPEES_MAX), (0.0, -1.0, RUPEES_MAX * 1.01, "1")),
        ("trigger_price", (None, 1e-9, RUPEES_MAX), (0.0, -1.0, RUPEES_MAX * 1.01)),
        ("limit_offset", (1e-9, 0.2), (0.0, 0.2001)),
        ("disclosed_quantity", (0, INTEGER_MAX), (-1, INTEGER_MAX + 1)),
        ("client_order_id", ("a", "A-_9" + "x" * 21), ("", "x" * 26, "a b", "a\n")),
        ("symbol", ("I", "I" * 200), ("", "I" * 201, 7)),
        ("side", ("BUY", "SELL"), ("HOLD", "")),
        ("product", ("INTRADAY", "CNC", "MARGIN", "MTF"), ("CO", "")),
        ("validity", ("DAY", "IOC"), ("GTC",)),
        ("after_market", (None, "PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"), ("LATER",)),
    ],
)
def test_a_field_of_an_order_is_of_its_type_and_in_its_range_up_to_its_bounds(name, good, bad):
    order = OrderRequest(symbol="INFY", side="BUY", quantity=10)

    assert [each for each in good if type_fault(msgspec.structs.replace(order, **{name: each}))] == []
    assert [each for each in bad if not type_fault(msgspec.structs.replace(order, **{name: each}))] == []
