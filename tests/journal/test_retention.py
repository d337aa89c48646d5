"""Old segments go, and nothing that the book of record needs goes with them."""

from __future__ import annotations

import gzip
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import HALF

from natya.actors.journal import (
    JournalActor,
    JournalCutError,
    JournalDamagedError,
    JournalFailedError,
    JournalFullError,
    PowerCutError,
    SimulatedDisk,
)
from natya.actors.journal.mark import read_mark
from natya.actors.journal.tools import check, stat, verify
from natya.actors.journal.upkeep import archive_segment, keep_keys, look_through, next_chore
from natya.actors.orders.book import Book
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.cli.exit_codes import exit_code
from natya.config.sections.journal import JournalSettings
from natya.domain.retention import is_forgettable
from natya.domain.time import DAY_NS
from natya.messages.codec import FACT_TYPES
from natya.messages.delivery import SubscriptionMoved
from natya.messages.journal import Append, Appended, JournalShortened, KeepCheckpoint, ReadCheckpoint, ReadJournal
from natya.messages.orders import OrderFilled
from natya.messages.risk_state import RiskStateChanged
from natya.messages.supervision import BreakerOpened, ChildFailed, ChildRestarted, Escalated
from natya.messages.system import Ping

SEGMENT_BYTES = 4_096
EVER_NS = 1 << 62


def a_fill(number, *, price=100.5):
    return OrderFilled(
        client_order_id=f"A-{number}",
        trade_id=f"T-{number}",
        strategy="crossover",
        symbol="RELIANCE",
        side="BUY",
        quantity=number,
        price=price,
        cumulative_quantity=number,
        occurred_ns=1,
    )


def a_change():
    return RiskStateChanged(previous="NORMAL", state="HALTED", cause="lost", changed_by="orders", occurred_ns=1)


class TestTheRule:
    def test_keeps_every_fact_but_those_that_no_later_start_needs(self):
        forgettable = {each for each in FACT_TYPES if is_forgettable(each.__name__)}

        restarts = {ChildFailed, ChildRestarted, BreakerOpened, Escalated}
        assert forgettable == {*restarts, JournalShortened, SubscriptionMoved}

    def test_keeps_what_it_does_not_know(self):
        assert not is_forgettable("OrderAmended")


class TestWhatIsLookedThrough:
    """The segments that may go, from the oldest on, up to the first that stays: the others are not read for nothing."""

    def a_segment(self, *, latest_ns=5, is_forgettable=None):
        seal = SimpleNamespace(latest_ns=latest_ns)
        return SimpleNamespace(archived=True, has_key_file=True, seal=seal, is_forgettable=is_forgettable)

    def looked_through(self, *segments):
        chore = next_chore(segments, 0, forget_before_ns=10)
        assert chore is None or chore[0] is look_through
        return None if chore is None else segments.index(chore[1])

    def test_comes_after_key_files_and_archives_the_oldest_first(self):
        def a_segment(*, archived=True, has_key_file=True, latest_ns=5):
            seal = SimpleNamespace(latest_ns=latest_ns)
            return SimpleNamespace(archived=archived, has_key_file=has_key_file, seal=seal, is_forgettable=None)

        archived, plain, other = a_segment(), a_segment(archived=False), a_segment(archived=False)
        bare = a_segment(archived=False, has_key_file=False)

        def chore(*segments, plain_max=1, before_ns=10):
            found = next_chore(iter(segments), plain_max, forget_before_ns=before_ns)
            return None if found is None else (found[0], segments.index(found[1]))

        assert chore(archived, plain, other, bare) == (keep_keys, 3)
        assert chore(archived, plain, other) == (archive_segment, 1)
        assert chore(archived, plain, other, plain_max=2) == (look_through, 0)
        assert chore(archived, plain, plain_max=1) == (look_through, 0)
        assert chore(archived, plain, plain_max=1, before_ns=0) is None
        assert chore(plain, archived, plain_max=1) is None
        assert chore() is None

    def test_is_the_oldest_that_nobody_has_looked_at(self):
        assert self.looked_through(self.a_segment(is_forgettable=True), self.a_segment(), self.a_segment()) == 1

    def test_is_nothing_behind_one_that_a_book_needs(self):
        assert self.looked_through(self.a_segment(is_forgettable=False), self.a_segment()) is None

    def test_is_nothing_that_is_not_old_yet_nor_behind_it(self):
        assert self.looked_through(self.a_segment(latest_ns=10), self.a_segment()) is None
        assert self.looked_through(self.a_segment(is_forgettable=True), self.a_segment(latest_ns=10)) is None


class Attic:
    """A journal of many small segments, filled with given facts, archived and looked through."""

    def __init__(self, workshop):
        self.workshop = workshop
        self.disk = SimulatedDisk()
        self.clock = workshop.Ticking()
        self.journal = None
        self.open()

    def open(self):
        if self.journal is not None:
            self.journal.close()
        self.journal = self.workshop.a_journal(self.disk, clock=self.clock, segment_bytes=SEGMENT_BYTES)
        self.journal.open()
        return self.journal

    def fill(self, fact, *, segments):
        """Write facts until so many segments were closed."""
        closed = len(self.journal.closed_segments)
        while len(self.journal.closed_segments) < closed + segments:
            self.journal.append((fact() if callable(fact) else fact,))
            self.journal.commit()

    def tidy(self, before_ns=EVER_NS):
        while (chore := next_chore(self.journal.closed_segments, 1, forget_before_ns=before_ns)) is not None:
            chore[0](self.disk, chore[1])

    def forget(self, before_ns=EVER_NS):
        self.tidy(before_ns)
        return self.journal.forget_before(before_ns)


@pytest.fixture
def attic(workshop):
    return Attic(workshop)


class TestForgetting:
    def test_removes_what_no_book_needs_and_the_journal_opens_again(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)
        kept = attic.journal.closed_segments[-1].first_sequence
        removed = attic.forget()
        last = attic.journal.last_sequence
        again = attic.open()

        assert len(removed) == 3
        assert (again.oldest_sequence, again.last_sequence) == (kept, last)
        assert again.view().page(0, 1).records[0].sequence == kept
        assert verify(workshop.directory, attic.disk).oldest_sequence == kept
        check(workshop.directory, attic.disk)

    def test_leaves_a_checkpoint_of_the_oldest_record_that_is_left_and_none_of_those_before(self, workshop, attic):
        def kept(sequence):
            request = KeepCheckpoint(
                name="orders", version="1", sequence=sequence, follows=0, past=b"past", state=b"state"
            )
            attic.journal.checkpoints().keep(attic.journal.view(), request)

        def read():
            return attic.journal.checkpoints().read(attic.journal.view(), ReadCheckpoint(name="orders", version="1"))

        attic.fill(workshop.a_restart(), segments=4)
        oldest = attic.journal.closed_segments[-1].first_sequence
        kept(oldest - 1)
        before = read()
        attic.forget()
        behind = read()
        kept(oldest)

        assert attic.journal.oldest_sequence == oldest
        assert (before.sequence, before.state) == (oldest - 1, b"state")
        assert (behind.sequence, behind.state) == (0, b"")
        assert behind.reason.endswith(f"and the journal has {oldest} to {attic.journal.last_sequence}")
        assert (read().sequence, read().past, read().state) == (oldest, b"past", b"state")

    def test_leaves_as_many_records_as_the_sequences_that_are_left(self, workshop, attic):
        attic.fill(workshop.a_restart, segments=3)
        attic.forget()
        oldest = attic.journal.closed_segments[0].first_sequence if attic.journal.closed_segments else None
        found = stat(workshop.directory, attic.disk)

        assert found.oldest_sequence == found.segments[0].first_sequence > 1
        assert oldest in {None, found.oldest_sequence}
        assert found.records == found.last_sequence - found.oldest_sequence + 1

    def test_says_in_the_journal_what_it_removed(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)
        attic.forget()

        (said,) = attic.journal.view().find(types={"JournalShortened"})
        assert said.fact.oldest_sequence == attic.journal.oldest_sequence
        assert said.sequence == attic.journal.last_sequence

    @pytest.mark.parametrize("where", [0, 1, 2])
    @pytest.mark.parametrize("needed", [a_change, lambda: a_fill(1)], ids=["risk state", "trade"])
    def test_ends_at_the_first_segment_with_a_fact_that_the_book_needs(self, workshop, attic, where, needed):
        attic.fill(workshop.a_restart(), segments=where)
        attic.journal.append((needed(),))
        attic.fill(workshop.a_restart(), segments=5)
        removed = attic.forget()
        again = attic.open()

        assert len(removed) == where
        assert needed() in workshop.facts_of(again)

    def test_counts_the_last_record_of_a_segment_too(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=1)
        closed = attic.journal.closed_segments[-1]
        fits = closed.seal.used
        attic = Attic(workshop)
        while attic.journal._files.position.offset < fits - 400:
            attic.journal.append((workshop.a_restart(),))
            attic.journal.commit()
        attic.journal.append((workshop.an_intent(1),))
        attic.journal.commit()
        attic.fill(workshop.a_restart(), segments=3)

        assert workshop.an_intent(1) in [record.fact for record in attic.journal.view().find(after_sequence=5)]
        assert attic.forget() == ()
        assert attic.journal.oldest_sequence == 1

    def test_looks_at_the_latest_record_of_a_segment_and_not_at_its_earliest(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)
        attic.tidy()
        first, second = attic.journal.closed_segments[:2]
        removed = attic.journal.forget_before(second.seal.earliest_ns + 1)

        assert second.seal.earliest_ns < second.seal.latest_ns
        assert removed == (first,)

    def test_leaves_what_is_as_old_as_the_bound(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=3)
        attic.tidy()

        assert attic.journal.forget_before(attic.journal.closed_segments[0].seal.latest_ns) == ()
        assert len(attic.journal.forget_before(attic.journal.closed_segments[0].seal.latest_ns + 1)) == 1

    def test_leaves_plain_segments_and_those_that_nobody_looked_through(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)

        assert attic.journal.forget_before(EVER_NS) == ()
        for segment in attic.journal.closed_segments:
            archive_segment(attic.disk, segment)
        assert attic.journal.forget_before(EVER_NS) == ()
        written_bytes = look_through(attic.disk, attic.journal.closed_segments[1])
        assert written_bytes == 0  # it only reads
        assert attic.journal.forget_before(EVER_NS) == ()  # a gap would open

    def test_leaves_one_that_can_be_read_up_to_a_damaged_record_alone(self, workshop, attic):
        """What is behind the damage may be a fact that the book needs."""
        attic.fill(workshop.a_restart(), segments=2)
        segment = attic.journal.closed_segments[0]
        archive_segment(attic.disk, segment)
        whole = bytearray(gzip.decompress(attic.disk.content(segment.path)))
        whole[len(whole) // 2] ^= 1
        attic.disk.content(segment.path)[:] = gzip.compress(bytes(whole))

        with pytest.raises(JournalDamagedError, match="CRC"):
            look_through(attic.disk, segment)

    def test_opens_no_gap(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=1)
        attic.fill(a_change, segments=1)
        attic.fill(workshop.a_restart(), segments=3)

        assert len(attic.forget()) <= 1
        assert len(attic.forget()) == 0
        report = verify(workshop.directory, attic.disk)
        assert report.records == report.last_sequence - report.oldest_sequence + 1

    def test_again_and_again_keeps_one_proof(self, workshop, attic):
        for _ in range(5):
            attic.fill(workshop.a_restart(), segments=3)
            attic.forget()
            attic.open()

        assert attic.journal.oldest_sequence > 300

    def test_on_a_full_disk_removes_nothing(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)
        attic.tidy()
        attic.disk.capacity_bytes -= attic.disk.free_bytes()
        with pytest.raises(JournalFullError):
            attic.fill(workshop.a_restart(), segments=2)

        with pytest.raises(JournalFullError):
            attic.journal.forget_before(EVER_NS)
        assert attic.journal.oldest_sequence == 1

    def test_marks_before_it_removes(self, workshop, attic, monkeypatch):
        attic.fill(workshop.a_restart(), segments=4)
        attic.tidy()
        kept = attic.journal.closed_segments[-1].first_sequence
        seen = []
        real = SimulatedDisk.remove

        def remove(disk, path):
            facts = [record.fact for record in attic.journal.view().find(types={"JournalShortened"})]
            seen.append((read_mark(disk, workshop.directory).oldest_sequence, facts[-1].oldest_sequence))
            stored = [name for name in disk._stored_names if name.name == "journal.mark"]
            assert not disk._names[stored[0]].unsynced
            real(disk, path)

        monkeypatch.setattr(SimulatedDisk, "remove", remove)
        attic.journal.forget_before(EVER_NS)

        assert seen
        assert set(seen) == {(kept, kept)}

    def test_that_fails_half_way_is_a_failure_of_the_journal(self, workshop, attic, monkeypatch):
        attic.fill(workshop.a_restart(), segments=4)
        attic.tidy()

        def remove(_disk, _path):
            raise OSError(5, "injected")

        real = SimulatedDisk.remove
        monkeypatch.setattr(SimulatedDisk, "remove", remove)
        with pytest.raises(JournalFailedError):
            attic.journal.forget_before(EVER_NS)
        monkeypatch.setattr(SimulatedDisk, "remove", real)
        again = attic.open()
        assert verify(workshop.directory, attic.disk).last_sequence == again.last_sequence

    @given(seed=st.integers(0, 2**32), actions=st.integers(0, 25))
    def test_cut_off_anywhere_is_no_damage(self, workshop, seed, actions):
        attic = Attic(workshop)
        attic.fill(workshop.a_restart(), segments=4)
        attic.tidy()
        attic.disk.actions_left = actions
        try:
            attic.journal.forget_before(EVER_NS)
        except PowerCutError:
            attic.disk, attic.journal = attic.disk.crash(Random(seed)), None
        attic.disk.actions_left = None
        journal = attic.open()

        report = verify(workshop.directory, attic.disk)
        assert report.last_sequence == journal.last_sequence
        assert report.records == report.last_sequence - report.oldest_sequence + 1


class TestAReader:
    def test_of_before_finds_what_is_kept_and_no_damage(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)
        attic.tidy()
        view = attic.journal.view()
        attic.journal.forget_before(EVER_NS)
        kept = attic.journal.oldest_sequence

        assert next(view.find()).sequence == kept
        assert list(view.find(key="feed", after_sequence=kept)) == list(view.find(after_sequence=kept))


class TestTheBook:
    """Built from what is kept, it is the book that was built from everything."""

    @settings(max_examples=HALF)
    @given(st.lists(st.sampled_from(["restart", "order", "halt"]), min_size=1, max_size=200), st.integers(0, 3))
    def test_is_the_same_before_and_after(self, workshop, kinds, idle_segments):
        attic = Attic(workshop)
        attic.fill(workshop.a_restart(), segments=idle_segments)
        for number, kind in enumerate(kinds, start=1):
            facts = {
                "restart": (workshop.a_restart(number),),
                "order": (workshop.an_intent(number), a_fill(number, price=100.05 + number / 20)),
                "halt": (a_change(),),
            }[kind]
            attic.journal.append(facts)
            attic.journal.commit()
        attic.fill(workshop.a_restart(), segments=2)
        before = self.book_of(attic)
        attic.forget()
        attic.open()
        after = self.book_of(attic)

        assert after.statistics("NORMAL") == before.statistics("NORMAL")
        assert after.risk_state == before.risk_state
        assert [f"A-{number}" in after for number in range(len(kinds))] == [
            f"A-{number}" in before for number in range(len(kinds))
        ]

    def book_of(self, attic):
        book = Book()
        for fact in attic.workshop.facts_of(attic.journal):
            if not is_forgettable(type(fact).__name__):
                book.apply(fact)
        return book


class TestAJournalThatWasCut:
    """By an earlier version, which forgot orders, too; or by hand."""

    @pytest.fixture
    def cut(self, workshop, attic):
        attic.fill(lambda: workshop.an_intent(attic.journal.last_sequence + 1), segments=4)
        attic.tidy()
        attic.journal._files.forget(attic.journal.closed_segments[:2])
        attic.journal.close()
        attic.journal = None
        return attic

    @pytest.mark.parametrize("mark", ["kept", "gone"])
    def test_is_refused_by_everyone_with_what_to_do(self, workshop, cut, mark):
        if mark == "gone":
            cut.disk.remove(workshop.directory / "journal.mark")
        directory, disk = workshop.directory, cut.disk
        before = {name: bytes(disk.content(directory / name)) for name in disk.names(directory)}
        for read in (cut.open, lambda: verify(directory, disk), lambda: check(directory, disk)):
            with pytest.raises(JournalCutError, match="put the missing segments back") as refusal:
                read()
            assert exit_code(refusal.value) == 65
            cut.journal = None

        assert before == {name: bytes(disk.content(directory / name)) for name in disk.names(directory)}

    def test_further_than_it_says_is_refused(self, workshop, attic):
        attic.fill(workshop.a_restart(), segments=4)
        attic.forget()
        attic.fill(workshop.a_restart(), segments=3)
        attic.tidy()
        attic.journal._files.forget(attic.journal.closed_segments[:1])
        attic.journal.close()
        attic.journal = None

        with pytest.raises(JournalCutError):
            attic.open()


class TestTheActor:
    """A day after a day: its clock jumps."""

    @pytest.fixture
    def system(self):
        with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
            yield system

    def start(self, system, **changes):
        disk = SimulatedDisk()
        actor = type("SimulatedJournal", (JournalActor,), {"disk": disk})
        settings = JournalSettings.default(path="/journal", segment_bytes=65_536, plain_segments_max=1, **changes)
        system.start("journal", actor, settings)
        return disk

    def append(self, system, fact, times):
        for _ in range(times):
            answer = system.request("journal", Append(facts=(fact,) * 100, correlation_id="A-1"))
            assert isinstance(answer, Appended)
            system.base.run_for(0.1)

    def records(self, system):
        found, after = [], 0
        while page := system.request("journal", ReadJournal(after_sequence=after, records_max=10_000)).records:
            found += page
            after = page[-1].sequence
        return found

    def test_removes_what_is_older_than_it_was_told_and_needed_by_nobody(self, system, workshop):
        events = system.probe("events")
        disk = self.start(system, retain_days=2)
        self.append(system, workshop.a_restart(), 20)
        system.base.clock.step_wall(3 * DAY_NS)
        self.append(system, workshop.a_restart(), 20)
        found = self.records(system)

        heard = []
        while not events.is_empty():
            heard += events.receive().records
        assert found[0].sequence > 1_000
        assert found == heard[found[0].sequence - 1 :]
        assert any(isinstance(record.fact, JournalShortened) for record in heard)
        assert verify(workshop.directory, disk).records == len(found)
        assert system.request("journal", Ping()).statistics.records == len(found)

    def test_tells_events_of_it_at_once(self, system, workshop):
        events = system.probe("events")
        self.start(system, retain_days=2)
        self.append(system, workshop.a_restart(), 20)
        system.base.clock.step_wall(3 * DAY_NS)
        while system.request("journal", Ping()).statistics.records == self.records(system)[-1].sequence:
            self.append(system, workshop.a_restart(), 1)
        heard = []
        while not events.is_empty():
            heard += events.receive().records

        assert isinstance(heard[-1].fact, JournalShortened)
        assert heard[-1] == self.records(system)[-1]

    def test_keeps_orders_for_ever(self, system, workshop):
        system.probe("events")
        self.start(system, retain_days=1)
        self.append(system, workshop.an_intent(1), 20)
        system.base.clock.step_wall(30 * DAY_NS)
        self.append(system, workshop.a_restart(), 20)
        system.base.clock.step_wall(30 * DAY_NS)
        self.append(system, workshop.a_restart(), 20)

        assert len(self.records(system)) == 6_000

    def test_keeps_everything_where_it_was_told_nothing(self, system, workshop):
        system.probe("events")
        self.start(system)
        self.append(system, workshop.a_restart(), 20)
        system.base.clock.step_wall(1_000 * DAY_NS)
        self.append(system, workshop.a_restart(), 20)

        assert len(self.records(system)) == 4_000
