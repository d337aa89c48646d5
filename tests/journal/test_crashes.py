"""The power goes at any action of the disk: what was acknowledged is there, once and in order, and nothing by half."""

from __future__ import annotations

import contextlib
import errno
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from natya.actors.journal import (
    JournalError,
    JournalFailedError,
    JournalFullError,
    PowerCutError,
    SimulatedDisk,
    Trouble,
)
from natya.actors.journal.errors import UpkeepFailedError
from natya.actors.journal.upkeep import next_chore


class World:
    """One writer on a disk that is cut off, fills up and fails; it remembers what it was promised."""

    def __init__(self, workshop, seed):
        self.workshop = workshop
        self.random = Random(seed)
        self.disk = SimulatedDisk()
        self.clock = workshop.Ticking()
        self.number = 0
        self.acknowledged = []
        """Appends, each a tuple of facts."""

        self.waiting = []
        """Appends that nobody has been told of: pairs of facts and ticket."""

    def live(self, actions):
        """Open, append and commit until the power goes or the journal gives up."""
        self.disk.actions_left = actions
        journal = self.workshop.a_journal(self.disk, clock=self.clock, segment_bytes=8_192)
        try:
            journal.open()
            while True:
                self._commit_a_group(journal)
                self._tidy(journal)
        except PowerCutError:
            self.disk = self.disk.crash(self.random)
        except JournalError:
            # Everyone waiting is answered, and the process ends: the disk keeps what it saw.
            self._settle(journal)
            self.waiting = []
            self.disk.actions_left = None
            self.disk.troubles.clear()
            journal.close()

    def _commit_a_group(self, journal):
        for _ in range(self.random.randint(1, 4)):
            self.number += 1
            facts = tuple(
                self.workshop.an_intent(self.number, symbol="X" * self.random.choice((1, 10, 700)))
                for _ in range(self.random.choice((1, 1, 1, 3)))
            )
            self.waiting.append((facts, None))
            ticket = journal.append(facts, f"A-{self.number}")
            self.waiting[-1] = (facts, ticket)
        journal.commit()
        self._settle(journal)

    def _tidy(self, journal):
        """Do a chore now and then, as the actor would: write keys, archive."""
        chore = next_chore(journal.closed_segments, 1) if self.random.random() < 0.5 else None
        if chore is not None:
            with contextlib.suppress(UpkeepFailedError):  # it is tried again
                chore[0](self.disk, chore[1])

    def _settle(self, journal):
        kept = [pair for pair in self.waiting if pair[1] and pair[1].last_sequence <= journal.last_sequence]
        self.acknowledged += [facts for facts, _ in kept]
        self.waiting = self.waiting[len(kept) :]

    def check(self):
        journal = self.workshop.a_journal(self.disk, clock=self.clock, segment_bytes=8_192)
        journal.open()
        found = self.workshop.facts_of(journal)
        key = f"A-{self.random.randint(1, self.number + 1)}"
        by_key = [record.fact for record in journal.view().find(key=key)]
        journal.close()
        assert by_key == [fact for fact in found if fact.client_order_id == key]
        wanted = [fact for facts in self.acknowledged for fact in facts]
        assert found[: len(wanted)] == wanted
        rest = found[len(wanted) :]
        for facts, _ in self.waiting:
            if not rest:
                break
            assert tuple(rest[: len(facts)]) == facts
            rest = rest[len(facts) :]
            self.acknowledged.append(facts)  # durable now: it stays
        assert not rest
        self.waiting = []


class TestAPowerCut:
    @given(seed=st.integers(0, 2**32), lives=st.lists(st.integers(0, 120), min_size=1, max_size=5))
    def test_loses_nothing_acknowledged_and_keeps_nothing_by_half(self, workshop, seed, lives):
        world = World(workshop, seed)
        for actions in lives:
            world.live(actions)
            world.check()

    @example(seed=28, trouble=Trouble(action="write", after=53, error=errno.ENOSPC), actions=133)  # half of a footer
    @given(
        seed=st.integers(0, 2**32),
        trouble=st.builds(
            Trouble,
            action=st.sampled_from(["create", "write", "sync", "rename", "sync_directory"]),
            after=st.integers(0, 60),
            error=st.sampled_from([errno.EIO, errno.ENOSPC]),
        ),
        actions=st.integers(20, 200),
    )
    def test_after_a_failing_disk_is_the_same(self, workshop, seed, trouble, actions):
        world = World(workshop, seed)
        world.disk.troubles.append(trouble)
        world.live(actions)
        world.check()
        world.live(actions)
        world.check()


class TestAFailedSync:
    def test_is_final_for_the_file_and_the_next_start_goes_on_in_a_new_one(self, workshop, disk):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        disk.troubles.append(Trouble(action="sync"))
        refused = self._error_of(lambda: workshop.commit_one(journal, 2))
        after = self._error_of(lambda: workshop.commit_one(journal, 3))
        journal.close()
        again = workshop.a_journal(disk)
        again.open()

        assert isinstance(refused, JournalFailedError)
        assert isinstance(after, JournalFailedError)
        assert workshop.facts_of(again) == [workshop.an_intent(1)]
        assert workshop.commit_one(again, 4) == 2
        assert [segment.first_sequence for segment in again.closed_segments] == [1]

    def test_of_a_full_disk_at_a_write_is_not(self, workshop, disk, journal):
        workshop.commit_one(journal, 1)
        disk.troubles.append(Trouble(action="write", error=errno.ENOSPC))
        refused = self._error_of(lambda: workshop.commit_one(journal, 2))

        assert isinstance(refused, JournalFullError)
        assert workshop.commit_one(journal, 3) == 2
        assert workshop.facts_of(journal) == [workshop.an_intent(1), workshop.an_intent(3)]

    @staticmethod
    def _error_of(call):
        try:
            call()
        except JournalError as error:
            return error
        return None
