"""The core file from the journal: how long until everything is there again.

    python benchmarks/bench_rebuild.py [--facts 1000000] [--late 100000]

Floor: the same journal read and each fact turned into one row of a table in DuckDB, without orders, fills or positions.
Targets: 1,000,000 facts projected anew in 4 times that (a core file that was lost or damaged is rebuilt while trading
goes on); the last 100,000 of them, that came while another process held the file, in 8 times. Through the actors of a
running system: the journal reads pages, the database projects them. Of five facts two are fills and one is an order.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import msgspec
import numpy as np
from figures import Figure, report

from natya.actors.database import DatabaseActor, DuckDBAdapter
from natya.actors.database.upkeep.copies import check
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.journal import Journal, JournalActor
from natya.actors.runtime import InProcessSystem
from natya.config.sections.database import DatabaseSettings
from natya.config.sections.journal import JournalSettings
from natya.messages.orders import OrderAccepted, OrderExpired, OrderFact, OrderFilled, OrderIntended
from natya.messages.system import Ping

SEGMENT_BYTES = 16 << 20
FACTS_AN_ORDER, ORDERS_A_COMMIT = 5, 1_000
NOON_NS = 1_764_000_000_000_000_000


def life_of_an_order(number: int) -> tuple[OrderFact, ...]:
    """Facts of one order, from its intent to its end."""
    order, now_ns = f"crossover-{number:09d}", NOON_NS + number * 1_000_000
    symbol = ("RELIANCE", "TCS", "HDFCBANK", "INFY", "SBIN")[number % 5]
    intended = OrderIntended(
        client_order_id=order,
        strategy="crossover",
        symbol=symbol,
        side="BUY" if number % 2 else "SELL",
        quantity=30,
        order_type="LIMIT",
        limit_price=1_500.05,
        occurred_ns=now_ns,
    )
    fills = [
        OrderFilled(
            client_order_id=order,
            trade_id=f"T-{number}-{part}",
            strategy="crossover",
            symbol=symbol,
            side=intended.side,
            quantity=10,
            price=1_500.05,
            cumulative_quantity=10 * part,
            occurred_ns=now_ns + part,
        )
        for part in (1, 2)
    ]
    accepted = OrderAccepted(client_order_id=order, broker_order_id=f"B-{number}", occurred_ns=now_ns)
    return intended, accepted, *fills, OrderExpired(client_order_id=order, reason="end of day", occurred_ns=now_ns + 3)


def write_journal(directory: Path, facts: int) -> None:
    """Fill a journal."""
    journal = Journal(directory, now_ns=time.time_ns, segment_bytes=SEGMENT_BYTES)
    journal.open()
    for number in range(facts // FACTS_AN_ORDER):
        journal.append(life_of_an_order(number), f"crossover-{number:09d}")
        if number % ORDERS_A_COMMIT == 0:
            journal.commit()
            journal.take_durable()
    journal.commit()
    journal.close()


def caught_up_s(directory: Path, facts: int) -> float:
    """Start both actors; seconds until the core file is current."""
    database = DatabaseSettings.default(
        path=str(directory / "natya.duckdb"),
        max_connections=10,
        memory_limit_mb=128,
        threads=1,
        batch_rows_max=20_000,
        batch_wait_s=0.2,
    )
    journal = JournalSettings.default(path=str(directory / "journal"), segment_bytes=SEGMENT_BYTES)
    with InProcessSystem() as system:
        system.start("journal", JournalActor, journal, timeout_s=120)
        began = time.perf_counter()
        system.start("database", DatabaseActor, database)
        while system.request("database", Ping(), timeout_s=30).statistics.projected_sequence < facts:
            time.sleep(0.05)
        taken_s = time.perf_counter() - began
        system.stop("database", timeout_s=60)
        system.stop("journal", timeout_s=60)
    return taken_s


def bare_s(directory: Path) -> float:
    """Read the journal, and write each fact as one row."""
    began = time.perf_counter()
    with duckdb.connect(directory / "bare.duckdb") as connection:
        connection.execute("create table facts (sequence bigint, recorded_ns bigint, kind varchar, fact varchar)")
        journal = Journal(directory / "journal", now_ns=time.time_ns, segment_bytes=SEGMENT_BYTES)
        journal.open()
        found, encode = journal.view().find(after_sequence=0), msgspec.json.encode
        while records := list(itertools.islice(found, 20_000)):
            rows = [(each.sequence, each.recorded_ns, type(each.fact).__name__, encode(each.fact)) for each in records]
            names = ("sequence", "recorded_ns", "kind", "fact")
            batch = {
                name: np.array(column, dtype=object)
                for name, column in zip(names, zip(*rows, strict=True), strict=True)
            }
            connection.register("batch", batch)
            connection.execute("insert into facts select * from batch")
            connection.unregister("batch")
        journal.close()
    return time.perf_counter() - began


def set_back(directory: Path, late: int) -> None:
    """Leave a core file that knows all but the last facts."""
    with DuckDBAdapter(directory / "natya.duckdb") as database:
        sequence = ReadModel(database).sequence() - late
        database.execute("delete from facts where sequence > ?", [sequence])
        database.execute("delete from fills where sequence > ?", [sequence])
        database.execute(
            "delete from orders where client_order_id in (select fact->>'client_order_id' from facts"
            " where sequence > ?) or changed_sequence > ?",
            [sequence, sequence],
        )
        database.execute("update projection set sequence = ?", [sequence])


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--late", type=int, default=100_000)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        write_journal(directory / "journal", arguments.facts)
        rebuild_s = caught_up_s(directory, arguments.facts)
        with DuckDBAdapter(directory / "natya.duckdb") as database:
            problems = check(database)
        set_back(directory, arguments.late)
        catch_up_s = caught_up_s(directory, arguments.facts)
        floor_s = bare_s(directory)
    print(*problems, sep="\n", end="")
    missed = report(
        [
            Figure(
                name=f"rebuild of {arguments.facts:,} facts",
                value=rebuild_s,
                unit="s",
                floor=floor_s,
                floor_name="one row a fact",
                target=4,
            ),
            Figure(
                name=f"catch-up of {arguments.late:,} facts",
                value=catch_up_s,
                unit="s",
                floor=floor_s * arguments.late / arguments.facts,
                floor_name="one row a fact",
                target=8,
            ),
        ]
    )
    return int(bool(problems) or missed)


if __name__ == "__main__":
    sys.exit(main())
