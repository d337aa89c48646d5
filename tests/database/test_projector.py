"""What projector and recorder ask and write, whatever they are answered; decided with an actor that is played."""

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from natya_builders import a_candle, a_tick, cancelled

from natya.actors.database.errors import (
    DatabaseClosed,
    DatabaseDamaged,
    DatabaseError,
    DatabaseLocked,
    JournalBehind,
    MemoryExceeded,
    PoolExhausted,
    StatementFailed,
    Unstorable,
    WritesRefused,
)
from natya.actors.database.requests.files import Files
from natya.actors.database.requests.projector import PAGE_RECORDS, PAGE_S, RETRY_S, Projector
from natya.actors.database.requests.recorder import Recorded, Recorder
from natya.actors.database.tables.projecting import fact_text
from natya.actors.database.writing.gathering import ROWS_WAITING_MAX
from natya.actors.database.writing.market import Written
from natya.actors.database.writing.read_model import LastFact
from natya.actors.runtime import Outcome
from natya.messages.database import MarketDataSaved, QueryFailed, SaveMarketData
from natya.messages.journal import JournalPage, JournalRecord, ReadJournal
from natya.messages.market import TicksRecorded
from natya.messages.supervision import Unavailable

SETTINGS = SimpleNamespace(batch_rows_max=3, batch_wait_s=0.5)
FAILED = Outcome(value=Unavailable(actor="journal", reason="down", retry_after_s=1.0))
BUSY = PoolExhausted(pool="read", limit=1, waiters=1, longest_query="select 1", longest_s=1.0)


class Asked(NamedTuple):
    message: ReadJournal
    then: Callable


class Job(NamedTuple):
    arguments: tuple
    then: Callable


class PlayedActor:
    """Keeps what it is told to ask, to have done and to be reminded of."""

    def __init__(self):
        self.asked, self.jobs, self.timers, self.events, self.sent, self.told = [], [], [], [], [], []

    def ask(self, target, message, *, timeout_s, then):
        assert (target, timeout_s) == ("journal", PAGE_S)
        self.asked.append(Asked(message, then))

    def offload(self, _function, *arguments, then, lane, left_at_stop=False):
        assert (lane, left_at_stop) != ("files", False) or arguments == ()
        self.jobs.append(Job(arguments, then))

    def after(self, seconds, message):
        timer = SimpleNamespace(seconds=seconds, message=message, cancelled=False)
        timer.cancel = lambda: setattr(timer, "cancelled", True)
        self.timers.append(timer)
        return timer

    def send(self, target, message):
        self.sent.append((target, message))

    def log(self, event, **fields):
        self.events.append(event)
        self.told.append((event, fields))

    def reminders(self):
        return [(timer.seconds, timer.message) for timer in self.timers if not timer.cancelled]

    log_bounded = log
    clock = SimpleNamespace(now_ns=lambda: 1, monotonic_ns=itertools.count(1, 10**10).__next__)  # each look 10 s later


class PlayedFiles:
    """Are open or down as the test wants."""

    def __init__(self):
        self.database, self.life, self.down, self.closed = object(), 1, "as told", []

    def close(self, fault, *, core_is_foreign):
        self.database = None
        self.closed.append((type(fault), core_is_foreign))

    def failed(self, fault, life):
        assert (isinstance(fault, DatabaseError), life) == (True, 1)
        return self.database is not None


def a_record(sequence, name="A-1"):
    return JournalRecord(sequence=sequence, recorded_ns=sequence, correlation_id="", fact=cancelled(name))


def a_page(*sequences, last=None):
    records = tuple(map(a_record, sequences))
    return Outcome(value=JournalPage(records=records, last_sequence=sequences[-1] if last is None else last))


def the_last(sequence):
    record = a_record(sequence)
    return LastFact(sequence=sequence, recorded_ns=sequence, fact_type="OrderCancelled", fact=fact_text(record))


@pytest.fixture
def actor():
    return PlayedActor()


@pytest.fixture
def files():
    return PlayedFiles()


@pytest.fixture
def projector(actor, files):
    return Projector(actor, files, SETTINGS, in_time="in time", read_on="read on")


def opened(projector, last=None):
    projector.opened(SimpleNamespace(database=None, last=None if last is None else the_last(last)))


def answer(actor, outcome):
    """Answer the only question, which is not asked a second time meanwhile."""
    (asked,) = actor.asked
    actor.asked.clear()
    asked.then(outcome)
    return asked.message


def written(actor):
    """Return the sequences of the only batch."""
    ((arguments, _),) = actor.jobs
    return [record.sequence for record in arguments[0]]


class TestAFileThatIsOpened:
    def test_reads_the_journal_from_the_begin_if_it_has_nothing(self, projector, actor):
        opened(projector)

        assert answer(actor, a_page(1, 2)) == ReadJournal(after_sequence=0, records_max=PAGE_RECORDS)
        assert written(actor) == [1, 2]

    def test_reads_its_last_record_again_and_projects_what_follows(self, projector, actor):
        opened(projector, last=5)

        assert answer(actor, a_page(5, 6, 7)).after_sequence == 4
        assert written(actor) == [6, 7]

    def test_reads_no_record_again_once_its_last_one_was_there(self, projector, actor, files):
        opened(projector, last=5)
        answer(actor, a_page(5, 6, 7, last=9))
        actor.jobs.pop().then(Outcome(value=7))

        assert answer(actor, a_page(8, 9)).after_sequence == 7
        assert (written(actor), files.closed) == ([8, 9], [])

    def test_is_put_aside_if_the_journal_has_another_record_there(self, projector, actor, files):
        opened(projector, last=5)

        answer(actor, Outcome(value=JournalPage(records=(a_record(5, "of another"),), last_sequence=9)))

        assert (files.closed, actor.jobs) == ([(DatabaseDamaged, True)], [])

    def test_waits_for_a_person_if_the_journal_is_empty(self, projector, actor):
        opened(projector, last=5)

        with pytest.raises(JournalBehind, match="has 5 facts"):
            answer(actor, a_page(last=0))

    @pytest.mark.parametrize("outcome", [FAILED, Outcome(error=TimeoutError())], ids=["unavailable", "no answer"])
    def test_asks_later_where_there_is_no_answer_and_projects_nothing_meanwhile(self, projector, actor, outcome):
        opened(projector)

        answer(actor, outcome)
        projector.hear([a_record(9)])
        projector.project()

        assert (actor.reminders(), actor.asked, actor.jobs) == ([(RETRY_S, "read on")], [], [])
        projector.read()
        answer(actor, a_page(1))
        assert written(actor) == [1]

    @pytest.mark.parametrize("change", ["down", "opened again"])
    def test_takes_no_answer_to_what_was_asked_before(self, projector, actor, files, change):
        opened(projector)
        if change == "down":
            files.database = None
        else:
            files.life += 1

        answer(actor, a_page(1))

        assert (actor.jobs, actor.reminders()) == ([], [])

    def test_asks_later_if_the_journal_does_not_show_what_it_has(self, projector, actor):
        opened(projector)

        answer(actor, a_page(last=7))

        missing = ("journal.page_missing", {"level": "error", "after": 0, "newest": 7})
        assert (actor.told, actor.reminders(), actor.jobs) == ([missing], [(RETRY_S, "read on")], [])


class TestAJournalThatEndsBeforeTheFile:
    @pytest.fixture
    def asked(self, projector, actor):
        opened(projector, last=5)
        answer(actor, a_page(last=3))
        assert [each.message.after_sequence for each in actor.asked] == [2]
        return lambda outcome: answer(actor, outcome)

    @pytest.mark.parametrize("outcome", [FAILED, a_page(last=3)], ids=["unavailable", "no record"])
    def test_is_asked_again_if_it_does_not_show_its_newest_record(self, asked, actor, outcome):
        asked(outcome)

        assert (actor.reminders(), actor.jobs) == ([(RETRY_S, "read on")], [])

    @pytest.mark.parametrize("change", ["down", "opened again"])
    def test_is_not_compared_with_a_file_that_was_closed(self, asked, actor, files, change):
        if change == "down":
            files.database = None
        else:
            files.life += 1

        asked(a_page(3))

        assert (actor.reminders(), actor.jobs) == ([], [])

    @pytest.mark.parametrize(
        ("compared", "found"),
        [
            (Outcome(value=False), ([], [(DatabaseDamaged, True)])),
            (Outcome(error=StatementFailed("busy")), ([(RETRY_S, "read on")], [])),
        ],
        ids=["another", "failed"],
    )
    def test_is_of_another_history_if_the_file_lacks_its_newest_record(self, asked, actor, files, compared, found):
        asked(a_page(3))
        ((arguments, then),) = actor.jobs
        assert arguments == (a_record(3),)

        then(compared)

        assert (actor.reminders(), files.closed) == found

    def test_has_lost_its_end_if_the_file_has_its_newest_record(self, asked, actor):
        asked(a_page(3))

        with pytest.raises(JournalBehind, match="ends with record 3"):
            actor.jobs[0].then(Outcome(value=True))


class TestRecordsThatAreHeard:
    @pytest.fixture
    def current(self, projector, actor):
        opened(projector)
        answer(actor, a_page(last=0))
        return projector

    def test_wait_for_a_batch_or_so_long(self, current, actor):
        assert current.is_idle
        current.hear([a_record(1)])
        current.hear([a_record(2)])
        assert (actor.jobs, actor.reminders()) == ([], [(0.5, "in time")])
        assert not current.is_idle  # a stop waits for what has not been projected yet

        current.hear([a_record(3)])
        assert (written(actor), actor.reminders()) == ([1, 2, 3], [])

    def test_are_projected_when_the_time_is_up_and_the_next_batch_has_a_time_of_its_own(self, current, actor):
        current.hear([a_record(1)])
        current.time_is_up()
        assert written(actor) == [1]
        current.hear([a_record(2)])
        assert not current.is_idle
        actor.timers.clear()

        actor.jobs.pop().then(Outcome(value=1))

        assert (actor.jobs, actor.reminders()) == ([], [(0.5, "in time")])

    def test_are_read_from_the_journal_if_they_came_while_the_files_were_down(self, current, actor, files):
        files.database = None
        current.hear([a_record(1), a_record(2)])
        current.project()
        current.read()
        assert (actor.asked, actor.jobs) == ([], [])

        files.database = object()
        opened(current)

        assert answer(actor, a_page(1, 2)).after_sequence == 0
        assert written(actor) == [1, 2]

    def test_are_a_lag_of_files_that_are_open_again_before_the_journal_has_answered(self, current, files):
        files.database = None
        current.hear([a_record(1), a_record(2)])
        files.database = object()

        opened(current, last=1)

        assert (current.journal_cursor.newest, current.journal_cursor.lag) == (2, 1)

    @pytest.mark.parametrize("is_open", [True, False])
    def test_are_read_again_later_if_they_could_not_be_written_and_the_files_are_open(
        self, current, actor, files, is_open
    ):
        current.hear([a_record(n) for n in (1, 2, 3)])
        if not is_open:
            files.database = None

        actor.jobs.pop().then(Outcome(error=DatabaseError("no space")))

        assert actor.reminders() == [(RETRY_S, "read on")] * is_open
        assert (actor.jobs, actor.asked) == ([], [])

    def test_of_a_life_before_are_nobody_s(self, current, actor, files):
        current.hear([a_record(n) for n in (1, 2, 3)])
        files.life += 1

        actor.jobs.pop().then(Outcome(value=3))

        assert current.journal_cursor.projected == 0


def open_at_once(files, actor):
    """Open them as a start does, on a thread that has ended before the actor goes on."""
    begun = []

    def offload(work, *given, then, lane, left_at_stop):
        assert left_at_stop
        assert (lane, files.are_opening) == ("files", True)
        try:
            outcome = Outcome(value=work(*given))
        except DatabaseError as fault:
            outcome = Outcome(error=fault)
        then(outcome)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(actor, "offload", offload)
        files.open(lambda: begun.append(files.are_opening))
    assert begun == [False]


class TestWhatIsFoundWhenTheFilesAreOpened:
    @pytest.fixture
    def opened(self, actor):
        """Return what the files say of damage after some openings."""

        def after(*openings):
            found = iter(openings)
            database = SimpleNamespace(core_path="/d/natya.duckdb", market_path="/d/market.duckdb", close=lambda: None)

            def opens(_now_ns, **_how):
                nothing = {"put_aside": (), "market_loss": "", "archive_lacks": ()}
                return SimpleNamespace(database=database, **nothing | next(found))

            files = Files(actor, opens=opens, reopen="reopen", on_open=lambda _: None, on_down=lambda _: None)
            for _ in openings:
                open_at_once(files, actor)
            return files.damage, files.market_damage

        return after

    def test_is_nothing_where_nothing_was(self, opened):
        assert opened({}, {}) == ("", "")

    def test_of_the_core_file_is_no_damage_of_the_market(self, opened):
        assert opened({"put_aside": ("natya.duckdb.corrupt-1",)}) == ("put aside as natya.duckdb.corrupt-1", "")

    def test_of_the_market_and_of_the_archive_is_told_as_such_too(self, opened):
        aside = ("natya.duckdb.corrupt-1", "market.duckdb.corrupt-1")
        found = {"put_aside": aside, "market_loss": "3 ticks", "archive_lacks": ("2026-01-02",)}
        of_market = [
            "put aside as market.duckdb.corrupt-1",
            "the market file has lost data: 3 ticks",
            "the archive lacks 2026-01-02",
        ]

        assert opened(found) == ("; ".join(["put aside as natya.duckdb.corrupt-1", *of_market]), "; ".join(of_market))

    def test_is_told_once_though_the_files_are_opened_again(self, opened):
        lacks = {"archive_lacks": ("2026-01-02",)}
        also = {"archive_lacks": ("2026-01-02",), "market_loss": "3 ticks"}
        text = "the archive lacks 2026-01-02; the market file has lost data: 3 ticks"

        assert opened(lacks, also, lacks) == (text, text)


class TestWhatTheLogTellsOfTheFiles:
    @pytest.fixture
    def real(self, actor):
        found = SimpleNamespace(put_aside=("natya.duckdb.corrupt-1",), market_loss="3 ticks", archive_lacks=())
        found.database = SimpleNamespace(core_path="/d/natya.duckdb", market_path="/d/market.duckdb", close=lambda: 1)
        self.ways = [DatabaseLocked("/d/natya.duckdb", holder_pid=7), found, found]

        def opens(_now_ns, **_how):
            way = self.ways.pop(0)
            if isinstance(way, Exception):
                raise way
            return way

        return Files(actor, opens=opens, reopen="reopen", on_open=lambda _: None, on_down=lambda _: None)

    def test_is_when_they_are_down_and_open_again_and_what_is_damaged(self, real, actor):
        locked = str(self.ways[0])
        open_at_once(real, actor)
        open_at_once(real, actor)
        aside, loss = "put aside as natya.duckdb.corrupt-1", "the market file has lost data: 3 ticks"

        assert actor.told == [
            ("database.down", {"level": "error", "error": "DatabaseLocked", "reason": locked}),
            ("database.opened", {"core": "/d/natya.duckdb"}),
            ("database.damaged", {"level": "error", "found": aside}),
            ("database.damaged", {"level": "error", "found": loss}),
        ]
        assert actor.reminders() == [(1.0, "reopen")]
        assert (real.life, real.down) == (1, "")

    def test_is_each_failure_once_and_what_is_none_of_theirs(self, real, actor):
        del self.ways[0]
        open_at_once(real, actor)
        actor.told.clear()
        real.failed(MemoryExceeded("127 MiB"), 1)
        real.failed(StatementFailed("bad"), 1)
        real._reopened(Outcome(error=StatementFailed("bad")))
        open_at_once(real, actor)
        actor.told[2:] = [line for line in actor.told[2:] if line[0] != "database.damaged"]
        real.failed(StatementFailed("bad"), 2)

        assert actor.told == [
            ("database.out_of_memory", {"level": "warning", "reason": "127 MiB"}),
            ("database.down", {"level": "error", "error": "StatementFailed", "reason": "bad"}),
            ("database.opened", {"core": "/d/natya.duckdb"}),
            ("database.stuck", {"level": "error", "reason": "bad"}),
        ]


class TestAFailureOfWorkOnTheFiles:
    @pytest.fixture
    def told(self):
        """Of what those are told who wait for an answer."""
        return []

    @pytest.fixture
    def real(self, actor, told):
        found = SimpleNamespace(put_aside=(), market_loss="", archive_lacks=())
        found.database = SimpleNamespace(core_path="core", market_path="market", close=lambda: None)
        files = Files(
            actor, opens=lambda _, **_how: found, reopen="reopen", on_open=lambda _: None, on_down=told.append
        )
        open_at_once(files, actor)
        assert files.life == 1
        return files

    @pytest.mark.parametrize(
        ("fault", "life"),
        [(BUSY, 1), (MemoryExceeded("127.8 of 128 MiB used"), 1), (DatabaseError("gone"), 0)],
        ids=["busy", "no memory", "before"],
    )
    def test_that_is_none_of_these_leaves_them_open(self, real, actor, fault, life):
        assert real.failed(fault, life)
        assert (actor.jobs, real.down) == ([], "")

    def test_has_them_closed_and_opened_again_and_whoever_waits_is_told_why(self, real, actor, told):
        fault = DatabaseError("gone")
        assert not real.failed(fault, 1)
        assert (len(actor.jobs), real.down, told) == (1, "gone", [fault])

    @pytest.mark.parametrize(
        ("fault", "suspect"), [(DatabaseDamaged("torn"), True), (DatabaseError("gone"), False)], ids=["damage", "other"]
    )
    def test_has_them_read_through_before_they_open_again_only_if_they_are_damaged(
        self, real, actor, monkeypatch, fault, suspect
    ):
        opens, how = real._opens, []

        def at_once(work, *given, then, lane, **_how):
            assert lane
            done = work(*given)
            then(SimpleNamespace(error=None, unwrap=lambda: done))

        monkeypatch.setattr(actor, "offload", at_once)
        monkeypatch.setattr(real, "_opens", lambda now_ns, **given: how.append(given) or opens(now_ns))
        real.failed(fault, 1)
        real.reopen()

        assert [each["suspect"] for each in how] == [suspect, False]
        assert [each["core_is_foreign"] for each in how] == [False, False]

    def test_has_damaged_ones_read_through_also_when_another_process_has_them_at_first(self, real, actor, monkeypatch):
        opens, how, refusals = real._opens, [], [DatabaseLocked("core", holder_pid=7)]

        def at_once(work, *given, then, lane, **_how):
            assert lane
            try:
                done = work(*given)
            except DatabaseError as fault:
                then(SimpleNamespace(error=fault))
            else:
                then(SimpleNamespace(error=None, unwrap=lambda: done))

        def open_them(now_ns, *, suspect, core_is_foreign):
            how.append((suspect, core_is_foreign))
            if refusals:
                raise refusals.pop()
            return opens(now_ns)

        monkeypatch.setattr(actor, "offload", at_once)
        monkeypatch.setattr(actor, "after", lambda *_: None, raising=False)
        monkeypatch.setattr(real, "_opens", open_them)
        real.close(DatabaseDamaged("torn"), core_is_foreign=True)
        real.reopen()

        assert how == [(True, True), (True, False)]

    @pytest.mark.parametrize(
        ("open_for_s", "is_foreign", "waits"), [(0.9, False, True), (1.1, False, False), (0.1, True, False)]
    )
    def test_has_them_opened_again_at_once_or_a_second_later_where_they_were_of_no_use(  # noqa: PLR0913, PLR0917
        self, real, actor, monkeypatch, open_for_s, is_foreign, waits
    ):
        """As on a full disk, where they open, and fail at the first write, hundreds of times a minute."""
        looks = iter([0, round(open_for_s * 1e9)])
        monkeypatch.setattr(actor, "clock", SimpleNamespace(now_ns=lambda: 1, monotonic_ns=lambda: next(looks)))
        open_at_once(real, actor)
        real.close(DatabaseError("no space"), core_is_foreign=is_foreign)
        (closed,) = actor.jobs
        closed.then(Outcome())

        assert (len(actor.jobs) == 1, actor.reminders()) == (waits, [(1.0, "reopen")] if waits else [])

    @pytest.mark.parametrize("ends_before", [True, False])
    def test_has_them_closed_if_the_actor_ends_while_they_are_opened_again(self, real, actor, monkeypatch, ends_before):
        closed, jobs = [], []
        found = SimpleNamespace(database=SimpleNamespace(close=lambda: closed.append("again")))
        monkeypatch.setattr(actor, "offload", lambda work, *given, **_: jobs.append((work, given)))
        monkeypatch.setattr(real, "_opens", lambda _now_ns, **_how: found)
        real.reopen()
        ((work, given),) = jobs

        if ends_before:
            real.end()
            with pytest.raises(DatabaseClosed, match="ended while its files were opened"):
                work(*given)
        else:
            work(*given)
            real.database = None
            real.end()

        assert closed == ["again"]

    @pytest.mark.parametrize(
        ("again", "is_open"),
        [(StatementFailed("bad"), True), (StatementFailed("worse"), False), (DatabaseError("bad"), False)],
        ids=["the same", "another", "not of a statement"],
    )
    def test_that_comes_again_after_that_leaves_them_open_where_it_is_the_same_of_a_statement(
        self, real, actor, again, is_open
    ):
        real.failed(StatementFailed("bad"), 1)
        open_at_once(real, actor)

        assert real.failed(again, 2) is is_open
        assert ("database.stuck" in actor.events) is is_open


class TestTicksThatAreHeard:
    @pytest.fixture
    def recorder(self, actor, files):
        recorder = Recorder(actor, files, SETTINGS, in_time="in time")
        recorder.opened(files.database)
        return recorder

    def test_wait_for_a_batch_or_so_long(self, recorder, actor):
        recorder.hear_tick(a_tick(1))
        recorder.hear_tick(a_tick(2))
        assert (actor.jobs, actor.reminders()) == ([], [(0.5, "in time")])

        recorder.hear_tick(a_tick(3))
        assert (len(actor.jobs), actor.reminders(), recorder.rows) == (1, [], 0)

    def test_several_at_once_fill_a_batch_that_one_has_begun(self, recorder, actor):
        recorder.hear_tick(a_tick(1))
        recorder.hear_ticks((a_tick(2),))
        assert actor.jobs == []

        recorder.hear_ticks((a_tick(3), a_tick(4)))
        assert (len(actor.jobs), actor.reminders(), recorder.rows) == (1, [], 0)

    def test_are_a_batch_with_candles_that_are_heard(self, recorder, actor):
        recorder.hear_tick(a_tick(1))
        for start_ns in (60, 120):
            recorder.hear_candle(a_candle(start_ns=start_ns))
        assert actor.jobs == []

        recorder.hear_candle(a_candle(start_ns=180))
        assert (len(actor.jobs), recorder.rows) == (1, 0)

    def test_are_kept_while_the_files_are_down_and_written_when_they_are_open_again(self, recorder, actor, files):
        recorder.hear_tick(a_tick(1))
        files.database = None

        recorder.time_is_up()
        recorder.hear_ticks((a_tick(2), a_tick(3), a_tick(4)))
        assert (actor.jobs, recorder.rows) == ([], 4)

        files.database = object()
        recorder.opened(files.database)
        assert (len(actor.jobs), recorder.rows) == (1, 0)

    def test_are_not_taken_to_be_saved_at_once_while_the_files_are_down(self, recorder, actor, files):
        files.database = None
        with pytest.raises(WritesRefused, match="the database is down: as told"):
            recorder.save(SaveMarketData(ticks=(a_tick(1),)), "asker")

        assert (actor.jobs, recorder.rows) == ([], 0)

    @pytest.mark.parametrize("is_open", [True, False])
    def test_that_could_not_be_written_are_kept_and_tried_again_if_the_files_are_open(
        self, recorder, actor, files, is_open
    ):
        recorder.hear_ticks(tuple(map(a_tick, (1, 2, 3))))
        if not is_open:
            files.database = None

        job = actor.jobs.pop()
        job.then(Outcome(error=DatabaseError("no space")))
        assert (actor.reminders(), recorder.is_idle) == ([(1.0, "in time")] * is_open, False)
        if is_open:  # not sooner, whatever else is heard
            recorder.hear_ticks((a_tick(4),))
            recorder.hear_candle(a_candle(start_ns=60))
            assert actor.jobs == []

        recorder.time_is_up()
        assert [each.arguments for each in actor.jobs] == [job.arguments] * is_open

    def test_that_fit_into_no_row_or_for_which_there_is_no_room_are_told_to_the_log(self, recorder, actor, files):
        recorder.hear_ticks((a_tick(1), a_tick(2), a_tick(3)))
        recorder.hear_candle(a_candle(start_ns=60))
        written = Written(ticks=2, candles=0, duplicates=0, refused=1, recorded={"feed": 2})
        actor.jobs.pop().then(Outcome(value=[written]))
        assert actor.told == [("market_data.refused", {"level": "warning", "count": 1})]
        assert (recorder.dropped, recorder.recorded.refused, recorder.recorded.heard_candles) == (1, 1, 0)
        actor.told.clear()
        files.database = None
        for _ in range(2):
            recorder.hear_ticks((a_tick(1),) * ROWS_WAITING_MAX)
        recorder.hear_tick(a_tick(2))
        for _ in range(ROWS_WAITING_MAX + 5):
            recorder.hear_candle(a_candle())

        assert actor.told == [("market_data.dropped", {"level": "warning", "waiting": ROWS_WAITING_MAX})]
        assert (recorder.rows, recorder.dropped) == (ROWS_WAITING_MAX, 1 + ROWS_WAITING_MAX + 1 + 6)

    def test_are_counted_and_who_saved_some_hears_what_became_of_their_own(self, recorder, actor):
        recorder.save(SaveMarketData(candles=(a_candle(start_ns=60),)), "ann")
        recorder.hear_ticks((a_tick(1), a_tick(2)))
        recorder.save(SaveMarketData(ticks=(a_tick(3),)), "ben")
        heard = Written(ticks=1, duplicates=1, recorded={"feed": 2})
        for answer in ([Written(), Written(candles=1)], [heard, Unstorable("no row")]):
            actor.jobs.pop().then(Outcome(value=answer))

        assert actor.sent == [
            ("ann", MarketDataSaved(rows=1)),
            ("feed", TicksRecorded(source="feed", sequence=2)),
            ("ben", QueryFailed(error="Unstorable", reason="no row")),
        ]
        assert recorder.recorded == Recorded(ticks=1, candles=1, duplicates=1, batches=2, heard_ticks=2)
        assert (recorder.is_idle, actor.jobs) == (True, [])
