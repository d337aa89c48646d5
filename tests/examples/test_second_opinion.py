"""The strategies in `examples/` on days of minutes, trade by trade against plain Python that knows no code of natya's.

`make second-opinion` plays every day of the recording beside the project, where there is one.
"""

import os
from pathlib import Path
from random import Random

import natya_second_opinion as opinion
import pytest

import natya

EXAMPLES = Path(__file__).parents[2] / "examples"
RELIANCE = Path(__file__).parents[3] / "shared" / "data" / "reliance_1min_60days.csv"
HEADER = "date,open,high,low,close,volume"
DAYS_MAX = int(os.environ.get("SECOND_OPINION_DAYS", "1"))
ALONE = {"rsi_reversion": opinion.RsiReversion, "opening_range": opinion.OpeningRange, "grid": opinion.Grid}


def walk(seed, day):
    """Return the rows of a day, of prices on a grid of 10 paise."""
    chance, price, rows = Random(seed), 15_000, []
    for minute in range(555, 930):
        opened = price + chance.randint(-4, 4)
        price = opened + chance.randint(-12, 12)
        high, low = max(opened, price) + chance.randint(0, 8), min(opened, price) - chance.randint(0, 8)
        prices = ",".join(f"{each / 10:.1f}" for each in (opened, high, low, price))
        rows.append(f"{day}T{minute // 60:02}:{minute % 60:02}:00+05:30,{prices},100")
    return rows


def days():
    """Return the rows of two days, of which the second plays the other symbol of a pair on the first."""
    yield walk(1, "2025-11-03"), walk(2, "2025-11-03")
    if RELIANCE.exists():
        rows = {}
        for row in RELIANCE.read_text().splitlines()[1:]:
            rows.setdefault(row[:10], []).append(row)
        pairs = zip(list(rows)[9:] + list(rows)[:9], list(rows)[10:] + list(rows)[:10], strict=True)
        for day, other in list(pairs)[:DAYS_MAX]:
            yield rows[day], [day + row[10:] for row in rows[other]]


@pytest.fixture(params=days(), ids=lambda rows: f"{rows[0][0][:10]} {rows[0][0][26:32]}")
def recordings(request, tmp_path):
    """The files of two symbols, by symbol."""
    found = {}
    for symbol, rows in zip(("TCS", "INFY"), request.param, strict=True):
        found[symbol] = tmp_path / f"{symbol}.csv"
        found[symbol].write_text("\n".join([f"symbol,{HEADER}", *(f"{symbol},{row}" for row in rows)]) + "\n")
    return found


def traded(name, *data):
    result = natya.backtest(
        str(EXAMPLES / f"{name}.py"), list(data), charges="none", settings={"orders.position_max": 10_000}
    )
    return sorted(
        (fill.occurred_ns // 60_000_000_000 % 1440 + 330, fill.symbol, fill.side, fill.quantity, fill.price)
        for fill in result.fills
    )


def worked_out(strategy, recordings):
    fills = opinion.play(strategy, {symbol: opinion.minutes_of(path) for symbol, path in recordings.items()})
    return sorted(
        (minute, symbol, "BUY" if side > 0 else "SELL", quantity, price)
        for symbol, side, quantity, price, minute in fills
    )


def test_each_trade_of_the_examples_is_as_worked_out_by_plain_python(recordings):
    alone = {"TCS": recordings["TCS"]}
    found = {name: traded(name, recordings["TCS"]) for name in ALONE}
    found["pair"] = traded("pair", *recordings.values())

    assert {name: worked_out(kind(), alone) for name, kind in ALONE.items()} | {
        "pair": worked_out(opinion.Pair(), recordings)
    } == found
    assert sum(map(len, found.values())) > 5
