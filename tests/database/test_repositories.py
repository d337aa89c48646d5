"""Repositories: what goes in comes out, awaited or read."""

import asyncio
import datetime as dt
import itertools
import threading
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_examples import QUARTER
from natya_market import emptied

from natya.actors.database import DatabaseActor, DuckDBAdapter, MarketDataRepositoryImpl
from natya.actors.database.repositories.books import (
    EventRepository,
    FillRepository,
    OrderRepository,
    PositionRepository,
)
from natya.actors.database.repositories.market_data import Gap
from natya.actors.database.tables.moments import end_ns, interval_ns, last_ns, start_ns
from natya.actors.database.tables.tick_rows import PLAIN_COLUMNS
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.runtime import InProcessSystem
from natya.config.sections.database import DatabaseSettings
from natya.domain.calendar import session
from natya.domain.candle_making import CandleMaker
from natya.domain.time import DAY_NS, IST, SECOND_NS
from natya.messages.accounts import AccountEntered
from natya.messages.journal import JournalPage

pytestmark = pytest.mark.usefixtures("engines")

MINUTE_NS = 60_000_000_000
NINE_FIFTEEN = dt.datetime(2026, 1, 2, 9, 15, tzinfo=IST)
OPENING_NS = start_ns(NINE_FIFTEEN)


def seconds_later(build, *offsets, **fields):
    return [build.tick(n, exchange_ns=OPENING_NS + s * 10**9, **fields) for n, s in enumerate(offsets, start=1)]


class TestTicksThatWereSaved:
    def test_come_out_as_they_went_in(self, market, build):
        ticks = (
            build.tick(1, received_ns=5, volume=7),
            build.tick(2, depth=build.depth(), day=build.day(open_interest=3)),
            build.tick(3, depth=build.depth(20)),
            build.tick(4, depth=build.depth(2, ask_prices=(101.0,), ask_quantities=(1,), ask_orders=())),
        )

        assert market.save_ticks(ticks).data == 4
        assert market.find().data == ticks
        assert market.get("recording", 3).data == ticks[2]
        assert market.get("recording", 9).data is None
        assert market.count(symbol="NIFTY").data == 4

    @settings(max_examples=QUARTER)
    @given(
        levels=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=5),
        days=st.lists(st.booleans(), min_size=5, max_size=5),
    )
    def test_come_out_whatever_the_book_was(self, memory, build, levels, days):
        ticks = tuple(
            build.tick(
                number,
                depth=build.depth(
                    bid_prices=(1.5,) * bids,
                    bid_quantities=(2,) * bids,
                    bid_orders=(3,) * bids,
                    ask_prices=(4.5,) * asks,
                    ask_quantities=(5,) * asks,
                    ask_orders=(),
                )
                if bids + asks
                else None,
                day=build.day() if with_day else None,
            )
            for number, ((bids, asks), with_day) in enumerate(zip(levels, days, strict=False), start=1)
        )
        with emptied(memory) as market:
            market.save_ticks(ticks).result()

            assert market.find().data == ticks

    def test_come_out_where_every_book_is_whole(self, market, build):
        ticks = tuple(build.tick(n, depth=build.depth(), day=build.day(open_interest=n)) for n in range(1, 8))
        market.save_ticks(ticks).result()

        assert market.find_by_symbol_and_date_range("NIFTY", 0, 2**62).data == ticks

    def test_come_out_where_every_book_is_whole_and_one_deeper(self, market, build):
        ticks = tuple(build.tick(n, depth=build.depth(20 if n == 3 else 5)) for n in range(1, 8))
        market.save_ticks(ticks).result()

        assert market.find_by_symbol_and_date_range("NIFTY", 0, 2**62).data == ticks

    def test_are_saved_once(self, market, build):
        assert market.save(build.tick(1)).data == 1
        assert market.save(build.tick(1)).data == 0
        assert market.count().data == 1

    def test_can_be_awaited(self, build):
        async def story():
            repository = MarketDataRepositoryImpl(":memory:")
            await repository.save_many(build.ticks(3))
            return await repository.find_by_symbol_and_date_range("NIFTY", dt.date(2025, 1, 1), dt.date(2026, 1, 1))

        result = asyncio.run(story())

        assert result.success
        assert result.error is None
        assert len(result.data) == 3

    def test_can_be_deleted_by_key(self, market, build):
        market.save_many(build.ticks(2)).result()

        assert market.delete("recording", 1).data == 1
        assert market.delete("recording", 1).data == 0
        assert [tick.sequence for tick in market.find().data] == [2]

    def test_are_columns_on_request(self, market, build):
        market.save_many(build.ticks(2)).result()
        columns = market.find().result().columns()

        assert columns["sequence"].tolist() == [1, 2]
        assert columns["symbol"].tolist() == ["NIFTY", "NIFTY"]

    def test_are_columns_with_their_books_and_without_a_message(self, market, build, monkeypatch):
        market.save_many([build.tick(1), build.tick(2, depth=build.depth(2), day=build.day())]).result()
        monkeypatch.setattr(
            "natya.actors.database.repositories.market_data.ticks_of", lambda _columns: pytest.fail("was built")
        )
        frame = market.find_by_symbol_and_date_range("NIFTY", 0, 2**62).df()

        assert frame["sequence"].tolist() == [1, 2]
        assert frame["bid_price_2"].tolist()[1] == 99.0
        assert frame["ask_quantity_1"].isna().tolist() == [True, False]
        assert frame["open_price"].tolist()[1] == 1.0

    def test_have_no_columns_of_books_where_there_is_none(self, market, build):
        market.save(build.tick()).result()

        assert set(market.find_by_symbol_and_date_range("NIFTY", 0, 2**62).columns()) == set(PLAIN_COLUMNS)

    def test_have_the_columns_that_the_range_has_whatever_was_asked_before(self, market, build):
        with_book = build.tick(1, depth=build.depth())
        market.save_ticks([with_book, build.tick(2, exchange_ns=with_book.exchange_ns + DAY_NS)]).result()
        ranges = ((0, with_book.exchange_ns + 1), (with_book.exchange_ns + 1, 2**62))
        for (begin, end), has_books in (*zip(ranges, (True, False), strict=True),) * 2:
            columns = market.find_by_symbol_and_date_range("NIFTY", begin, end).columns()

            assert ("bid_price_1" in columns) == has_books

    def test_come_with_a_book_that_was_written_while_they_were_looked_for(self, market, build, monkeypatch):
        """Books are asked for first, since there was one a day before; none is there, and then one is."""
        ticks = (build.tick(2), build.tick(3, depth=build.depth(), day=build.day()))
        market.save_ticks([build.tick(1, depth=build.depth(), exchange_ns=ticks[0].exchange_ns - DAY_NS), ticks[0]])
        assert market.find_by_symbol_and_date_range("NIFTY", 0, ticks[0].exchange_ns).data[0].depth == build.depth()
        query = market._store.query

        def query_and_write(sql, parameters, tables):
            monkeypatch.setattr(market._store, "query", query)
            found = query(sql, parameters, tables)
            market._store.save(ticks[1:], ())
            return found

        monkeypatch.setattr(market._store, "query", query_and_write)

        assert market.find_by_symbol_and_date_range("NIFTY", ticks[0].exchange_ns, 2**62).data == ticks

    def test_that_fit_into_no_row_keep_all_out(self, market, build):
        result = market.save_many([build.tick(1), build.tick(2, price=float("nan"))])

        assert not result.success
        assert "Unstorable" in result.error
        assert market.count().data == 0


class TestATransaction:
    def test_saves_at_its_end(self, market, build):
        with market.transaction() as gathered:
            gathered.extend(build.ticks(2))

            assert market.count().data == 0
        assert market.count().data == 2

    def test_that_raises_saves_nothing(self, market, build):
        with pytest.raises(ZeroDivisionError), market.transaction() as gathered:  # noqa: PT012  the block is what is tested
            gathered.extend(build.ticks(2))
            raise ZeroDivisionError

        assert market.count().data == 0

    def test_that_is_awaited_saves_at_its_end_and_nothing_if_it_raises(self, market, build):
        async def save(*ticks, fault=None):
            async with market.transaction() as gathered:
                gathered.extend(ticks)
                if fault is not None:
                    raise fault

        with pytest.raises(ZeroDivisionError):
            asyncio.run(save(*build.ticks(2), fault=ZeroDivisionError()))
        assert market.count().data == 0
        asyncio.run(save(*build.ticks(2)))
        assert market.count().data == 2


class TestARange:
    def test_has_its_first_moment_and_not_its_second(self, market, build):
        market.save_many(seconds_later(build, 0, 1, 2)).result()
        found = market.find_by_symbol_and_date_range("NIFTY", OPENING_NS, OPENING_NS + 2 * 10**9).data

        assert [tick.sequence for tick in found] == [1, 2]

    @pytest.mark.parametrize("day", [dt.date(2026, 1, 2), "2026-01-02"])
    def test_of_one_day_has_all_of_it(self, market, build, day):
        market.save_many(seconds_later(build, -9.25 * 3600 - 1, 0, 14.74 * 3600, 14.75 * 3600)).result()
        found = market.find_by_symbol_and_date_range("NIFTY", day, day).data

        assert [tick.sequence for tick in found] == [2, 3]

    def test_of_another_symbol_is_empty(self, market, build):
        market.save(build.tick()).result()

        assert market.find_by_symbol_and_date_range("TCS", 0, 2**62).data == ()

    def test_that_nobody_understands_is_an_error(self, market):
        result = market.find_by_symbol_and_date_range("NIFTY", "yesterday", "today")

        assert not result.success
        assert result.error.startswith("ValueError")


class TestTheNewestTick:
    def test_is_the_latest(self, market, build):
        market.save_many(seconds_later(build, 0, 5, 3)).result()

        assert market.latest("NIFTY").data.sequence == 2
        assert market.latest("TCS").data is None

    def test_as_of_a_moment_is_the_one_before_it(self, market, build):
        market.save_many(seconds_later(build, 0, 5, 3)).result()

        assert market.as_of("NIFTY", NINE_FIFTEEN + dt.timedelta(seconds=4)).data.sequence == 3
        assert market.as_of("NIFTY", OPENING_NS - 1).data is None

    def test_as_of_a_day_is_its_last(self, market, build):
        midnight_ns = end_ns(NINE_FIFTEEN.date())
        market.save_many([build.tick(n, exchange_ns=midnight_ns + n - 3) for n in (1, 2, 3)]).result()

        assert market.as_of("NIFTY", "2026-01-02").data.sequence == 2


class TestGaps:
    def test_are_stretches_without_a_tick(self, market, build):
        market.save_many(seconds_later(build, 0, 10, 100, 161)).result()

        assert market.gaps("NIFTY", "2026-01-02", longer_than_s=60).data == (
            Gap(start_ns=OPENING_NS + 10 * 10**9, end_ns=OPENING_NS + 100 * 10**9),
            Gap(start_ns=OPENING_NS + 100 * 10**9, end_ns=OPENING_NS + 161 * 10**9),
        )


class TestCandles:
    def test_are_made_of_ticks_where_none_are_stored(self, market, build):
        prices = (10.0, 12.0, 9.0, 11.0)
        market.save_many(
            [
                build.tick(n, exchange_ns=OPENING_NS + n * 25 * 10**9, price=price, quantity=5)
                for n, price in enumerate(prices)
                if n
            ]
        ).result()
        candles = market.candles("NIFTY", "1m", "2026-01-02", "2026-01-02").data

        assert [(c.start_ns, c.open, c.high, c.low, c.close, c.volume) for c in candles] == [
            (OPENING_NS, 12.0, 12.0, 9.0, 9.0, 10),
            (OPENING_NS + MINUTE_NS, 11.0, 11.0, 11.0, 11.0, 5),
        ]

    def test_count_the_volume_of_the_day_where_ticks_tell_it(self, market, build):
        volumes = (1000, 1010, 1050)
        market.save_many(
            [
                build.tick(n, exchange_ns=OPENING_NS + n, quantity=5, volume=volume)
                for n, volume in enumerate(volumes, start=1)
            ]
        ).result()

        assert [candle.volume for candle in market.candles("NIFTY", "1d", 0, 2**62).data] == [55]

    def test_are_made_of_stored_candles_where_there_are_some(self, market, build):
        market.save_candles(
            [build.candle(OPENING_NS + n * MINUTE_NS, open=n, high=n + 2, low=n - 1, close=n + 1) for n in range(7)]
        ).result()
        candles = market.candles(
            "RELIANCE", dt.timedelta(minutes=5), NINE_FIFTEEN, NINE_FIFTEEN + dt.timedelta(hours=1)
        )

        assert [(c.start_ns, c.open, c.high, c.low, c.close, c.volume) for c in candles.data] == [
            (OPENING_NS, 0.0, 6.0, -1.0, 5.0, 500),
            (OPENING_NS + 5 * MINUTE_NS, 5.0, 8.0, 4.0, 7.0, 200),
        ]

    @settings(max_examples=QUARTER)
    @given(
        trades=st.lists(
            st.tuples(st.integers(0, 4_000), st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=30
        ),
        day=st.sampled_from([dt.date(2025, 12, 29), dt.date(2025, 10, 21), dt.date(2024, 11, 1)]),
        length=st.sampled_from([SECOND_NS * 7, MINUTE_NS, 3 * MINUTE_NS, 60 * MINUTE_NS, DAY_NS]),
        tells_volume=st.booleans(),
    )
    def test_are_those_that_are_made_of_the_ticks_as_they_come(  # noqa: PLR0913, PLR0917  hypothesis
        self, memory, build, trades, day, length, tells_volume
    ):
        """Also on a day with a session in the evening alone, from whose opening they are counted."""
        opening_ns, ticks, volume = session(day).open_ns, [], 0
        for second, price, shares in sorted(trades):
            volume += shares
            told = {"quantity": 1 if tells_volume and ticks else shares, "volume": volume if tells_volume else 0}
            ticks.append(
                build.tick(len(ticks) + 1, exchange_ns=opening_ns + second * SECOND_NS, price=float(price), **told)
            )
        maker = CandleMaker()
        growing = maker.of("NIFTY", {length: 0})
        made = [candle for tick in ticks for candle in growing.add(tick)] + maker.close_until(2**62)
        with emptied(memory) as market:
            market.save_many(ticks).result()
            stored = market.candles("NIFTY", length, 0, 2**62).data

        assert [replace(each, source="") for each in stored] == [replace(each, source="") for each in made]

    @settings(max_examples=QUARTER)
    @given(
        ticks=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 50)), min_size=1, max_size=30),
        minutes=st.sampled_from([1, 2, 5]),
    )
    def test_agree_with_a_reading_by_hand(self, memory, build, ticks, minutes):
        messages = [
            build.tick(n, exchange_ns=OPENING_NS + s * 10**9, price=float(p), quantity=p)
            for n, (s, p) in enumerate(ticks, start=1)
        ]
        length = minutes * MINUTE_NS
        expected = []
        in_time = sorted(messages, key=lambda tick: (tick.exchange_ns, tick.sequence))
        for start, group in itertools.groupby(in_time, key=lambda tick: (tick.exchange_ns - OPENING_NS) // length):
            prices = [tick.price for tick in group]
            expected.append(
                (OPENING_NS + start * length, prices[0], max(prices), min(prices), prices[-1], sum(map(int, prices)))
            )
        with emptied(memory) as market:
            market.save_many(messages).result()
            candles = market.candles("NIFTY", length, OPENING_NS, OPENING_NS + 3600 * 10**9).data

        if 15 % minutes == 0:
            assert [(c.start_ns, c.open, c.high, c.low, c.close, c.volume) for c in candles] == expected
        assert sum(candle.volume for candle in candles) == sum(tick.quantity for tick in messages)


class TestSymbols:
    def test_are_those_of_ticks_and_candles(self, market, build):
        market.save(build.tick()).result()
        market.save_candles([build.candle()]).result()

        assert market.symbols().data == ("NIFTY", "RELIANCE")


class TestColumnsThatAreNotKnown:
    @pytest.mark.parametrize("name", ["nowhere", "1=1; drop table ticks; --", "symbol = symbol or symbol"])
    def test_are_refused(self, market, name):
        result = market.find(**{name: 1})

        assert not result.success
        assert "QueryRefused" in result.error

    def test_include_half_a_key(self, market):
        assert "QueryRefused" in market.get("recording").error
        assert "QueryRefused" in market.delete("recording").error


class TestTheReadModel:
    @pytest.fixture
    def projected(self, build):
        with DuckDBAdapter(max_connections=3) as database:
            ReadModel(database).apply(
                build.records(
                    build.intended(),
                    build.filled(),
                    build.intended("A-2", side="SELL", limit_price=1500.05, order_type="LIMIT"),
                    build.filled("A-2", side="SELL", quantity=50, price=1500.05, cumulative_quantity=50),
                )
            )
            yield database

    def test_gives_orders_exactly(self, projected):
        with OrderRepository(projected) as orders:
            (first, second) = orders.find().data

            assert (first.state, first.filled_value) == ("FILLED", Decimal("111753.750000"))
            assert (second.state, second.limit_price) == ("PART_FILLED", 1500.05)
            assert orders.find(state="FILLED").data == (first,)
            assert orders.get("A-2").data == second

    def test_gives_fills_and_facts(self, projected):
        with FillRepository(projected) as fills, EventRepository(projected) as events:
            assert [fill.client_order_id for fill in fills.find(symbol="NIFTY").data] == ["A-1", "A-2"]
            assert events.get(4).data.fact_type == "OrderFilled"
            assert events.count().data == 4

    def test_gives_positions_by_average_cost(self, projected):
        with PositionRepository(projected) as positions:
            (position,) = positions.find().data

            assert position.quantity == 25
            assert position.average_price == Decimal("1490.0500")
            assert position.realized_pnl == Decimal("500.00")
            assert positions.count().data == 1

    def test_has_the_positions_of_the_account_that_was_entered_last_unless_another_is_asked_for(self, database, build):
        first = [build.intended(), build.filled(quantity=75), build.intended("A-2", symbol="INFY")]
        second = [build.intended("A-3"), build.filled("A-3", quantity=10)]
        late = build.filled("A-2", symbol="INFY", quantity=5)  # the trade of an order of the first
        entered = AccountEntered(account=3, choice="new", occurred_ns=4)
        ReadModel(database).apply(build.records(*first, entered, *second, late))
        with PositionRepository(database) as positions:
            held = [
                [(each.symbol, each.quantity) for each in positions.find(**asked).data]
                for asked in ({}, {"account": 3}, {"account": 0}, {"strategy": "crossover"}, {"strategy": "another"})
            ]
            counts = positions.count().data, positions.count(account=0).data

        newest, of_sessions = [("NIFTY", 10)], [("INFY", 5), ("NIFTY", 75)]
        assert (held, counts) == ([newest, newest, of_sessions, newest, []], (1, 2))

    def test_is_written_by_nobody(self, projected, build):
        with OrderRepository(projected) as orders:
            assert "projected from the journal" in orders.save(build.intended()).error
            assert "projected from the journal" in orders.delete("A-1").error


class TestARepositoryOfARunningSystem:
    def test_asks_the_database_actor(self, path, build):
        settings = DatabaseSettings.default(
            path=str(path), max_connections=4, memory_limit_mb=96, threads=2, batch_rows_max=100, batch_wait_s=0.02
        )
        ticks = (build.tick(1, depth=build.depth()), build.tick(2, depth=build.depth(20), day=build.day()))
        with InProcessSystem() as system:
            journal = system.probe("journal")
            system.start("database", DatabaseActor, settings)
            journal.receive()
            system.tell(journal.sender, JournalPage(records=(), last_sequence=0))
            with MarketDataRepositoryImpl(system) as market:
                assert market.save_ticks(ticks).data == 2
                assert market.save_ticks(ticks).data == 0
                assert market.find().data == tuple(replace(tick, source="saved:recording") for tick in ticks)
                assert not market.save(build.tick(3, price=float("nan"))).success
                assert "a running system deletes nothing" in market.delete("recording", 1).error
                assert market.latest("TCS").data is None


class TestMoments:
    @pytest.mark.parametrize(
        ("moment", "start", "end"),
        [
            (7, 7, 7),
            (dt.date(1970, 1, 2), 66_600 * 10**9, 153_000 * 10**9),
            ("1970-01-02", 66_600 * 10**9, 153_000 * 10**9),
            ("1970-01-01T05:30:00", 0, 0),
            ("1970-01-01T00:00:01+00:00", 10**9, 10**9),
            (dt.datetime(1970, 1, 1, 5, 30, 0, 1), 1000, 1000),  # noqa: DTZ001  without an offset: the exchange's clock
            (dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), 10**9, 10**9),
            ("1970-01-01T00:00:01Z", 10**9, 10**9),
            (pd.Timestamp("1970-01-01 05:30:00.000000007"), 7, 7),
            (pd.Timestamp(7, tz="UTC"), 7, 7),
            (pd.Timestamp(7, tz="UTC").tz_convert("America/New_York"), 7, 7),
            (np.datetime64("1970-01-01T05:30:00.000000007"), 7, 7),
            (np.datetime64("1970-01-02"), 66_600 * 10**9, 153_000 * 10**9),
            (np.int64(7), 7, 7),
            (dt.date.max, 2**63 - 1, 2**63 - 1),
        ],
    )
    def test_are_nanoseconds(self, moment, start, end):
        assert (start_ns(moment), end_ns(moment)) == (start, end)

    def test_of_a_day_end_with_its_last_nanosecond(self):
        assert last_ns("1970-01-02") == end_ns("1970-01-02") - 1
        assert last_ns(7) == 7

    @pytest.mark.parametrize(
        "moment", [None, 1.5, "", "today", "2026-01", pd.NaT, np.datetime64("NaT", "ns"), dt.time(9), b"2026-01-01", []]
    )
    def test_refuse_what_is_none(self, moment):
        with pytest.raises(ValueError, match=r".+"):
            start_ns(moment)

    @given(st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2200, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001  the offset comes next
    def test_are_the_same_moment_in_whatever_offset(self, moment, hours):
        aware = moment.replace(tzinfo=dt.UTC)
        there = aware.astimezone(dt.timezone(dt.timedelta(hours=hours)))

        assert start_ns(there) == start_ns(there.isoformat()) == start_ns(pd.Timestamp(there)) == start_ns(aware)

    @pytest.mark.parametrize(
        ("interval", "length"),
        [(pd.Timedelta("1min"), 60 * 10**9), ("30s", 30 * 10**9), ("1d", 86_400 * 10**9), (5, 5)],
    )
    def test_have_intervals(self, interval, length):
        assert interval_ns(interval) == length

    @pytest.mark.parametrize("interval", ["", "m", "5x", "-1m", 0, "0s", dt.timedelta(0), None])
    def test_refuse_what_is_no_interval(self, interval):
        with pytest.raises(ValueError, match="interval"):
            interval_ns(interval)


class TestWhoeverStopsWaiting:
    def test_stops_alone_and_without_a_word(self, market, caplog):
        """Two wait for one answer, and the first gives up before the database has it."""
        release = threading.Event()

        async def story():
            answer = market._answer(lambda: release.wait(60))
            second = asyncio.ensure_future(wait_for(answer))
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(answer, 0.01)
            release.set()
            return await second, await answer

        async def wait_for(answer):
            return await answer

        with caplog.at_level("DEBUG"):
            answers = asyncio.run(story())

        assert [each.data for each in answers] == [True, True]
        assert "InvalidStateError" not in caplog.text

    def test_at_the_end_of_a_transaction_takes_nothing_back(self, market, build):
        release = threading.Event()

        async def story():
            async with market.transaction() as ticks:
                ticks.append(build.tick(1))
                market._begin(lambda: release.wait(60), writes=True)

        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(story(), 0.05))
        release.set()

        assert market.count().data == 1


class TestARepositoryOfAUser:
    @pytest.mark.parametrize(
        "names",
        [{"table": "orders; drop table orders"}, {"key": ("client_order_id", "a b")}, {"order": ("sequence desc",)}],
        ids=["table", "key", "order"],
    )
    def test_names_tables_and_columns_by_identifiers_alone(self, database, names):
        """They stand in SQL as they are."""
        with pytest.raises(TypeError, match="Theirs must name tables and columns, found '"):
            type("Theirs", (OrderRepository,), names)(database)
