"""Columns on their way into tables, as fast as DuckDB takes them."""

import duckdb
import numpy as np
import pytest

from natya.actors.database.tables import columns
from natya.actors.database.tables.columns import FEW_ROWS, FEW_UPDATES, Insertion, append, replace
from natya.actors.database.tables.ticks import HAS_BOOK, PLAIN, TickWriter, tick_columns
from natya.actors.database.upkeep.days import tidy
from natya.actors.database.writing.market import MarketStore

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture
def connection():
    with duckdb.connect(":memory:") as opened:
        opened.execute("create table numbers (name varchar, number bigint, price double)")
        yield opened


@pytest.fixture
def insertion():
    return Insertion("insert into numbers by name select ? as name, * from {batch}")


def numbers(*values):
    return {"number": np.array(values, dtype=np.int64)}


def rows(connection):
    return connection.execute("select name, number, price from numbers order by number").fetchall()


@pytest.fixture(params=[True, False], ids=["reads a dict anew", "keeps what was registered"])
def _engine(request, monkeypatch):
    monkeypatch.setattr(columns, "_reads_anew", lambda: request.param)


@pytest.mark.usefixtures("_engine")
@pytest.mark.parametrize("levels", [5, 20], ids=["books", "deep books"])
def test_ticks_and_their_books_go_on_after_a_transaction_that_was_rolled_back(connection, build, levels):
    def columns_of(sequence):
        return tick_columns([build.tick(sequence, depth=build.depth(levels))])

    connection.register("shape", columns_of(1))
    shape = connection.table("shape")
    only_of_books = [name for name in shape.columns if name not in {HAS_BOOK, *PLAIN}]
    for table, names in (("ticks", PLAIN), ("books", ("sequence", "symbol", "exchange_ns", *only_of_books))):
        shape.limit(0).select(duckdb.ConstantExpression("").alias("source"), *names).create(table)
    writer = TickWriter()
    connection.begin()
    writer.write(connection, "s", columns_of(1))
    connection.rollback()
    writer.forget()
    for sequence in (2, 3):
        writer.write(connection, "s", columns_of(sequence))

    for table in ("ticks", "books"):
        found = connection.table(table).select("source", "sequence").order("sequence").fetchall()
        assert found == [("s", 2), ("s", 3)]


@pytest.mark.usefixtures("_engine")
class TestInsertingAgainAndAgain:
    def test_writes_each_batch_once(self, connection, insertion):
        insertion.run(connection, numbers(1, 2), "a")
        insertion.run(connection, numbers(3), "b")
        insertion.run(connection, numbers(4, 5, 6), "c")

        assert [(name, number) for name, number, _ in rows(connection)] == [
            ("a", 1), ("a", 2), ("b", 3), ("c", 4), ("c", 5), ("c", 6)
        ]  # fmt: skip

    def test_takes_columns_of_another_shape(self, connection, insertion):
        insertion.run(connection, numbers(1), "a")
        insertion.run(connection, {**numbers(2), "price": np.array([2.5])}, "a")
        insertion.run(connection, {"number": np.array([3], dtype=np.int32)}, "a")
        insertion.run(connection, numbers(4), "a")

        assert rows(connection) == [("a", 1, None), ("a", 2, 2.5), ("a", 3, None), ("a", 4, None)]

    def test_takes_missing_values_where_there_were_none(self, connection, insertion):
        insertion.run(connection, numbers(1, 2), "a")
        masked = np.ma.masked_array(numbers(3, 4)["number"], mask=[False, True])
        insertion.run(connection, {"number": masked}, "a")
        insertion.run(connection, numbers(5), "a")

        assert [number for _, number, _ in rows(connection)] == [1, 2, 3, 5, None]

    def test_goes_on_after_a_transaction_that_was_rolled_back(self, connection, insertion):
        connection.begin()
        insertion.run(connection, numbers(1), "a")
        connection.rollback()
        insertion.forget()
        insertion.run(connection, numbers(2), "a")

        assert rows(connection) == [("a", 2, None)]

    def test_does_not_meet_another_one_of_the_same_text(self, connection, insertion):
        other = Insertion("insert into numbers by name select ? as name, * from {batch}")
        insertion.run(connection, numbers(1), "a")
        other.run(connection, numbers(2), "b")
        insertion.run(connection, numbers(3), "a")

        assert [(name, number) for name, number, _ in rows(connection)] == [("a", 1), ("b", 2), ("a", 3)]

    def test_holds_nothing_afterwards(self, connection, insertion):
        given = numbers(1)
        insertion.run(connection, given, "a")

        assert list(given) == ["number"]
        assert insertion._columns == {}


class TestTheEngineInUse:
    def test_reads_a_registered_dict_anew(self):
        assert columns._reads_anew()


class TestAFewRowsAndMany:
    """They go ways of their own into a table, and are the same there."""

    COUNTS = (1, FEW_UPDATES, FEW_UPDATES + 1, FEW_ROWS, FEW_ROWS + 1)

    @staticmethod
    def of(count, prices):
        numbers = columns.nullable_integers([None, *range(1, count)])
        return {
            "price": columns.floats(prices[:count]),
            "name": columns.texts([f"name {number}" for number in range(count)]),
            "number": numbers,
        }

    @pytest.fixture
    def connection(self, connection):
        connection.execute("create or replace table numbers (name varchar primary key, number bigint, price double)")
        return connection

    @pytest.mark.parametrize("count", COUNTS)
    def test_are_there_with_their_nulls(self, connection, count):
        prices = [float("nan"), *(number + 0.05 for number in range(1, count))]
        append(connection, "numbers", self.of(count, prices))

        found = connection.execute("select * from numbers order by name").fetchall()
        assert found == [
            (f"name {number}", number or None, number + 0.05 if number else None) for number in range(count)
        ]

    @pytest.mark.parametrize("count", COUNTS)
    def test_are_written_over_those_of_their_key_alone(self, connection, count):
        append(connection, "numbers", self.of(12, [1.0] * 12))
        replace(connection, "numbers", "name", self.of(count, [None, *[2.0] * count]))

        found = connection.execute("select name, price from numbers").fetchall()
        changed = {"name 0": None} | {f"name {number}": 2.0 for number in range(1, count)}
        assert sorted(found) == sorted(({f"name {number}": 1.0 for number in range(12)} | changed).items())

    def test_that_are_there_already_are_not_appended(self, connection):
        append(connection, "numbers", self.of(12, [1.0] * 12))
        for count in (1, 12):
            with pytest.raises(duckdb.ConstraintException):
                append(connection, "numbers", self.of(count, [1.0] * count))


@pytest.mark.parametrize("time", [2**63 - 1, 2**63 - 86_400 * 10**9])
def test_a_time_that_has_no_whole_day_fits_into_no_row(build, database, time):
    """One such row, and no day could be told of any: the sum overflows."""
    store = MarketStore(database)
    written = store.write([build.tick(1), build.tick(2, exchange_ns=time)], [build.candle(time), build.candle()])

    assert (written.ticks, written.candles, written.refused) == (1, 1, 2)
    assert tidy(database, 2 * 10**18) is not None
