"""What waits to be written and what is on its way, decided without a file: batches of the market, the journal."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from natya.actors.database.errors import WritesRefused
from natya.actors.database.writing import gathering as of_the_market
from natya.actors.database.writing.gathering import Gathering
from natya.actors.database.writing.journal_cursor import RECORDS_WAITING_MAX, JournalCursor
from natya.messages.database import SaveMarketData
from natya.messages.journal import JournalRecord
from natya.messages.orders import OrderCancelled

OPERATIONS = st.lists(st.sampled_from(["tick", "ticks", "candle", "save", "take", "end", "fail"]), max_size=60)


def records(*sequences):
    fact = OrderCancelled(client_order_id="A-1", reason="", occurred_ns=1)
    return [JournalRecord(sequence=number, recorded_ns=number, correlation_id="", fact=fact) for number in sequences]


def sequences(some):
    return [record.sequence for record in some]


class TestBatches:
    @given(OPERATIONS)
    def test_go_one_at_a_time_and_each_row_once_in_order(self, build, operations):
        gathering, heard, done, on_its_way = Gathering(5), [], [], None
        for number, operation in enumerate(operations, start=1):
            match operation:
                case "tick":
                    assert gathering.add_tick(build.tick(number))
                    heard.append(number)
                case "ticks":
                    assert gathering.add_ticks((build.tick(number),))
                    heard.append(number)
                case "candle":
                    assert gathering.add_candle(build.candle(number))
                    heard.append(number)
                case "save":
                    gathering.add_save(SaveMarketData(ticks=(build.tick(number),)), number)
                    heard.append(number)
                case "take":
                    batch = gathering.take()
                    assert on_its_way is None or batch is None
                    on_its_way = on_its_way or batch
                case "end" if on_its_way is not None:
                    done += rows_of(on_its_way)
                    gathering.ended()
                    on_its_way = None
                case "fail" if on_its_way is not None:
                    gathering.ended(failed=on_its_way)
                    assert gathering.take() is on_its_way  # alone, before all that came after it
            assert gathering.on_its_way is (on_its_way is not None)
            assert gathering.is_idle is (len(done) == len(heard))
        while (batch := on_its_way or gathering.take()) is not None:
            done += rows_of(batch)
            gathering.ended()
            on_its_way = None

        assert sorted(done) == heard
        assert gathering.is_idle

    def test_that_failed_are_due_at_once(self, build):
        gathering = Gathering(10)
        gathering.add_tick(build.tick())
        assert not gathering.is_due
        gathering.ended(failed=gathering.take())

        assert gathering.is_due
        assert not gathering.is_idle

    def test_name_whoever_waits_wherever_the_save_is(self, build):
        gathering = Gathering(10)
        gathering.add_save(SaveMarketData(ticks=(build.tick(),)), "on its way")
        gathering.take()
        gathering.add_save(SaveMarketData(ticks=(build.tick(),)), "waiting")
        assert gathering.savers == ["on its way", "waiting"]
        gathering.ended(failed=gathering._on_its_way)
        assert gathering.savers == ["on its way", "waiting"]


class TestRowsThatWait:
    @pytest.mark.parametrize("kind", ["tick", "ticks", "candle"])
    def test_are_at_most_the_limit_and_the_others_are_counted(self, build, monkeypatch, kind):
        monkeypatch.setattr(of_the_market, "ROWS_WAITING_MAX", 3)
        gathering = Gathering(10)
        add = {
            "tick": lambda number: gathering.add_tick(build.tick(number)),
            "ticks": lambda number: gathering.add_ticks((build.tick(number),)),
            "candle": lambda number: gathering.add_candle(build.candle(number)),
        }[kind]

        assert [add(number) for number in (1, 2, 3, 4, 5)] == [True, True, True, False, False]
        assert (gathering.rows, gathering.dropped) == (3, 2)
        assert rows_of(gathering.take()) == [1, 2, 3]

    def test_are_those_of_a_block_for_which_there_is_room(self, build, monkeypatch):
        monkeypatch.setattr(of_the_market, "ROWS_WAITING_MAX", 3)
        gathering = Gathering(10)
        gathering.add_tick(build.tick(1))

        assert not gathering.add_ticks(tuple(build.tick(number) for number in (2, 3, 4, 5)))
        assert gathering.dropped == 2
        assert rows_of(gathering.take()) == [1, 2, 3]

    def test_are_saved_up_to_the_limit_and_one_save_whatever_its_size(self, build, monkeypatch):
        monkeypatch.setattr(of_the_market, "ROWS_WAITING_MAX", 3)
        of_four = SaveMarketData(ticks=tuple(build.tick(number) for number in (1, 2, 3, 4)))
        of_two, of_one = SaveMarketData(ticks=(build.tick(5), build.tick(6))), SaveMarketData(ticks=(build.tick(7),))
        gathering = Gathering(10)
        gathering.add_save(of_four, "first")
        with pytest.raises(WritesRefused, match="4 rows wait to be saved, and 3 may"):
            gathering.add_save(of_one, "second")
        gathering.take()
        gathering.add_save(of_two, "third")
        gathering.add_save(of_one, "fourth")
        with pytest.raises(WritesRefused, match="3 rows wait"):
            gathering.add_save(of_one, "fifth")

        assert gathering.savers == ["first", "third", "fourth"]


def rows_of(batch):
    return [
        *(tick.sequence for tick in batch.ticks),
        *(candle.start_ns for candle in batch.candles),
        *(tick.sequence for save, _ in batch.saves for tick in save.ticks),
    ]


class TestAPageOfTheJournal:
    @pytest.mark.parametrize("projected", [0, 3, 5, 9])
    def test_is_taken_without_what_is_projected_already(self, projected):
        cursor = JournalCursor(projected)
        cursor.turn_page(records(1, 2, 3, 4, 5), 9)

        assert sequences(cursor.take()) == [number for number in range(1, 6) if number > projected]
        assert cursor.newest == 9

    def test_takes_the_place_of_what_waited(self):
        cursor = JournalCursor(0)
        cursor.hear(records(3))
        cursor.turn_page(records(1, 2, 3), 3)

        assert sequences(cursor.take()) == [1, 2, 3]

    def test_that_was_asked_for_is_waited_for(self):
        cursor = JournalCursor(0)
        cursor.hear(records(1))
        cursor.asked = True
        cursor.hear(records(2))

        assert cursor.take() == []
        assert cursor.heard == 2
        assert cursor.waiting == 1

    @pytest.mark.parametrize(("proved", "after"), [(True, 7), (False, 6)])
    def test_begins_with_the_last_projected_record_until_that_is_found(self, proved, after):
        cursor = JournalCursor(7)
        cursor.proved = proved

        assert cursor.next_page_after == after

    def test_tells_where_a_journal_begins_only_to_a_file_that_has_nothing(self):
        for projected, first in ((0, 4), (4, 1)):
            cursor = JournalCursor(projected)
            cursor.turn_page(records(4, 5), 5)
            assert cursor.first == first


class TestRecordsOnTheirWay:
    def test_let_no_others_go(self):
        cursor = JournalCursor(0)
        cursor.hear(records(1))
        assert sequences(cursor.take()) == [1]
        cursor.hear(records(2))
        assert cursor.take() == []
        assert not cursor.is_behind
        cursor.ended(1)

        assert sequences(cursor.take()) == [2]

    def test_that_failed_are_read_again_from_the_journal(self):
        cursor = JournalCursor(0)
        cursor.hear(records(1, 2))
        cursor.take()
        cursor.hear(records(3))
        cursor.ended(None)

        assert (cursor.waiting, cursor.projected, cursor.is_behind) == (0, 0, True)

    def test_with_a_gap_are_told_only_if_the_journal_has_it_too(self):
        cursor = JournalCursor(0)
        assert [cursor.gap(), cursor.gap()] == [False, True]
        cursor.ended(1)
        assert not cursor.gap()

    def test_are_bounded(self):
        cursor = JournalCursor(0)
        cursor._records = [None] * RECORDS_WAITING_MAX
        cursor.hear(records(1))

        assert (cursor.waiting, cursor.heard) == (RECORDS_WAITING_MAX, 1)
