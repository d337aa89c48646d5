"""Recordings of the two shapes, of any length, for benchmarks: a seeded random walk on the tick grid."""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IST = timezone(timedelta(hours=5, minutes=30))
LEVELS = range(1, 6)


def write_ticks(path: Path, *, rows: int, seed: int = 1) -> Path:
    """Write full packets with five levels of depth, a quarter of a second apart."""
    walk = random.Random(seed)  # noqa: S311  a market, not a key
    price, volume, moment = 25_000.0, 0, datetime(2025, 12, 29, 9, 15)  # noqa: DTZ001  the shape's times are local
    names = ["time", "type", "ltp", "volume", "oi", "ltq", "atp", "total_buy_qty", "total_sell_qty"]
    names += ["open", "high", "low", "close", "bid_price_1", "bid_qty_1", "bid_orders_1"]
    names += ["ask_price_1", "ask_qty_1", "ask_orders_1"]
    for level in LEVELS[1:]:
        names += [f"bid_price_{level}", f"bid_qty_{level}", f"ask_price_{level}", f"ask_qty_{level}"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for _ in range(rows):
            price = round(price + walk.choice((-0.1, 0.0, 0.1)), 2)
            quantity = 75 * walk.randint(1, 20)
            volume += quantity
            moment += timedelta(milliseconds=250)
            row = [moment.isoformat(" "), "full", price, volume, 11_148_150, quantity, price, 309_225, 421_350]
            row += [25_000.0, price + 50, price - 50, 24_990.0]
            for level in LEVELS:
                bid, ask = round(price - 0.1 * level, 2), round(price + 0.1 * level, 2)
                orders = [5] if level == 1 else []
                row += [bid, 75 * level, *orders, ask, 75 * level, *orders]
            writer.writerow(row)
    return path


def write_candles(path: Path, *, rows: int, seed: int = 1) -> Path:
    """Write one-minute candles, 375 a day."""
    walk = random.Random(seed)  # noqa: S311  a market, not a key
    price, moment = 1_500.0, datetime(2020, 1, 1, 9, 15, tzinfo=IST)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "open", "high", "low", "close", "volume"])
        for row in range(rows):
            day, minute = divmod(row, 375)
            start = moment + timedelta(days=day, minutes=minute)
            close = round(max(10.0, price + walk.randint(-20, 20) * 0.1), 1)
            high = round(max(price, close) + walk.randint(0, 5) * 0.1, 1)
            low = round(min(price, close) - walk.randint(0, 5) * 0.1, 1)
            writer.writerow([start.isoformat(), price, high, low, close, walk.randint(0, 100_000)])
            price = close
    return path
