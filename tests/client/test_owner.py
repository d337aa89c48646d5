"""What is asked of the owner of a database, and what is made of its answers; here it is a database in memory."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from natya.client import candles, missing, owner
from natya.client.candles import Series, series
from natya.client.owner import DatabaseStat, ask, closed_days, projected_sequence, stat
from natya.domain.history import Hours, Missing
from natya.domain.time import DAY_NS, IST_OFFSET_NS, SECOND_NS
from natya.messages.database import QueryToFile

MINUTE_NS = 60 * SECOND_NS
OPEN_NS = int(dt.datetime(2025, 11, 3, 3, 45, tzinfo=dt.UTC).timestamp()) * SECOND_NS
"""9:15 in India."""

LAST_NS = OPEN_NS + 374 * MINUTE_NS
"""Start of the last minute of that session."""


@pytest.fixture
def database(monkeypatch):
    """A database with the tables that are read; a path of it is this file."""
    with duckdb.connect() as connection:
        for table in ("facts", "orders", "fills", "books", "all_books"):
            connection.execute(f"create table {table} (number bigint)")
        connection.execute("create table ticks (symbol varchar, exchange_ns bigint)")
        connection.execute("create table all_ticks (symbol varchar, exchange_ns bigint, day bigint)")
        connection.execute("create table candles (symbol varchar, interval_ns bigint, start_ns bigint)")
        connection.execute("create table fetches (symbol varchar, interval_ns bigint, start_ns bigint, end_ns bigint)")
        connection.execute("create table archived (day bigint)")
        connection.execute("create table projection (sequence bigint)")
        connection.execute("insert into projection values (77)")

        def rows_of(_owner, sql, parameters):
            if "duckdb_databases" in sql:
                return ((__file__,),)
            return tuple(connection.execute(sql, list(parameters)).fetchall())

        for room in (owner, candles, missing):
            monkeypatch.setattr(room, "rows_of", rows_of)
        yield connection


def day(text):
    return dt.date.fromisoformat(text)


def midnight_ns(text):
    return (day(text) - dt.date(1970, 1, 1)).days * DAY_NS - IST_OFFSET_NS


class TestTheDaysThatMayBeArchived:
    def test_are_those_before_today_in_india_and_before_the_one_that_is_given(self, database):
        today = dt.datetime.now(dt.timezone(dt.timedelta(hours=5, minutes=30))).date()
        ticks = [
            ("A", midnight_ns("2025-11-03") - 1), ("A", midnight_ns("2025-11-03")),
            ("B", midnight_ns("2025-11-04") - 1),
            ("A", midnight_ns("2025-11-05")), ("A", midnight_ns(f"{today}") - 1), ("A", midnight_ns(f"{today}")),
        ]  # fmt: skip
        database.executemany("insert into ticks values (?, ?)", ticks)
        yesterday = today - dt.timedelta(days=1)

        assert closed_days(None) == (day("2025-11-02"), day("2025-11-03"), day("2025-11-05"), yesterday)
        assert closed_days(None, day("2025-11-05")) == (day("2025-11-02"), day("2025-11-03"))
        assert closed_days(None, today + dt.timedelta(days=9))[-1] == yesterday


class TestTheContent:
    def test_of_nothing_is_nothing(self, database):
        found = stat(None)

        assert (found.days, found.first_day, found.last_day, found.archived_days, found.symbols) == (
            0,
            None,
            None,
            0,
            (),
        )

    def test_is_counted_by_table_and_by_days_in_india(self, database):
        ticks = [
            ("B", midnight_ns("2025-11-03") - 1),
            ("A", midnight_ns("2025-11-05")),
            ("A", midnight_ns("2025-11-05")),
        ]
        database.executemany(
            "insert into all_ticks values (?, ?, ?)", [(*each, (each[1] + IST_OFFSET_NS) // DAY_NS) for each in ticks]
        )
        database.executemany("insert into ticks values (?, ?)", ticks[1:])
        database.execute("insert into candles values ('C', 60, 0)")
        database.execute("insert into archived values (1), (2), (2)")
        database.execute("insert into fills values (1), (2), (3), (4)")

        assert projected_sequence(None) == 77
        assert stat(None) == DatabaseStat(
            files={__file__: Path(__file__).stat().st_size},
            rows={
                "facts": 0, "orders": 0, "fills": 4, "ticks": 2, "books": 0, "candles": 1, "all_ticks": 3,
                "all_books": 0,
            },
            projected_sequence=77,
            days=2,
            first_day=day("2025-11-02"),
            last_day=day("2025-11-05"),
            archived_days=2,
            symbols=("A", "B", "C"),
        )  # fmt: skip


class TestTheCandles:
    def store(self, database, symbol, starts_ns, interval_ns=MINUTE_NS):
        database.executemany(
            "insert into candles values (?, ?, ?)", [(symbol, interval_ns, start_ns) for start_ns in starts_ns]
        )

    def test_are_listed_by_symbol_and_length_with_what_is_missing_between_the_first_and_the_last(self, database):
        minutes = [OPEN_NS + n * MINUTE_NS for n in (2, 3, 7, 8, 10)]
        self.store(database, "TCS", minutes)
        self.store(database, "TCS", [OPEN_NS], 5 * MINUTE_NS)
        self.store(database, "INFY", minutes[:1])
        hours, told = [], []

        def hours_of(symbol):
            hours.append(symbol)
            return Hours("NSE") if symbol == "TCS" else Hours(None)

        found = list(series(None, hours_of, on_progress=told.append))

        def gap(first, last):
            return Missing(
                start_ns=OPEN_NS + first * MINUTE_NS,
                end_ns=OPEN_NS + last * MINUTE_NS,
                candles=last - first,
                sessions=0,
            )

        common = {"symbol": "TCS", "are_hours_known": True}
        assert found == [
            Series(
                symbol="INFY", interval_ns=MINUTE_NS, first_ns=minutes[0], last_ns=minutes[0], candles=1, missing=(),
                are_hours_known=False,
            ),
            Series(
                interval_ns=MINUTE_NS, first_ns=minutes[0], last_ns=minutes[-1], candles=5,
                missing=(gap(4, 7), gap(9, 10)), **common,
            ),
            Series(
                interval_ns=5 * MINUTE_NS, first_ns=OPEN_NS, last_ns=OPEN_NS, candles=1, missing=(), **common
            ),
        ]  # fmt: skip
        assert hours == ["INFY", "TCS", "TCS"]
        assert told == pytest.approx([1 / 3, 2 / 3, 1.0])

    def test_lack_what_was_asked_for_of_the_charts_before_the_first_and_behind_the_last(self, database):
        self.store(database, "TCS", [OPEN_NS + 2 * MINUTE_NS])
        database.executemany(
            "insert into fetches values ('TCS', ?, ?, ?)",
            [
                (MINUTE_NS, OPEN_NS, OPEN_NS + 3 * MINUTE_NS),
                (MINUTE_NS, OPEN_NS + MINUTE_NS, OPEN_NS + 5 * MINUTE_NS),
                (MINUTE_NS, OPEN_NS - DAY_NS, OPEN_NS - DAY_NS),  # came to nothing
                (5 * MINUTE_NS, OPEN_NS, LAST_NS),
            ],
        )

        (found,) = series(None, lambda _: Hours("NSE"))
        assert [(each.start_ns, each.candles) for each in found.missing] == [(OPEN_NS, 2), (OPEN_NS + 3 * MINUTE_NS, 2)]

    def test_are_of_the_symbols_that_are_asked_for(self, database):
        for symbol in ("A", "B", "C"):
            self.store(database, symbol, [OPEN_NS])

        assert [each.symbol for each in series(None, lambda _: Hours(None), symbols=["C", "A"])] == ["A", "C"]


def test_rows_are_asked_for_as_a_file_with_all_the_time_that_they_need():
    asked = []
    at = SimpleNamespace(work=lambda message, *, timeout_s: asked.append((message, timeout_s)) or "rows")

    assert ask(at, "select ?", [7]) == "rows"
    query = QueryToFile(sql="select ?", parameters=(7,), timeout_s=600.0, rows_max=1_000_000_000, inline_rows_max=0)
    assert asked == [(query, 600.0)]
