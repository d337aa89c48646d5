"""Queries that want more memory than there is, in a process of their own: it stays bounded, and goes on recording."""

# ruff: noqa: S608  they are put together of numbers alone

import contextlib
import json
import subprocess
import sys
from types import SimpleNamespace

import duckdb
import pytest

from natya.actors.database import DuckDBAdapter
from natya.actors.database.engine.connection import Connection, begin
from natya.actors.database.engine.memory import GROWTH_MARGIN_BYTES, SETTLE_LOOKS_MAX, QueryMemory
from natya.actors.database.engine.opening import meaning
from natya.actors.database.errors import MemoryExceeded, QueryRefused

pytestmark = pytest.mark.systems

LIMIT_MB = 128
BATCH_MB = 64
"""What functions may make of one batch of rows: see `bounds.py`."""


def doubled(steps, *, how="not materialized", last="count(*)"):
    chain = ", ".join(f"a{n} as {how} (select x.i from a{n - 1} x, a{n - 1} y)" for n in range(1, steps))
    return f"with a0 as {how} (select 1 as i), {chain} select {last} from a{steps - 1}"


def squared(steps):
    chain = ", ".join(
        f"a{n} as not materialized (select replace(s, 'x', s) as s from a{n - 1})" for n in range(1, steps)
    )
    return f"with a0 as (select repeat('x', 100) as s), {chain} select length(s) from a{steps - 1}"


def lateral(steps):
    return "select 1 as c0, " + ", ".join(f"c{n} + c{n} as c{n + 1}" for n in range(steps))


REFUSED = (
    "select length(repeat('x', 2000000000))",
    "select length(repeat('x', 2000000000 + i)) from range(10) t(i)",
    "select max(length(repeat('x', i))) from range(2000000000) t(i)",
    "select length(repeat(repeat(repeat('x', 1000), 1000), 1000))",
    "select length('x'.repeat(2000000000))",
    "select length(main.repeat('x', 2000000000))",
    "select length(lpad('x', 2000000000, 'y'))",
    "select length(rpad('x', 2000000000, 'y'))",
    "select length(rpad('x', 2e9::int, 'y'))",
    "select length(format('{:>2000000000}', 1))",
    "select length(format('{:>{}}', 1, 2000000000))",
    "select length(format(f, 1)) from (select '{:>2000000000}' as f)",
    "select length(printf('%2000000000d', 1))",
    "select length(printf('%*d', 2000000000, 1))",
    "select len(range(2000000000))",
    "select len(range(i)) from range(2000000000, 2000000001) t(i)",
    "select len(generate_series(1, 2000000000))",
    "select len(generate_series(timestamp '1970-01-01', timestamp '2200-01-01', interval 1 second))",
    "select len(list_resize([1], 2000000000))",
    "select len(array_resize([1], 2000000000, 7))",
    "select bit_count(bitstring('1', 2000000000))",
    "select length(to_base(1, 2, 2000000000))",
    "select length(concat_ws(repeat('x', 30000), 1, 2, 3, 4, 5, 6))",
    "select length(replace(repeat('x', 3000), 'x', repeat('y', 3000)))",
    "select length(regexp_replace(repeat('x', 3000), 'x', repeat('y', 3000), 'g'))",
    "select length(array_to_string(range(1000), repeat('x', 1000)))",
    "select len(string_split(repeat('x,', 10000), ','))",
    "select length(list_transform(range(1000), lambda x: repeat('y', 1000))::varchar)",
    "select length([repeat('y', 1000) for x in range(1000)]::varchar)",
    "select list_reduce(range(40), lambda a, b: a || a, 'x')",
    "select list_reduce([[1]], lambda a, b: a + a, [1])",
    "select len(flatten(list_transform(range(4000), lambda x: range(4000))))",
    "select length(hex(repeat('x', 30000)))",
    "select length(hex(repeat('x', 800)))",
    "select length(replace(repeat('x', 1500), 'x', 'yy'))",
    "select len(range(-(3000::int), 1))",
    "select length(to_json(range(4000))::varchar)",
    "select " + " || ".join(["repeat('x', 1000)"] * 100),
    "select " + ", ".join(f"repeat('x', 10000) as c{n}" for n in range(20)),
    "select repeat('x', ?)",
    "select list(a.range) over (order by a.range) from range(100000) a",
    "select mode(a.range) over w from range(100000) a window w as (order by a.range)",
    "select string_agg(a.range::varchar, ',') over () from range(100000) a",
    "with recursive r as (select 'x' as s union all select replace(s, 'x', s || s) from r) select max(s) from r",
    squared(8),
    lateral(40),
    doubled(15),
    doubled(31),
    doubled(31, how="materialized"),
    doubled(31, how="", last="max(i)"),
    "select * from range(9) t(a) group by cube (" + ", ".join(["a"] * 12) + ")",
)

BOUNDED = (
    "with recursive r as (select 'x' as s union all select s || s from r) select max(length(s)) from r",
    "select length(string_agg(repeat('x', 1000), '')) from range(100000000)",
    "select length(list(range)::varchar) from range(1000000000)",
    "select median(range) from range(1000000000)",
    "select histogram(range) from range(1000000000)",
    "select range, 'a text of some length ' || range from range(300000)",
)

CHILD = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
from natya.actors.database import DuckDBAdapter
from natya.actors.database.errors import DatabaseError, DatabaseInvalidated
from natya.actors.database.writing.market import MarketStore
from natya.messages.market import Tick

path, queries = sys.argv[1], json.loads(sys.stdin.read())

def opened():
    global database, market
    database = DuckDBAdapter(path, max_connections=4, memory_limit_mb=128, threads=1)
    market = MarketStore(database)

opened()
recorded, reopened, stop = 0, 0, threading.Event()

def record():
    global recorded, reopened
    while not stop.is_set():
        first = recorded + 1
        numbers = range(first, first + 100)
        ticks = [Tick(symbol="A", price=1.0, quantity=1, exchange_ns=n, source="s", sequence=n) for n in numbers]
        try:
            market.write(ticks)
            recorded += 100
        except DatabaseInvalidated:  # as the actor does
            database.close()
            opened()
            reopened += 1
        except DatabaseError:  # kept and written again, as the actor does: the limit is the whole instance's
            pass
        stop.wait(0.02)

def held(name):
    (line,) = [line for line in open("/proc/self/status") if line.startswith(name)]
    return int(line.split()[1]) // 1024

recorder = threading.Thread(target=record)
recorder.start()
database.query("select count(*) from ticks")
for sql in queries:
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    before, ticks = held("VmRSS"), recorded
    try:
        database.query(sql, timeout_s=0.6)
        error = ""
    except DatabaseError as failure:
        error = type(failure).__name__
    print(json.dumps({"sql": sql[:60], "error": error, "grew_mb": held("VmHWM") - before}), flush=True)
stop.set()
recorder.join()
found = database.query("select count(*) from ticks").rows[0][0]
print(json.dumps({"recorded": recorded, "found": found, "reopened": reopened}))
database.close()
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with DuckDBAdapter(tmp_path_factory.mktemp("memory") / "n.duckdb", max_connections=3) as database:
        yield database


class TestAQueryThatGrowsInOneStep:
    def test_is_refused_before_it_runs(self, database):
        for sql in REFUSED:
            with pytest.raises(QueryRefused, match=r"bytes of a row|parts wanted"):
                database.query(sql, [2_000_000_000] if sql.endswith("?)") else [])

    def test_is_refused_by_its_parameters_whatever_they_were_before(self, database):
        assert database.query("select length(repeat('x', ?))", [80]).rows == ((80,),)
        assert database.query("select length(?::varchar || ?)", ["a", "b"]).rows == ((2,),)
        for sql, parameters in (
            ("select length(repeat('x', ?))", [2_000_000_000]),
            ("select length(repeat('x', ?))", ["2000000000"]),
            ("select length(?::varchar || ?)", ["x" * 30_000, "y" * 30_000]),
        ):
            with pytest.raises(QueryRefused, match="bytes of a row"):
                database.query(sql, parameters)

    def test_says_how_to_ask_instead(self, database):
        with pytest.raises(QueryRefused, match=r"least\(80"):
            database.query("select repeat('*', quantity) from ticks")

        assert database.query("select repeat('*', least(80, quantity)) from ticks").rows == ()


class Looks:
    """A cursor that finds so many bytes held, look by look; the last ones from then on."""

    def __init__(self, *found):
        self.found = list(found)

    def extract_statements(self, sql):
        return (sql,)

    def execute(self, _sql):
        found = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(found, Exception):
            raise found
        return SimpleNamespace(fetchall=lambda: [(found,)])


def memory_of(*found):
    return QueryMemory(Looks(*found), limit_bytes=100, margin_bytes=2**40)


class TestMemoryThatCannotBeMovedToDisk:
    @pytest.mark.parametrize(
        ("found", "grown"),
        [
            ((10, 60, 61), 51),
            ((90, 40, 91), 51),  # an earlier query has ended meanwhile
            ((duckdb.OutOfMemoryException("none"), 49, 100), 51),
            ((49, duckdb.OutOfMemoryException("none")), 51),
        ],
        ids=["grows", "shrinks and grows", "cannot be told at first", "cannot be told"],
    )
    def test_is_half_of_the_limit_for_all_queries_since_one_began(self, monkeypatch, found, grown):
        monkeypatch.setattr(QueryMemory, "held_bytes", lambda memory: memory._look())
        memory = memory_of(*found)
        with memory.watched() as growth:
            *before, last = [growth.excess() for _ in found]

        assert set(before) == {""}
        assert f"grown by {grown} bytes, 50 allowed" in last

    def test_is_looked_at_by_all_together_once_in_a_while(self):
        memory = memory_of(1, 2)
        assert (memory.held_bytes(age_max_s=60), memory.held_bytes(age_max_s=60)) == (1, 1)
        assert memory.held_bytes(age_max_s=0) == 2

    def test_is_none_in_an_instance_that_is_invalidated(self):
        assert memory_of(duckdb.FatalException("invalidated")).held_bytes() == 0

    @pytest.mark.parametrize(
        ("found", "looks"),
        [((50,), 1), ((51, 51, 50), 3), ((51,), SETTLE_LOOKS_MAX)],
        ids=["little", "too much, for a while", "too much of something that does not end"],
    )
    def test_is_waited_for_by_who_commits(self, monkeypatch, found, looks):
        memory = memory_of(*found)
        looked = []
        monkeypatch.setattr(memory, "_look", lambda look=memory._look: looked.append(1) or look())
        monkeypatch.setattr(memory._ended, "wait", lambda _s: None)
        with memory.watched() as growth:
            memory.settle()
            assert looked == []  # most queries end before they are looked at
            memory.long.add(growth)
            memory.settle()
        memory.settle()

        assert len(looked) == looks


class TestAWriteThatFindsNoMemory:
    @pytest.mark.parametrize(
        "fault",
        [
            duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB"),
            duckdb.TransactionException(
                "TransactionContext Error: Failed to commit: failed to pin block of size 256.0 KiB "
                "(127.8 MiB/128.0 MiB used)"
            ),
        ],
    )
    def test_is_told_apart_from_a_fault_of_the_files(self, fault):
        assert isinstance(meaning(fault), MemoryExceeded)

    def test_leaves_no_transaction_to_the_next_though_it_could_not_be_rolled_back(self):
        with contextlib.closing(duckdb.connect()) as cursor:
            for kind in ("read", "write", "read"):
                begin(cursor, kind)
                with contextlib.suppress(duckdb.Error):
                    cursor.execute("select * from nothing")
                with pytest.raises(duckdb.TransactionException, match="aborted"):
                    cursor.execute("select 1")


class TestAProcessWithQueriesThatGrow:
    def test_stays_bounded_and_records(self, tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(tmp_path / "n.duckdb")],
            input=json.dumps(BOUNDED),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        *told, end = map(json.loads, done.stdout.splitlines())

        assert len(told) == len(BOUNDED), done.stderr
        bound = LIMIT_MB + GROWTH_MARGIN_BYTES // 2**20 + BATCH_MB
        assert [each for each in told if each["grew_mb"] > bound] == []
        assert end["found"] == end["recorded"] > 100
        assert end["reopened"] == 0, "a query had DuckDB invalidate the instance for everyone"

    def test_interrupts_what_the_engine_does_not_count(self, tmp_path, monkeypatch):
        monkeypatch.setattr("natya.actors.database.engine.adapter.GROWTH_MARGIN_BYTES", -96 * 2**20)
        with DuckDBAdapter(tmp_path / "n.duckdb", max_connections=3, memory_limit_mb=128) as database:
            with pytest.raises(MemoryExceeded, match="grown by 33,554,432 bytes"):
                database.query("select range, 'a text of some length ' || range from range(1000000)")

            assert database.query("select 1").rows == ((1,),)
            assert database.statistics().timeouts == 0


@pytest.mark.parametrize("transaction", [None, "write", "read"])
@pytest.mark.parametrize("has_memory", [False, True])
def test_only_reading_is_watched_for_its_memory_and_only_where_there_is_a_limit(transaction, has_memory):
    """A write that is interrupted for what a query took would be begun again and again."""
    growth = object()
    memory = SimpleNamespace(watched=lambda: contextlib.nullcontext(growth)) if has_memory else None
    connection = Connection("one", None, None, lambda: 0, memory)

    with connection._watched(transaction) as watched:
        assert watched is (growth if has_memory and transaction == "read" else None)
