"""A query that is asked again: its answer from memory against its answer from DuckDB.

    python benchmarks/bench_cache.py [--queries 2000]

Floor: the same query asked of DuckDB each time. Targets: an answer that is kept, at most 0.02 of it (what a dashboard
asks the repositories four times a second must cost nothing); a text never seen before, looked into and its answer kept,
2 of it. A point query on 100,000 rows, on two adapters in one run, with and without a cache.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from figures import Figure, report

from natya.actors.database import DuckDBAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

SQL = "select doubled from numbers where number = ?"
TABLES = ("numbers",)


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
            caching.query(SQL, [1], tables=TABLES)
        asked_us = median_us(lambda number: plain.query(SQL, [number]), queries)
        kept_us = median_us(lambda _: caching.query(SQL, [1], tables=TABLES), queries)
        not_kept_us = median_us(lambda number: caching.query(f"{SQL} -- {number}", [number], tables=TABLES), queries)
    asked = "asked of DuckDB each time"
    return report(
        [
            Figure(name="a kept answer", value=kept_us, unit="us", floor=asked_us, floor_name=asked, target=0.02),
            Figure(name="a text never seen", value=not_kept_us, unit="us", floor=asked_us, floor_name=asked, target=2),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
