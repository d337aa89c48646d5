"""The database room against plain DuckDB doing the same work in the same run, in turns; medians.

    python benchmarks/bench_database.py [--ticks 200000] [--rows 10000000]

Floor: plain DuckDB on its best path (numpy columns into the same tables, one durable commit a batch; it keeps no
ledger). Targets: batches of ticks at 0.8 of it; a point query in 3.5 times; 10,000 ticks, one symbol's of one day from
10,000,000 rows, as messages or as columns in 1.3 times its time, and with books, from 2,000,000. Beside a list
comprehension over the same ticks, columns from messages in 30 times without depth and 70 with; beside making the same
messages one by one from rows, messages from columns in 0.5. 100,000 ticks/s for as long as one likes in 250 MB.
Reason: the owner must cost little beside the engine it owns, or people go round it.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from figures import Figure, in_turns, report, seconds

from natya.actors.database import DuckDBAdapter
from natya.actors.database.repositories.market_data import MarketDataRepositoryImpl
from natya.actors.database.tables.migrations import migrations
from natya.actors.database.tables.tick_rows import ticks_of
from natya.actors.database.tables.ticks import HAS_BOOK, PLAIN, tick_columns
from natya.actors.database.writing.market import MarketStore
from natya.actors.runtime import tuned_process
from natya.messages.market import DaySummary, Depth, Tick

RATE_TARGET = 95_000
"""Ticks a second: what is left of 100,000 when the last batch's wait is not counted."""

MEMORY_MB_TARGET = 250
POINT = "select sequence from recorded where source = ?"
INSERT_TICKS = f"insert into ticks by name select ? as source, {', '.join(PLAIN)} from batch"  # noqa: S608  our own names
INSERT_BOOKS = (
    "insert into books by name select ? as source, * exclude (received_ns, price, quantity, volume, has_book) "
    "from batch where has_book"
)
_LEVEL = (
    "price - 0.05 * {0} as bid_price_{0}, 75 * {0} + sequence % 1000 as bid_quantity_{0}, {0} as bid_orders_{0}, "
    "price + 0.05 * {0} as ask_price_{0}, 75 * {0} + sequence % 900 as ask_quantity_{0}, {0} as ask_orders_{0}"
)
BOOKS = f"""
insert into books by name
select source, sequence, symbol, exchange_ns, price as open_price, price as high_price, price as low_price,
    price as close_price, price as average_price, 300_000 + sequence as total_buy_quantity,
    400_000 + sequence as total_sell_quantity, 11_148_150 as open_interest,
    {", ".join(_LEVEL.format(level) for level in range(1, 6))}
from ticks order by exchange_ns
"""  # noqa: S608  our own names
NAMES = ("symbol", "price", "quantity", "exchange_ns", "source", "sequence", "received_ns", "volume")
RANGE = (
    f"select {', '.join(NAMES)} from ticks "  # noqa: S608  our own names
    "where symbol = ? and exchange_ns >= ? and exchange_ns < ? order by exchange_ns, sequence"
)
RANGE_WITH_BOOKS = (
    "select * from full_ticks where symbol = ? and exchange_ns >= ? and exchange_ns < ? order by exchange_ns, sequence"
)
DAYS = 5
DAY_SYMBOL_ROWS = 10_000
FIRST_NS = 1_764_000_000_000_000_000
DAY_NS = 86_400_000_000_000
ROWS = """
insert into ticks
select 'bench', i + 1, 'SYMBOL' || (i % $symbols), $first + i // $a_day * $day + i % $a_day * 1_000_000, 0,
    26_000 + i % 4000 * 0.05, 75, i % $a_day * 75
from range($rows) t(i)
"""


def make_ticks(count: int, *, depth: bool, start: int = 1) -> list[Tick]:
    """Make ticks a millisecond apart, no two prices in the book one and the same object."""
    return [make_tick(sequence, depth=depth) for sequence in range(start, start + count)]


def make_tick(sequence: int, *, depth: bool) -> Tick:
    """Make one tick of one of ten symbols."""
    price = 26_000 + sequence % 4000 * 0.05
    levels = tuple(range(1, 6))
    return Tick(
        symbol=f"SYMBOL{sequence % 10}",
        price=price,
        quantity=75,
        exchange_ns=1_764_000_000_000_000_000 + sequence * 1_000_000,
        received_ns=1_764_000_000_000_000_000 + sequence * 1_000_000,
        source="bench",
        sequence=sequence,
        volume=sequence * 75,
        depth=Depth(
            bid_prices=tuple(price - 0.05 * level for level in levels),
            bid_quantities=tuple(75 * level + sequence % 1000 for level in levels),
            bid_orders=levels,
            ask_prices=tuple(price + 0.05 * level for level in levels),
            ask_quantities=tuple(75 * level + sequence % 900 for level in levels),
            ask_orders=levels,
        )
        if depth
        else None,
        day=DaySummary(
            open_price=price,
            high_price=price,
            low_price=price,
            close_price=price,
            average_price=price,
            total_buy_quantity=300_000 + sequence,
            total_sell_quantity=400_000 + sequence,
            open_interest=11_148_150,
        )
        if depth
        else None,
    )


def resident_mb() -> float:
    """Read what this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


class Plain:
    """A table of the same columns in a file of its own, written the fastest way known."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        self.connection = duckdb.connect(":memory:", config={"threads": threads, "checkpoint_threshold": "32MB"})
        self.connection.execute(f"attach '{folder / 'plain.duckdb'}' as market (row_group_size 30720)")
        self.connection.execute("use market")
        for step in migrations("market"):
            self.connection.execute(step.sql)

    def write(self, ticks: list[Tick]) -> None:
        """Insert one batch, durably."""
        columns = tick_columns(ticks)
        self.connection.begin()
        self.connection.register("batch", columns)
        self.connection.execute(INSERT_TICKS, ["bench"])
        if HAS_BOOK in columns:
            self.connection.execute(INSERT_BOOKS, ["bench"])
        self.connection.unregister("batch")
        self.connection.commit()


def bench_columns() -> list[Figure]:
    """Measure messages to columns."""
    figures = []
    for depth, target in ((True, 70), (False, 30)):
        ticks = make_ticks(5000, depth=depth)
        cost, floor = in_turns(
            functools.partial(tick_columns, ticks), lambda ticks=ticks: [tick.price for tick in ticks], rounds=10
        )
        figures.append(
            Figure(
                name=f"columns of a tick {'with' if depth else 'without'} depth",
                value=cost / len(ticks) * 1e6,
                unit="us",
                floor=floor / len(ticks) * 1e6,
                floor_name="list comprehension",
                target=target,
            )
        )
    return figures


def bench_writing(total: int) -> list[Figure]:
    """Measure batches of ticks, ours and plain in turns."""
    figures = []
    for depth in (True, False):
        for size in (1_000, 10_000):
            with tempfile.TemporaryDirectory() as folder:
                plain = Plain(Path(folder), threads=2)
                with DuckDBAdapter(Path(folder) / "natya.duckdb", memory_limit_mb=1024) as database:
                    market = MarketStore(database)
                    ours, theirs = [], []
                    for start in range(1, total + 1, size):
                        ticks = make_ticks(size, depth=depth, start=start)
                        theirs.append(seconds(functools.partial(plain.write, ticks)))
                        ours.append(seconds(functools.partial(market.write, ticks)))
                plain.connection.close()
            mine, best = statistics.median(ours), statistics.median(theirs)
            figures.append(
                Figure(
                    name=f"batches of {size:,} ticks {'with' if depth else 'without'} depth",
                    value=size / mine,
                    unit="ticks/s",
                    floor=size / best,
                    floor_name="plain DuckDB",
                    target=0.8,
                    at_least=True,
                )
            )
    return figures


def bench_reading(rows: int, *, books: bool) -> list[Figure]:
    """Measure a point query, and one symbol of one day: ours and plain in turns, on the same rows in two files."""
    a_day = rows // DAYS
    symbols = max(1, a_day // DAY_SYMBOL_ROWS)
    values = {"symbols": symbols, "first": FIRST_NS, "a_day": a_day, "day": DAY_NS, "rows": rows}
    begin = FIRST_NS + 2 * DAY_NS
    bounds = ("SYMBOL0", begin, begin + DAY_NS)
    sql = RANGE_WITH_BOOKS if books else RANGE
    with (
        tempfile.TemporaryDirectory() as folder,
        DuckDBAdapter(Path(folder) / "natya.duckdb", memory_limit_mb=1024, cache_mb=0) as database,
        MarketDataRepositoryImpl(database) as market,
    ):
        database.write("market", functools.partial(fill, values=values, books=books))
        MarketStore(database).write([make_tick(1, depth=False)])
        plain = Plain(Path(folder), threads=2).connection
        fill(plain, values=values, books=books)
        plain.execute("insert into recorded values ('bench', 1)")
        find = functools.partial(market.find_by_symbol_and_date_range, *bounds)
        ours, points = in_turns(
            lambda: database.query(POINT, ["bench"]),
            lambda: plain.execute(POINT, ["bench"]).fetchall(),
            rounds=200,
        )
        our_columns, their_columns, our_messages, their_messages = in_turns(
            lambda: find().columns(),
            lambda: plain.execute(sql, bounds).fetchnumpy(),
            lambda: find().result(),
            lambda: plain_ticks(plain, bounds),
            rounds=20,
        )
        columns = find().columns()
        messages, one_by_one = in_turns(lambda: ticks_of(columns), lambda: one_by_one_of(columns), rounds=30)
        plain.close()
    count, what = len(columns["sequence"]), f"of {rows:,} rows {'with' if books else 'without'} books"
    forms = [("columns", our_columns, their_columns)]
    if not books:  # by hand nobody would do it otherwise than we
        forms.append(("messages", our_messages, their_messages))
    return [
        Figure(
            name=f"point query {what}",
            value=ours * 1e3,
            unit="ms",
            floor=points * 1e3,
            floor_name="plain DuckDB",
            target=3.5,
        ),
        *(
            Figure(
                name=f"{count:,} {what} as {form}",
                value=mine * 1e3,
                unit="ms",
                floor=theirs * 1e3,
                floor_name="plain DuckDB",
                target=1.3,
            )
            for form, mine, theirs in forms
        ),
        Figure(
            name=f"  {count:,} messages from columns",
            value=messages * 1e3,
            unit="ms",
            floor=one_by_one * 1e3,
            floor_name="one by one",
            target=0.5,
        ),
    ]


def one_by_one_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Make a dict of each row: what anyone would do first."""
    values = [column.tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def plain_ticks(connection: duckdb.DuckDBPyConnection, bounds: tuple[str, int, int]) -> list[Tick]:
    """Do by hand what the repository does, the fastest way known."""
    columns = connection.execute(RANGE, bounds).fetchnumpy()
    rows = zip(*(columns[name].tolist() for name in NAMES), strict=True)
    return [Tick(**dict(zip(NAMES, row, strict=True))) for row in rows]


def fill(cursor: duckdb.DuckDBPyConnection, *, values: dict[str, int], books: bool) -> None:
    """Write the ticks, and a book for each."""
    cursor.execute(ROWS, values)
    if books:
        cursor.execute(BOOKS)


def bench_soak(duration_s: float) -> list[Figure]:
    """Write 100,000 ticks with depth a second for a while; tell the resident memory and how it grew."""
    base = make_ticks(5_000, depth=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        DuckDBAdapter(Path(folder) / "n.duckdb", memory_limit_mb=64) as database,
    ):
        market = MarketStore(database)
        held: list[float] = []
        written, began = 0, time.perf_counter()
        while written < 100_000 * duration_s:
            market.write([msgspec.structs.replace(tick, sequence=written + tick.sequence) for tick in base])
            written += len(base)
            held.append(resident_mb())
            time.sleep(max(0.0, began + written / 100_000 - time.perf_counter()))
        rate = written / (time.perf_counter() - began)
    half = len(held) // 2
    return [
        Figure(
            name="ticks with depth, 100,000 a second",
            value=rate,
            unit="ticks/s",
            target=RATE_TARGET,
            at_least=True,
        ),
        Figure(name="  highest resident memory", value=max(held), unit="MB", target=MEMORY_MB_TARGET),
        Figure(
            name="  memory of the second half",
            value=statistics.median(held[half:]),
            unit="MB",
            floor=statistics.median(held[half // 2 : half]),
            floor_name="the quarter before",
            target=1.05,
        ),
    ]


def main() -> int:
    """Run all of it; 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=200_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    arguments = parser.parse_args()
    with tuned_process():
        figures = bench_soak(arguments.ticks / 8_000)
    figures += bench_columns()
    figures += bench_writing(arguments.ticks)
    figures += bench_reading(arguments.rows, books=False)
    figures += bench_reading(arguments.rows // 5, books=True)
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
