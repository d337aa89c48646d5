"""Ticks and candles on their way into the market file."""

import itertools
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_builders import a_candle, a_tick
from natya_database import a_database
from natya_examples import QUARTER

from natya.actors.database import DuckDBAdapter
from natya.actors.database.engine.witness import is_witness
from natya.actors.database.errors import StatementFailed
from natya.actors.database.upkeep.copies import check
from natya.actors.database.upkeep.recovery import open_database
from natya.actors.database.writing.market import MarketStore, part_of
from natya.config.sections.database import DatabaseSettings
from natya.messages.codec import decode
from natya.messages.history import Fetched

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture
def market(database):
    return MarketStore(database)


def rows(database, columns, order="sequence"):
    return list(database.query(f"select {columns} from full_ticks order by {order}").rows)  # noqa: S608  our own text


class TestWhatAWriteIsSaidToTouch:
    """Kept answers that follow from other tables stay kept."""

    FETCHED = Fetched(symbol="INFY", interval_ns=60, start_ns=0, end_ns=600, asked_ns=7, requests=1, candles=0)

    @pytest.mark.parametrize("has", [*itertools.product([False, True], repeat=3)], ids=str)
    def test_is_what_it_writes_to(self, market, database, monkeypatch, has):
        has_ticks, has_candles, has_fetches = has
        told, write = [], database.write

        def noted(file, work, **options):
            told.append((file, options))
            return write(file, work, **options)

        monkeypatch.setattr(database, "write", noted)
        market.write(
            [a_tick(1), a_tick(2)] * has_ticks,
            [a_candle(start_ns=60)] * has_candles,
            fetches=(self.FETCHED,) * has_fetches,
        )

        touched = {"ticks", "books", "recorded"} if has_ticks else set()
        touched |= {"candles", "origin"} if has_candles else set()
        touched |= {"fetches"} if has_fetches else set()
        label = f"write {2 * has_ticks + has_candles} ticks and candles"
        assert told == [("market", {"label": label, "tables": frozenset(touched)})]

    def test_has_an_answer_of_fetches_read_anew_where_there_were_no_candles(self, market, database):
        sql = "select count(*) from fetches"
        counts = []
        for _ in range(2):
            counts.append(database.query(sql, tables=("fetches",)).rows)
            market.write((), fetches=(self.FETCHED,))

        assert counts == [((0,),), ((1,),)]


class TestWritingTicks:
    def test_each_field_comes_to_its_column(self, market, database, build):
        market.write([build.tick(3, received_ns=7, volume=9, depth=build.depth(), day=build.day(open_interest=5))])

        assert rows(database, "source, sequence, symbol, price, quantity, received_ns, volume, open_interest") == [
            ("recording", 3, "NIFTY", 26_000.05, 75, 7, 9, 5)
        ]
        assert rows(
            database, "bid_price_1, bid_quantity_2, bid_orders_3, ask_price_4, ask_quantity_5, ask_orders_5"
        ) == [(100.0, 11, 3, 104.0, 24, 10)]
        assert rows(database, "open_price, high_price, low_price, close_price, average_price") == [
            (1.0, 2.0, 0.5, 1.5, 1.25)
        ]

    def test_what_a_tick_does_not_say_is_null(self, market, database, build):
        market.write(
            [build.tick(1), build.tick(2, depth=build.depth(2, bid_orders=())), build.tick(3, day=build.day())]
        )

        assert rows(database, "bid_price_1, bid_price_2, bid_price_3, bid_orders_1, ask_quantity_2, deep_book") == [
            (None, None, None, None, None, None),
            (100.0, 99.0, None, None, 21, None),
            (None, None, None, None, None, None),
        ]
        assert rows(database, "open_price, total_buy_quantity, open_interest") == [
            (None, None, None),
            (None, None, None),
            (1.0, 1000, None),
        ]

    def test_a_book_deeper_than_five_levels_is_stored_whole(self, market, database, build):
        depth = build.depth(20)
        market.write([build.tick(1, depth=depth), build.tick(2, depth=build.depth())])

        (deep, price), (shallow, _) = rows(database, "deep_book, bid_price_5")

        assert decode(bytes.fromhex(deep)) == depth
        assert price == 96.0
        assert shallow is None

    def test_the_table_is_there_for_plain_duckdb(self, database, market, build):
        market.write(build.ticks(3))
        database.close()

        with duckdb.connect(database.market_path, read_only=True) as plain:
            assert plain.execute("select count(*), max(exchange_time)::varchar from ticks_utc").fetchall() == [
                (3, "2025-11-24 16:00:00.003")
            ]


class TestWritingTicksAgain:
    def test_writes_each_once(self, market, database, build):
        first = market.write(build.ticks(5))
        second = market.write(build.ticks(7))

        assert (first.ticks, first.duplicates, first.recorded) == (5, 0, {"recording": 5})
        assert (second.ticks, second.duplicates, second.recorded) == (2, 5, {"recording": 7})
        assert rows(database, "sequence") == [(number,) for number in range(1, 8)]

    def test_tells_how_far_it_came_and_not_how_far_it_once_was(self, market, build):
        ticks = build.ticks(7)
        market.write(ticks)
        again = [market.write(ticks[:3]), market.write(ticks[3:])]

        assert [written.recorded for written in again] == [{"recording": 3}, {"recording": 7}]
        assert market.recorded("recording") == 7

    def test_after_a_reopening_still_writes_each_once(self, path, build):
        with DuckDBAdapter(path) as database:
            MarketStore(database).write(build.ticks(5))
        with DuckDBAdapter(path) as database:
            written = MarketStore(database).write(build.ticks(5))

            assert (written.ticks, written.duplicates) == (0, 5)
            assert rows(database, "count(*)", "1") == [(5,)]

    def test_through_another_store_still_writes_each_once(self, market, database, build):
        other = MarketStore(database)
        market.write(build.ticks(5))
        other.write(build.ticks(5))
        market.write(build.ticks(10))
        written = other.write(build.ticks(10))

        assert (written.ticks, written.duplicates) == (0, 10)
        assert rows(database, "count(*), max(sequence)", "1") == [(10, 10)]

    def test_after_what_it_knew_was_deleted_looks_again(self, market, database, build):
        market.write(build.ticks(5))
        database.execute("delete from recorded", file="market")
        database.execute("delete from ticks", file="market")

        assert market.write(build.ticks(5)).ticks == 5

    def test_sources_do_not_hide_each_other(self, market, build):
        market.write(build.ticks(5, source="one"))
        written = market.write([*build.ticks(2, source="two"), *build.ticks(6, source="one")])

        assert (written.ticks, written.duplicates) == (3, 5)
        assert written.recorded == {"one": 6, "two": 2}
        assert market.recorded("one") == 6
        assert market.recorded("never heard of") == 0

    @settings(max_examples=QUARTER)
    @given(cuts=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 20)), max_size=8))
    def test_however_a_source_is_cut_and_repeated_nothing_is_twice(self, cuts, build):
        with a_database() as database:
            market = MarketStore(database)
            heard = set()
            for start, count in cuts:
                market.write(build.ticks(count, start=start, source="cut"))
                heard |= {number for number in range(start, start + count) if number > max(heard, default=0)}

            assert rows(database, "sequence") == [(number,) for number in sorted(heard)]


class TestTicksThatNoRowCanHold:
    @pytest.mark.parametrize(
        "fields",
        [{"price": float("nan")}, {"quantity": 2**63}, {"symbol": "\ud800"}, {"source": "\ud800"}, {"volume": 1 << 80}],
        ids=str,
    )
    def test_are_counted_and_the_others_written(self, market, database, build, fields):
        written = market.write([build.tick(1), build.tick(2, **fields), build.tick(3)])

        assert (written.ticks, written.refused, written.duplicates) == (2, 1, 0)
        assert rows(database, "sequence") == [(1,), (3,)]

    def test_include_a_depth_beyond_64_bits(self, market, build):
        written = market.write([build.tick(1, depth=build.depth(bid_quantities=(1 << 70,) * 5)), build.tick(2)])

        assert (written.ticks, written.refused) == (1, 1)


class TestWritingCandles:
    def test_a_later_one_replaces_an_earlier_one(self, market, database, build):
        market.write([], [build.candle(close=1.0), build.candle(close=1.1)])
        written = market.write([], [build.candle(close=1.2), build.candle(build.candle().start_ns + 1, close=9.0)])

        assert written.candles == 2
        assert database.query("select close from candles order by start_ns").rows == ((1.2,), (9.0,))

    def test_that_no_row_can_hold_leaves_the_others(self, market, database, build):
        written = market.write([build.tick()], [build.candle(close=float("inf")), build.candle(symbol="TCS")])

        assert (written.ticks, written.candles, written.refused) == (1, 1, 1)
        assert database.query("select symbol from candles").rows == (("TCS",),)


class TestTwoThreadsThatWrite:
    def test_write_a_tick_once_when_the_second_begins_before_the_first_has_heard_of_its_end(
        self, market, database, build, monkeypatch
    ):
        market.write(build.ticks(5))
        write, seconds = database.write, []

        def write_and_again(*arguments, **options):
            monkeypatch.setattr(database, "write", write)
            first = write(*arguments, **options)
            seconds.append(market.write(build.ticks(5, start=6)))
            return first

        monkeypatch.setattr(database, "write", write_and_again)

        assert market.write(build.ticks(5, start=6)).ticks == 5
        assert [(second.ticks, second.duplicates) for second in seconds] == [(0, 5)]
        assert market.write(build.ticks(6, start=6)).ticks == 1
        assert rows(database, "count(*)", "1") == [(11,)]


class TestWritingForSeveral:
    def test_is_one_transaction_and_counts_for_each(self, market, database, build):
        parts = [part_of(build.ticks(5), ()), part_of(build.ticks(7), [build.candle()]), part_of(build.ticks(3), ())]
        written = market.write_each(parts)

        assert [(each.ticks, each.candles, each.duplicates) for each in written] == [(5, 0, 0), (2, 1, 5), (0, 0, 3)]
        assert rows(database, "count(*), max(sequence)", "1") == [(7, 7)]

    def test_writes_nothing_if_one_of_them_fails(self, market, database, build):
        broken = part_of(build.ticks(2, source="b"), ())
        broken.ticks[0][1]["price"] = np.full(2, np.nan)
        with pytest.raises(StatementFailed, match=r"NOT NULL constraint failed: ticks\.price"):
            market.write_each([part_of(build.ticks(5), ()), broken])

        assert rows(database, "count(*)", "1") == [(0,)]
        assert market.recorded("recording") == 0
        assert market.write(build.ticks(5)).ticks == 5


class TestAMarketFileThatIsNotWhatItWas:
    """Its own files open without a word; the witness beside them tells."""

    def test_is_known_when_its_log_was_deleted(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write(build.ticks(5))
            database.checkpoint()
            MarketStore(database).write(build.ticks(9))
            crashed = copy_of(path, "crashed")
        crashed.with_name("natya-market.duckdb.wal").unlink()

        with DuckDBAdapter(crashed, max_connections=3) as database:
            assert "was at 9 once, and is at 5" in database.witness.loss
            assert any("is at 5" in problem for problem in check(database))
        with DuckDBAdapter(crashed, max_connections=3) as database:
            assert database.witness.loss == ""
            assert any("is at 5" in problem for problem in check(database))

    def test_is_known_when_an_older_one_lies_in_its_place(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write([], [build.candle()])
        old = (path.with_name("natya-market.duckdb")).read_bytes()
        with DuckDBAdapter(path, max_connections=3) as database:
            assert database.witness.loss == ""
            MarketStore(database).write([], [build.candle(close=2.0)])
        path.with_name("natya-market.duckdb").write_bytes(old)

        with DuckDBAdapter(path, max_connections=3) as database:
            assert "was at 2 once, and is at 1" in database.witness.loss

    def test_is_known_when_it_was_deleted(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write(build.ticks(5))
        path.with_name("natya-market.duckdb").unlink()

        with DuckDBAdapter(path, max_connections=3) as database:
            assert "another file" in database.witness.loss

    def test_is_put_aside_with_its_witness_where_it_is_damaged_and_the_new_one_has_lost_nothing(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write(build.ticks(5))
        path.with_name("natya-market.duckdb").write_bytes(b"damage" * 1_000)
        settings = DatabaseSettings.default(path=str(path), max_connections=3, memory_limit_mb=96, threads=1)
        opened = open_database(settings, 1)
        with opened.database as database:
            problems = check(database)

        (aside,) = opened.put_aside
        assert (opened.market_loss, problems) == ("", ())
        assert is_witness(Path(f"{aside}.witness"))

    def test_is_not_suspected_after_a_crash(self, path, build):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write(build.ticks(5))
            behind = copy_of(path, "behind")
            MarketStore(database).write(build.ticks(9))
            crashed = copy_of(path, "crashed")
        witness = "natya-market.duckdb.witness"
        crashed.with_name(witness).write_bytes(behind.with_name(witness).read_bytes())

        with DuckDBAdapter(crashed, max_connections=3) as database:
            assert database.witness.loss == ""
            assert MarketStore(database).recorded("recording") == 9

    @pytest.mark.parametrize("content", [b"", b"\xff" * 200, b"half a li", b"x 12 00000000\n"])
    def test_is_not_suspected_because_of_a_torn_witness(self, path, build, content):
        with DuckDBAdapter(path, max_connections=3) as database:
            MarketStore(database).write(build.ticks(5))
        path.with_name("natya-market.duckdb.witness").write_bytes(content)

        with DuckDBAdapter(path, max_connections=3) as database:
            assert database.witness.loss == ""


def copy_of(path, name):
    """Copy what a crash at this moment would leave."""
    folder = path.parent / name
    folder.mkdir()
    for file in path.parent.glob("natya*"):
        shutil.copy(file, folder)
    return folder / path.name


class TestWhatComesFromOutside:
    def test_never_hides_what_the_market_says_in_the_same_name(self, market, database, build):
        market.write([build.tick(1)])
        market.write([build.tick(10**9)], all_or_none=True, from_outside=True)
        written = market.write(build.ticks(3))

        assert (written.ticks, written.duplicates) == (2, 1)
        assert rows(database, "source, sequence", order="all") == [
            ("recording", 1),
            ("recording", 2),
            ("recording", 3),
            ("saved:recording", 10**9),
        ]

    def test_is_written_once_whatever_it_calls_itself(self, market, database, build):
        for source in ("file", "saved:file", "file"):
            market.write(build.ticks(3, source=source), from_outside=True)

        assert rows(database, "source, sequence") == [("saved:file", 1), ("saved:file", 2), ("saved:file", 3)]

    def test_counts_candles_that_were_not_there_just_so(self, market, build):
        candles = [build.candle(start) for start in (0, 60, 120)]
        first = market.write((), candles, from_outside=True)
        again = market.write((), candles, from_outside=True)
        changed = market.write((), [*candles[:2], build.candle(120, volume=99)], from_outside=True)

        assert (first.candles, again.candles, changed.candles) == (3, 0, 1)

    def test_replaces_a_candle_that_was_another(self, market, database, build):
        market.write((), [build.candle(0, close=1.5)], from_outside=True)
        market.write((), [build.candle(0, close=1.75)], from_outside=True)

        assert database.query("select close from candles").rows == ((1.75,),)
