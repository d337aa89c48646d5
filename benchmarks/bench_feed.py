"""Packets of Dhan's market feed, from the bytes of a frame to ticks.

    python benchmarks/bench_feed.py [--packets 20000] [--rounds 15]

Floor, in the same run and in turn: the official client's `process_data`, which makes a dict with prices as texts. Ours
makes the message that strategies get: prices on the tick grid, every number checked. The packets are of 500 instruments
and walk as a market does, so that no price is found because the one before was the same.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from figures import Figure, report

from natya.actors.feed.bodies.dhan.decoding import Decoder
from natya.domain.dhan.streams import packets
from natya.domain.instruments import PriceGrid

if TYPE_CHECKING:
    from collections.abc import Callable

INSTRUMENTS = 500
RATIO_TARGET = 8.0
RECEIVED_NS = 1_791_400_000_000_000_000
GRID = PriceGrid(0.05)


def market(count: int) -> dict[str, list[bytes]]:
    """Make quotes and full packets of a random walk."""
    rng = random.Random(7)  # noqa: S311  a market of a benchmark
    prices = [rng.randint(4_000, 80_000) for _ in range(INSTRUMENTS)]  # in ticks
    highs, lows = list(prices), list(prices)
    begun = [(GRID.nearest(each * 0.05), GRID.nearest((each - 9) * 0.05)) for each in prices]  # open, previous close
    quotes, fulls = [], []
    for number in range(count):
        which = number % INSTRUMENTS
        prices[which] += rng.randint(-3, 3)
        price, first = GRID.nearest(prices[which] * 0.05), prices[which]
        head = price, 12, 1_791_368_130 + number // 1_000, price - 0.37, 1_000 + number, 310_000, 295_000
        highs[which], lows[which] = max(highs[which], prices[which]), min(lows[which], prices[which])
        day = (*begun[which], GRID.nearest(highs[which] * 0.05), GRID.nearest(lows[which] * 0.05))
        quotes.append(packets.QUOTE_LAYOUT.pack(packets.QUOTE, 50, 1, which, *head, *day))
        rows = [
            value
            for level in range(packets.LEVELS)
            for value in (
                *(rng.randint(1, 900), rng.randint(1, 900), 2, 3),
                *(GRID.nearest((first - level) * 0.05), GRID.nearest((first + 1 + level) * 0.05)),
            )
        ]
        fulls.append(packets.FULL_LAYOUT.pack(packets.FULL, 162, 1, which, *head, 0, 0, 0, *day, *rows))
    return {"quote": quotes, "full": fulls}


def main() -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    import dhanhq  # noqa: PLC0415  of the tests' requirements

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    official = dhanhq.MarketFeed.__new__(dhanhq.MarketFeed)  # what decodes needs nothing of a connection
    decoder = Decoder("bench")
    for which in range(INSTRUMENTS):
        decoder.add("NSE_EQ", str(which), f"S{which}", GRID)

    def ours(frames: list[bytes]) -> None:
        for frame in frames:
            if len(decoder.decode(frame, RECEIVED_NS)) != 1:
                raise RuntimeError(f"a tick wanted, found {decoder.fault}")

    def theirs(frames: list[bytes]) -> None:
        for frame in frames:
            official.process_data(frame)

    sides: dict[str, Callable[[list[bytes]], None]] = {"ours": ours, "theirs": theirs}
    figures = []
    for kind, frames in market(given.packets).items():
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(given.rounds):
            for name, side in sides.items():
                some = frames if name == "ours" else frames[: len(frames) // 4]
                began = time.perf_counter()
                side(some)
                taken[name].append(len(some) / (time.perf_counter() - began))
        figures.append(
            Figure(
                name=f"{kind} packets a second, to ticks",
                value=median(taken["ours"]),
                unit="",
                floor=median(taken["theirs"]),
                floor_name="the official client's, to dicts",
                target=RATIO_TARGET,
                at_least=True,
            )
        )
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
