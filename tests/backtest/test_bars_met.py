"""Fills that no market would have given like that are told: too large for their bar, or at a price that is wrong."""

from datetime import datetime

import pytest
from natya_builders import BUILDERS, a_tick

from natya.backtest.figures.bars_met import bars_met, doubts_of_bars
from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.running.marks import MarkKeeper
from natya.domain.booked import EXPIRED
from natya.domain.time import IST, SECOND_NS

MINUTE_NS = 60 * SECOND_NS


def at_ns(text):
    return int(datetime.fromisoformat(f"2025-11-03T{text}").replace(tzinfo=IST).timestamp()) * SECOND_NS


def marks_of(*volumes, symbol="INFY", begins="09:15"):
    bars = Bars()
    for number, volume in enumerate(volumes):
        begin_ns = at_ns(begins) + number * MINUTE_NS
        bars.add(begin_ns + MINUTE_NS, 100.0, 101.0, 99.0, 100.0, begin_ns=begin_ns, volume=volume)
    return {symbol: bars}


def a_fill(at, quantity, *, symbol="INFY", trade_id="T-1", beyond_ns=0):
    return BUILDERS.filled(
        f"A-{at}-{quantity}", trade_id, symbol=symbol, quantity=quantity, occurred_ns=at_ns(at) + beyond_ns
    )


def told(fills, *of):
    bars = {name: each for some in of for name, each in some.items()}
    return [*doubts_of_bars(bars_met(fills, Marks(bars)))]


def test_more_than_a_tenth_of_a_bar_is_told_with_the_largest():
    fills = [a_fill("09:15:01", 101), a_fill("09:16:01", 400), a_fill("09:17:01", 100)]

    (words,) = told(fills, marks_of(1_000, 1_000, 1_000))

    assert words == (
        "2 of 3 fills took more than a tenth of what the market traded in that bar, and are counted at its price "
        "(INFY at 2025-11-03 09:16:00 IST: 400 of 1,000 shares)"
    )


def test_a_tenth_is_not_told():
    assert told([a_fill("09:15:01", 100)], marks_of(1_000)) == []


def test_what_several_fills_took_of_one_bar_counts_together():
    fills = [a_fill("09:15:01", 60), a_fill("09:15:59", 60), a_fill("09:16:01", 60)]

    (words,) = told(fills, marks_of(1_000, 1_000))

    assert words.startswith("2 of 3 fills took")
    assert words.endswith("09:15:00 IST: 120 of 1,000 shares)")


@pytest.mark.parametrize(
    ("beyond_ns", "bar"), [(-1, "09:15:00"), (0, "09:16:00"), (MINUTE_NS - 1, "09:16:00"), (9 * MINUTE_NS, "09:17:00")]
)
def test_a_fill_belongs_to_the_bar_that_began_last(beyond_ns, bar):
    (words,) = told([a_fill("09:16", 900, beyond_ns=beyond_ns)], marks_of(1_000, 1_000, 1_000))

    assert f"(INFY at 2025-11-03 {bar} IST" in words


def test_a_bar_without_a_trade_gives_nothing_where_others_have_volumes():
    (words,) = told([a_fill("09:15:01", 1)], marks_of(0, 1_000))

    assert words.endswith("1 of 0 shares)")


def test_data_without_volumes_says_nothing_of_it():
    assert told([a_fill("09:15:01", 1_000_000)], marks_of(0, 0)) == []


def test_what_an_expiry_closed_took_nothing_of_the_market():
    assert told([a_fill("09:15:01", 900, trade_id=EXPIRED)], marks_of(1_000)) == []


def test_each_symbol_is_measured_by_its_own_volume():
    fills = [a_fill("09:15:01", 300), a_fill("09:15:01", 300, symbol="TCS")]

    (words,) = told(fills, marks_of(10_000), marks_of(1_000, symbol="TCS"))

    assert words.startswith("1 of 2 fills")
    assert "(TCS at" in words


def leaping(*rows, symbol="INFY"):
    bars = Bars()
    for number, (open_, high, low, close) in enumerate(rows):
        begin_ns = at_ns("09:15") + number * MINUTE_NS
        bars.add(begin_ns + MINUTE_NS, open_, high, low, close, begin_ns=begin_ns)
    return {symbol: bars}


QUIET = (100.0, 101.0, 99.0, 100.0)


@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((100.0, 100.0, 1.0, 100.0), "1.00"),
        ((100.0, 1_000.0, 100.0, 100.0), "1,000.00"),
        ((1_000.0, 1_010.0, 990.0, 1_000.0), "1,010.00"),
        ((100.0, 120.01, 100.0, 100.0), "120.01"),
        ((100.0, 100.0, 79.99, 100.0), "79.99"),
    ],
)
def test_a_fill_in_a_bar_whose_price_leapt_and_came_back_is_told(bar, price):
    fills = [a_fill("09:15:01", 1), a_fill("09:16:01", 1), a_fill("09:16:02", 1), a_fill("09:17:01", 1)]

    (words,) = told(fills, leaping(QUIET, bar, QUIET))

    assert words == (
        f"2 of 4 fills met a bar whose price leapt and came back, as by a wrong price in the data (INFY at 2025-11-03 "
        f"09:16:00 IST: {price} between 100.00 and 100.00)"
    )


@pytest.mark.parametrize(
    "bars",
    [
        [QUIET, (100.0, 120.0, 80.0, 100.0), QUIET],
        [QUIET, (100.0, 300.0, 100.0, 300.0), (300.0, 301.0, 299.0, 300.0)],
        [(300.0, 301.0, 299.0, 300.0), (300.0, 300.0, 100.0, 100.0), QUIET],
        [QUIET],
        [QUIET, (1_000.0, 1_010.0, 990.0, 1_000.0)],
    ],
    ids=["within the band", "it went up, and stayed", "it fell, and stayed", "a bar alone", "it went up at the end"],
)
def test_a_price_that_went_as_prices_go_is_not_told(bars):
    assert told([a_fill("09:16:01", 1)], leaping(*bars)) == []


@pytest.mark.parametrize(("at", "number"), [("09:15:01", 0), ("09:16:01", 1)])
def test_beside_the_first_and_the_last_bar_stands_their_own_open_or_close(at, number):
    bars = [QUIET, QUIET]
    bars[number] = (100.0, 1_000.0, 100.0, 100.0)

    (words,) = told([a_fill(at, 1)], leaping(*bars))

    assert words.endswith(": 1,000.00 between 100.00 and 100.00)")


def test_the_price_of_an_option_may_leap_and_that_of_a_future_not():
    bars = QUIET, (100.0, 1_000.0, 100.0, 100.0), QUIET
    option, future = "NIFTY-04Nov2025-25700-CE", "NIFTY-25Nov2025-FUT"

    assert told([a_fill("09:16:01", 1, symbol=option)], leaping(*bars, symbol=option)) == []
    assert len(told([a_fill("09:16:01", 1, symbol=future)], leaping(*bars, symbol=future))) == 1


class TestTheVolumeOfAMinuteOfTicks:
    @staticmethod
    def volumes(*ticks):
        keeper = MarkKeeper(None)
        keeper.add(
            a_tick(number, exchange_ns=ns, quantity=quantity, volume=volume)
            for number, (ns, quantity, volume) in enumerate(ticks, 1)
        )
        bars = keeper.marks().bars["INFY"]
        return [*zip(bars.begins, bars.volumes, strict=True)]

    def test_is_what_the_total_of_the_day_grew_by(self):
        begin_ns = at_ns("12:00")

        assert self.volumes(
            (begin_ns + 1, 5, 1_000),
            (begin_ns + 30 * SECOND_NS, 2, 1_100),
            (begin_ns + MINUTE_NS + 7, 3, 1_150),
            (begin_ns + 5 * MINUTE_NS, 3, 1_150),
        ) == [(begin_ns, 105), (begin_ns + MINUTE_NS, 50), (begin_ns + 5 * MINUTE_NS, 0)]

    def test_is_the_sum_of_the_trades_where_no_total_is_told(self):
        begin_ns = at_ns("12:00")

        assert self.volumes((begin_ns, 5, 0), (begin_ns + 1, 7, 0), (begin_ns + MINUTE_NS, 9, 0)) == [
            (begin_ns, 12), (begin_ns + MINUTE_NS, 9)
        ]  # fmt: skip

    def test_of_a_new_day_does_not_begin_with_the_total_of_the_day_before(self):
        begin_ns = at_ns("15:29")
        next_ns = begin_ns + 86_400 * SECOND_NS

        assert self.volumes((begin_ns, 5, 9_000), (next_ns, 4, 20_000), (next_ns + 1, 1, 20_001)) == [
            (begin_ns, 5), (next_ns, 5)
        ]  # fmt: skip
