"""The database actor in the in-process system."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from msgspec.structs import replace

from natya.actors.database import DatabaseActor, DuckDBAdapter, take
from natya.actors.database.actor import LAG_TOLD_MIN, trouble
from natya.actors.database.errors import (
    DatabaseDamaged,
    DatabaseEncrypted,
    DatabaseInvalidated,
    JournalBehind,
    WritesRefused,
)
from natya.actors.database.requests.files import NOT_YET
from natya.actors.database.requests.handler import RequestHandler
from natya.actors.database.requests.pending import QUERIES_WAITING_MAX
from natya.actors.database.requests.projector import Projector
from natya.actors.database.upkeep.copies import check
from natya.actors.database.upkeep.days import tidy
from natya.actors.database.upkeep.recovery import open_database
from natya.actors.database.writing import gathering
from natya.actors.database.writing.gathering import Gathering
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.runtime import InProcessSystem
from natya.actors.supervision import AwaitSystemStop, ChildSpec, Supervisor, SupervisorSettings
from natya.cli.exit_codes import exit_code
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.config.sections.database import DatabaseSettings
from natya.domain.time import DAY_NS
from natya.messages.database import (
    Abandon,
    MarketDataSaved,
    Query,
    QueryFailed,
    QueryToFile,
    ReadHistory,
    Rows,
    SaveMarketData,
)
from natya.messages.journal import Journaled, JournalPage, ReadJournal
from natya.messages.market import Ticks, TicksRecorded
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping
from natya.summary import StoppedInStartError
from natya.system import TradingSystem

pytestmark = pytest.mark.usefixtures("engines")

NOON_NS = 1_764_000_000_000_000_000
SLOW = "select count(*) from range(10_000_000_000) a, range(1000) b where a.range + b.range < 0"


@pytest.fixture
def settings(path):
    return DatabaseSettings.default(
        path=str(path),
        max_connections=4,
        memory_limit_mb=96,
        threads=2,
        batch_rows_max=100,
        batch_wait_s=0.02,
    )


@pytest.fixture
def system():
    with InProcessSystem() as system:
        yield system


@pytest.fixture
def feed(system):
    return system.probe("feed")


@pytest.fixture
def journal(system):
    return system.probe("journal")


@pytest.fixture
def database(system, settings, journal, feed):  # noqa: ARG001  the feed is there to hear how far we are
    system.start("database", DatabaseActor, settings)
    answer(system, journal, after=0, last=0)
    return "database"


def answer(system, journal, *records, after, last):
    """Be the journal: expect the question, and answer it."""
    assert journal.receive() == ReadJournal(after_sequence=after, records_max=10_000)
    system.tell(journal.sender, JournalPage(records=records, last_sequence=last))


def ask(system, sql, **fields):
    return system.request("database", Query(sql=sql, **fields), timeout_s=10)


def journaled(build, *facts, start=1):
    return Journaled(records=tuple(build.records(*facts, start=start)))


class TestRecordingTheMarket:
    def test_a_full_batch_is_committed_and_told_to_the_feed(self, system, database, feed, build):
        for tick in build.ticks(100):
            system.tell(database, tick)

        assert feed.receive() == TicksRecorded(source="recording", sequence=100)
        assert ask(system, "select count(*) from ticks").rows == ((100,),)

    def test_a_batch_that_does_not_fill_up_is_committed_in_time(self, system, database, feed, build):
        system.tell(database, build.tick(1))
        system.tell(database, build.candle())

        assert feed.receive() == TicksRecorded(source="recording", sequence=1)
        assert ask(system, "select count(*) from candles").rows == ((1,),)

    def test_ticks_that_come_together_are_committed_as_others_are(self, system, database, feed, build):
        ticks = build.ticks(129)
        system.tell(database, Ticks(ticks=tuple(ticks[:64])))
        system.tell(database, ticks[64])
        system.tell(database, Ticks(ticks=tuple(ticks[65:])))

        heard = feed.receive()
        while heard.sequence < 129:
            heard = feed.receive()
        assert ask(system, "select count(*), max(sequence) from ticks").rows == ((129, 129),)

    def test_what_there_is_no_room_for_is_counted_to_the_last_tick(self, system, database, build, monkeypatch, caplog):
        monkeypatch.setattr(gathering, "ROWS_WAITING_MAX", 10)
        ticks = build.ticks(64)
        system.tell(database, Ticks(ticks=tuple(ticks)))
        counts = system.stop(database)

        assert (counts.ticks, counts.dropped) == (10, 54)
        assert [record.message for record in caplog.records].count("market_data.dropped") == 1

    def test_is_counted_by_what_was_heard_and_what_was_written(self, system, database, build):
        """Saved rows are written, and were not heard of the market."""
        for message in (*build.ticks(3), build.tick(3)):
            system.tell(database, message)
        for start_ns in (0, 60 * 10**9, 60 * 10**9):
            system.tell(database, build.candle(start_ns))
        saved = SaveMarketData(ticks=tuple(build.ticks(5, source="saved")), candles=(build.candle(10**15),))
        assert system.request(database, saved, timeout_s=10) == MarketDataSaved(rows=6)
        counts = system.stop(database)

        assert (counts.ticks, counts.candles, counts.duplicates, counts.dropped) == (8, 3, 1, 0)
        assert (counts.market_ticks, counts.market_candles) == (4, 3)

    def test_a_stop_commits_what_waits(self, system, database, build):
        for tick in build.ticks(250):
            system.tell(database, tick)
        statistics = system.stop(database)

        assert statistics.ticks == 250
        assert statistics.duplicates == 0

    def test_a_recording_that_is_played_again_is_there_once(self, system, database, settings, journal, build):
        for tick in build.ticks(150):
            system.tell(database, tick)
        system.stop(database)
        system.start("again", DatabaseActor, settings)
        answer(system, journal, after=0, last=0)
        for tick in build.ticks(150):
            system.tell("again", tick)
        statistics = system.stop("again")

        assert (statistics.ticks, statistics.duplicates) == (0, 150)


class TestProjectingTheJournal:
    def test_an_order_and_its_fill_become_rows(self, system, database, build):
        system.tell(database, journaled(build, build.intended(), build.filled()))
        statistics = system.stop(database)

        assert statistics.projected_sequence == 2

    def test_facts_are_gathered_to_batches_a_commit_each(self, system, settings, build, journal, monkeypatch):
        batches, apply = [], ReadModel.apply

        def counting(model, records, *, first):
            batches.append(len(records))
            return apply(model, records, first=first)

        monkeypatch.setattr(ReadModel, "apply", counting)
        system.start("database", DatabaseActor, replace(settings, batch_rows_max=4, batch_wait_s=3_600.0))
        answer(system, journal, after=0, last=0)
        for start, fact in enumerate([build.intended(), *[build.filled()] * 4], start=1):
            system.tell("database", journaled(build, fact, start=start))

        assert system.stop("database").projected_sequence == 5
        assert batches == [4, 1]

    def test_it_catches_up_when_it_starts(self, system, settings, build, journal):
        system.start("database", DatabaseActor, settings)
        answer(system, journal, *build.records(build.intended()), after=0, last=2)
        answer(system, journal, *build.records(build.filled(), start=2), after=1, last=2)

        assert system.stop("database").projected_sequence == 2

    def test_a_gap_is_read_from_the_journal(self, system, database, build, journal):
        system.tell(database, journaled(build, build.filled(), start=2))
        answer(system, journal, *build.records(build.intended(), build.filled()), after=0, last=2)

        assert system.stop(database).projected_sequence == 2

    def test_records_that_come_while_it_reads_are_not_lost(self, system, settings, build, journal):
        system.start("database", DatabaseActor, settings)
        system.tell("database", journaled(build, build.filled(), start=2))
        answer(system, journal, *build.records(build.intended()), after=0, last=1)
        answer(system, journal, *build.records(build.filled(), start=2), after=1, last=2)

        assert system.stop("database").projected_sequence == 2

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(
        "failure",
        [
            Failed(actor="journal", message_type="ReadJournal", error="OSError", reason=""),
            Unavailable(actor="journal", reason="", retry_after_s=0.1),
        ],
        ids=["failed", "unavailable"],
    )
    def test_a_journal_that_cannot_answer_is_asked_again(self, system, settings, build, journal, failure):
        system.start("database", DatabaseActor, settings)
        journal.receive()
        system.tell(journal.sender, failure)
        answer(system, journal, *build.records(build.intended()), after=0, last=1)

        assert system.stop("database").projected_sequence == 1

    def test_a_journal_that_begins_later_is_followed_from_there(self, system, settings, build, journal):
        system.start("database", DatabaseActor, settings)
        answer(system, journal, *build.records(build.intended(), build.filled(), start=7), after=0, last=8)

        assert system.stop("database").projected_sequence == 8
        with DuckDBAdapter(settings.path, max_connections=3) as files:
            assert check(files) == ()

    def test_the_lag_is_told(self, system, database, build, journal):
        system.tell(database, journaled(build, build.filled(), start=9))
        journal.receive()
        asked = journal.sender
        statistics = system.request(database, Ping(), timeout_s=5).statistics

        system.tell(asked, JournalPage(records=(), last_sequence=0))

        assert (statistics.lag, statistics.journal_sequence, statistics.projected_sequence) == (9, 9, 0)


@pytest.mark.usefixtures("impatient")
class TestAHistory:
    def test_is_made_of_ticks_too_that_were_not_written_yet(self, system, settings, build):
        system.start("database", DatabaseActor, replace(settings, batch_wait_s=60.0, batch_rows_max=100_000))
        ticks = build.ticks(3)
        length_ns = 60 * 10**9
        end_ns = (ticks[-1].exchange_ns // length_ns + 2) * length_ns
        for tick in ticks:
            system.tell("database", tick)

        found = system.request("database", a_history(ticks[0].symbol, until_ns=end_ns), timeout_s=5)

        assert sum(candle.volume for candle in found.candles) == sum(tick.quantity for tick in ticks)
        assert found.candles[-1].close == ticks[-1].price
        assert system.request("database", a_history(until_ns=end_ns), timeout_s=5) == found

    def test_ends_now_whatever_time_was_asked_for(self, system, settings, build):
        system.start("database", DatabaseActor, settings)
        to_come = build.ticks(1, exchange_ns=4 * 10**18)
        assert system.request("database", SaveMarketData(ticks=tuple(to_come)), timeout_s=5).rows == 1

        assert system.request("database", a_history(until_ns=5 * 10**18), timeout_s=5).candles == ()

    def test_of_too_much_is_refused(self, system, settings, build):
        system.start("database", DatabaseActor, settings)

        found = system.request("database", a_history(*map(str, range(11)), bars=10_000), timeout_s=5)

        assert (found.error, found.reason) == (
            "ResultTooLarge", "at most 100,000 candles wanted, found 10,000 of 11 symbols",
        )  # fmt: skip

    def test_is_refused_where_what_came_before_it_cannot_be_written(
        self, system, database, journal, build, monkeypatch
    ):
        system.tell(database, build.ticks(1)[0])
        with monkeypatch.context() as patch:
            patch.setattr("natya.actors.database.requests.recorder.Recorder.save", fails_with(WritesRefused("full")))
            found = system.request(database, a_history(), timeout_s=5)

        assert found.error == "WritesRefused"
        assert "full" in found.reason


def a_history(*symbols, bars=5, until_ns=NOON_NS):
    return ReadHistory(symbols=symbols, interval_ns=60 * 10**9, bars=bars, until_ns=until_ns)


class TestAnAnswerToAQuestionOfBeforeTheFilesWentDown:
    def test_of_the_journal_is_not_believed(self, system, settings, build, journal, monkeypatch):
        """The file that was opened then may have been put aside: its place in the journal is not this one's."""
        system.start("database", DatabaseActor, settings)
        journal.receive()
        earlier = journal.sender
        with monkeypatch.context() as patch:
            patch.setattr(MarketStore, "write_each", fails_with(DatabaseInvalidated("no space")))
            saved = system.request_future("database", SaveMarketData(ticks=tuple(build.ticks(1))))
            answer(system, journal, after=0, last=0)
        system.tell(earlier, JournalPage(records=tuple(build.records(build.intended(), start=5)), last_sequence=5))
        saved.result(timeout=60)
        found = system.request("database", Ping(), timeout_s=5).statistics

        assert (found.projected_sequence, found.journal_sequence) == (0, 0)

    def test_of_a_reader_takes_them_down_no_second_time(self, system, database, journal, build, monkeypatch):
        gate, waits = threading.Event(), threading.Event()

        def damaged(*_, **__):
            waits.set()
            gate.wait(60)
            raise DatabaseDamaged("a block")

        with monkeypatch.context() as patch:
            patch.setattr(RequestHandler, "perform", damaged)
            slow = system.request_future(database, Query(sql="select 1"))
            assert waits.wait(60)
        with monkeypatch.context() as patch:
            patch.setattr(MarketStore, "write_each", fails_with(DatabaseInvalidated("no space")))
            saved = system.request_future(database, SaveMarketData(ticks=tuple(build.ticks(1))))
            answer(system, journal, after=0, last=0)
        assert saved.result(timeout=60) == MarketDataSaved(rows=1)
        gate.set()

        assert slow.result(timeout=60).error == "DatabaseDamaged"
        assert system.request(database, Ping(), timeout_s=5).statistics.down == ""
        assert ask(system, "select count(*) from ticks").rows == ((1,),)


def fails_with(error):
    def fail(*_, **__):
        raise error

    return fail


class TestTwoBatches:
    def test_are_never_on_their_way_at_once(self, system, database, feed, build, monkeypatch):
        write_each, at_once, most = MarketStore.write_each, [], []

        def watched(*arguments):
            at_once.append(1)
            most.append(len(at_once))
            try:
                return write_each(*arguments)
            finally:
                at_once.pop()

        monkeypatch.setattr(MarketStore, "write_each", watched)
        for tick in build.ticks(1_000):
            system.tell(database, tick)
        saves = [system.request_future(database, SaveMarketData(candles=(build.candle(n),))) for n in range(20)]
        for save in saves:
            assert save.result(timeout=60) == MarketDataSaved(rows=1)
        while feed.receive().sequence < 1_000:
            pass

        assert set(most) == {1}


class TestTrouble:
    def test_is_none_while_records_wait_for_their_batch(self):
        assert trouble("", LAG_TOLD_MIN - 1) == ""

    def test_is_a_lag(self):
        assert trouble("", 123_456) == "123,456 records behind the journal"

    def test_is_the_reason_why_the_files_are_down_and_the_lag(self):
        assert trouble("in use by process 7", 5) == "down: in use by process 7; 5 records behind the journal"


class TestACoreFileOfAnotherHistory:
    @pytest.fixture
    def projected(self, system, settings, build, journal):
        """A core file that is current up to record 2."""
        system.start("before", DatabaseActor, settings)
        answer(system, journal, *build.records(build.intended(), build.filled()), after=0, last=2)
        system.stop("before")

    @pytest.mark.usefixtures("projected")
    def test_that_is_this_one_goes_on(self, system, settings, build, journal):
        system.start("database", DatabaseActor, settings)
        records = build.records(build.intended(), build.filled(), build.filled(trade_id="T-2", quantity=1))
        answer(system, journal, *records[1:], after=1, last=3)
        statistics = system.stop("database")

        assert (statistics.projected_sequence, statistics.damage) == (3, "")

    @pytest.mark.usefixtures("projected")
    @pytest.mark.parametrize("kind", ["other", "shorter"])
    def test_is_put_aside_and_projected_anew(self, system, settings, build, journal, kind):
        system.start("database", DatabaseActor, settings)
        other = build.records(build.intended("Z-1"), *([build.filled("Z-1")] if kind == "other" else []))
        answer(system, journal, *other[1:], after=1, last=len(other))
        if kind == "shorter":  # is it this history, and the journal lacks its end?
            answer(system, journal, *other, after=0, last=1)
        answer(system, journal, *other, after=0, last=len(other))
        statistics = system.stop("database")

        assert statistics.projected_sequence == len(other)
        assert "natya.duckdb.corrupt-" in statistics.damage
        with DuckDBAdapter(settings.path, max_connections=3) as files:
            assert files.query("select client_order_id from orders").rows == (("Z-1",),)

    @pytest.mark.usefixtures("projected")
    @pytest.mark.parametrize("left", [0, 1], ids=["empty", "shorter"])
    def test_whose_journal_lacks_the_end_ends_the_system_and_is_left_as_it_is(
        self, system, settings, build, journal, left
    ):
        child = ChildSpec("database", DatabaseActor, settings)
        system.start(
            "system",
            Supervisor,
            SupervisorSettings(children=(child,), policy=load_settings("paper").supervision, root=True),
        )
        stopped = system.request_future("system", AwaitSystemStop())
        answer(system, journal, after=1, last=left)
        if left:
            answer(system, journal, *build.records(build.intended()), after=0, last=left)

        error = stopped.result(timeout=60).error
        assert isinstance(error, JournalBehind)
        assert f"has 2 facts, and the journal ends with record {left}" in str(error)
        assert exit_code(error) == 65
        with DuckDBAdapter(settings.path, max_connections=3) as files:
            assert files.query("select count(*) from facts").rows == ((2,),)


@pytest.mark.usefixtures("database")
class TestQueries:
    def test_answer_rows(self, system):
        assert ask(system, "select ? as answer", parameters=(42,)) == Rows(columns=("answer",), rows=((42,),))

    def test_a_slow_one_does_not_delay_a_fast_one(self, system, database):
        slow = system.request_future(database, Query(sql=SLOW, asker="1-1"))
        fast = ask(system, "select 1")

        assert fast.rows == ((1,),)
        assert not slow.done()
        system.tell(database, Abandon(asker="1-1"))
        assert slow.result(timeout=60).error == "QueryTimedOut"

    def test_more_than_there_are_readers_wait_their_turn(self, system, database):
        answers = [system.request_future(database, Query(sql="select ?", parameters=(n,))) for n in range(20)]

        assert [answer.result(timeout=60).rows for answer in answers] == [((n,),) for n in range(20)]

    @pytest.mark.parametrize(
        ("sql", "error"),
        [
            ("select * from nowhere", "StatementFailed"),
            ("select 1; select 2", "QueryRefused"),
            ("delete from orders", "QueryRefused"),
            ("select range from range(11)", "ResultTooLarge"),
            (SLOW, "QueryTimedOut"),
        ],
    )
    def test_that_cannot_be_answered_say_why(self, system, sql, error):
        answer = ask(system, sql, rows_max=10, timeout_s=0.05 if sql == SLOW else 30)

        assert isinstance(answer, QueryFailed)
        assert answer.error == error
        assert answer.reason


class TestAFileThatIsHandedOver:
    @pytest.mark.parametrize("is_fetched", [True, False])
    def test_waits_in_a_folder_that_is_left_at_the_stop_once_it_is_fetched(self, system, database, path, is_fetched):
        asked = QueryToFile(sql="select range from range(100000)")
        handed = system.request(database, asked, timeout_s=10).path
        if is_fetched:
            take(Path(handed), path.with_name("mine"))
        system.stop(database)

        assert Path(handed).parent.exists() is not is_fetched


class TestAnOpeningThatTakesLong:
    """As with a write-ahead log that a crash has left long; nobody else waits for it."""

    @pytest.fixture
    def opening(self, monkeypatch):
        """Begun when the files are being opened; it goes on when it is set."""
        begun, may_end = threading.Event(), threading.Event()

        def opens(*given, **how):
            begun.set()
            assert may_end.wait(60)
            return open_database(*given, **how)

        monkeypatch.setattr("natya.actors.database.actor.open_database", opens)
        yield SimpleNamespace(begun=begun, may_end=may_end)
        may_end.set()
        for thread in threading.enumerate():
            if thread.name == "database/offload":
                thread.join(30)

    def test_keeps_no_other_actor_waiting_and_requests_are_answered_after_it(self, system, settings, journal, opening):
        with ThreadPoolExecutor() as threads:
            start = threads.submit(system.start, "database", DatabaseActor, settings)
            assert opening.begun.wait(60)
            pong = system.request("database", Ping(), timeout_s=30)
            rows = system.request_future("database", Query(sql="select 7"))
            saved = system.request_future("database", SaveMarketData())
            again = system.request("database", Ping(), timeout_s=30)
            assert (start.done(), rows.done(), saved.done()) == (False, False, False)
            opening.may_end.set()
            start.result(30)
        answer(system, journal, after=0, last=0)

        assert (pong.statistics.down, again.statistics.down) == (NOT_YET, NOT_YET)
        assert rows.result(30).rows == ((7,),)
        assert isinstance(saved.result(30), MarketDataSaved)

    def test_is_not_waited_for_by_a_stop(self, tmp_path, opening):
        overrides = {"system.data_dir": str(tmp_path), "feed.duration_s": 1.0}
        system = TradingSystem(load_settings("paper", environment={}, overrides=overrides))

        with pytest.raises(StoppedInStartError, match="before it was up"):
            system.start(until=opening.begun.is_set)

        assert not opening.may_end.is_set()


class TestARestart:
    def test_answers_everyone_who_waits_and_goes_on(self, system, database, build, journal, monkeypatch):
        gate = threading.Event()
        write_each = MarketStore.write_each
        monkeypatch.setattr(MarketStore, "write_each", lambda *each: (gate.wait(60), write_each(*each))[1])
        slow = [system.request_future(database, Query(sql=SLOW, asker=asker)) for asker in ("1-1", *[""] * 20)]
        saves = [system.request_future(database, SaveMarketData(ticks=tuple(build.ticks(3)))) for _ in range(2)]

        with monkeypatch.context() as patch:
            patch.setattr(Projector, "hear", lambda *_: 1 / 0)
            system.tell(database, journaled(build, build.intended()))
            answers = {answer.result(60).error for answer in (*slow, *saves)}

        assert answers == {"DatabaseDown"}
        gate.set()
        answer(system, journal, after=0, last=0)
        assert ask(system, "select 1").rows == ((1,),)
        again = system.request(database, SaveMarketData(ticks=tuple(build.ticks(3))))
        assert isinstance(again, MarketDataSaved)
        assert ask(system, "select count(*) from ticks").rows == ((3,),)


@pytest.mark.usefixtures("impatient")
class TestAFileThatCannotBeWrittenForGood:
    def test_is_opened_anew_once_and_can_still_be_read(self, system, settings, build, journal):
        with DuckDBAdapter(settings.path, max_connections=3) as files:
            files.execute("alter table facts drop column fact")
        system.start("database", DatabaseActor, settings)
        records = build.records(build.intended())
        failures = 0
        while failures < 3:
            answer(system, journal, *records, after=0, last=1)
            failures += 1

        while not isinstance(ask(system, "select 1"), Rows):
            pass
        statistics = system.request("database", Ping(), timeout_s=5).statistics
        assert (statistics.down, statistics.lag) == ("", 1)
        answer(system, journal, after=0, last=1)


class TestSavingForOthers:
    def test_is_answered_to_each_with_his_own_count(self, system, database, build):
        answers = [
            system.request_future(database, SaveMarketData(ticks=tuple(build.ticks(count)))) for count in (5, 8, 8)
        ]

        assert [answer.result(timeout=60) for answer in answers] == [
            MarketDataSaved(rows=5),
            MarketDataSaved(rows=3),
            MarketDataSaved(rows=0),
        ]

    def test_of_what_fits_into_no_row_fails_alone(self, system, database, build):
        good, bad = build.ticks(3, source="good"), build.ticks(3, source="bad", price=float("nan"))
        answers = [
            system.request_future(database, SaveMarketData(ticks=tuple(ticks))) for ticks in (good, bad, build.ticks(2))
        ]

        first, second, third = (answer.result(timeout=60) for answer in answers)

        assert (first, third) == (MarketDataSaved(rows=3), MarketDataSaved(rows=2))
        assert isinstance(second, Failed)

    def test_is_refused_when_too_much_waits(self, build):
        gathering = Gathering(10)
        large = SaveMarketData(ticks=tuple(build.ticks(60_000)))
        gathering.add_save(large, "first")

        with pytest.raises(WritesRefused, match="60000 rows wait to be saved"):
            gathering.add_save(large, "second")

    def test_shares_a_commit_with_what_waits(self, build):
        gathering = Gathering(10)
        gathering.add_tick(build.tick())
        gathering.add_save(SaveMarketData(ticks=tuple(build.ticks(2))), "first")
        gathering.add_save(SaveMarketData(candles=(build.candle(),)), "second")
        batch = gathering.take()

        assert (len(batch.ticks), [asker for _, asker in batch.saves]) == (1, ["first", "second"])
        assert gathering.take() is None
        gathering.ended(failed=batch)
        assert gathering.take() is batch


class TestQueriesBeyondTheReaders:
    @pytest.fixture
    def busy(self, system, database):
        """Both readers have work without end, until the test is over."""
        slow = [system.request_future(database, Query(sql=SLOW, asker=f"1-{n}")) for n in range(2)]
        yield slow
        for number in range(2):
            system.tell(database, Abandon(asker=f"1-{number}"))

        assert [each.result(timeout=60).error for each in slow] == ["QueryTimedOut"] * 2

    @pytest.mark.usefixtures("impatient", "busy")
    def test_are_told_that_their_time_is_over(self, system):
        waiting = ask(system, "select 1", timeout_s=0.05)

        assert waiting.error == "QueryTimedOut"
        assert "no reader was free for 0.05 s: select 1" in waiting.reason

    def test_are_refused_when_too_many_wait(self, system, database):
        for number in range(QUERIES_WAITING_MAX + 2):
            system.tell(database, Query(sql=f"{SLOW} -- {number}", timeout_s=20))
        while SLOW not in (refused := ask(system, "select 1")).reason:
            assert refused.error == "PoolExhausted"

        assert f"all 2 reading connections are busy and {QUERIES_WAITING_MAX} callers wait" in refused.reason

    @pytest.fixture
    def kept(self, system, database):
        """A query whose answer is kept."""
        asked = {"sql": "select count(*) from orders", "tables": ("orders",)}
        ask(system, **asked)
        return asked

    def test_do_not_delay_what_is_kept(self, system, database, kept, busy):
        assert ask(system, **kept).rows == ((0,),)
        assert not any(each.done() for each in busy)
        assert system.request(database, Ping(), timeout_s=5).statistics.cache_hits == 1

    def test_that_allocate_without_end_are_stopped_and_the_actor_lives(self, system, database):
        greedy = "select length(list(range)::varchar) from range(30_000_000)"

        assert isinstance(ask(system, greedy, timeout_s=9), QueryFailed)
        assert ask(system, "select 1").rows == ((1,),)
        assert system.request(database, Ping(), timeout_s=5).statistics.down == ""


class TestADayThatIsOver:
    def test_is_sorted_once_when_it_is_quiet(self, system, settings, journal, feed, build):
        settings = msgspec.structs.replace(settings, tidy_interval_s=0.05)
        system.start("database", DatabaseActor, settings)
        answer(system, journal, after=0, last=0)
        for tick in build.ticks(50, symbol="TCS") + build.ticks(50, start=51, symbol="INFY"):
            system.tell("database", tick)
        feed.receive()
        while not ask(system, "select * from sorted_days").rows:
            pass
        system.stop("database")

        with DuckDBAdapter(settings.path, max_connections=3) as files:
            symbols = [symbol for (symbol,) in files.query("select symbol from ticks").rows]
            assert symbols == ["INFY"] * 50 + ["TCS"] * 50
            assert tidy(files, NOON_NS + 10 * DAY_NS) is None
            MarketStore(files).write(build.ticks(3, start=101))
            assert tidy(files, NOON_NS + 10 * DAY_NS) is not None
            assert tidy(files, NOON_NS + 3 * 3600 * 10**9) is None


class TestASetting:
    def test_that_asks_for_encryption_stops_a_system_before_it_starts(self, tmp_path):
        overrides = {"system.data_dir": str(tmp_path / "data"), "database.encryption_key": Secret("a key")}

        with pytest.raises(DatabaseEncrypted, match="cannot encrypt safely") as refusal:
            TradingSystem(load_settings("paper", environment={}, overrides=overrides)).start()

        assert exit_code(refusal.value) == 78
        assert not (tmp_path / "data").exists()

    def test_that_asks_for_encryption_is_refused_by_the_actor(self, system, settings):
        key = Secret("of thirty-two bytes, more or less")

        with pytest.raises(DatabaseEncrypted) as refusal:
            system.start("database", DatabaseActor, msgspec.structs.replace(settings, encryption_key=key))

        assert exit_code(refusal.value) == 78
        assert key.reveal() not in str(refusal.value)


def parts(**fields):
    """Play the parts of the actor; each notes what it is told to do."""
    told = []
    actor = DatabaseActor()
    busy = fields.pop("busy", ())
    for name in ("recorder", "projector", "answerer"):
        part = SimpleNamespace(is_idle=name not in busy, recorded=SimpleNamespace(ticks=0, duplicates=0), rows=0)
        for deed in ("write", "project", "abandon_all"):
            setattr(part, deed, lambda name=name, deed=deed: told.append(f"{name} {deed}"))
        setattr(actor, f"_{name}", part)
    actor._files = SimpleNamespace(database=fields.pop("database", "files"))
    vars(actor).update(fields)
    return actor, told


class TestAStopOfItsParts:
    @pytest.mark.parametrize("busy", [(), ("recorder",), ("projector",), ("answerer",)], ids=str)
    def test_waits_for_each_that_is_not_done(self, busy):
        actor, told = parts(busy=busy)

        assert actor.is_drained() is (busy == ())
        assert told == ["answerer abandon_all", "recorder write", "projector project"]

    def test_waits_for_none_while_the_files_are_down(self):
        actor, told = parts(busy=("recorder", "projector"), database=None)

        assert actor.is_drained()
        assert told == ["answerer abandon_all"]


@pytest.mark.parametrize(
    ("database", "heard", "is_tidied"), [("files", 999, True), ("files", 1_000, False), (None, 0, False)]
)
def test_a_day_is_sorted_while_the_files_are_open_and_few_ticks_come(database, heard, is_tidied):
    done = []
    actor, _ = parts(
        database=database,
        settings=SimpleNamespace(tidy_interval_s=1.0),
        clock=SimpleNamespace(now_ns=lambda: 5),
        offload=lambda *given, **how: done.append((given, how["lane"])),
        after=lambda seconds, _: done.append(seconds),
        _heard_at_tidying=7,
    )
    actor._recorder.recorded.ticks, actor._recorder.recorded.duplicates, actor._recorder.rows = heard, 4, 3
    actor.tidy_up(None, None)

    assert done == [((tidy, "files", 5), "market")] if is_tidied else [1.0]
    assert actor._heard_at_tidying == heard + 7
