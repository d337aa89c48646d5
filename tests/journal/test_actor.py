"""The actor: appends answered after durability, commits told to events, refusals when the disk fails."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from natya_processes import await_that

from natya.actors.journal import JournalActor, JournalDamagedError, SimulatedDisk, Trouble
from natya.actors.journal.actor import LOOK_S, LookDue
from natya.actors.journal.checkpoints import Checkpoints
from natya.actors.journal.day_seals import read_seals
from natya.actors.journal.disk import RealDisk, RealFile
from natya.actors.journal.waypoint import WAYPOINT_NAME
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, UnknownActorError, handles
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.config.sections.journal import JournalSettings
from natya.domain.time import DAY_NS
from natya.messages.journal import (
    Append,
    Appended,
    AppendRefused,
    CheckpointKept,
    CheckpointRead,
    Journaled,
    JournalPage,
    JournalStatistics,
    KeepCheckpoint,
    ReadCheckpoint,
    ReadJournal,
)
from natya.messages.orders import OrderCancelled, OrderExpired
from natya.messages.supervision import Failed
from natya.messages.system import Ping


@pytest.fixture
def settings(tmp_path):
    return JournalSettings.default(path=str(tmp_path / "journal"), segment_bytes=65_536)


@pytest.fixture
def system():
    with InProcessSystem() as system:
        yield system


@pytest.fixture
def events(system):
    return system.probe("events")


@pytest.fixture
def journal(system, settings, events):
    assert events.is_empty()
    return system.start("journal", JournalActor, settings)


def an_append(workshop, *numbers, correlation_id="A-1"):
    return Append(facts=tuple(map(workshop.an_intent, numbers)), correlation_id=correlation_id)


def a_checkpoint(sequence):
    return KeepCheckpoint(name="orders", version="1", sequence=sequence, follows=0, past=b"past", state=b"state")


def a_link(workshop, number, follows=0):
    return Append(facts=(workshop.an_intent(number),), writer="orders-1", number=number, follows=follows)


@pytest.mark.usefixtures("journal")
class TestACheckpoint:
    def test_is_kept_and_read_back_or_refused_with_the_reason(self, system, workshop):
        system.request("journal", an_append(workshop, 1, 2))

        assert system.request("journal", a_checkpoint(2)) == CheckpointKept(name="orders", sequence=2)
        read = system.request("journal", ReadCheckpoint(name="orders", version="1"))
        assert read == CheckpointRead(name="orders", sequence=2, past=b"past", state=b"state")
        other = system.request("journal", ReadCheckpoint(name="orders", version="2"))
        assert other.sequence == 0
        assert other.reason

    @pytest.mark.parametrize("request_", ["read", "keep"])
    def test_that_cannot_be_read_or_kept_fails_and_says_so(self, system, monkeypatch, request_):
        def raising(*_):
            raise OSError(errno.EIO, "injected")

        monkeypatch.setattr(Checkpoints, request_, raising)
        message = ReadCheckpoint(name="orders", version="1") if request_ == "read" else a_checkpoint(1)

        answer = system.request("journal", message)

        assert (answer.actor, answer.message_type, answer.error) == ("journal", type(message).__name__, "OSError")


class TestInTheTimeOfAMarket:
    @pytest.fixture
    def system(self):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            yield system

    @pytest.mark.usefixtures("journal")
    def test_how_long_a_commit_took_is_of_the_machine_s_clock_since_the_market_s_stands_still(self, system, workshop):
        system.request("journal", an_append(workshop, 1))

        assert 0 < system.request("journal", Ping()).statistics.commit.sum_s < 60


@pytest.mark.usefixtures("journal")
class TestAppending:
    def test_is_answered_with_the_sequences_of_the_facts(self, system, workshop):
        first = system.request("journal", an_append(workshop, 1, 2))
        second = system.request("journal", an_append(workshop, 3, correlation_id="A-3"))

        assert first == Appended(first_sequence=1, last_sequence=2, correlation_id="A-1")
        assert second == Appended(first_sequence=3, last_sequence=3, correlation_id="A-3")

    def test_is_answered_with_what_it_says_of_its_writer(self, system, workshop):
        append = msgspec.structs.replace(an_append(workshop, 1), writer="this life", number=7)
        taken = system.request("journal", append)
        refused = system.request("journal", msgspec.structs.replace(append, number=8, follows=6))

        assert (taken.writer, taken.number) == ("this life", 7)
        assert isinstance(refused, AppendRefused)
        assert (refused.writer, refused.number) == ("this life", 8)

    def test_tells_events_before_the_writer(self, system, events, workshop):
        """The writer is the same probe, so that the order of both is seen."""
        system.tell("journal", an_append(workshop, 1, 2), sender=events)
        batch, answer = events.receive(), events.receive()

        assert isinstance(batch, Journaled)
        assert answer == Appended(first_sequence=1, last_sequence=2, correlation_id="A-1")
        assert [record.sequence for record in batch.records] == [1, 2]
        assert [record.fact.quantity for record in batch.records] == [1, 2]

    def test_of_many_shares_commits(self, system, workshop):
        futures = [system.request_future("journal", an_append(workshop, number)) for number in range(1, 501)]
        sequences = [future.result(60).last_sequence for future in futures]

        statistics = system.stop("journal")
        assert sequences == list(range(1, 501))
        assert statistics.records == statistics.appended == 500
        assert 1 <= statistics.commits < 500

    def test_without_a_fact_is_refused(self, system):
        answer = system.request("journal", Append(facts=(), correlation_id="A-1"))

        assert isinstance(answer, AppendRefused)
        assert "at least 1 fact" in answer.reason


class Mouthpiece(RuntimeActor):
    """Asks the journal, and has it say to itself what nobody may."""

    @handles(int)
    def ask(self, *_):
        self.send("journal", ReadJournal())

    @handles(JournalPage)
    def put_into_its_mouth(self, _, journal):
        self.forward(journal, ReadJournal(records_max="all"), journal)


class TestAMessageThatIsForwardedInTheJournalsOwnName:
    def test_is_looked_at_as_that_of_whoever_forwards_it(self, system, journal):
        mouthpiece = system.start("mouthpiece", Mouthpiece)

        system.tell("mouthpiece", 1)

        await_that(lambda: system.base.dead_letters.last)
        (letter,) = system.base.dead_letters.last
        assert (letter.actor, letter.error) == ("journal", "MessageRefusedError")
        assert (journal.failures, mouthpiece.failures) == (0, 0)


class Rereader(RuntimeActor):
    """Appends, and reads the journal in the same turn, as a writer does that fails and begins anew at once."""

    @handles(Append)
    def append_and_read(self, append, asker):
        self.send("journal", append)
        self.ask("journal", ReadJournal(), timeout_s=5, then=lambda outcome: self.send(asker, outcome.value))

    @handles(Appended)
    def hear(self, *_):
        pass


def test_what_is_read_has_all_that_was_appended_before_it_was_asked_for(settings, workshop):
    actor = type("InMemory", (JournalActor,), {"disk": SimulatedDisk()})
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        system.start("journal", actor, settings)
        system.start("rereader", Rereader)
        pages = [system.request("rereader", an_append(workshop, number)) for number in range(1, 9)]

    assert [len(page.records) for page in pages] == [1, 2, 3, 4, 5, 6, 7, 8]


class ManyFacts(tuple):
    """Says that there are more than it has."""

    __slots__ = ()

    def __len__(self):
        return 3


class AnyText(str):
    """Is written as it likes."""

    __slots__ = ()

    def encode(self, *_):
        raise LookupError("no")


class Trap:
    """A value that is like no other, and raises when it is looked at."""

    __dataclass_fields__: ClassVar = {"x": None}

    def __getattribute__(self, name):
        raise LookupError("a trap")


SPOILED = {
    "a text with code in it": lambda fact: Append(facts=(fact,), correlation_id=AnyText("A-1")),
    "a fact with code in it": lambda fact: Append(facts=(msgspec.structs.replace(fact, symbol=Trap()),)),
    "a fact with a text with code in it": lambda fact: Append(
        facts=(msgspec.structs.replace(fact, symbol=AnyText("INFY")),)
    ),
    "a fact with bytes that are no value": lambda fact: Append(
        facts=(msgspec.structs.replace(fact, symbol=msgspec.Raw(b"")),)
    ),
}
"""What a mistake, or malice, puts into an append."""


@pytest.mark.usefixtures("journal")
class TestAppendingWhatNobodyCouldReadBack:
    def test_is_refused_and_harms_nobody_else(self, system, workshop, unreadable):
        answers = [
            system.request_future("journal", an_append(workshop, 1, correlation_id="before")),
            system.request_future("journal", Append(facts=unreadable, correlation_id="bad")),
            system.request_future("journal", an_append(workshop, 2, correlation_id="after")),
        ]
        before, refused, after = (future.result(60) for future in answers)

        assert isinstance(refused, Failed)  # at its door already
        assert "fields as declared wanted" in refused.reason
        assert (before.first_sequence, after.first_sequence) == (1, 2)
        page = system.request("journal", ReadJournal())
        assert [record.fact.quantity for record in page.records] == [1, 2]

    @pytest.mark.parametrize(
        "append",
        [
            Append(facts=None),
            Append(facts="OrderIntended"),
            Append(facts=(ReadJournal(),)),
            Append(facts=("text",)),
            Append(facts=(OrderExpired(client_order_id="A-1", reason="x", occurred_ns=1),), correlation_id=7),
            Append(facts=(OrderExpired(client_order_id="A-1", reason="x", occurred_ns=1),), correlation_id="\udfff"),
        ],
        ids=str,
    )
    def test_and_what_is_no_append_too(self, system, append):
        assert isinstance(system.request("journal", append), AppendRefused | Failed)
        assert system.stop("journal").records == 0

    @pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
    def test_is_refused_whatever_its_code_says_of_itself(self, system, workshop, spoil):
        refused = system.request("journal", spoil(workshop.an_intent(1)))

        assert (refused.actor, refused.error) == ("journal", "MessageRefusedError")
        assert system.request("journal", an_append(workshop, 2)).first_sequence == 1

    def test_counts_what_is_there_and_not_what_its_code_says(self, system, workshop):
        answer = system.request("journal", Append(facts=ManyFacts((workshop.an_intent(1),)), correlation_id="A-1"))

        assert answer == Appended(first_sequence=1, last_sequence=1, correlation_id="A-1")
        assert [record.sequence for record in system.request("journal", ReadJournal()).records] == [1]

    def test_takes_a_list_of_facts_as_it_is_when_it_comes(self, system, events, workshop):
        facts = [workshop.an_intent(1)]

        answer = system.request("journal", Append(facts=facts, correlation_id="A-1"))
        facts.append(None)

        assert answer == Appended(first_sequence=1, last_sequence=1, correlation_id="A-1")
        (heard,) = events.receive(timeout_s=0.001).records
        assert heard.fact == workshop.an_intent(1)

    def test_events_hear_what_will_be_read_back(self, system, events, workshop):
        odd = msgspec.structs.replace(workshop.an_intent(1), limit_price=5, symbol=Decimal("1.50"))
        answer = system.request("journal", Append(facts=(odd,)))

        (heard,) = events.receive(timeout_s=0.001).records
        assert isinstance(answer, Appended)
        assert (type(heard.fact.limit_price), heard.fact.symbol) == (float, "1.50")
        assert system.request("journal", ReadJournal()).records == (heard,)


@pytest.mark.usefixtures("journal")
class TestReading:
    def test_gives_what_fits(self, system, workshop):
        for number in range(1, 6):
            system.request("journal", an_append(workshop, number, correlation_id=f"A-{number}"))
        system.request("journal", Append(facts=(workshop.a_cancel(3),), correlation_id="A-3"))
        by_key = system.request("journal", ReadJournal(key="A-3"))
        by_type = system.request("journal", ReadJournal(types=("OrderCancelled",)))
        newest_ns = by_type.records[0].recorded_ns
        by_time = system.request("journal", ReadJournal(since_ns=newest_ns))
        before = system.request("journal", ReadJournal(until_ns=newest_ns, records_max=2, after_sequence=1))

        assert [record.sequence for record in by_key.records] == [3, 6]
        assert [record.sequence for record in by_type.records] == [6]
        assert 6 in [record.sequence for record in by_time.records]
        assert [record.sequence for record in before.records] == [2, 3]

    @pytest.mark.parametrize("wanted", ["since_ns", "until_ns", "types", "key", "after_sequence", "records_max"])
    def test_goes_by_each_thing_that_is_asked_for(self, system, workshop, wanted):
        for number in range(1, 6):
            system.request("journal", an_append(workshop, number, correlation_id=f"A-{number}"))
            system.request("journal", Append(facts=(workshop.a_cancel(number),)))
        everything = system.request("journal", ReadJournal()).records
        middle_ns = everything[5].recorded_ns
        value, fits = {
            "since_ns": (middle_ns, lambda record: record.recorded_ns >= middle_ns),
            "until_ns": (middle_ns, lambda record: record.recorded_ns < middle_ns),
            "types": (("OrderCancelled",), lambda record: isinstance(record.fact, OrderCancelled)),
            "key": ("A-2", lambda record: record.fact.client_order_id == "A-2"),
            "after_sequence": (7, lambda record: record.sequence > 7),
            "records_max": (3, lambda record: record.sequence <= 3),
        }[wanted]
        records = tuple(filter(fits, everything))

        assert 0 < len(records) < 10
        assert system.request("journal", ReadJournal(**{wanted: value})) == JournalPage(
            records=records, last_sequence=10
        )

    def test_gives_no_page_larger_than_it_may_be(self, system, workshop, monkeypatch):
        monkeypatch.setattr("natya.actors.journal.actor.PAGE_RECORDS_MAX", 3)
        system.request("journal", an_append(workshop, 1, 2, 3, 4, 5))
        page = system.request("journal", ReadJournal(records_max=1_000_000))

        assert [record.sequence for record in page.records] == [1, 2, 3]
        assert page.last_sequence == 5

    def test_pages_through_everything(self, system, workshop):
        for number in range(1, 6):
            system.request("journal", an_append(workshop, number))
        first = system.request("journal", ReadJournal(after_sequence=0, records_max=3))
        second = system.request("journal", ReadJournal(after_sequence=3, records_max=3))

        assert [record.sequence for record in first.records] == [1, 2, 3]
        assert [record.sequence for record in second.records] == [4, 5]
        assert first.last_sequence == second.last_sequence == 5

    def test_what_was_damaged_meanwhile_is_a_failure_and_no_answer(self, system, settings, workshop):
        system.request("journal", an_append(workshop, 1))
        path = Path(settings.path) / "00000000000000000001.journal"
        with path.open("r+b") as file:
            file.seek(150)
            byte = file.read(1)
            file.seek(150)
            file.write(bytes([byte[0] ^ 1]))
        answer = system.request("journal", ReadJournal())

        assert isinstance(answer, Failed)
        assert answer.error == JournalDamagedError.__name__
        with contextlib.suppress(UnknownActorError):  # its next life has ended already, by the same damage
            after = system.request("journal", an_append(workshop, 2))  # nothing more is acknowledged, either
            assert not isinstance(after, Appended)


@pytest.mark.usefixtures("journal")
class TestStartingAgain:
    def test_goes_on_with_the_sequence(self, system, settings, workshop):
        system.request("journal", an_append(workshop, 1, 2))
        system.stop("journal")
        system.start("journal", JournalActor, settings)

        assert system.request("journal", an_append(workshop, 3)).first_sequence == 3

    def test_on_damage_is_refused_with_file_offset_and_sequence(self, system, settings, workshop):
        for number in range(1, 4):
            system.request("journal", an_append(workshop, number))
        system.stop("journal")
        path = Path(settings.path) / "00000000000000000001.journal"
        with path.open("r+b") as file:
            file.seek(150)
            file.write(b"\xff")

        with pytest.raises(JournalDamagedError) as damage:
            system.start("journal", JournalActor, settings)
        assert damage.value.path == path
        assert (damage.value.offset, damage.value.sequence) == (128, 1)


@pytest.mark.usefixtures("journal")
class TestOnAFailingDisk:
    @pytest.mark.parametrize("action", ["write", "sync"])
    def test_every_writer_of_the_commit_is_refused_and_a_restart_goes_on_in_a_new_file(  # noqa: PLR0913, PLR0917  fixtures
        self, system, settings, workshop, monkeypatch, caplog, action
    ):
        system.request("journal", an_append(workshop, 1))
        broken, asked_again = [errno.EIO], []
        real = getattr(RealFile, action)

        def fail_once(file, *arguments):
            if broken:
                asked_again.append(file)
                raise OSError(broken.pop(), "injected")
            assert file is not asked_again[0], f"{action} was tried again on a file that had failed"
            real(file, *arguments)

        monkeypatch.setattr(RealFile, action, fail_once)
        refused = system.request("journal", an_append(workshop, 2, correlation_id="A-2"))
        after = system.request("journal", an_append(workshop, 3))

        assert isinstance(refused, AppendRefused)
        assert refused.correlation_id == "A-2"
        assert "journal.disk_filled" not in map(logging.LogRecord.getMessage, caplog.records)
        assert after.first_sequence == 2  # the actor has failed and restarted: nothing of the refused one is there
        page = system.request("journal", ReadJournal())
        assert [record.fact.quantity for record in page.records] == [1, 3]
        assert len([path for path in Path(settings.path).iterdir() if path.suffix == ".journal"]) == 2

    def test_a_commit_that_a_full_disk_refuses_is_acknowledged_to_nobody(self, system, workshop, events, monkeypatch):
        system.request("journal", an_append(workshop, 1))
        full, real = [errno.ENOSPC], RealFile.write

        def fail_once(file, data, offset):
            if full:
                raise OSError(full.pop(), "injected")
            real(file, data, offset)

        monkeypatch.setattr(RealFile, "write", fail_once)
        refused = system.request("journal", an_append(workshop, 2, correlation_id="A-2"))
        after = system.request("journal", an_append(workshop, 3, correlation_id="A-3"))

        assert isinstance(refused, AppendRefused)
        assert refused.correlation_id == "A-2"
        assert "the disk is full" in refused.reason
        assert after == Appended(first_sequence=2, last_sequence=2, correlation_id="A-3")
        heard = [record for _ in range(2) for record in events.receive().records]
        assert [(record.sequence, record.fact.quantity) for record in heard] == [(1, 1), (2, 3)]
        assert events.is_empty()

    def test_a_full_disk_refuses_intents_takes_cancels_and_recovers_by_itself(
        self, system, workshop, monkeypatch, caplog
    ):
        def no_space(*_arguments):
            raise OSError(errno.ENOSPC, "injected")

        real = os.posix_fallocate
        monkeypatch.setattr(os, "posix_fallocate", no_space)
        answers = []
        while not answers or isinstance(answers[-1], Appended):
            answers.append(system.request("journal", an_append(workshop, *range(1, 51))))
        cancel = system.request("journal", Append(facts=(workshop.a_cancel(1),) * 100))
        intent = system.request("journal", an_append(workshop, 1))
        kept = system.request("journal", a_checkpoint(1))
        monkeypatch.setattr(os, "posix_fallocate", real)

        assert len(answers) > 2
        assert isinstance(answers[-1], AppendRefused)
        assert isinstance(cancel, Appended)
        assert isinstance(intent, AppendRefused)
        assert "full" in intent.reason
        assert kept == CheckpointKept(name="orders", reason="the disk is full")

        def appended():
            return isinstance(system.request("journal", an_append(workshop, 1)), Appended)

        await_that(appended)  # within the second after which space is asked for again
        wanted = ["journal.disk_filled", "journal.space_returned"]
        assert [told for told in map(logging.LogRecord.getMessage, caplog.records) if told in wanted] == wanted


@pytest.mark.usefixtures("events")
class TestAGroup:
    """Of writers whose appends arrived together."""

    @pytest.fixture
    def system(self):
        with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
            yield system

    @pytest.fixture
    def disk(self):
        return SimulatedDisk()

    @pytest.fixture
    def journal(self, system, disk):
        actor = type("SimulatedJournal", (JournalActor,), {"disk": disk})
        return system.start("journal", actor, JournalSettings.default(path="/journal", segment_bytes=65_536))

    @pytest.mark.usefixtures("journal")
    def test_is_answered_each_with_its_own_sequences_and_name(self, system, workshop):
        sizes = (1, 3, 2, 1, 5)
        asked = [
            system.request_future("journal", an_append(workshop, *range(1, size + 1), correlation_id=f"A-{number}"))
            for number, size in enumerate(sizes)
        ]
        answers = [answer.result(60) for answer in asked]

        assert [(a.first_sequence, a.last_sequence, a.correlation_id) for a in answers] == [
            (1, 1, "A-0"), (2, 4, "A-1"), (5, 6, "A-2"), (7, 7, "A-3"), (8, 12, "A-4"),
        ]  # fmt: skip

    @pytest.mark.usefixtures("journal")
    def test_that_is_durable_in_part_is_told_which_part(self, system, workshop, disk):
        """A segment fills up in its midst: what was before is durable when the rest fails."""
        settled = []
        while not settled or not any(isinstance(answer, AppendRefused) for answer in settled):
            disk.troubles = [Trouble(action="create", after=1, error=errno.EIO)]
            asked = [system.request_future("journal", an_append(workshop, *range(1, 41))) for _ in range(12)]
            settled += [answer.result(30) for answer in asked]
        disk.troubles = []
        found = system.request("journal", ReadJournal(records_max=100_000)).records

        assert all(answer.reason for answer in settled if isinstance(answer, AppendRefused))
        acknowledged = [answer for answer in settled if isinstance(answer, Appended)]
        assert len(found) == 40 * len(acknowledged)
        assert [answer.last_sequence for answer in acknowledged] == list(range(40, len(found) + 1, 40))

    @pytest.mark.usefixtures("journal")
    def test_that_a_full_disk_refused_half_way_is_not_answered_with_the_sequences_of_the_next(
        self, system, workshop, disk
    ):
        """The second does not fit: the first is written then, and refused; the third gets the first one's sequence."""
        system.request("journal", an_append(workshop, *range(1, 301)))
        disk.troubles = [Trouble(action="write", error=errno.ENOSPC)]
        asked = [
            system.request_future("journal", an_append(workshop, *numbers, correlation_id=name))
            for name, numbers in (("first", (1,)), ("second", range(1, 301)), ("third", (3,)))
        ]
        first, second, third = (answer.result(30) for answer in asked)

        assert (type(first), type(second)) == (AppendRefused, AppendRefused)
        assert (third.first_sequence, third.correlation_id) == (301, "third")
        assert system.request("journal", ReadJournal(after_sequence=300)).records[0].fact.quantity == 3

    @pytest.mark.usefixtures("journal")
    def test_with_one_that_is_invalid_is_durable_without_it(self, system, workshop):
        asked = [
            system.request_future("journal", an_append(workshop, 1, correlation_id="before")),
            system.request_future("journal", Append(facts=(), correlation_id="bad")),
            system.request_future("journal", an_append(workshop, 2, correlation_id="after")),
        ]
        before, bad, after = (answer.result(60) for answer in asked)

        assert (before.last_sequence, after.last_sequence) == (1, 2)
        assert bad.correlation_id == "bad"

    @pytest.mark.usefixtures("journal")
    def test_is_answered_in_the_order_of_its_appends_also_where_one_in_its_midst_is_refused(self, system, workshop):
        writer = system.probe("writer")
        for append in (an_append(workshop, 1), Append(facts=(), correlation_id="bad"), an_append(workshop, 2)):
            system.tell("journal", append, sender=writer)

        answers = [writer.receive() for _ in range(3)]

        assert [type(answer) for answer in answers] == [Appended, AppendRefused, Appended]

    @pytest.mark.usefixtures("journal")
    def test_that_a_full_disk_refuses_takes_nothing_with_it_that_relies_on_it(self, system, workshop, disk):
        system.request("journal", an_append(workshop, 1))
        disk.troubles = [Trouble(action="write", error=errno.ENOSPC)]
        first = system.request("journal", a_link(workshop, 1))
        second = system.request("journal", a_link(workshop, 2, follows=1))
        third = system.request("journal", a_link(workshop, 3))

        assert (type(first), type(second), type(third)) == (AppendRefused, AppendRefused, Appended)
        assert second.reason == "append 1, which it follows, was lost"

    @pytest.mark.usefixtures("journal")
    def test_that_is_refused_when_it_comes_takes_nothing_with_it_that_relies_on_it(self, system, workshop):
        """The second has no fact; those that come behind it in the same group rely on it, or on none."""
        empty = Append(facts=(), writer="orders-1", number=2, follows=1)
        links = [a_link(workshop, 1), empty, a_link(workshop, 3, 2), a_link(workshop, 4, 1), a_link(workshop, 5, 3)]
        answers = [each.result(60) for each in [system.request_future("journal", link) for link in links]]

        assert [type(answer) for answer in answers] == [Appended, AppendRefused, AppendRefused, Appended, AppendRefused]
        assert [answer.reason for answer in answers if isinstance(answer, AppendRefused)] == [
            "an append has a tuple of at least 1 fact, found ()",
            "append 2, which it follows, was lost",
            "append 3, which it follows, was lost",
        ]
        found = system.request("journal", ReadJournal()).records
        assert [record.fact.quantity for record in found] == [1, 4]

    @pytest.mark.parametrize(("error", "failures"), [(errno.ENOSPC, 0), (errno.EIO, 1)], ids=["full", "failing"])
    def test_that_waits_when_its_day_is_over_is_not_written_by_a_look(self, system, workshop, disk, error, failures):
        """What the disk says of it is for its writers, and the day is sealed by the next look."""

        class AtMidnight(JournalActor):
            """Its look comes due in the midst of a turn, a day later."""

            @handles(int)
            def step(self, days, sender):
                system.base.clock.step_wall(days * DAY_NS)
                self.look(LookDue(), sender)

        AtMidnight.disk = disk
        journal = system.start("journal", AtMidnight, JournalSettings.default(path="/journal", segment_bytes=65_536))
        system.request("journal", an_append(workshop, 1))
        disk.troubles = [Trouble(action="write", error=error)]
        writer = system.probe("writer")
        for message in (an_append(workshop, 2), 1):
            system.tell("journal", message, sender=writer)

        assert isinstance(writer.receive(), AppendRefused)
        assert journal.failures == failures
        system.base.run_for(2 * LOOK_S)
        assert [seal.last_sequence for seal in read_seals(disk, Path("/journal"))] == [1]

    @pytest.mark.usefixtures("journal")
    def test_whose_mark_cannot_be_written_is_acknowledged_since_it_is_durable_and_the_next_life_goes_on(
        self, system, workshop, disk
    ):
        system.request("journal", an_append(workshop, 1))
        disk.troubles = [Trouble(action="write", after=1, error=errno.EIO)]
        second = system.request("journal", an_append(workshop, 2))
        third = system.request("journal", an_append(workshop, 3))

        assert (second.first_sequence, third.first_sequence) == (2, 3)
        assert system.base.find("journal").failures == 1
        assert [each.sequence for each in system.request("journal", ReadJournal()).records] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("most", "commits"), [((2, 0), 3), ((2, 1), 2), ((99, 0), 1)], ids=["two", "a byte more", "all"],
    )  # fmt: skip
    def test_is_committed_in_parts_where_it_has_as_many_bytes_as_one_may_have(
        self, system, workshop, disk, most, commits
    ):
        one = workshop.a_journal(SimulatedDisk())
        one.open()
        one.append((workshop.an_intent(1, symbol="X" * 1_900),))
        records, more = most
        size = records * one.buffered_bytes + more
        actor = type("SimulatedJournal", (JournalActor,), {"disk": disk})
        settings = JournalSettings.default(path="/journal", segment_bytes=65_536, group_bytes_max=size)
        system.start("journal", actor, settings)
        asked = [
            system.request_future("journal", Append(facts=(workshop.an_intent(number, symbol="X" * 1_900),)))
            for number in range(1, 7)
        ]
        assert [each.result(60).first_sequence for each in asked] == [1, 2, 3, 4, 5, 6]
        statistics = system.request("journal", Ping()).statistics

        assert statistics == JournalStatistics(
            records=6,
            appended=6,
            commits=commits,
            bytes_written=statistics.bytes_written,
            path="/journal",
            commit=statistics.commit,
        )
        assert sum(statistics.commit.counts) == commits
        assert statistics.commit.sum_s == 0, "no time passes in a simulation meanwhile"
        assert 6 * 1_900 < statistics.bytes_written < 6 * 2_200


class TestWhatTheLogTells:
    """Of a journal of seals, keys, archives and damage, in the order in which it happened."""

    @pytest.fixture
    def system(self):
        with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
            yield system

    @pytest.fixture
    def start(self, system):
        """Start it on a disk; with these settings besides."""

        def start(disk, **settings):
            system.probe("events")
            actor = type("SimulatedJournal", (JournalActor,), {"disk": disk})
            usual = {"path": "/journal", "segment_bytes": 65_536, "plain_segments_max": 1}
            system.start("journal", actor, JournalSettings.default(**(usual | settings)))
            return disk

        return start

    @pytest.fixture
    def told(self, caplog):
        caplog.set_level(logging.INFO)

        def told():
            """Return each line of the journal since the last call: its level, event and fields."""
            lines = [
                (each.levelname, each.message, {name: value for name, value in each.fields.items() if name != "actor"})
                for each in caplog.records
                if each.message.startswith("journal.")
            ]
            caplog.clear()
            return lines

        return told

    def test_of_a_torn_tail(self, start, told, workshop):
        disk = SimulatedDisk()
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        end, path = journal._files.position.offset, journal.active_segment.path
        journal.close()
        disk.content(path)[end : end + 3] = b"NJR"
        start(disk)

        assert told()[:1] == [
            (
                "WARNING",
                "journal.tail_cut",
                {
                    "path": str(path),
                    "offset": end,
                    "bytes": 3,
                    "sequence": 2,
                    "reason": "3 bytes of a commit that did not finish",
                },
            )
        ]

    def test_of_a_group_of_which_the_first_record_alone_was_written(self, start, told, workshop):
        disk, other = SimulatedDisk(), SimulatedDisk()
        for each in (disk, other):
            journal = workshop.a_journal(each)
            journal.open()
            workshop.commit_one(journal, 1)
            end, path = journal._files.position.offset, journal.active_segment.path
            if each is other:
                journal.append((workshop.an_intent(2), workshop.an_intent(3)))
                journal.commit()
                size = (journal._files.position.offset - end) // 2
            journal.close()
        disk.content(path)[end : end + size] = other.content(path)[end : end + size]
        start(disk)

        _, event, fields = told()[0]
        assert (event, fields["bytes"], fields["sequence"]) == ("journal.tail_cut", size, 2)
        assert fields["reason"] == "an append of several facts that did not finish"

    def test_of_a_disk_without_space_for_the_reserve(self, start, told):
        start(SimulatedDisk(capacity_bytes=90_000))

        assert told() == [("WARNING", "journal.reserve_missed", {"path": "/journal"})]

    def test_of_a_day_that_was_sealed_and_of_one_that_could_not_be(self, start, told, system, workshop):
        disk = start(SimulatedDisk())
        system.request("journal", an_append(workshop, 1))
        system.base.clock.step_wall(DAY_NS)
        disk.troubles = [Trouble(action="create", error=errno.ENOSPC)]
        system.base.run_for(LOOK_S + 1)
        ((level, event, fields),) = told()
        assert (level, event) == ("ERROR", "journal.day_not_sealed")
        assert fields["reason"].startswith("day ")
        assert fields["reason"].endswith(" is not sealed yet: [Errno 28] No space left on device")
        system.base.run_for(LOOK_S + 1)
        (seal,) = read_seals(disk, Path("/journal"))
        sealed = ("INFO", "journal.day_sealed", {"day": seal.day, "sequence": 1, "hash": seal.last_hash})
        assert told() == [sealed]
        system.base.run_for(3 * LOOK_S)
        assert told() == []

    def test_of_upkeep_that_was_done_and_of_what_could_not_be_and_is_tried_again_in_a_minute(
        self, start, told, system, workshop
    ):
        class Refusing(SimulatedDisk):
            refused = ".keys"

            def _expect_allowed(self, target):
                if target.suffix == self.refused:
                    raise OSError(errno.EIO, "injected")

            def replace(self, source, target):
                self._expect_allowed(target)
                super().replace(source, target)

        disk = start(Refusing())
        directory = Path("/journal")

        def fill():
            """Append until the next segment has begun."""
            before = [name for name in disk.names(directory) if ".journal" in name]
            while [name for name in disk.names(directory) if ".journal" in name] == before:
                system.request("journal", Append(facts=tuple(map(workshop.an_intent, range(1, 101)))))

        fill()
        system.base.run_for(59)
        keys = directory / "00000000000000000001.keys"
        reason = f"{keys} could not be written: [Errno 5] injected"
        assert told() == [("WARNING", "journal.upkeep_failed", {"reason": reason})]
        disk.refused = ""
        system.base.run_for(2)
        assert told() == [("INFO", "journal.keys_written", {"bytes": len(disk.content(keys))})]
        fill()
        system.base.run_for(1)
        second = next(name for name in disk.names(directory) if name.endswith(".keys") and name != keys.name)
        archive = disk.content(directory / "00000000000000000001.journal.gz")
        assert told() == [
            ("INFO", "journal.keys_written", {"bytes": len(disk.content(directory / second))}),
            ("INFO", "journal.segment_archived", {"bytes": len(archive)}),
        ]

    def test_of_a_waypoint_is_nothing_though_one_is_written_as_soon_as_it_is_due(self, start, told, system, workshop):
        disk, waypoint = start(SimulatedDisk()), Path("/journal") / WAYPOINT_NAME
        system.request("journal", an_append(workshop, 1))
        system.base.run_for(1)
        assert not disk.exists(waypoint)
        for first in (2, 102):
            system.request("journal", an_append(workshop, *range(first, first + 100)))
        system.base.run_for(1)

        assert disk.exists(waypoint)
        assert told() == []

    def test_of_segments_that_were_removed(self, start, told, system, workshop):
        disk = start(SimulatedDisk(), retain_days=2)
        append = Append(facts=(workshop.a_restart(),) * 100)
        while not any(name.endswith(".gz") for name in disk.names(Path("/journal"))):
            system.request("journal", append)
            system.base.run_for(0.1)
        system.base.clock.step_wall(3 * DAY_NS)
        told()
        first = Path("/journal/00000000000000000001.journal.gz")
        while disk.exists(first):
            system.request("journal", append)
            system.base.run_for(0.1)

        assert [line for line in told() if "sealed" not in line[1]][-1] == (
            "INFO",
            "journal.segment_removed",
            {"path": str(first)},
        )


@pytest.mark.usefixtures("events")
class TestACrash:
    @pytest.fixture
    def system(self):
        crash = ScriptedFault(kind="crash", actor="journal", message_type=Append, nth=3)
        with InProcessSystem(SimulatedSystemBase(seed=1, faults=Faults(script=(crash,)))) as system:
            yield system

    @pytest.mark.usefixtures("journal")
    def test_before_the_commit_is_told_to_every_writer_of_the_group(self, system, workshop):
        group = [system.request_future("journal", an_append(workshop, number)) for number in (1, 2, 3)]
        answers = [answer.result(60) for answer in group]

        assert [type(answer) for answer in answers] == [AppendRefused, AppendRefused, Failed]
        assert system.request("journal", ReadJournal()).records == ()

    @pytest.mark.usefixtures("journal")
    def test_leaves_nothing_to_become_durable_that_relies_on_what_it_took_along(self, system, workshop):
        """Those behind the lost one wait in the mailbox, and meet the next life."""
        links = [a_link(workshop, number, follows=number - 1) for number in range(1, 6)]
        answers = [each.result(60) for each in [system.request_future("journal", link) for link in links]]
        again = system.request("journal", a_link(workshop, 6))

        assert [type(answer) for answer in answers[2:]] == [Failed, AppendRefused, AppendRefused]
        assert [answer.reason for answer in answers[3:]] == [
            "append 3, which it follows, was lost",
            "append 4, which it follows, was lost",
        ]
        assert (again.first_sequence, again.last_sequence) == (1, 1)

    @pytest.mark.usefixtures("journal")
    def test_while_it_is_read_is_told_to_the_reader(self, system, workshop):
        for number in (1, 2):
            system.request("journal", an_append(workshop, number))
        page = system.request_future("journal", ReadJournal())
        system.tell("journal", an_append(workshop, 3))

        assert page.result(60).reason == "the journal failed before the page was read"
        assert len(system.request("journal", ReadJournal()).records) == 2


class TestArchiving:
    def test_old_segments_are_packed_and_stay_readable(self, system, tmp_path, workshop):
        settings = JournalSettings.default(path=str(tmp_path / "journal"), segment_bytes=65_536, plain_segments_max=1)
        system.start("journal", JournalActor, settings)
        for _ in range(40):
            system.request("journal", an_append(workshop, *range(1, 51)))
        page = system.request("journal", ReadJournal(records_max=10_000))
        system.stop("journal")
        system.start("journal", JournalActor, settings)
        again = system.request("journal", ReadJournal(records_max=10_000))

        found = system.request("journal", ReadJournal(key="A-7"))

        assert list(Path(settings.path).glob("*.journal.gz"))
        assert [record.fact.quantity for record in found.records] == [7] * 40
        assert len(page.records) == 2_000
        assert again == page

    @pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
    def test_on_a_disk_that_takes_no_archive_stops_nobody_and_is_told(  # noqa: PLR0913, PLR0917  fixtures
        self, system, tmp_path, workshop, monkeypatch, caplog, error
    ):
        def failing(real):
            def move(disk, source, target):
                if target.suffix in {".gz", ".keys"}:
                    raise OSError(error, "injected", str(target))
                real(disk, source, target)

            return move

        for name in ("rename", "replace"):
            monkeypatch.setattr(RealDisk, name, failing(getattr(RealDisk, name)))
        settings = JournalSettings.default(path=str(tmp_path / "journal"), segment_bytes=65_536, plain_segments_max=1)
        system.start("journal", JournalActor, settings)
        answers = [system.request("journal", an_append(workshop, *range(1, 51))) for _ in range(40)]
        found = system.request("journal", ReadJournal(key="A-7"))

        assert [answer.first_sequence for answer in answers] == list(range(1, 2_001, 50))
        assert len(found.records) == 40
        assert system.base.find("journal").failures == 0
        assert not [path for path in Path(settings.path).iterdir() if path.suffix in {".gz", ".keys"}]
        system.stop("journal")
        reasons = [each.fields["reason"] for each in caplog.records if each.message == "journal.upkeep_failed"]
        assert reasons
        assert all("injected" in reason for reason in reasons)
