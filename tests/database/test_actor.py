"""The database actor in the in-process system."""

import pytest

from natya.actors.database import DatabaseActor
from natya.actors.runtime import InProcessSystem
from natya.config.settings import DatabaseSettings
from natya.messages.database import Query, QueryFailed, Rows
from natya.messages.journal import Journaled, JournalPage, ReadJournal
from natya.messages.market import TicksRecorded
from natya.messages.supervision import Failed

SLOW = "select count(*) from range(10_000_000_000) a, range(1000) b where a.range + b.range < 0"


@pytest.fixture
def settings(path):
    return DatabaseSettings(
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
    assert journal.receive(timeout_s=5) == ReadJournal(after_sequence=0, records_max=10_000)
    system.tell("database", JournalPage(records=(), last_sequence=0))
    return "database"


def ask(system, sql, **fields):
    return system.request("database", Query(sql=sql, **fields), timeout_s=10)


def journaled(build, *facts, start=1):
    return Journaled(records=tuple(build.records(*facts, start=start)))


class TestRecordingTheMarket:
    def test_a_full_batch_is_committed_and_told_to_the_feed(self, system, database, feed, build):
        for tick in build.ticks(100):
            system.tell(database, tick)

        assert feed.receive(timeout_s=5) == TicksRecorded(source="recording", sequence=100)
        assert ask(system, "select count(*) from ticks").rows == ((100,),)

    def test_a_batch_that_does_not_fill_up_is_committed_in_time(self, system, database, feed, build):
        system.tell(database, build.tick(1))
        system.tell(database, build.candle())

        assert feed.receive(timeout_s=5) == TicksRecorded(source="recording", sequence=1)
        assert ask(system, "select count(*) from candles").rows == ((1,),)

    def test_a_stop_commits_what_waits(self, system, database, build):
        for tick in build.ticks(250):
            system.tell(database, tick)
        statistics = system.stop(database)

        assert statistics.ticks == 250
        assert statistics.duplicates == 0

    def test_a_recording_that_is_played_again_is_there_once(self, system, database, settings, build):
        for tick in build.ticks(150):
            system.tell(database, tick)
        system.stop(database)
        system.start("again", DatabaseActor, settings)
        for tick in build.ticks(150):
            system.tell("again", tick)
        statistics = system.stop("again")

        assert (statistics.ticks, statistics.duplicates) == (0, 150)


class TestProjectingTheJournal:
    def test_an_order_and_its_fill_become_rows(self, system, database, build):
        system.tell(database, journaled(build, build.intended(), build.filled()))
        statistics = system.stop(database)

        assert statistics.projected_sequence == 2

    def test_it_catches_up_when_it_starts(self, system, settings, build, journal):
        system.start("database", DatabaseActor, settings)
        journal.receive(timeout_s=5)
        system.tell("database", JournalPage(records=tuple(build.records(build.intended())), last_sequence=2))

        assert journal.receive(timeout_s=5) == ReadJournal(after_sequence=1, records_max=10_000)

        system.tell("database", JournalPage(records=tuple(build.records(build.filled(), start=2)), last_sequence=2))

        assert system.stop("database").projected_sequence == 2

    def test_a_gap_is_read_from_the_journal(self, system, database, build, journal):
        system.tell(database, journaled(build, build.filled(), start=2))

        assert journal.receive(timeout_s=5) == ReadJournal(after_sequence=0, records_max=10_000)

        page = JournalPage(records=tuple(build.records(build.intended(), build.filled())), last_sequence=2)
        system.tell(database, page)

        assert system.stop(database).projected_sequence == 2

    def test_records_that_come_while_it_reads_are_not_lost(self, system, settings, build, journal):
        system.start("database", DatabaseActor, settings)
        journal.receive(timeout_s=5)
        system.tell("database", journaled(build, build.filled(), start=2))
        system.tell("database", JournalPage(records=tuple(build.records(build.intended())), last_sequence=1))

        assert journal.receive(timeout_s=5) == ReadJournal(after_sequence=1, records_max=10_000)

    def test_a_journal_that_cannot_answer_is_asked_again(self, system, settings, journal):
        system.start("database", DatabaseActor, settings)
        journal.receive(timeout_s=5)
        system.tell("database", JournalPage(records=(), last_sequence=0))  # the answer to a life before
        system.tell("database", Failed(actor="journal", message_type="ReadJournal", error="OSError", reason=""))

        assert journal.receive(timeout_s=5) == ReadJournal(after_sequence=0, records_max=10_000)


@pytest.mark.usefixtures("database")
class TestQueries:
    def test_answer_rows(self, system):
        assert ask(system, "select ? as answer", parameters=(42,)) == Rows(columns=("answer",), rows=((42,),))

    def test_a_slow_one_does_not_delay_a_fast_one(self, system, database):
        slow = system.request_future(database, Query(sql=SLOW, timeout_s=0.5))
        fast = ask(system, "select 1")

        assert fast.rows == ((1,),)
        assert not slow.done()
        assert slow.result(timeout=5).error == "QueryTimedOut"

    def test_more_than_there_are_readers_wait_their_turn(self, system, database):
        answers = [system.request_future(database, Query(sql="select ?", parameters=(n,))) for n in range(20)]

        assert [answer.result(timeout=5).rows for answer in answers] == [((n,),) for n in range(20)]

    @pytest.mark.parametrize(
        ("sql", "error"),
        [
            ("select * from nowhere", "StatementFailed"),
            ("select 1; select 2", "QueryRefused"),
            ("delete from orders", "QueryRefused"),
            ("select range from range(11)", "ResultTooLarge"),
        ],
    )
    def test_that_cannot_be_answered_say_why(self, system, sql, error):
        answer = ask(system, sql, rows_max=10)

        assert isinstance(answer, QueryFailed)
        assert answer.error == error
        assert answer.reason
