"""Who is answered what, when and by whom: the readers' queue, decided with an actor that is played."""

from concurrent.futures import Future
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.database.errors import (
    DatabaseDamaged,
    DatabaseError,
    DatabaseInvalidated,
    PoolExhausted,
    StatementFailed,
)
from natya.actors.database.requests import answerer as room
from natya.actors.database.requests.answerer import Answerer
from natya.actors.runtime import Outcome
from natya.domain.time import SECOND_NS
from natya.messages.database import ArchiveDay, BackUp, Query, QueryFailed, Rows

ROWS = Rows(columns=("a",), rows=((1,), (2,)))
BUSY = PoolExhausted(pool="reading", limit=2, waiters=7, longest_query="select 1", longest_s=1.0)


class Actor:
    """Keeps what it is told to have done, to say and to be reminded of; its clock stands where the test sets it."""

    def __init__(self):
        self.jobs, self.sent, self.reminders, self.told, self.now_s = [], [], [], [], 100
        self.clock = SimpleNamespace(monotonic_ns=lambda: self.now_s * SECOND_NS)

    def offload(self, function, *arguments, then, lane):
        self.jobs.append(SimpleNamespace(function=function, arguments=arguments, then=then, lane=lane))

    def send(self, target, message):
        self.sent.append((target, message))

    def after(self, seconds, message):
        self.reminders.append((seconds, message))
        return object()

    def log_bounded(self, event, **fields):
        self.told.append((event, fields))


class Database:
    """Keeps answers, and says how busy it is."""

    def __init__(self):
        self.answers = {}

    def kept(self, sql, parameters, tables):
        return self.answers.get((sql, parameters, tables))

    @staticmethod
    def exhausted(*, waiters):
        return PoolExhausted(pool="reading", limit=2, waiters=waiters, longest_query="select 1", longest_s=1.0)


class Files:
    """Are open or down as the test wants."""

    def __init__(self):
        self.database, self.life, self.down, self.failures = Database(), 4, "held by process 7", []

    def failed(self, fault, life):
        self.failures.append((fault, life))


@pytest.fixture
def actor():
    return Actor()


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def answerer(actor, files):
    found = Answerer(actor, files, lanes=2, expire="look again")
    found.opened(SimpleNamespace(perform="perform"))
    return found


def a_query(number, **fields):
    return Query(sql=f"select {number}", **fields)


def asked(answerer, count, **fields):
    for number in range(1, count + 1):
        answerer.ask(a_query(number, **fields), f"asker {number}")


def sql_of(actor):
    return [job.arguments[0].sql for job in actor.jobs]


class TestAQuery:
    def test_is_worked_on_by_a_lane_with_the_time_that_is_left_of_its_own(self, answerer, actor):
        answerer.ask(a_query(1, timeout_s=30.0), "ann")

        (job,) = actor.jobs
        query, abandoned = job.arguments
        assert (job.function, query, job.lane) == ("perform", a_query(1, timeout_s=30.0), "query-1")
        assert isinstance(abandoned, Future)
        assert (answerer.waiting, answerer.is_idle, actor.reminders) == (0, False, [])
        job.then(Outcome(value=ROWS))
        assert (actor.sent, answerer.answered, answerer.is_idle) == ([("ann", ROWS)], 1, True)

    def test_waits_for_a_lane_where_all_work_and_has_its_time_counted_from_when_it_came(self, answerer, actor):
        asked(answerer, 4, timeout_s=10.0)
        assert (sql_of(actor), [job.lane for job in actor.jobs]) == (["select 1", "select 2"], ["query-1", "query-0"])
        assert (answerer.waiting, actor.reminders) == (2, [(0.5, "look again")])
        actor.now_s += 4
        actor.jobs[1].then(Outcome(value=ROWS))

        assert (sql_of(actor)[2:], actor.jobs[2].lane, answerer.waiting) == (["select 3"], "query-0", 1)
        assert actor.jobs[2].arguments[0].timeout_s == 6.0
        actor.now_s += 60
        actor.jobs[0].then(Outcome(value=ROWS))
        assert (actor.jobs[3].arguments[0].sql, actor.jobs[3].arguments[0].timeout_s) == ("select 4", 0.0)
        assert actor.reminders == [(0.5, "look again")]

    def test_is_answered_at_once_from_what_is_kept_if_that_has_no_more_rows_than_wanted(self, answerer, actor, files):
        files.database.answers["select 1", (5,), ("orders",)] = ROWS
        wanted = a_query(1, parameters=(5,), tables=("orders",), rows_max=2)
        answerer.ask(wanted, "ann")
        assert (actor.sent, actor.jobs, answerer.answered) == ([("ann", ROWS)], [], 1)
        for other in (
            msgspec.structs.replace(wanted, rows_max=1),
            msgspec.structs.replace(wanted, parameters=(6,)),
            BackUp(),
        ):
            answerer.ask(other, "ben")

        assert len(actor.jobs) + answerer.waiting == 3

    def test_is_refused_where_the_files_are_down_or_too_many_wait(self, answerer, actor, files, monkeypatch):
        monkeypatch.setattr("natya.actors.database.requests.pending.QUERIES_WAITING_MAX", 1)
        monkeypatch.setattr(room, "QUERIES_WAITING_MAX", 1)
        asked(answerer, 4)
        files.database = None
        answerer.ask(a_query(5), "asker 5")

        full = PoolExhausted(pool="reading", limit=2, waiters=1, longest_query="select 1", longest_s=1.0)
        assert actor.sent == [
            ("asker 4", QueryFailed(error="PoolExhausted", reason=str(full))),
            ("asker 5", QueryFailed(error="DatabaseDown", reason="held by process 7")),
        ]
        assert (len(actor.jobs), answerer.waiting) == (2, 1)

    def test_is_not_begun_while_the_files_are_down(self, answerer, actor, files):
        asked(answerer, 3)
        files.database = None
        actor.jobs[0].then(Outcome(error=StatementFailed("gone")))

        assert (len(actor.jobs), answerer.waiting) == (2, 1)

    @pytest.mark.parametrize(
        ("fault", "closes"),
        [
            (StatementFailed("no such column"), False),
            (BUSY, False),
            (DatabaseDamaged("torn"), True),
            (DatabaseInvalidated("fatal"), True),
        ],
    )
    def test_that_fails_is_told_why_and_damage_of_the_files_is_told_to_them(
        self, answerer, actor, files, fault, closes
    ):
        answerer.ask(a_query(1), "ann")
        actor.jobs[0].then(Outcome(error=fault))

        assert actor.sent == [("ann", QueryFailed(error=type(fault).__name__, reason=str(fault)))]
        assert (files.failures, actor.told) == ([(fault, 4)] * closes, [])
        assert (answerer.answered, answerer.is_idle) == (1, True)

    def test_that_meets_a_fault_of_ours_is_told_so_and_so_is_the_log(self, answerer, actor, files):
        answerer.ask(a_query(1), "ann")
        actor.jobs[0].then(Outcome(error=KeyError("odd")))

        assert actor.sent == [("ann", QueryFailed(error="KeyError", reason="'odd'"))]
        assert actor.told == [("query.broke", {"level": "error", "error": "KeyError", "reason": "'odd'"})]
        assert files.failures == []


class TestAQueryThatWaitsTooLong:
    def test_is_answered_at_the_next_look_after_its_deadline(self, answerer, actor):
        asked(answerer, 2)
        answerer.ask(a_query(3, timeout_s=5.0), "ann")
        answerer.ask(a_query(4, timeout_s=9.0), "ben")
        answerer.ask(BackUp(timeout_s=5.0), "cid")
        actor.now_s += 5
        answerer.expire()

        assert actor.sent == [
            ("ann", QueryFailed(error="QueryTimedOut", reason="no reader was free for 5.0 s: select 3")),
            ("cid", QueryFailed(error="QueryTimedOut", reason="no reader was free for 5.0 s: BackUp")),
        ]
        assert (answerer.waiting, actor.reminders) == (1, [(0.5, "look again")] * 2)
        actor.now_s += 4
        answerer.expire()
        assert (actor.sent[2][0], answerer.waiting, len(actor.reminders)) == ("ben", 0, 2)
        assert answerer.answered == 0


class TestAClientThatIsGone:
    def test_has_its_query_interrupted_where_it_runs_and_where_it_waits(self, answerer, actor):
        asked(answerer, 1, asker="client 1")
        asked(answerer, 1, asker="client 2")
        answerer.ask(a_query(3, asker="client 3"), "waiting")
        for client in ("client 1", "client 3", "client 3", "nobody"):
            answerer.abandon(client)

        assert [job.arguments[1].done() for job in actor.jobs] == [True, False]
        actor.jobs[1].then(Outcome(value=ROWS))
        assert actor.jobs[2].arguments[1].done()

    @pytest.mark.parametrize("end", ["answered", "expired", "down"])
    def test_is_forgotten_once_its_query_has_ended(self, answerer, actor, end):
        asked(answerer, 2)
        answerer.ask(a_query(3, asker="client 3", timeout_s=1.0), "waiting")
        request = answerer._abandonable["client 3"]
        if end == "answered":
            actor.jobs[0].then(Outcome(value=ROWS))
            actor.jobs[2].then(Outcome(value=ROWS))
        elif end == "expired":
            actor.now_s += 1
            answerer.expire()
        else:
            answerer.went_down(DatabaseError("gone"))
        answerer.abandon("client 3")

        assert not request.done()
        assert answerer._abandonable == {}

    def test_is_every_client_of_an_actor_that_is_to_stop_and_none_of_natyas_own(self, answerer, actor):
        answerer.ask(a_query(1, asker="client 1"), "ann")
        answerer.ask(a_query(2), "an actor")
        answerer.abandon_all()

        assert [job.arguments[1].done() for job in actor.jobs] == [True, False]


class TestTheEnd:
    WHY = QueryFailed(error="DatabaseDown", reason="the database starts again; ask again")

    def test_is_told_to_all_who_wait_and_interrupts_what_runs(self, answerer, actor):
        asked(answerer, 3)
        answerer.archive(ArchiveDay(day="2026-01-31"), "archivist")
        actor.jobs[0].arguments[1].set_result(None)  # it is gone already
        answerer.end()

        assert actor.sent == [(asker, self.WHY) for asker in ("asker 1", "asker 2", "asker 3", "archivist")]
        assert [job.arguments[1].done() for job in actor.jobs[:2]] == [True, True]
        assert answerer.waiting == 0

    def test_of_the_files_is_told_to_those_who_wait_and_to_others_when_their_query_has_ended(self, answerer, actor):
        asked(answerer, 4)
        answerer.went_down(DatabaseError("gone"))

        gone = QueryFailed(error="DatabaseError", reason="gone")
        assert actor.sent == [("asker 3", gone), ("asker 4", gone)]
        assert (answerer.waiting, answerer.is_idle) == (0, False)


class TestArchiving:
    WORK = ArchiveDay(day="2026-01-31")

    def test_is_done_on_a_lane_of_its_own_however_busy_the_readers_are(self, answerer, actor):
        asked(answerer, 3)
        answerer.archive(self.WORK, "archivist")

        job = actor.jobs[-1]
        assert (job.function, job.arguments, job.lane) == ("perform", (self.WORK,), "archive")
        job.then(Outcome(value=ROWS))
        assert (actor.sent, answerer.answered) == ([("archivist", ROWS)], 1)
        answerer.end()
        assert "archivist" not in [asker for asker, _ in actor.sent[1:]]

    def test_that_finds_damage_tells_it(self, answerer, actor, files):
        answerer.archive(self.WORK, "archivist")
        fault = DatabaseDamaged("torn")
        actor.jobs[0].then(Outcome(error=fault))

        assert actor.sent == [("archivist", QueryFailed(error="DatabaseDamaged", reason="torn"))]
        assert files.failures == [(fault, 4)]

    def test_is_refused_while_the_files_are_down(self, answerer, actor, files):
        files.database = None
        answerer.archive(self.WORK, "archivist")

        assert actor.sent == [("archivist", QueryFailed(error="DatabaseDown", reason="held by process 7"))]
        assert actor.jobs == []
