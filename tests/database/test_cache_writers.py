"""Answers that are kept, by table: what each writer writes is seen at once, and every piece of work has its time."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from natya.actors.database.engine.connection import Connection
from natya.actors.database.errors import QueryTimedOut
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.upkeep.days import sort_day
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel

pytestmark = pytest.mark.usefixtures("engines")

FRIDAY_NS = start_ns("2026-01-02T09:15:00")
TABLES = (
    *("ticks", "books", "recorded", "candles", "origin", "sorted_days"),
    *("facts", "orders", "fills", "projection"),
)


def question(table):
    lines = f"select {table}::varchar as line from {table} order by all"  # noqa: S608  names of ours
    return f"select count(*), md5(string_agg(line, '|')) from ({lines})"  # noqa: S608  names of ours


def asked(database, table):
    return database.query(question(table), tables=(table,)).rows


def uncached(database, sql):
    return database.read(lambda cursor: tuple(cursor.execute(sql).fetchall()))


def a_book(market, _read_model, build, number):
    market.write([build.tick(number, exchange_ns=FRIDAY_NS + number, depth=build.depth())])


def ticks(market, _read_model, build, number):
    market.write(build.ticks(2, start=2 * number, source="plain", exchange_ns=FRIDAY_NS))


def a_candle(market, _read_model, build, number):
    market.write((), [build.candle(FRIDAY_NS + number)])


def a_saved_candle(market, _read_model, build, number):
    market.write((), [build.candle(FRIDAY_NS + number)], from_outside=True)


def an_order(_market, read_model, build, number):
    read_model.apply(build.records(build.intended(f"A-{number}"), start=read_model.sequence() + 1))


def a_fill(_market, read_model, build, number):
    facts = (build.intended(f"B-{number}"), build.filled(f"B-{number}"))
    read_model.apply(build.records(*facts, start=read_model.sequence() + 1))


class TestEveryWriter:
    @pytest.mark.parametrize("write", [a_book, ticks, a_candle, a_saved_candle, an_order, a_fill])
    def test_is_seen_in_every_table_that_it_writes(self, database, build, write):
        market, read_model = MarketStore(database), ReadModel(database)
        for number in range(1, 4):
            kept = {table: [asked(database, table) for _ in range(3)][-1] for table in TABLES}
            write(market, read_model, build, number)
            plain = {table: uncached(database, question(table)) for table in TABLES}
            seen = {table: asked(database, table) for table in TABLES}

            assert seen == plain
            assert seen != kept

    def test_that_sorts_a_day_is_seen_in_its_ticks_books_and_list(self, database, build):
        market = MarketStore(database)
        market.write(
            [build.tick(n, exchange_ns=FRIDAY_NS - n, symbol="ABB"[n % 3], depth=build.depth()) for n in (1, 2, 3)]
        )
        # In the order in which they lie there.
        texts = {"ticks": "select symbol from ticks", "books": "select symbol from books"}
        texts["sorted_days"] = "select rows from sorted_days"

        def answers():
            return [database.query(sql, tables=(table,)).rows for table, sql in texts.items()]

        for _ in range(3):
            answers()
        sort_day(database, dt.date(2026, 1, 2))

        assert answers() == [(("A",), ("B",), ("B",))] * 2 + [((3,),)]


class TestWorkWhoseTimeWasOverBeforeItBegan:
    def test_never_runs(self, database):
        ran, free = [], threading.Event()
        with ThreadPoolExecutor(1) as thread, ThreadPoolExecutor(2) as callers:
            root = database.read(lambda cursor: cursor.cursor())
            connection = Connection("one", root, thread, lambda: 0)
            slow = callers.submit(connection.run, lambda _cursor: free.wait(60))
            late = callers.submit(connection.run, ran.append, label="too late", timeout_s=0.02)
            while late.running() is False:
                threading.Event().wait(0.001)
            threading.Timer(0.2, free.set).start()

            with pytest.raises(QueryTimedOut, match="not begun in time: too late"):
                late.result(60)
            assert slow.result(60)
            assert ran == []
            assert connection.run(lambda _cursor: 7) == 7
            connection.close()
