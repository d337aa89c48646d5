"""Market data in and out beside a system that trades, against DuckDB alone doing the same.

    python benchmarks/bench_bulk.py [--rows 1000000]

Floors: the same file read by Python's `csv` with the checks that a careful script makes, row by row, and written to
DuckDB as columns; a query of DuckDB's own to np. Targets: an import at 0.4 of that, into the running system; the
query 4 times as long, into another process. Reason: a year of one-second ticks of a share (5,700,000 rows) is there
within a minute or so, and a notebook does not wait for what it looks at.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import itertools
import math
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from figures import Figure, report

import natya
from natya.actors.control import NotRunningError
from natya.domain.time import IST
from natya.transfer import import_file

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Do the same with `csv` and DuckDB in this process."""
    with duckdb.connect(file) as connection:
        began = time.perf_counter()
        connection.execute(
            "create table ticks (symbol varchar, exchange_ns bigint, price double, quantity bigint, volume bigint)"
        )
        with path.open(newline="") as lines:
            reader = csv.reader(lines)
            next(reader)
            for rows in batched(reader, 10_000):
                batch = columns_of(rows)
                connection.register("batch", batch)
                connection.execute("insert into ticks select 'BULK', * from batch")
                connection.unregister("batch")
        import_s = time.perf_counter() - began
        began = time.perf_counter()
        connection.execute(QUERY).fetchnumpy()
        return import_s, time.perf_counter() - began


def batched(rows: Iterator[list[str]], size: int) -> Iterator[list[list[str]]]:
    """Cut into batches."""
    while batch := list(itertools.islice(rows, size)):
        yield batch


def columns_of(rows: list[list[str]]) -> dict[str, np.ndarray]:
    """Read and check a batch, row by row."""
    times, prices, quantities, volumes = [], [], [], []
    for moment, price, quantity, volume in rows:
        value = float(price)
        if not (math.isfinite(value) and value > 0):
            raise SystemExit(f"a price wanted, found {price}")
        times.append(int(datetime.fromisoformat(moment).replace(tzinfo=IST).timestamp() * 1e6) * 1_000)
        prices.append(value)
        quantities.append(int(quantity))
        volumes.append(int(volume))
    return {
        "exchange_ns": np.array(times),
        "price": np.array(prices),
        "quantity": np.array(quantities),
        "volume": np.array(volumes),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure both; 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    rows = options.rows
    with tempfile.TemporaryDirectory() as folder:
        path = write_ticks(Path(folder) / "ticks.csv", rows)
        import_s, query_s = ours(path, Path(folder) / "data")
        peer_import_s, peer_query_s = theirs(path, Path(folder) / "peer.duckdb")
    return report(
        [
            Figure(
                name="import of a CSV file",
                value=rows / import_s,
                unit="rows/s",
                floor=rows / peer_import_s,
                floor_name="csv, checked, and DuckDB",
                target=0.4,
                at_least=True,
            ),
            Figure(
                name=f"{rows:,} rows to numpy in another process",
                value=query_s,
                unit="s",
                floor=peer_query_s,
                floor_name="DuckDB in its own",
                target=4,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
