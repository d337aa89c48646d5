"""Recordings for tests to play: files as the feed reads them."""

import csv
from datetime import datetime, timedelta, timezone
from random import Random

IST = timezone(timedelta(hours=5, minutes=30))
BEGIN = datetime(2020, 1, 1, 9, 15, tzinfo=IST)
MINUTES_A_DAY = 375


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
