"""What was held over a split, or beyond an expiry, is told: the market's prices do not tell what it came to."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.doubts import doubts_of
from natya.backtest.figures.trades import Trade
from natya.domain.instruments import expiry_of
from natya.domain.time import IST, SECOND_NS

CALL = "NIFTY-04Nov2025-25700-CE"


def at_ns(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS


def a_trade(symbol, since, until=None):
    return Trade(
        strategy="s", symbol=symbol, direction="SHORT", quantity=10, entry_ns=at_ns(since), entry_price=Decimal(1),
        exit_ns=None if until is None else at_ns(until), exit_price=None if until is None else Decimal(1),
        profit=Decimal(0), charges=Decimal(0),
    )  # fmt: skip


def marks_of(symbol, *rows):
    bars = Bars()
    for end, open_, close in rows:
        bars.add(at_ns(end), open_, max(open_, close), min(open_, close), close)
    return Marks({symbol: bars})


def doubts(trades, marks):
    return [*doubts_of(trades, marks, max(times[-1] for times in marks.times.values()))]


SPLIT = marks_of("ABC", ("2025-11-03T15:30", 998.0, 1_000.05), ("2025-11-04T15:30", 200.0, 201.0))


@pytest.mark.parametrize("since", ["2025-11-03T10:00", "2025-11-03T15:30"], ids=["in the day", "at its close"])
def test_a_short_over_a_split_did_not_earn_what_the_prices_fell(since):
    (told,) = doubts([a_trade("ABC", since)], SPLIT)

    assert told == (
        "ABC goes from 1000.05 to 200.00 in the night before 2025-11-04, as by a split or a bonus that the prices are "
        "not adjusted for: 1 trade held over it took it for profit or loss"
    )


@pytest.mark.parametrize("until", ["2025-11-03T15:31", "2025-11-04T10:00"])
def test_who_closed_behind_a_split_held_over_it_too(until):
    (told,) = doubts([a_trade("ABC", "2025-11-03T10:00", until), a_trade("ABC", "2025-11-03T11:00")], SPLIT)

    assert told.endswith("2 trades held over it took it for profit or loss")


@pytest.mark.parametrize(
    ("since", "until"),
    [("2025-11-03T10:00", "2025-11-03T15:30"), ("2025-11-03T10:00", "2025-11-03T15:20"), ("2025-11-04T10:00", None)],
    ids=["closed at its close", "closed before", "opened after"],
)
def test_of_what_was_not_held_over_a_split_the_indicators_are_in_doubt(since, until):
    (told,) = doubts([a_trade("ABC", since, until)], SPLIT)

    assert told.endswith("nothing was held over it, but indicators take it for a move")


@pytest.mark.parametrize(
    ("next_day", "open_", "is_told"),
    [
        ("2025-11-04T15:30", 833.0, True),
        ("2025-11-04T15:30", 870.0, False),
        ("2025-11-04T15:30", 10_000.0, True),
        ("2025-11-04T15:30", 1_150.0, False),
        ("2025-11-03T15:31", 500.0, False),
        ("2025-11-10T15:30", 500.0, True),
        ("2026-02-03T15:30", 500.0, False),
    ],
    ids=[
        "a bonus of one for five", "a fall of 13 percent", "ten joined to one", "a rise of 15 percent", "within a day",
        "candles of weeks", "behind a hole of three months",
    ],
)  # fmt: skip
def test_a_split_is_a_night_that_takes_more_than_a_night_does(next_day, open_, is_told):
    marks = marks_of("ABC", ("2025-11-03T15:30", 1_000.0, 1_000.0), (next_day, open_, open_))

    assert [*map(bool, doubts([a_trade("ABC", "2025-11-03T10:00")], marks))] == [True] * is_told


def test_options_may_lose_in_a_night_what_they_do():
    marks = marks_of(CALL, ("2025-10-31T15:30", 100.0, 100.0), ("2025-11-03T15:30", 10.0, 10.0))

    assert doubts([a_trade(CALL, "2025-10-31T10:00")], marks) == []


@pytest.mark.parametrize(
    ("last", "until", "is_told"),
    [
        ("2025-11-04T15:30", None, True),
        ("2025-11-12T15:30", None, True),
        ("2025-11-04T15:29", None, False),
        ("2025-11-12T15:30", "2025-11-04T15:20", False),
    ],
    ids=["to its end", "days beyond", "not yet", "closed before"],
)
def test_what_is_held_beyond_its_expiry_is_not_worth_its_last_price(last, until, is_told):
    marks = marks_of(CALL, ("2025-11-03T15:30", 100.0, 100.0), (last, 90.0, 90.0))
    wanted = f"held beyond its expiry, and counted at its last price, not at what the exchange settles it at: {CALL}"

    assert doubts([a_trade(CALL, "2025-11-03T10:00", until)], marks) == [wanted] * is_told


@pytest.mark.parametrize(
    ("symbol", "day"),
    [
        (CALL, date(2025, 11, 4)),
        ("MCX:CRUDEOIL-18Dec2026-FUT", date(2026, 12, 18)),
        ("NIFTY-Nov2025-25700-CE", None),
        ("NIFTY-31Nov2025-FUT", None),
        ("BAJAJ-AUTO", None),
    ],
)
def test_the_last_day_of_a_contract_is_in_its_name(symbol, day):
    assert expiry_of(symbol) == day


class TestASymbolThatHasNoPriceAnyMore:
    @staticmethod
    def told(*trades):
        ended, goes_on = (
            marks_of(name, (f"2025-11-{day}T15:30", 100.0, 100.0)) for name, day in (("ABC", "03"), ("XYZ", "28"))
        )
        return doubts(trades, Marks({**ended.bars, **goes_on.bars}))

    def test_is_told_where_it_is_held_at_the_end(self):
        (words,) = self.told(a_trade("ABC", "2025-11-03T10:00"), a_trade("XYZ", "2025-11-03T10:00"))

        assert words == (
            "held at the end, and without a price since the day that is told, as what was suspended or delisted: it "
            "counts at that price, at which nobody may have sold it since: ABC (2025-11-03)"
        )

    def test_is_not_told_where_it_was_sold(self):
        assert self.told(a_trade("ABC", "2025-11-03T10:00", "2025-11-03T11:00")) == []
