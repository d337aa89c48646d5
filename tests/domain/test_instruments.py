"""Instruments: symbols, and the grid that prices lie on."""

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from natya.domain.client_order_ids import is_client_order_id
from natya.domain.instruments import (
    Instrument,
    PriceGrid,
    is_contract,
    is_option,
    is_symbol,
    price_away,
    price_grid,
    series_suffix,
    strike_of,
    symbol_without_exchange,
    without_noise,
)
from natya.messages.units import RUPEES_MAX

TICK_SIZES = st.sampled_from([0.0025, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0])
PRICES = st.integers(1, 20_000_000)


class TestAPriceOfTheGrid:
    @given(size=TICK_SIZES, ticks=PRICES)
    def test_is_itself(self, size, ticks):
        price = float(Decimal(repr(size)) * ticks)

        grid = PriceGrid(size)
        assert grid.snap(price) == grid.nearest(price) == grid.round(price, "down") == grid.round(price, "up") == price

    @given(size=TICK_SIZES, ticks=PRICES, steps=st.integers(1, 2_000))
    def test_is_found_under_the_noise_of_arithmetic(self, size, ticks, steps):
        price = float(Decimal(repr(size)) * ticks)
        wanted = float(Decimal(repr(size)) * (ticks + steps))
        noisy = [price + steps * size, wanted * 1.1 - wanted * 0.1, math.nextafter(wanted, 0), wanted / 3 * 3]

        assert [PriceGrid(size).snap(each) for each in noisy] == [wanted] * 4
        assert {PriceGrid(size).round(each, to) for each in noisy for to in ("down", "up", "nearest")} == {wanted}

    @given(size=TICK_SIZES, ticks=st.integers(1, 90_000))
    def test_is_found_whatever_type_its_number_has(self, size, ticks):
        """Columns of prices are numpy's, and a feed may have floats of 32 bits."""
        price = float(Decimal(repr(size)) * ticks)

        for found in (np.float64(price), np.float32(price), Decimal(repr(price))):
            for to in ("down", "up", "nearest"):
                assert type(PriceGrid(size).round(found, to)) is float
                assert PriceGrid(size).round(found, to) == PriceGrid(size).snap(found) == price

    def test_less_one_tick_is_the_next_below(self):
        assert 1499.4 - 0.05 != 1499.35
        assert PriceGrid(0.05).snap(1499.4 - 0.05) == 1499.35


class TestAPriceOffTheGrid:
    @given(size=TICK_SIZES, ticks=st.integers(2, 100_000), part=st.fractions("0.001", "0.999"))
    def test_is_none_of_it_and_rounds_to_its_neighbours(self, size, ticks, part):
        tick = Fraction(str(size))
        price = float((ticks + part) * tick)
        below, above = float(ticks * tick), float((ticks + 1) * tick)
        assume(below < price < above)

        grid = PriceGrid(size)
        assert grid.snap(price) is None
        assert (grid.round(price, "down"), grid.round(price, "up")) == (below, above)
        assert grid.round(price) in {below, above}
        assert abs(grid.round(price) - price) <= size / 2 * (1 + 1e-9)

    @pytest.mark.parametrize("price", [1499.3501, 1499.36, 1499.35001, 0.01, 0.04, 1e-12])
    def test_is_not_taken_for_noise(self, price):
        assert PriceGrid(0.05).snap(price) is None

    def test_by_a_float_or_by_a_millionth_of_a_tick_is_taken_for_noise_whichever_is_more(self):
        large, small = 100_000_000.0, 100.0

        assert math.ulp(large) > 0.01 * 1e-6
        assert PriceGrid(0.01).snap(math.nextafter(large, math.inf)) == large
        assert PriceGrid(0.01).snap(small + 0.9e-8) == small
        assert PriceGrid(0.01).snap(small + 1.1e-8) is None

    @pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 0.0, -0.05, 2e12])
    def test_that_is_no_price_at_all_has_no_neighbour(self, price):
        assert PriceGrid(0.05).snap(price) is None
        with pytest.raises(ValueError, match="a price above 0"):
            PriceGrid(0.05).round(price)

    @pytest.mark.parametrize("kind", [float, np.float64, np.float32, Decimal], ids=lambda kind: kind.__name__)
    def test_rounds_whatever_type_its_number_has(self, kind):
        price = kind("99.123")

        assert [PriceGrid(0.05).round(price, to) for to in ("down", "up", "nearest")] == [99.1, 99.15, 99.1]

    def test_below_the_first_tick_cannot_be_rounded_down(self):
        with pytest.raises(ValueError, match="at least one tick"):
            PriceGrid(0.05).round(0.03, "down")
        assert PriceGrid(0.05).round(0.03, "up") == 0.05

    @pytest.mark.parametrize(("price", "found"), [(0.25, 0.5), (0.75, 1.0), (0.74, 0.5), (0.76, 1.0)])
    def test_in_the_middle_is_rounded_up(self, price, found):
        assert PriceGrid(0.5).round(price) == found


def test_the_highest_price_is_on_its_own_grid():
    assert PriceGrid(RUPEES_MAX).snap(RUPEES_MAX) == PriceGrid(RUPEES_MAX).round(RUPEES_MAX) == RUPEES_MAX


class TestAPriceSoManyPercentAway:
    @pytest.mark.parametrize(
        ("price", "percent", "found"),
        [
            (1500.0, 1.0, 1515.0),
            (1500.0, -1.0, 1485.0),
            (100.03, 10.0, 110.0),  # 110.033 at most
            (100.03, -10.0, 90.05),  # 90.027 at least
            (0.05, -50.0, 0.05),
            (RUPEES_MAX, 10.0, RUPEES_MAX),
        ],
    )
    def test_is_no_further_than_that_and_one_that_there_is(self, price, percent, found):
        assert price_away(price_grid(0.05), price, percent) == found


def test_noise_is_removed_from_a_price_of_any_instrument():
    assert (without_noise(1499.4 - 0.05), without_noise(70.0025), without_noise(1.0001)) == (1499.35, 70.0025, 1.0001)


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("INFY", "INFY"),
        ("INFY.NS", "INFY"),
        ("INFY.NSE", "INFY"),
        ("INFY-EQ", "INFY"),
        ("NSE:INFY", "INFY"),
        ("NSE:INFY-EQ", "INFY"),
        ("NSE:NIFTY 50", "NIFTY 50"),
        ("M&M.NS", "M&M"),
        ("INFY-EQ.NS", "INFY-EQ"),
        ("INFY.BO", "BSE:INFY"),
        ("INFY.BSE", "BSE:INFY"),
        ("BSE:INFY", "BSE:INFY"),
        ("MCX:GOLD", "MCX:GOLD"),
        ("IDEA-N1", "IDEA-N1"),
        ("BAJAJ-AUTO", "BAJAJ-AUTO"),
        ("^NSEI", "^NSEI"),
        (".NS", ".NS"),
        ("NSE:", "NSE:"),
        (".BO", ".BO"),
        ("A .NS", "A .NS"),
        ("x" * 60 + ".BO", "BSE:" + "x" * 60),
        ("x" * 61 + ".BO", "x" * 61 + ".BO"),
    ],
)
def test_a_share_that_is_written_with_its_exchange_is_called_as_here(written, symbol):
    assert symbol_without_exchange(written) == symbol


def test_the_series_of_a_share_is_not_in_its_symbol():
    assert [series_suffix(each) for each in ("EQ", "BE", "IV", "", "N1")] == ["", "", "", "", "-N1"]


class TestATickSize:
    @pytest.mark.parametrize("size", [0.0, -0.05, math.nan, math.inf])
    def test_that_is_none_is_refused(self, size):
        with pytest.raises(ValueError, match="a tick size above 0"):
            price_grid(size)


class TestAnInstrument:
    FUTURE = Instrument(
        symbol="NIFTY 26JAN FUT",
        segment="NSE_FNO",
        tick_size_rupees=0.1,
        lot_size=75,
        freeze_quantity=1_800,
        expiry=dt.date(2026, 1, 27),
    )

    def test_rounds_to_its_own_grid(self):
        assert [self.FUTURE.round(26_000.07, to) for to in ("down", "up", "nearest")] == [26_000.0, 26_000.1, 26_000.1]

    @pytest.mark.parametrize(
        ("quantity", "fault"), [(75, ""), (1_800, ""), (0, "lot"), (-75, "lot"), (76, "lot"), (1_875, "freeze")]
    )
    def test_says_which_quantities_it_takes(self, quantity, fault):
        found = self.FUTURE.quantity_fault(quantity)

        assert fault in found
        assert bool(found) == bool(fault)

    @pytest.mark.parametrize(
        ("quantity", "parts"), [(75, (75,)), (1_800, (1_800,)), (1_875, (1_800, 75)), (3_610, (1_800, 1_800, 10))]
    )
    def test_divides_a_quantity_into_as_few_orders_as_the_exchange_takes(self, quantity, parts):
        assert self.FUTURE.divided(quantity) == parts

    def test_divides_by_whole_lots_below_its_freeze_quantity_and_nothing_where_it_has_none(self):
        odd, free = (msgspec.structs.replace(self.FUTURE, freeze_quantity=each) for each in (1_750, None))

        assert (odd.slice_quantity_max, odd.divided(1_750)) == (1_725, (1_725, 25))
        assert (free.slice_quantity_max, free.divided(99_999)) == (None, (99_999,))
        assert free.quantity_fault(75 * 99_999) == ""

    def test_of_one_share_takes_one(self):
        share = Instrument(symbol="A", segment="NSE_EQ", tick_size_rupees=0.05)

        assert [bool(share.quantity_fault(each)) for each in (-1, 0, 1, 2)] == [True, True, False, False]

    @pytest.mark.parametrize(
        "wrong", [{"symbol": " A"}, {"lot_size": 0}, {"freeze_quantity": 0}, {"tick_size_rupees": 0.0}], ids=str
    )
    def test_that_cannot_be_is_not_made(self, wrong):
        with pytest.raises(ValueError, match="wanted"):
            Instrument(**{"symbol": "A", "segment": "NSE_EQ", "tick_size_rupees": 0.05} | wrong)


class TestASymbol:
    @pytest.mark.parametrize("text", ["A", "M&M", "NIFTY 26000 CE", "x" * 64])
    def test_is_printable_ascii(self, text):
        assert is_symbol(text)

    @pytest.mark.parametrize("text", ["", " A", "A ", "x" * 65, "A\n", "É", "A\x7f", "\ud800", "A\tB"])
    def test_is_nothing_else(self, text):
        assert not is_symbol(text)


class TestTheSymbolOfAContract:
    @pytest.mark.parametrize(
        ("symbol", "option", "contract"),
        [
            ("NIFTY-29Sep2026-29150-CE", True, True),
            ("BSE:SENSEX-01Oct2026-80000-PE", True, True),
            ("NIFTY-29Sep2026-FUT", False, True),
            ("NIFTY 26000 CE", True, True),
            ("NIFTY 26000 PE", True, True),
            ("NIFTY 26JAN FUT", False, True),
            ("RELIANCE", False, False),
            ("PEL", False, False),
            ("FUTURE", False, False),
            ("SPICE", False, False),
        ],
    )
    def test_is_told_by_how_it_ends(self, symbol, option, contract):
        assert (is_option(symbol), is_contract(symbol)) == (option, contract)

    @pytest.mark.parametrize(
        ("symbol", "strike"),
        [
            ("NIFTY-29Sep2026-29150-CE", 29_150.0),
            ("BAJAJ-AUTO-29Sep2026-9050.5-PE", 9_050.5),
            ("XYZ-CE", 0.0),
            ("NIFTY-29Sep2026-FUT", None),
            ("RELIANCE", None),
        ],
    )
    def test_tells_the_strike_of_an_option_and_of_nothing_else(self, symbol, strike):
        assert strike_of(symbol) == strike


class TestAClientOrderId:
    @pytest.mark.parametrize("text", ["a", "A-Z_09", "x" * 25])
    def test_has_the_brokers_alphabet_and_length(self, text):
        assert is_client_order_id(text)

    @pytest.mark.parametrize("text", ["", "x" * 26, "a b", "a\n", "é", "٣", "a;b", "\ud800"])
    def test_is_nothing_else(self, text):
        assert not is_client_order_id(text)
