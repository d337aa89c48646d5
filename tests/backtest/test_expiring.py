"""What is held of a contract when it expires is settled by the exchange's rule, on that day and at that price."""

from datetime import datetime, timedelta

import pytest

import natya
from natya.domain.time import IST, time_text

DAY = datetime(2026, 12, 1, tzinfo=IST)
CALL, PUT, FUTURE = "NIFTY-01Dec2026-26000-CE", "NIFTY-01Dec2026-26000-PE", "NIFTY-01Dec2026-FUT"
LATER = "NIFTY-29Dec2026-26000-CE"


def write(path, *, days, underlying=True, minutes=385):
    """Write candles of a minute: the index goes from 26,000 up by a fifth of a rupee each, each day anew."""
    lines = ["time,symbol,open,high,low,close,volume"]
    for day in range(days):
        for minute in range(minutes):
            start = DAY + timedelta(days=day, hours=9, minutes=15 + minute)
            index = 26_000 + minute * 0.2
            prices = {CALL: index - 26_000 + 5, PUT: 5, FUTURE: index + 3} if not day else {}
            prices |= {LATER: 90} | ({"NIFTY": index} if underlying else {})
            lines += [f"{start.isoformat()},{name}," + f"{each:.2f}," * 4 + "100" for name, each in prices.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("days", "underlying", "worth"),
    [
        (1, True, {CALL: 76.8, PUT: 0.0, FUTURE: 26_076.8}),
        (2, True, {CALL: 76.8, PUT: 0.0, FUTURE: 26_076.8}),
        (1, False, {CALL: 81.8, PUT: 5.0, FUTURE: 26_079.8}),
    ],
    ids=["at the end of the recording", "before its end", "by their own prices"],
)
def test_a_position_is_settled_at_the_close_of_its_last_day(tmp_path, days, underlying, worth):
    recording = write(tmp_path / "market.csv", days=days, underlying=underlying)
    result = natya.backtest("natya_backtests:Holder", recording)

    assert {each.symbol: each.price for each in result.fills if each.side == "SELL"} == worth
    assert {time_text(each.occurred_ns)[:19] for each in result.fills if each.side == "SELL"} == {"2026-12-01 15:40:00"}
    assert result.report.open_trades == (LATER in {each.symbol for each in result.fills})
    assert "held beyond its expiry" not in str(result.report)


def test_a_recording_that_ends_before_leaves_it_open(tmp_path):
    result = natya.backtest("natya_backtests:Holder", write(tmp_path / "market.csv", days=1, minutes=375))

    assert {each.side for each in result.fills} == {"BUY"}


def test_a_bracket_that_is_open_holds_it_up_neither_at_the_end_of_the_recording_nor_over_night(tmp_path):
    for days in (1, 2):
        recording = write(tmp_path / f"{days}.csv", days=days)
        result = natya.backtest("natya_backtests:Holder", recording, parameters={"bracket": True})

        sold = {each.symbol: each.price for each in result.fills if each.side == "SELL"}
        assert sold == {CALL: 76.8, PUT: 0.0, FUTURE: 26_076.8}
