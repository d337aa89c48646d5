"""Market data in and out beside a system that trades, against DuckDB alone doing the same.

    python benchmarks/bench_bulk.py [--rows 1000000]

Targets: 100,000 rows a second of a CSV file with four columns, checked row by row, into the running system; all of them
as numpy columns in another process in at most 3 seconds for a million. Reason: a year of one-second ticks of a share
(5,700,000 rows) is there within a minute, and a notebook does not wait for what it looks at. The peer is DuckDB's own
CSV reader, which takes what it finds, and a query of its own: it shows how far we are from what is possible.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

import natya
from natya.actors.control import NotRunningError
from natya.transfer import import_file

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS_PER_S_TARGET = 100_000
QUERY_S_TARGET = 3.0
"""For a million rows."""

START_S = 60.0
QUERY = "select symbol, exchange_ns, price, quantity, volume from ticks where symbol = 'BULK' order by exchange_ns"


def write_ticks(path: Path, rows: int) -> Path:
    """Write ticks of a seeded walk, four columns."""
    walk, moment, price, volume = random.Random(1), datetime(2026, 1, 5, 9, 15), 1_500.0, 0  # noqa: DTZ001, S311
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "ltp", "ltq", "volume"])
        for _ in range(rows):
            moment += timedelta(milliseconds=walk.randrange(1, 40))
            quantity = walk.randrange(1, 100)
            volume += quantity
            price = round(price + walk.randrange(-2, 3) * 0.05, 2)
            writer.writerow([moment.isoformat(), price, quantity, volume])
    return path


@contextlib.contextmanager
def trading(data_dir: Path) -> Iterator[natya.client.Connection]:
    """Start a system on the synthetic market, connect to it, and stop it in order."""
    command = [sys.executable, "-m", "natya", "run", "--data-dir", str(data_dir), "--summary", "json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(NotRunningError):
                connection = natya.connect(data_dir)
                break
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("the system did not start")
        with connection:
            yield connection
    finally:
        process.terminate()
        process.wait(START_S)


def ours(path: Path, data_dir: Path) -> tuple[float, float]:
    """Seconds of an import, and of a query to numpy columns."""
    with trading(data_dir) as system:
        done = import_file(path, system, symbol="BULK")
        began = time.perf_counter()
        with system.query(QUERY) as result:
            columns = result.columns()
        query_s = time.perf_counter() - began
    if not done.written == done.ticks == len(columns["price"]):
        raise SystemExit(f"{done.ticks} ticks wanted, found {done.written} written and {len(columns['price'])} read")
    return done.elapsed_s, query_s


def theirs(path: Path, file: Path) -> tuple[float, float]:
    """Do the same with DuckDB in this process, without a check."""
    with duckdb.connect(file) as connection:
        began = time.perf_counter()
        connection.execute(
            "create table ticks as select 'BULK' as symbol, epoch_ns(time) as exchange_ns, ltp as price, "
            "ltq as quantity, volume from read_csv(?)",
            [str(path)],
        )
        import_s = time.perf_counter() - began
        began = time.perf_counter()
        connection.execute(QUERY).fetchnumpy()
        return import_s, time.perf_counter() - began


def main(arguments: list[str] | None = None) -> int:
    """Measure both; 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = write_ticks(Path(folder) / "ticks.csv", options.rows)
        import_s, query_s = ours(path, Path(folder) / "data")
        peer_import_s, peer_query_s = theirs(path, Path(folder) / "peer.duckdb")
    rows_per_s = options.rows / import_s
    print(
        f"import: {rows_per_s:,.0f} rows/s (target {ROWS_PER_S_TARGET:,}); DuckDB {options.rows / peer_import_s:,.0f}"
    )
    limit_s = QUERY_S_TARGET * options.rows / 1_000_000
    print(f"{options.rows:,} rows to numpy: {query_s:.2f} s (target {limit_s:.2f}); DuckDB {peer_query_s:.2f} s")
    return 0 if rows_per_s >= ROWS_PER_S_TARGET and query_s <= limit_s else 1


if __name__ == "__main__":
    sys.exit(main())
