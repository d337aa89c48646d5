"""Who takes a large part of what the market traded does not get its price, and is told so."""

from datetime import datetime

import pytest
from natya_builders import BUILDERS, a_tick

from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.participation import participation_of
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
    return [*participation_of(fills, Marks(bars))]


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
