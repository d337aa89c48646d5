"""What an order must be before it leaves."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from natya.domain.instruments import Instrument
from natya.domain.order_check import OrderFault, order_fault, slices
from natya.messages.instruments import InstrumentDefinition

TODAY = dt.date(2026, 9, 29)
CALL = Instrument(
    symbol="NIFTY-29Sep2026-29150-CE",
    segment="NSE_FNO",
    security_id="35084",
    instrument_type="OPTIDX",
    tick_size_rupees=0.05,
    lot_size=65,
    freeze_quantity=1_756,
    expiry=TODAY,
    underlying="NIFTY",
    strike_rupees=29_150.0,
    option_type="CE",
)


def fault_of(instrument=CALL, **order):
    return order_fault(instrument, **{"symbol": CALL.symbol, "quantity": 65, "day": TODAY} | order)


class TestAnOrder:
    def test_in_lots_and_on_the_grid_may_leave_on_the_last_day(self):
        assert fault_of(quantity=1_755, limit_price=101.4 - 0.05, trigger_price=101.2) is None

    @pytest.mark.parametrize(
        ("order", "field", "wanted", "found"),
        [
            ({"quantity": 66}, "quantity", "a multiple of the lot of 65", "66"),
            ({"quantity": 0}, "quantity", "a multiple of the lot of 65", "0"),
            ({"quantity": -65}, "quantity", "a multiple of the lot of 65", "-65"),
            ({"quantity": 1_820}, "quantity", "at most the freeze quantity of 1756", "1820"),
            ({"limit_price": 101.03}, "limit_price", "a multiple of the tick of 0.05", "101.03"),
            ({"limit_price": float("nan")}, "limit_price", "a multiple of the tick of 0.05", "nan"),
            ({"limit_price": 100.0, "trigger_price": 0.0}, "trigger_price", "a multiple of the tick of 0.05", "0.0"),
            (
                {"day": dt.date(2026, 9, 30)},
                "expiry",
                "a contract that trades on 2026-09-30",
                "NIFTY-29Sep2026-29150-CE, which expired on 2026-09-29",
            ),
        ],
        ids=str,
    )
    def test_that_the_exchange_would_refuse_is_refused_by_field(self, order, field, wanted, found):
        assert fault_of(**order) == OrderFault(field=field, wanted=wanted, found=found)

    def test_for_a_share_may_leave_on_any_day(self):
        share = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05)

        assert fault_of(share, symbol="INFY", limit_price=1_500.05) is None

    def test_for_something_unknown_or_an_index_is_refused(self):
        index = Instrument(symbol="NIFTY", segment="IDX_I", tick_size_rupees=0.05, instrument_type="INDEX")

        assert str(fault_of(None, symbol="NIFTI")) == "symbol: an instrument of the list wanted, found 'NIFTI'"
        assert str(fault_of(index)) == "symbol: an instrument that is traded wanted, found the index NIFTY"

    def test_above_the_freeze_quantity_may_leave_if_the_broker_slices_it(self):
        assert fault_of(quantity=1_820, is_sliced=True) is None
        assert fault_of(quantity=1_821, is_sliced=True).field == "quantity"


class TestAQuantityThatIsSliced:
    @given(lots=st.integers(1, 500), lot=st.integers(1, 100), freeze=st.integers(0, 2_000))
    def test_is_all_of_it_in_orders_that_may_leave(self, lots, lot, freeze):
        instrument = replace(CALL, lot_size=lot, freeze_quantity=freeze + lot)

        found = slices(instrument, lots * lot)
        assert sum(found) == lots * lot
        assert all(fault_of(instrument, quantity=each) is None for each in found)
        assert len(found) == -(-lots // ((freeze + lot) // lot))

    def test_without_a_freeze_quantity_is_one_order(self):
        assert slices(replace(CALL, freeze_quantity=None), 65_000) == (65_000,)

    def test_that_is_no_whole_number_of_lots_is_not_sliced(self):
        with pytest.raises(ValueError, match="a multiple of the lot of 65 wanted, found 66"):
            slices(CALL, 66)


class TestAnInstrumentInAMessage:
    def test_is_itself_again(self):
        assert Instrument.of(CALL.definition()) == CALL

    def test_has_the_same_fields(self):
        assert InstrumentDefinition.__struct_fields__ == Instrument.__struct_fields__
