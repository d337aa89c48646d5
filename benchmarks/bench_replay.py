"""A recording at full speed through the whole system: feed to durable in DuckDB and to one strategy.

    python benchmarks/bench_replay.py [--rows 200000]

Floor: the same file read by `csv`, written to DuckDB as numpy columns and handed to a plain function, in one process
without actors, journal, orders, checks or supervision. Targets: 0.7 of its ticks a second for full packets, 0.5 for
candles, with a peak of memory below 300 MB. Reason: a day of one liquid instrument (some 80,000 ticks) replays in two
seconds, and what a system adds may cost no more than the reading and writing that nobody can do without.
The strategy is the default one with averages of 1,000 and 5,000 ticks: it decides on every tick and trades seldom, so
that this measures the path of a tick. What an order costs stands beside it: the same recording with averages of 20 and
100, some forty orders in 3,000 ticks, each of which holds the market until two group commits are durable, on a disk
to which DuckDB writes as well; at most 12 times a bare `fdatasync` of a disk that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from figures import Figure, report, seconds
from recordings import write_candles, write_ticks

OF_PLAIN_TARGETS = {"full packets": 0.7, "candles": 0.5}
PEAK_MEMORY_MB_TARGET = 300

PLAIN = """
import csv, sys, time
import duckdb, numpy
path, database = sys.argv[1:]
began = time.perf_counter()
connection = duckdb.connect(database)
seen = ticks = 0
fast = slow = 0.0
with open(path, newline="") as file:
    reader = csv.reader(file)
    names = next(reader)
    full = "ltp" in names
    last = names.index("ltp" if full else "close")
    numbers = [i for i, name in enumerate(names) if name not in ("time", "type", "date")]
    connection.execute("create table ticks (" + ", ".join(f"{names[i]} double" for i in numbers) + ")")
    def flush(rows):
        columns = numpy.array([[float(row[i]) for i in numbers] for row in rows]).T
        batch = {names[i]: numpy.ascontiguousarray(column) for i, column in zip(numbers, columns)}
        connection.register("batch", batch)
        connection.execute("insert into ticks select * from batch")
        connection.unregister("batch")
    rows = []
    for row in reader:
        for _ in range(1 if full else 4):
            price = float(row[last])
            fast += (price - fast) / 5
            slow += (price - slow) / 20
            rows.append(row)
            ticks += 1
        if len(rows) >= 5000:
            flush(rows)
            rows = []
    if rows:
        flush(rows)
print(ticks / (time.perf_counter() - began))
"""


STRATEGY = """
[[strategies]]
name = "crossover"
strategy = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"
parameters = {{ fast = {fast}, slow = {slow}, quantity = 10 }}
"""


def natya(recording: Path, directory: Path, *, fast: int = 1_000, slow: int = 5_000) -> tuple[dict[str, Any], float]:
    """Replay through natya; the summary as it reports it, and the peak of its memory in MB."""
    directory.mkdir()
    config = directory / "strategy.toml"
    config.write_text(STRATEGY.format(fast=fast, slow=slow))
    command = [sys.executable, "-m", "natya", "run", "--profile", "paper", "--replay", str(recording)]
    command += ["--symbol", "BENCH", "--speed", "max", "--data-dir", str(directory / "data"), "--summary", "json"]
    command += ["--config", str(config)]
    with tempfile.TemporaryFile() as output:
        pid = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1)]
        )
        _, status, usage = os.wait4(pid, 0)
        if status:
            raise SystemExit(f"natya ended with status {os.waitstatus_to_exitcode(status)}")
        output.seek(0)
        return json.loads(output.read().splitlines()[-1]), usage.ru_maxrss / 1024


def plain(recording: Path, directory: Path) -> float:
    """Replay without the system; ticks a second."""
    command = [sys.executable, "-c", PLAIN, str(recording), str(directory / "plain.duckdb")]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def fdatasync_ms(directory: Path, times: int = 200) -> float:
    """Milliseconds that one record of 200 bytes takes to be durable, in a file that has its size."""
    file = os.open(directory / "bare", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(file, 0, 1 << 20)
    os.fsync(file)
    taken = []
    for number in range(times):
        os.pwrite(file, bytes(200), number * 200)
        taken.append(seconds(lambda: os.fdatasync(file)))
    os.close(file)
    return statistics.median(taken) * 1e3


def main(arguments: list[str] | None = None) -> int:
    """Measure both shapes; 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="ticks of each recording")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; the median counts")
    options = parser.parse_args(arguments)
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        recordings = {
            "full packets": write_ticks(root / "ticks.csv", rows=options.rows),
            "candles": write_candles(root / "candles.csv", rows=max(1, options.rows // 4)),
        }
        for shape, recording in recordings.items():
            runs = []
            for run in range(options.runs):
                directory = root / f"{recording.stem}-{run}"
                summary, memory_mb = natya(recording, directory)
                busy, _ = natya(recording, directory / "busy", fast=20, slow=100)
                quiet_s = busy["ticks"] / summary["ticks_per_s"]
                order_ms = 1e3 * (busy["wall_s"] - quiet_s) / max(1, busy["orders"])
                runs.append(
                    (summary["ticks_per_s"], memory_mb, plain(recording, directory), order_ms, fdatasync_ms(directory))
                )
            ticks_per_s, memory_mb, plain_per_s, order_ms, bare_ms = map(statistics.median, zip(*runs, strict=True))
            found += [
                Figure(
                    name=f"replay of {shape}",
                    value=ticks_per_s,
                    unit="ticks/s",
                    floor=plain_per_s,
                    floor_name="csv, numpy and DuckDB",
                    target=OF_PLAIN_TARGETS[shape],
                    at_least=True,
                ),
                Figure(name="  its peak of memory", value=memory_mb, unit="MB", target=PEAK_MEMORY_MB_TARGET),
                Figure(
                    name=f"  each of {busy['orders']:,} orders",
                    value=order_ms,
                    unit="ms",
                    floor=bare_ms,
                    floor_name="bare fdatasync",
                    target=12,
                ),
            ]
    return report(found)


if __name__ == "__main__":
    sys.exit(main())
