"""A query that is asked again: its answer from memory against its answer from DuckDB.

    python benchmarks/bench_cache.py [--queries 2000]

Targets: an answer that is kept, at most 10 us at the median (what a dashboard asks four times a second must cost
nothing); what looking into a text and keeping its answer adds to a query that is not kept, at most 0.5 ms (less
than the query itself takes). A point query on 100,000 rows, on two adapters in one run, with and without a cache.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from natya.actors.database import DuckDBAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_US_TARGET, ADDED_US_TARGET = 10.0, 500.0
SQL = "select doubled from numbers where number = ?"


def median_us(ask: Callable[[int], object], queries: int) -> float:
    """Microseconds that one takes."""
    taken = []
    for number in range(queries):
        began = time.perf_counter_ns()
        ask(number)
        taken.append(time.perf_counter_ns() - began)
    return median(taken) / 1_000


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=2_000)
    queries = parser.parse_args(argv).queries
    with (
        tempfile.TemporaryDirectory() as folder,
        DuckDBAdapter(Path(folder) / "with.duckdb") as caching,
        DuckDBAdapter(Path(folder) / "without.duckdb", cache_mb=0) as plain,
    ):
        for database in (caching, plain):
            database.execute("create table numbers as select range as number, range * 2 as doubled from range(100_000)")
        for _ in range(3):
            caching.query(SQL, [1])
        asked_us = median_us(lambda number: plain.query(SQL, [number]), queries)
        kept_us = median_us(lambda _: caching.query(SQL, [1]), queries)
        not_kept_us = median_us(lambda number: caching.query(f"{SQL} -- {number}", [number]), queries)
        hit_rate = caching.statistics().cache.hit_rate
    added_us = not_kept_us - asked_us
    print(f"asked of DuckDB     {asked_us:8.1f} us")
    print(f"kept                {kept_us:8.1f} us   target {KEPT_US_TARGET:g} us   hit rate {hit_rate:.3f}")
    print(f"a text never seen   {added_us:+8.1f} us   target {ADDED_US_TARGET:g} us more")
    return int(kept_us > KEPT_US_TARGET or added_us > ADDED_US_TARGET)


if __name__ == "__main__":
    sys.exit(main())
