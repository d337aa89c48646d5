"""The reserve: asked for once a second on a full disk, given to outcomes alone, never given twice."""

from __future__ import annotations

import pytest

from natya.actors.journal import JournalFullError, Trouble
from natya.actors.journal.errors import JournalFailedError
from natya.actors.journal.reserve import RETRY_NS, Reserve
from natya.actors.journal.simulated import SimulatedDisk


class Counting(SimulatedDisk):
    """Counts the files that were asked for."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = 0

    def create(self, path, size):
        self.asked += 1
        return super().create(path, size)


class TestAReserveOnAFullDisk:
    @pytest.fixture
    def disk(self):
        return Counting(capacity_bytes=10)

    @pytest.fixture
    def reserve(self, disk, workshop):
        return Reserve(disk, workshop.directory, size=100)

    @pytest.mark.parametrize("begin_ns", [0, 7 * RETRY_NS])
    def test_is_asked_for_once_in_its_time(self, disk, reserve, begin_ns):
        answers = [reserve.restore(begin_ns + since_ns) for since_ns in (0, 0, 1, RETRY_NS - 1)]
        assert (answers, disk.asked) == ([False] * 4, 1)

        assert not reserve.restore(begin_ns + RETRY_NS)
        assert disk.asked == 2
        assert not reserve.restore(begin_ns + 2 * RETRY_NS - 1)
        assert disk.asked == 2

    def test_is_asked_for_when_the_clock_has_stepped_back(self, disk, reserve):
        reserve.restore(100 * RETRY_NS)
        disk.capacity_bytes = 1_000

        assert reserve.restore(50 * RETRY_NS)

    def test_is_given_away_once(self, disk, reserve):
        disk.capacity_bytes = 1_000
        assert reserve.restore(0)
        reserve.take()

        assert not reserve.held

    @pytest.mark.parametrize(("size", "asked"), [(99, 1), (100, 1), (101, 2)])
    def test_that_is_there_is_taken_as_it_is_unless_it_is_smaller(self, disk, reserve, workshop, size, asked):
        disk.capacity_bytes = 1_000
        assert reserve.restore(0)

        assert Reserve(disk, workshop.directory, size=size).restore(0)
        assert disk.asked == asked

    def test_that_is_held_is_not_asked_for_again_nor_looked_at(self, disk, reserve, monkeypatch):
        disk.capacity_bytes = 1_000
        assert reserve.restore(0)
        monkeypatch.setattr(disk, "open", None)

        assert all(reserve.restore(second * RETRY_NS) for second in range(1, 5))
        assert disk.asked == 1


class TestASegmentThatFillsUpOnAFullDisk:
    def full(self, workshop, disk):
        """Fill the disk, and the segment until one more append does not fit."""
        journal = workshop.a_journal(disk, segment_bytes=8_192)
        journal.open()
        disk.capacity_bytes -= disk.free_bytes()
        while journal._files.position.offset < journal._files.capacity - 400:
            workshop.commit_one(journal, journal.last_sequence + 1)
        return journal

    def test_is_followed_by_the_reserve_for_no_intent(self, workshop, disk):
        journal = self.full(workshop, disk)
        with pytest.raises(JournalFullError):
            journal.append((workshop.an_intent(1, symbol="X" * 300),) * 2)

        assert journal.reserve_held
        assert journal.closed_segments == ()

    def test_is_followed_by_the_reserve_for_outcomes(self, workshop, disk):
        journal = self.full(workshop, disk)
        before = journal.last_sequence
        journal.append((workshop.a_cancel(1),) * 5)
        journal.commit()

        assert not journal.reserve_held
        assert journal.last_sequence == before + 5
        assert len(journal.closed_segments) == 1
        assert "journal.reserve" not in disk.names(workshop.directory)


class TestAFileWhoseSyncFailed:
    def test_is_not_touched_again(self, workshop, disk):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        failed = journal._files.segments[0].path
        disk.troubles.append(Trouble(action="sync"))
        with pytest.raises(JournalFailedError):
            workshop.commit_one(journal, 2)
        journal.close()
        before = bytes(disk.content(failed))
        again = workshop.a_journal(disk)
        again.open()

        assert len(again.closed_segments) == 1
        assert disk.content(failed) == before


class TestAReserveThatIsThereAlready:
    @pytest.mark.parametrize(
        ("size", "content", "names"),
        [
            (100, b"", ["reserve"]),
            (150, b"", ["reserve"]),
            (50, b"", ["reserve"]),
            (100, b"a record", ["reserve", "aside"]),
            (100, b"a", ["reserve", "aside"]),
            (100, bytes(99) + b"a", ["reserve", "aside"]),
            (50, b"a record", ["reserve", "aside"]),
        ],
        ids=[
            "as large",
            "larger",
            "smaller",
            "with records",
            "at its first byte",
            "at its last",
            "smaller with records",
        ],
    )
    def test_is_made_anew_where_it_is_too_small_and_moved_aside_where_something_is_in_it(
        self, workshop, size, content, names
    ):
        disk = Counting()
        reserve = Reserve(disk, workshop.directory, size=100)
        disk.create(reserve.path, size).write(content, 0)

        assert reserve.restore(0)
        assert disk.open(reserve.path).size() == (max(100, size))
        assert len(disk.names(workshop.directory)) == len(names)

    @pytest.mark.parametrize("action", ["create", "rename", "sync_directory"])
    def test_is_not_held_where_the_disk_does_not_make_it_and_asked_for_again_a_second_later(self, workshop, action):
        disk = Counting()
        reserve = Reserve(disk, workshop.directory, size=100)
        disk.troubles = [Trouble(action=action)]

        assert [reserve.restore(0), reserve.held] == [False, False]
        disk.remove(workshop.directory / "journal.reserve.new")  # what was begun is removed by the next start
        assert [reserve.restore(RETRY_NS), reserve.held] == [True, True]
        assert disk.names(workshop.directory) == ("journal.reserve",)
        assert len(disk.content(reserve.path)) == 100

    def test_is_moved_beside_those_that_were_moved_before(self, workshop):
        disk = Counting()
        for number in (1, 2):
            disk.create(workshop.directory / "journal.reserve", 100).write(b"record %d" % number, 0)
            assert Reserve(disk, workshop.directory, size=100).restore(0)
            disk.remove(workshop.directory / "journal.reserve")

        aside = [workshop.directory / f"journal.reserve.aside-{number}" for number in (1, 2)]
        assert [bytes(disk.content(path)[:8]) for path in aside] == [b"record 1", b"record 2"]
