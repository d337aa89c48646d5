"""Recordings for tests to play: files as the feed reads them."""

import csv
from datetime import datetime, timedelta, timezone
from random import Random

IST = timezone(timedelta(hours=5, minutes=30))
BEGIN = datetime(2020, 1, 1, 9, 15, tzinfo=IST)
MINUTES_A_DAY = 375


def write_last_prices(path, *, kind, until="15:30:00"):
    """Write the last two minutes before a time of one day, as candles of a minute or as ticks; return the path."""
    end_s = int(datetime.fromisoformat(f"2026-01-02T{until}+05:30").timestamp())
    if kind == "candles":
        lines = ["date,open,high,low,close,volume"]
        lines += [f"{end_s - 60 * ago},10{2 - ago},10{2 - ago},10{2 - ago},10{2 - ago},40" for ago in (2, 1)]
    else:
        lines = ["time,ltp,symbol"]
        lines += [f"{end_s - ago},10{0 if ago > 60 else 1},TCS" for ago in (120, 100, 80, 60, 40, 20)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_candles(path, count, *, seed=1, minutes_a_day=MINUTES_A_DAY, begin=BEGIN):
    """Write one-minute candles of a walk that the seed draws; return the path."""
    walk, price = Random(seed), 1_500.0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "open", "high", "low", "close", "volume"])
        for row in range(count):
            day, minute = divmod(row, minutes_a_day)
            close = round(max(10.0, price + walk.randint(-20, 20) * 0.1), 1)
            moment = begin + timedelta(days=day, minutes=minute)
            writer.writerow([moment.isoformat(), price, max(price, close), min(price, close), close, 100])
            price = close
    return path
