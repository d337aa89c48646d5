"""A day of 20,000,000 ticks, played by a paper system as fast as it can; `make day`.

Memory is flat beside what DuckDB keeps, which is bounded: its pages, and what describes the day's ticks until they are
archived, 3 MiB a million (`long_feed.py`). Descriptors and threads at rest are as many at the end as at the beginning.
The curve is printed. Looks at a moment at which a waypoint is written, a segment begins, its folder is synced or
a closed one is archived see one more for each.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb

TICKS = int(os.environ.get("DAY_TICKS", "1000000"))
SYMBOLS = 20
LOOK_S = 1.0
LOOKS = 20
GROWTH_MAX_MIB = 64
TICKS_MIB = 3 / 1_000_000
STRATEGY = """
import natya


class EachMinute(natya.StrategyActor):
    candles = ("1m",)

    def on_candle(self, candle):
        if self.position(candle.symbol) > 0:
            self.close(candle.symbol)
        elif candle.close > candle.open:
            self.buy(candle.symbol, 1)
"""


def a_day(path):
    """Write the ticks of a session: each symbol's price swings, on the tick grid."""
    session_us = 22_500 * 1_000_000
    duckdb.execute(
        f"""
        COPY (
            SELECT TIMESTAMPTZ '2026-01-02 09:15:00+05:30' + to_microseconds(i * {session_us} // {TICKS}) AS time,
                   'S' || lpad((i % {SYMBOLS})::VARCHAR, 2, '0') AS symbol,
                   round((20000 + (i % {SYMBOLS}) * 500 + 400 * sin(i / {TICKS} * 377 * (1 + i % {SYMBOLS} / 7.0))
                       + hash(i) % 7) * 0.05, 2) AS ltp,
                   (i // {SYMBOLS}) * 5 AS volume
            FROM range({TICKS}) AS numbers(i)
            ORDER BY i
        ) TO '{path}' (FORMAT parquet)
        """  # noqa: S608  numbers of ours
    )
    return path


def look_at(pid):
    """MiB that are resident, open descriptors, threads; None: it has ended."""
    process = Path(f"/proc/{pid}")
    try:
        pages = int((process / "statm").read_text().split()[1])
        found = [sum(1 for _ in (process / folder).iterdir()) for folder in ("fd", "task")]
    except OSError:
        return None
    return (pages * os.sysconf("SC_PAGE_SIZE") / 2**20, *found) if pages else None


def fewest(curve, column):
    """What is open at rest: a leak raises it, and a file that is open for a moment does not."""
    return min(each[column] for each in curve)


def test_a_day_of_many_ticks_leaves_the_process_as_it_was(tmp_path):
    (tmp_path / "each_minute.py").write_text(STRATEGY)
    recording, told = a_day(tmp_path / "day.parquet"), tmp_path / "told.json"
    command = [sys.executable, "-m", "natya", "run", "--profile", "paper", "--json", "--speed", "max"]
    command += ["--replay", str(recording), "--data-dir", str(tmp_path / "natya")]
    command += ["--strategy", str(tmp_path / "each_minute.py")]
    curve = []
    began_s = time.monotonic()
    with told.open("w") as file, subprocess.Popen(command, stdout=file, cwd=tmp_path) as system:
        while system.poll() is None:
            if (found := look_at(system.pid)) is not None:
                curve.append((time.monotonic() - began_s, *found))
            time.sleep(LOOK_S)
    summary = json.loads(told.read_text())
    playing = curve[len(curve) // 10 : -max(2, len(curve) // 20)]  # not the start, nor the end
    for second, mib, descriptors, threads in playing[:: max(1, len(playing) // 20)]:
        sys.stdout.write(f"{second:7.0f} s  {mib:6.0f} MiB  {descriptors} descriptors  {threads} threads\n")
    quarter = playing[len(playing) // 4]
    share = (playing[-1][0] - quarter[0]) / (playing[-1][0] - playing[0][0])
    grown_mib = max(each[1] for each in playing[-5:]) - quarter[1] - TICKS_MIB * TICKS * share
    sys.stdout.write(
        f"{summary['ticks']:,} ticks, {summary['orders']:,} orders in {curve[-1][0]:.0f} s; "
        f"grown by {grown_mib:.0f} MiB beside the ticks since a quarter of it\n"
    )
    assert system.returncode == 0
    assert summary["ticks"] == summary["recorded"] == TICKS
    assert summary["orders"] > SYMBOLS
    assert grown_mib < GROWTH_MAX_MIB
    assert fewest(playing[-LOOKS:], 2) <= fewest(playing[len(playing) // 4 :][:LOOKS], 2)
    assert fewest(playing[-LOOKS:], 3) - fewest(playing[len(playing) // 4 :][:LOOKS], 3) <= 4
