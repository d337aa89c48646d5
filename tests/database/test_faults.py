"""Death, a lock, a full disk: what was told to be durable is there once, and everything else goes on."""

import os
import random
import signal
import subprocess
import sys

import msgspec
import pytest
from natya_processes import await_that
from natya_starts import WITH_HELPERS, Python

from natya.actors.database import DatabaseActor, DuckDBAdapter
from natya.actors.database.upkeep.copies import check
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.runtime import InProcessSystem
from natya.actors.strategy import StrategyActor
from natya.config.loader import load_settings
from natya.config.sections.database import DatabaseSettings
from natya.config.sections.strategy import StrategySettings
from natya.messages.database import Query
from natya.system import TradingSystem

pytestmark = pytest.mark.systems

WRITER = """
import sys
from natya.actors.database import DuckDBAdapter
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.database.writing.market import MarketStore
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
        for _ in range(3):
            with Python([WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
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


class Held:
    """Plain DuckDB in another process, that has a file open."""

    def __init__(self, path):
        script = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
        self.process = Python([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "open\n"
        self.pid = self.process.pid

    def let_go(self):
        self.process.communicate("\n", timeout=60)


def trouble_in(system):
    """What `natya tree` shows beside the database."""
    return next(child.trouble for child in system.supervision_tree().children if child.path == "system/database")


@pytest.mark.usefixtures("impatient")
class TestADatabaseThatAnotherProcessHolds:
    @pytest.mark.parametrize("name", ["natya.duckdb", "natya-market.duckdb"])
    def test_does_not_stop_the_trading_and_is_caught_up_with(self, tmp_path, name):
        with DuckDBAdapter(tmp_path / "natya.duckdb", max_connections=3):
            pass
        held = Held(tmp_path / name)
        market = {"feed.speed": 4.0, "feed.duration_s": 0.0, "log.path": "-", "log.level": "error"}
        strategies = (StrategySettings(name="dip", strategy=f"{__name__}:Trader"),)
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)} | market)
        with TradingSystem(msgspec.structs.replace(settings, strategies=strategies)) as system:

            def look():
                statistics = system.look().statistics
                return statistics.get("orders"), statistics.get("database")

            await_that(lambda: (orders := look()[0]) and orders.fills >= 10)
            down = await_that(lambda: look()[1])
            shown = await_that(lambda: trouble_in(system))
            refused = system.request("database", Query(sql="select 1"), timeout_s=10)
            held.let_go()
            await_that(lambda: (up := look()[1]) and up.projected_sequence >= down.journal_sequence > 0)
            await_that(lambda: not trouble_in(system))
            summary = system.stop()

        assert f"process {held.pid}" in down.down
        assert f"process {held.pid}" in shown
        assert refused.error == "DatabaseDown"
        assert f"process {held.pid}" in refused.reason
        assert down.projected_sequence == 0
        assert list(tmp_path.glob("*.corrupt-*")) == [], "it was locked, and is whole"
        with DuckDBAdapter(tmp_path / "natya.duckdb", max_connections=3) as database:
            assert database.query("select count(*) from fills").rows == ((summary.fills,),)
            assert database.query("select count(*) = max(sequence) from ticks").rows == ((True,),)
            assert check(database) == ()

    def test_is_named_in_the_log(self, tmp_path, caplog):
        with DuckDBAdapter(tmp_path / "natya.duckdb", max_connections=3):
            pass
        held = Held(tmp_path / "natya.duckdb")
        with InProcessSystem() as system:
            system.probe("journal")
            system.start("database", DatabaseActor, database_settings(tmp_path))
            system.stop("database")
        held.let_go()

        downs = [record for record in caplog.records if record.getMessage() == "database.down"]
        assert [f"process {held.pid}" in str(record.fields["reason"]) for record in downs] == [True]


class Trader(StrategyActor):
    """Trades at every turn."""

    def on_tick(self, tick):
        """Buy, then sell."""
        if self.position(tick.symbol):
            self.sell(tick.symbol, self.position(tick.symbol))
        else:
            self.buy(tick.symbol, 1)


def database_settings(folder, **fields):
    return DatabaseSettings.default(
        **{
            "path": str(folder / "natya.duckdb"),
            "max_connections": 3,
            "memory_limit_mb": 96,
            "threads": 1,
            "batch_rows_max": 100,
            "batch_wait_s": 0.02,
        }
        | fields
    )


FULL = """
import faulthandler, os, random, sys, time
from pathlib import Path
from natya_small_disks import Ballast
from natya.actors.database import DatabaseActor, DuckDBAdapter
from natya.actors.database.upkeep.copies import check
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import MarketDataSaved, Query, QueryFailed, Rows, SaveMarketData
from natya.messages.journal import JournalPage, Journaled, JournalRecord, ReadJournal
from natya.messages.market import Tick
from natya.messages.orders import OrderIntended
from natya.messages.system import Ping

folder, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
ballast = Ballast(folder)
facts = []

class Journal(RuntimeActor):
    @handles(ReadJournal)
    def read(self, request, sender):
        page = facts[request.after_sequence:request.after_sequence + request.records_max]
        self.send(sender, JournalPage(records=tuple(page), last_sequence=len(facts)))

def fact(n):
    return JournalRecord(sequence=n, recorded_ns=n, correlation_id="", fact=OrderIntended(
        client_order_id=f"A-{n}", strategy="s", symbol="TCS" * 200, side="BUY", quantity=1, order_type="MARKET",
        limit_price=None, occurred_ns=n))

def tick(n):
    return Tick(symbol=f"S{chance.random()}", price=chance.random(), quantity=chance.randint(1, 10**9), exchange_ns=n,
                source="load", sequence=n)

def statistics():
    return system.request("database", Ping(), timeout_s=30).statistics

settings = DatabaseSettings.default(path=str(folder / "natya.duckdb"), max_connections=3, memory_limit_mb=96, threads=1,
                            batch_rows_max=1000, batch_wait_s=0.02)
acknowledged = sent = downs = refusals = 0
written, normal_s = 0, 0.0
with InProcessSystem() as system:
    system.start("journal", Journal)
    system.start("database", DatabaseActor, settings)
    for round in range(rounds):
        ballast.leave(chance.randint(0, 300_000))
        for _ in range(12):
            ticks = tuple(tick(n) for n in range(sent + 1, sent + 501))
            new = [fact(n) for n in range(len(facts) + 1, len(facts) + 21)]
            facts.extend(new)
            system.tell("database", Journaled(records=tuple(new)))
            future = system.request_future("database", SaveMarketData(ticks=ticks))
            # What is in doubt while the disk is full is decided when there is space: give it some, then wait.
            deadline = time.monotonic() + 0.15
            while not future.done() and time.monotonic() < deadline:
                time.sleep(0.005)
            in_doubt = not future.done()
            if in_doubt:
                downs += 1
                ballast.go()
                freed = time.monotonic()
            try:
                answer = future.result(timeout=30)
            except TimeoutError:
                faulthandler.dump_traceback()
                raise AssertionError(f"round {round}: {statistics()}, {os.statvfs(folder)}, {os.listdir(folder)}")
            if isinstance(answer, MarketDataSaved):
                sent = acknowledged = sent + 500
            else:
                assert isinstance(answer, QueryFailed), answer
                refusals += 1
            if in_doubt or isinstance(answer, QueryFailed):
                break
        if not in_doubt:
            ballast.go()
            freed = time.monotonic()
        while (found := statistics()).down or found.lag or found.waiting:
            assert time.monotonic() < freed + 30, found
            time.sleep(0.01)
        normal_s = max(normal_s, time.monotonic() - freed)
        assert found.ticks >= written, f"restarted: {found}"
        written = found.ticks
        rows = system.request("database", Query(sql="select count(*), max(sequence) from ticks"), timeout_s=30)
        assert isinstance(rows, Rows), rows
        assert rows.rows[0][0] == (rows.rows[0][1] or 0) >= acknowledged, (rows, acknowledged)
        sent = max(sent, rows.rows[0][1] or 0)
    found = statistics()
    system.stop("database", timeout_s=60)
with DuckDBAdapter(folder / "natya.duckdb", max_connections=3) as database:
    assert check(database) == (), check(database)
    assert database.query("select count(*) from facts").rows == ((len(facts),),)
    assert found.damage == "", found
print(f"downs {downs} refusals {refusals} rows {sent} facts {len(facts)}, normal after {normal_s:.2f} s at most")
assert normal_s <= 5, normal_s
"""


class TestADiskThatIsFull:
    def test_loses_nothing_that_was_acknowledged_and_is_waited_for(self, tmp_path):
        """On a small disk of its own, filled to a random rest again and again; `make full-disk` does it 200 times."""
        seed, rounds = os.environ.get("FULL_DISK_SEED", "3"), os.environ.get("FULL_DISK", "2")
        mount = f"mount -t tmpfs -o size=256m none {tmp_path} 2>/dev/null || exit 77"
        run = f"{sys.executable} -c 'import sys; exec(sys.stdin.read())' {tmp_path} {seed} {rounds}"
        done = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{mount}; {run}"],  # noqa: S607  where the system has it
            input=FULL,
            env=os.environ | WITH_HELPERS,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 77 or "unshare:" in done.stderr:
            pytest.skip("this machine lets nobody mount a small disk of his own")

        assert done.returncode == 0, done.stderr
        print(f"FULL_DISK={rounds} FULL_DISK_SEED={seed}: {done.stdout}")  # noqa: T201  to play it again
        assert "downs 0 refusals 0" not in done.stdout
