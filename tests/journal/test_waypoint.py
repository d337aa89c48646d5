"""The waypoint of the active segment: a start walks only what is behind it, and finds all that it found before."""

from random import Random

import msgspec
import pytest

from natya.actors.journal import JournalDamagedError, PowerCutError, SimulatedDisk
from natya.actors.journal.mark import MARK_NAME
from natya.actors.journal.recovery import recover
from natya.actors.journal.walk import Walk
from natya.actors.journal.waypoint import WAYPOINT_NAME, Waypoint, write_waypoint

BEFORE, BEHIND = 40, 5


def fill(journal, workshop, first, count):
    for number in range(first, first + count):
        workshop.commit_one(journal, number)


def write(journal):
    waypoint = journal.next_waypoint()
    assert waypoint is not None
    write_waypoint(waypoint, journal.disk, journal.active_segment)
    return waypoint


@pytest.fixture
def waypoint(journal, workshop):
    """Of a journal that has gone on since."""
    fill(journal, workshop, 1, BEFORE)
    found = write(journal)
    fill(journal, workshop, BEFORE + 1, BEHIND)
    return found


@pytest.fixture
def walked(monkeypatch):
    """Sequences that are walked over."""
    found, plain = [], Walk.__iter__

    def noted(walk):
        for record in plain(walk):
            found.append(record.sequence)
            yield record

    monkeypatch.setattr(Walk, "__iter__", noted)
    return found


def state(recovered):
    active = recovered.segments[-1]
    return recovered.position, recovered.cut, recovered.active_failed, active.keys.columns()


def without(disk, workshop):
    disk.remove(workshop.directory / WAYPOINT_NAME)
    return recover(disk, workshop.directory)


class TestAStart:
    def test_walks_only_what_is_behind_it_and_finds_the_same(self, journal, waypoint, disk, workshop, walked):
        journal.close()
        found = recover(disk, workshop.directory)

        assert walked == list(range(BEFORE + 1, BEFORE + BEHIND + 1))
        assert state(found) == state(without(disk, workshop))

    def test_walks_nothing_where_nothing_is_behind_it(self, journal, disk, workshop, walked):
        fill(journal, workshop, 1, BEFORE)
        write(journal)
        journal.close()
        walked.clear()
        found = recover(disk, workshop.directory)

        assert walked == []
        assert state(found) == state(without(disk, workshop))
        assert found.position.sequence == BEFORE

    @pytest.mark.parametrize("harm", ["one column shorter", "no whole numbers", "behind the end"])
    def test_does_not_believe_one_that_is_whole_and_means_nothing(self, journal, waypoint, disk, walked, harm):
        hashes, steps, offsets = waypoint.keys
        changes = {
            "one column shorter": {"keys": (hashes, steps[:-4], offsets)},
            "no whole numbers": {"keys": (hashes, steps, offsets + b"x")},
            "behind the end": {"offset": 1 << 40},
        }[harm]
        write_waypoint(msgspec.structs.replace(waypoint, **changes), disk, journal.active_segment)
        journal.close()
        walked.clear()

        assert recover(disk, journal.directory).position.sequence == BEFORE + BEHIND
        assert len(walked) == BEFORE + BEHIND

    def test_goes_on_as_if_it_had_walked_all(self, journal, waypoint, disk, workshop):
        journal.close()
        again = workshop.a_journal(disk)
        again.open()
        fill(again, workshop, BEFORE + BEHIND + 1, 3)

        assert [record.sequence for record in again.view().find(key="A-3")] == [3]
        assert [record.sequence for record in again.view().find()] == list(range(1, BEFORE + BEHIND + 4))
        again.close()
        assert state(recover(disk, workshop.directory)) == state(without(disk, workshop))

    def test_that_closes_the_segment_seals_all_of_it(self, journal, waypoint, disk, workshop):
        journal.close()
        again = workshop.a_journal(disk)
        again.open()
        again._files.rotate(outcome=False)
        again.close()

        assert len(recover(disk, workshop.directory).segments) == 2

    def test_does_not_believe_one_with_any_byte_changed(self, journal, waypoint, disk, workshop, walked):
        journal.close()
        content = disk.content(workshop.directory / WAYPOINT_NAME)
        wanted = state(recover(disk, workshop.directory))
        for place in range(0, len(content), 7):
            content[place] ^= 1
            walked.clear()
            assert state(recover(disk, workshop.directory)) == wanted
            assert len(walked) == BEFORE + BEHIND, f"with byte {place} changed"
            content[place] ^= 1

    @pytest.mark.parametrize("record", [1, BEFORE // 2, BEFORE])
    def test_finds_damage_before_it_and_names_the_record(self, journal, waypoint, disk, workshop, record):
        place = journal.view().place_of(record)[1]
        path = journal.active_segment.path
        journal.close()
        disk.content(path)[place + 60] ^= 1

        with pytest.raises(JournalDamagedError) as found:
            recover(disk, workshop.directory)
        assert found.value.sequence == record

    def test_does_not_believe_one_that_is_newer_than_the_mark(self, journal, waypoint, disk, workshop, walked):
        mark = bytes(disk.content(workshop.directory / "journal.mark"))
        fill(journal, workshop, 100, 2)
        again = journal.next_waypoint() or journal._files
        journal._files._waypoint = (0, 0)
        write(journal)
        assert again
        disk.content(workshop.directory / "journal.mark")[:] = mark
        walked.clear()

        recover(disk, workshop.directory)
        assert len(walked) == BEFORE + BEHIND + 2

    def test_does_not_believe_one_where_the_mark_is_gone(self, journal, waypoint, disk, workshop, walked):
        journal.close()
        disk.remove(workshop.directory / MARK_NAME)
        walked.clear()
        found = recover(disk, workshop.directory)

        assert walked == list(range(1, BEFORE + BEHIND + 1))
        assert found.position.sequence == BEFORE + BEHIND

    def test_does_not_believe_that_of_another_journal_or_segment(self, journal, waypoint, disk, workshop, walked):
        kept = bytes(disk.content(workshop.directory / WAYPOINT_NAME))
        other = SimulatedDisk()
        another = workshop.a_journal(other, clock=workshop.Ticking(5))
        another.open()
        fill(another, workshop, 1, BEFORE + BEHIND)
        another.close()
        other.create(workshop.directory / WAYPOINT_NAME, len(kept)).write(kept, 0)
        walked.clear()

        recover(other, workshop.directory)
        assert len(walked) == BEFORE + BEHIND


def test_power_that_goes_at_any_moment_leaves_a_journal_that_opens(workshop):
    for actions in range(20):
        disk = SimulatedDisk()
        journal = workshop.a_journal(disk)
        journal.open()
        fill(journal, workshop, 1, BEFORE)
        waypoint = journal.next_waypoint()
        disk.actions_left = actions
        try:
            write_waypoint(waypoint, disk, journal.active_segment)
        except PowerCutError:
            pass
        else:
            break
        for seed in range(4):
            after = disk.crash(Random(seed))
            again = workshop.a_journal(after)
            again.open()
            assert again.last_sequence == BEFORE
    assert actions >= 4


def test_one_is_due_once_in_a_stride(journal, workshop):
    assert journal.next_waypoint() is None
    due = []
    for number in range(1, 100):
        workshop.commit_one(journal, number)
        due.append(journal.next_waypoint() is not None)

    assert sum(due) == journal._files.position.offset // 4_096


def test_one_is_due_sixteen_times_in_a_large_segment_and_anew_in_each(workshop, disk):
    journal = workshop.a_journal(disk, segment_bytes=1 << 20)
    journal.open()
    due = []
    while len(journal.closed_segments) < 2:
        journal.append((workshop.an_intent(1, symbol="X" * 3_000),))
        journal.commit()
        if (found := journal.next_waypoint()) is not None:
            due.append((found.first_sequence, found.offset // (1 << 16)))
    first, second, _ = (segment.first_sequence for segment in (*journal.closed_segments, journal.active_segment))

    assert due == [(segment, stride) for segment in (first, second) for stride in range(1, 16)]


def test_one_says_of_which_records_it_is(journal, workshop):
    fill(journal, workshop, 1, BEFORE)
    position, segment = journal._files.position, journal.active_segment

    assert write(journal) == Waypoint(
        journal_id=segment.header.journal_id,
        first_sequence=1,
        offset=position.offset,
        crc=position.crc,
        sequence=BEFORE,
        last_hash=position.last_hash,
        earliest_ns=journal.view().page(0, 1).records[0].recorded_ns,
        latest_ns=journal.view().page(BEFORE - 1, 1).records[0].recorded_ns,
        keys=segment.keys.columns(),
    )
