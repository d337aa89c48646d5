"""Work that the database actor is given from outside, beside the market that it records."""

import threading

import pytest

from natya.actors.database import DatabaseActor, QueryResult
from natya.actors.database.tables.archive_folder import make_durable
from natya.actors.database.tables.moments import DAY_NS, start_ns
from natya.actors.database.upkeep import days
from natya.actors.runtime import InProcessSystem
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import (
    Abandon,
    ArchiveDay,
    BackUp,
    CheckDatabase,
    DatabaseChecked,
    Query,
    QueryFailed,
    QueryToFile,
)
from natya.messages.journal import JournalPage, ReadJournal
from natya.messages.market import TicksRecorded

ENDLESS = "select count(*) from range(10_000_000_000) a, range(1000) b where a.range + b.range < 0"
FRIDAY_NS = start_ns("2026-01-02T09:15:00")


@pytest.fixture
def system(path):
    settings = DatabaseSettings.default(
        path=str(path), max_connections=4, memory_limit_mb=96, threads=2, batch_rows_max=100, batch_wait_s=0.02
    )
    with InProcessSystem() as system:
        journal = system.probe("journal")
        system.feed = system.probe("feed")
        system.start("database", DatabaseActor, settings)
        assert isinstance(journal.receive(), ReadJournal)
        system.tell(journal.sender, JournalPage(records=(), last_sequence=0))
        yield system


def ask(system, message):
    return system.request("database", message, timeout_s=20)


class TestWorkFromOutside:
    def test_is_answered_beside_endless_queries_as_long_as_a_reader_is_left(self, system):
        """There are two of them."""
        endless = system.request_future("database", Query(sql=ENDLESS, asker="1-1"))
        with QueryResult(ask(system, QueryToFile(sql="select 7"))) as result:
            assert result.rows == ((7,),)
        assert ask(system, CheckDatabase()) == DatabaseChecked(problems=())
        assert not endless.done()
        system.tell("database", Abandon(asker="1-1"))

        assert endless.result(60).error == "QueryTimedOut"

    def test_that_is_abandoned_before_it_begins_is_answered_too(self, system):
        asked = [system.request_future("database", QueryToFile(sql=ENDLESS, asker=f"1-{n}")) for n in range(5)]
        for number in (4, 3, 0, 1, 2):
            system.tell("database", Abandon(asker=f"1-{number}"))

        assert {future.result(60).error for future in asked} == {"QueryTimedOut"}
        assert ask(system, Query(sql="select 1")).rows == ((1,),)

    def test_of_nobody_is_abandoned_in_vain(self, system):
        system.tell("database", Abandon(asker="7-7"))

        assert ask(system, Query(sql="select 1")).rows == ((1,),)

    def test_does_not_keep_a_stop_waiting(self, system):
        """A backup may take an hour."""
        asked = [system.request_future("database", Query(sql=ENDLESS, asker=f"1-{n}")) for n in range(4)]
        system.stop("database")

        assert all(future.done() for future in asked)

    def test_that_fails_is_an_answer(self, system):
        answer = ask(system, ArchiveDay(day="someday"))

        assert isinstance(answer, QueryFailed)
        assert answer.error == "QueryRefused"

    def test_goes_on_between_the_batches_of_the_market(self, system, build):
        for number in range(1, 1_001):
            system.tell("database", build.tick(number, exchange_ns=FRIDAY_NS + number))
            if number % 250 == 0:
                system.request_future("database", ArchiveDay(day="2026-01-02"))
                system.request_future("database", BackUp(single_file=True))
        while system.feed.receive() != TicksRecorded(source="recording", sequence=1_000):
            pass
        ask(system, ArchiveDay(day="2026-01-02"))

        counts = "select (select count(*) from ticks), (select count(distinct sequence) from all_ticks)"
        assert ask(system, Query(sql=counts)).rows == ((0, 1_000),)

    def test_copies_a_day_while_the_market_is_recorded(self, system, build, monkeypatch):
        copied, go_on = threading.Event(), threading.Event()

        def make_durable_slowly(file):
            copied.set()
            assert go_on.wait(60)
            make_durable(file)

        monkeypatch.setattr(days, "make_durable", make_durable_slowly)
        record(system, build.ticks(100, exchange_ns=FRIDAY_NS))
        archived = system.request_future("database", ArchiveDay(day="2026-01-02"))
        assert copied.wait(60)
        record(system, build.ticks(100, start=101, exchange_ns=FRIDAY_NS + 3 * DAY_NS))
        assert not archived.done()
        go_on.set()

        assert archived.result(60).ticks == (100,)
        assert ask(system, Query(sql="select count(*) from ticks")).rows == ((100,),)


def record(system, ticks):
    for tick in ticks:
        system.tell("database", tick)
    while system.feed.receive().sequence < ticks[-1].sequence:
        pass
