"""What a list of instruments costs: read, checked and written; one instrument asked for by its symbol, and again.

    python benchmarks/bench_instruments.py [--rows 200000] [--rounds 3]

The list is of options in Dhan's compact form. The floor is the same file through the `csv` module alone, which checks
nothing and keeps nothing. Targets: 12 times that, which is below 5 s for 200,000 rows where `csv` takes 0.4 s, since a
list is fetched before the market opens and a person may wait for it; 2 ms for an instrument that was not asked for
before, 5 us for one that was, on the way of an order.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from figures import Figure, report

from natya.actors.instruments import InstrumentMaster

HEADER = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,"
    "SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,"
    "SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME"
)
STRIKES = 400
TARGET = 12.0
FULL_ROWS = 200_000


def write_list(path: Path, rows: int) -> None:
    """Write a list of options, each once."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEADER}\n")
        for number in range(rows):
            share, strike = divmod(number, STRIKES)
            price = 1_000 + 50 * strike
            name = f"SHARE{share}-Dec2026-{price}-CE"
            file.write(
                f"NSE,D,{number + 1},OPTSTK,0,{name},65.0,SHARE{share} 29 DEC {price} CALL,2026-12-29 14:30:00,"
                f"{price}.00000,CE,5.0000,M,OP,NA,\n"
            )


def floor_s(path: Path) -> float:
    """Read all cells, and forget them."""
    begun = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - begun


def play(path: Path, rows: int) -> dict[str, float]:
    """Return seconds of each kind."""
    with tempfile.TemporaryDirectory() as folder, InstrumentMaster(Path(folder) / "instruments") as master:
        begun = time.perf_counter()
        master.take(path, rows_min=1)
        taken_s = time.perf_counter() - begun
        symbols = [f"SHARE{number}-29Dec2026-1000-CE" for number in range(max(1, rows // STRIKES))]
        begun = time.perf_counter()
        for symbol in symbols:
            master.show(symbol)
        first_s = (time.perf_counter() - begun) / len(symbols)
        begun = time.perf_counter()
        for symbol in symbols:
            master.show(symbol)
        again_s = (time.perf_counter() - begun) / len(symbols)
    return {"taken": taken_s, "first": first_s, "again": again_s, "floor": floor_s(path)}


def main() -> int:
    """Measure, and tell the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=FULL_ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        write_list(path, options.rows)
        rounds = [play(path, options.rows) for _ in range(options.rounds)]
    of = {name: median(each[name] for each in rounds) for name in rounds[0]}
    scale = FULL_ROWS / options.rows
    return report(
        [
            Figure(
                name=f"a list of {FULL_ROWS:,} rows taken",
                value=of["taken"] * scale,
                unit="s",
                floor=of["floor"] * scale,
                floor_name="csv alone",
                target=TARGET,
            ),
            Figure(name="an instrument shown for the first time", value=of["first"] * 1e3, unit="ms", target=2.0),
            Figure(name="an instrument shown again", value=of["again"] * 1e6, unit="us", target=5.0),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
