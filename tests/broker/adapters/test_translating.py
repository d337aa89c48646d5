"""From what a user orders to what Dhan is asked."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
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
from natya.domain.dhan.writing import body_of

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


class TestASuperOrder:
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
        legs = ForeverLeg(trigger_price=90.0, limit_price=89.0), ForeverLeg(trigger_price=110.0, quantity=2)
        order = ForeverOrderRequest(symbol="INFY", side="SELL", quantity=3, first=legs[0], second=legs[1])
        written = msgspec.json.decode(body_of(placing_forever(order, an_instrument(), "1")))

        assert not fault_of(order, an_instrument(), DAY)
        assert (written["orderFlag"], written["orderType"]) == ("OCO", "LIMIT")
        assert [written[name] for name in ("quantity", "price", "triggerPrice")] == [3, 89.0, 90.0]
        assert [written[name] for name in ("quantity1", "price1", "triggerPrice1")] == [2, 0.0, 110.0]

    def test_whose_leg_is_off_the_grid_may_not_leave(self):
        leg = ForeverLeg(trigger_price=90.01, limit_price=89.0)
        order = ForeverOrderRequest(symbol="INFY", side="SELL", quantity=3, first=leg)

        assert "0.05 wanted, found 90.01" in fault_of(order, an_instrument(), DAY)


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
