"""A recording at full speed through the whole house: feed to durable in DuckDB and to one strategy.

    python benchmarks/bench_replay.py [--rows 200000]

Target: at least 50,000 ticks a second on two cores, peak memory below 300 MB, for both shapes of recording. Reason: a
day of one liquid instrument (some 80,000 ticks) replays in two seconds, and the busiest day Dhan's feed can deliver
(100,000 packets a second for all instruments) is within sight of one process.
Peer: the same file read by `csv`, written to DuckDB as numpy columns and handed to a plain function, in one process
without actors, journal, orders or supervision. The ratio says what all that costs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from recordings import write_candles, write_ticks

TICKS_PER_S_TARGET = 50_000
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


def natya(recording: Path, directory: Path) -> tuple[float, float]:
    """Replay through natya; ticks a second as it reports them, and the peak of its memory in MB."""
    command = [sys.executable, "-m", "natya", "run", "--profile", "paper", "--replay", str(recording)]
    command += ["--symbol", "BENCH", "--speed", "max", "--data-dir", str(directory), "--summary", "json"]
    with tempfile.TemporaryFile() as output:
        pid = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1)]
        )
        _, status, usage = os.wait4(pid, 0)
        if status:
            raise SystemExit(f"natya ended with status {os.waitstatus_to_exitcode(status)}")
        output.seek(0)
        return json.loads(output.read().splitlines()[-1])["ticks_per_s"], usage.ru_maxrss / 1024


def plain(recording: Path, directory: Path) -> float:
    """Replay without a house; ticks a second."""
    command = [sys.executable, "-c", PLAIN, str(recording), str(directory / "plain.duckdb")]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> int:
    """Measure both shapes; 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="ticks of each recording")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; the median counts")
    arguments = parser.parse_args()
    met = True
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        recordings = {
            "full packets": write_ticks(root / "ticks.csv", rows=arguments.rows),
            "candles": write_candles(root / "candles.csv", rows=max(1, arguments.rows // 4)),
        }
        for shape, recording in recordings.items():
            figures = []
            for run in range(arguments.runs):
                directory = root / f"{recording.stem}-{run}"
                directory.mkdir()
                figures.append((*natya(recording, directory), plain(recording, directory)))
            ticks_per_s, memory_mb, plain_per_s = (
                sorted(column)[len(column) // 2] for column in zip(*figures, strict=True)
            )
            met &= ticks_per_s >= TICKS_PER_S_TARGET and memory_mb <= PEAK_MEMORY_MB_TARGET
            print(
                f"{shape}: {ticks_per_s:,.0f} ticks/s (target {TICKS_PER_S_TARGET:,}), peak {memory_mb:.0f} MB "
                f"(target {PEAK_MEMORY_MB_TARGET}), {ticks_per_s / plain_per_s:.2f} of plain ({plain_per_s:,.0f}/s)"
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
