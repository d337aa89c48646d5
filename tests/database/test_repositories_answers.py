"""Ranges, the newest tick, gaps and symbols, against a reading of the same ticks in plain Python."""

import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import QUARTER
from natya_market import emptied

from natya.actors.database import DatabaseActor, EventRepository, MarketDataRepositoryImpl
from natya.actors.database.errors import DatabaseMissing
from natya.actors.database.repositories.market_data import Gap
from natya.actors.database.tables.moments import end_ns, start_ns
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import Query, QueryFailed
from natya.messages.journal import JournalPage

pytestmark = pytest.mark.usefixtures("engines")

SECOND_NS = 10**9
DAY = "2026-01-02"
SYMBOLS = ("INFY", "TCS")
SECONDS = st.integers(-3 * 3600, 27 * 3600)
"""From midnight of the day on: some of them lie in the days beside it."""

SAVED = "saved:recording"


class TestWhatARepositoryAnswers:
    @settings(max_examples=QUARTER)
    @given(
        rows=st.lists(st.tuples(SECONDS, st.sampled_from(SYMBOLS), st.booleans(), st.booleans()), max_size=25),
        ends=st.tuples(SECONDS, SECONDS),
        longer_than_s=st.sampled_from([0.5, 60, 3600]),
    )
    def test_is_what_a_reading_by_hand_finds(self, memory, build, rows, ends, longer_than_s):
        ticks = [
            build.tick(
                n,
                symbol=symbol,
                exchange_ns=start_ns(DAY) + second * SECOND_NS,
                depth=build.depth(n % 7 + 1) if has_book else None,
                day=build.day() if has_day else None,
            )
            for n, (second, symbol, has_book, has_day) in enumerate(rows, start=1)
        ]
        start, end = (start_ns(DAY) + second * SECOND_NS for second in ends)
        with emptied(memory) as market:
            market.save_ticks(ticks).result()

            assert market.symbols().data == tuple(sorted({tick.symbol for tick in ticks}))
            for symbol in SYMBOLS:
                own = [tick for tick in ticks if tick.symbol == symbol]
                own.sort(key=lambda tick: (tick.exchange_ns, tick.sequence))
                of_day = [tick.exchange_ns for tick in own if start_ns(DAY) <= tick.exchange_ns < end_ns(DAY)]
                pairs = itertools.pairwise(of_day)
                gaps = [Gap(start_ns=one, end_ns=two) for one, two in pairs if two - one > longer_than_s * 1e9]
                before = [tick for tick in own if tick.exchange_ns <= start]

                found = market.find_by_symbol_and_date_range(symbol, start, end).data
                assert found == tuple(tick for tick in own if start <= tick.exchange_ns < end)
                assert market.latest(symbol).data == (own[-1] if own else None)
                assert market.as_of(symbol, start).data == (before[-1] if before else None)
                assert market.gaps(symbol, DAY, longer_than_s=longer_than_s).data == tuple(gaps)

    def test_says_at_a_prompt_how_it_is_read(self, memory):
        with MarketDataRepositoryImpl(memory) as market:
            assert "await it, or read its .success, .data" in repr(market.symbols())


class TestWhatIsAskedOfARepository:
    def test_is_answered_beside_a_reading_that_lasts_and_after_a_write_that_does(self, memory):
        until = threading.Event()
        with MarketDataRepositoryImpl(memory) as market:
            slow, slow_too = market._begin(until.wait), market._answer(until.wait)
            try:
                assert market._begin(lambda: 1).result(timeout=60) == 1
                writing = market._answer(until.wait, writes=True)
                after = market._begin(lambda: 2)
                assert not after.done()
            finally:
                until.set()
            assert (slow.result(timeout=60), slow_too.data, writing.data, after.result(timeout=60)) == (
                True,
                True,
                True,
                2,
            )


class TestAFileThatIsNotThere:
    @pytest.mark.parametrize("kind", [MarketDataRepositoryImpl, EventRepository])
    def test_is_made_only_if_that_is_asked_for(self, tmp_path, kind):
        path = tmp_path / "new.duckdb"
        with pytest.raises(DatabaseMissing):
            kind(path)
        assert not path.exists()
        with kind(path, create=True) as repository:
            assert repository.find().data == ()


class TestARunningSystem:
    @pytest.fixture
    def system(self, path):
        settings = DatabaseSettings.default(
            path=str(path), max_connections=4, memory_limit_mb=96, threads=2, batch_rows_max=100, batch_wait_s=0.02
        )
        with InProcessSystem() as system:
            journal = system.probe("journal")
            system.start("database", DatabaseActor, settings)
            journal.receive()
            system.tell(journal.sender, JournalPage(records=(), last_sequence=0))
            yield system

    def test_answers_as_the_files_do(self, system, memory, build):
        ticks = [
            # A system gives what others save a source of its own; this one has such a name already.
            build.tick(
                n, source=SAVED, exchange_ns=start_ns(DAY) + n * SECOND_NS, depth=build.depth(n) if n % 2 else None
            )
            for n in range(1, 8)
        ]
        candles = [build.candle(start_ns(DAY), symbol="NIFTY")]
        asked = (
            lambda market: market.find(),
            lambda market: market.get(SAVED, 3),
            lambda market: market.find_by_symbol_and_date_range("NIFTY", DAY, DAY),
            lambda market: market.candles("NIFTY", "1m", DAY, DAY),
            lambda market: market.gaps("NIFTY", DAY, longer_than_s=0.5),
            lambda market: market.as_of("NIFTY", DAY),
        )
        with emptied(memory) as files, MarketDataRepositoryImpl(system) as market:
            for repository in (files, market):
                assert repository.save_ticks(ticks).data == 7
                assert repository.save_candles(candles).data == 1
            for ask in asked:
                assert ask(market).data == ask(files).data
                assert ask(market).polars().to_dicts() == ask(files).polars().to_dicts()
            assert market.symbols().data == files.symbols().data == ("NIFTY",)
            assert market.count().data == files.count().data == 7

    def test_that_refuses_is_a_failure_with_its_reason(self):
        class Refusing(RuntimeActor):
            @handles(Query)
            def refuse(self, query, sender):
                self.send(sender, QueryFailed(error="PoolExhausted", reason="all are busy"))

        with InProcessSystem() as system:
            system.start("database", Refusing)
            with MarketDataRepositoryImpl(system) as market:
                result = market.latest("TCS").result()

        assert not result.success
        assert "all are busy" in result.error

    def test_that_has_no_database_is_a_failure_with_its_reason(self):
        with InProcessSystem() as system, MarketDataRepositoryImpl(system) as market:
            result = market.latest("TCS").result()

        assert not result.success
        assert "database" in result.error
