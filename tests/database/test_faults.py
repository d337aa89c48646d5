"""Death and damage: what was told to be durable is there once, or the file says that it is broken."""

import random
import shutil
import signal
import subprocess
import sys

import pytest

from natya.actors.database import DuckDBAdapter
from natya.actors.database.core import ReadModel
from natya.actors.database.errors import DatabaseError
from natya.actors.database.market import MarketStore
from natya.actors.database.upkeep import check

WRITER = """
import sys
from natya.actors.database import DuckDBAdapter
from natya.actors.database.core import ReadModel
from natya.actors.database.market import MarketStore
from natya.messages.journal import JournalRecord
from natya.messages.market import Tick
from natya.messages.orders import OrderAccepted

database = DuckDBAdapter(sys.argv[1], max_connections=3)
market, read_model = MarketStore(database), ReadModel(database)
ticks, records = market.recorded("torture"), read_model.sequence()
while True:
    market.write([
        Tick(symbol="NIFTY", price=1.5, quantity=1, exchange_ns=n, source="torture", sequence=n)
        for n in range(ticks + 1, ticks + 501)
    ])
    ticks += 500
    facts = [OrderAccepted(client_order_id=f"A-{n}", broker_order_id="B", occurred_ns=n) for n in range(10)]
    read_model.apply([
        JournalRecord(sequence=n, recorded_ns=n, correlation_id="", fact=fact)
        for n, fact in enumerate(facts, start=records + 1)
    ])
    records += 10
    print(ticks, records, flush=True)
"""


class TestAWriterThatIsKilled:
    def test_leaves_all_that_it_acknowledged_once(self, path):
        chance = random.Random(20260102)
        for _ in range(4):
            with subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
            ) as writer:
                for _ in range(chance.randint(1, 12)):
                    acknowledged = writer.stdout.readline()
                writer.send_signal(signal.SIGKILL)
                acknowledged = (writer.stdout.read().splitlines() or [acknowledged])[-1]
            ticks, records = map(int, acknowledged.split())

            with DuckDBAdapter(path, max_connections=3) as database:
                assert MarketStore(database).recorded("torture") in {ticks, ticks + 500}
                assert ReadModel(database).sequence() in {records, records + 10}
                assert database.query("select count(*) = max(sequence) from ticks").rows == ((True,),)
                assert check(database) == ()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory, build):
    """A folder with both files, and data in their write-ahead logs, as a crash would leave it."""
    folder = tmp_path_factory.mktemp("healthy")
    with DuckDBAdapter(folder / "natya.duckdb", max_connections=3) as database:
        MarketStore(database).write(build.ticks(3000, depth=build.depth()))
        ReadModel(database).apply(build.records(build.intended(), build.filled()))
        database.checkpoint()
        for number in range(5):
            MarketStore(database).write(build.ticks(100, start=3001 + 100 * number))
            ReadModel(database).apply(build.records(build.intended(f"B-{number}"), start=3 + number))
        crashed = tmp_path_factory.mktemp("crashed")
        for name in ("natya.duckdb", "natya.duckdb.wal", "natya-market.duckdb", "natya-market.duckdb.wal"):
            shutil.copy(folder / name, crashed / name)
    return crashed


def answers(folder):
    """Whether the files open and agree; how much is in them."""
    with DuckDBAdapter(folder / "natya.duckdb", max_connections=3) as database:
        assert check(database) == ()
        ticks = database.query("select count(*), coalesce(max(sequence), 0), sum(price) from ticks").rows[0]
        return (*ticks, ReadModel(database).sequence())


class TestADamagedFile:
    @pytest.mark.parametrize(
        "name", ["natya.duckdb", "natya.duckdb.wal", "natya-market.duckdb", "natya-market.duckdb.wal"]
    )
    @pytest.mark.parametrize("harm", ["flip", "truncate", "zeros"])
    def test_is_told_or_does_not_matter(self, healthy, tmp_path, name, harm):
        chance = random.Random(f"{name} {harm}")
        outcomes = set()
        for attempt in range(4):
            folder = tmp_path / str(attempt)
            shutil.copytree(healthy, folder)
            content = bytearray((folder / name).read_bytes())
            place = chance.randrange(len(content))
            match harm:
                case "flip":
                    content[place] ^= 1 << chance.randrange(8)
                case "truncate":
                    del content[place:]
                case "zeros":
                    content[place : place + 4096] = bytes(len(content[place : place + 4096]))
            (folder / name).write_bytes(content)
            try:
                count, highest, total, sequence = answers(folder)
            except DatabaseError:
                outcomes.add("told")
                continue
            outcomes.add("harmless")
            assert count == highest
            assert highest in {0, 3000, 3100, 3200, 3300, 3400, 3500}
            assert total == pytest.approx(26_000.05 * count)
            assert 2 <= sequence <= 7
        assert outcomes <= {"told", "harmless"}
