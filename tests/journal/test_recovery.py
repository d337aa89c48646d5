"""What a start finds: a whole journal, a commit that did not finish, or damage, and what it makes of each."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from natya.actors.journal import JournalDamagedError, SimulatedDisk, records, recovery
from natya.actors.journal.day_seals import SEALS_NAME
from natya.actors.journal.header import HEADER_SIZE
from natya.actors.journal.mark import MARK_NAME, read_mark
from natya.actors.journal.records import FORMATS
from natya.actors.journal.recovery import Cut
from natya.actors.journal.reserve import RESERVE_NAME
from natya.actors.journal.simulated import SimulatedFile
from natya.actors.journal.tools import verify
from natya.actors.journal.upkeep import archive_segment, keep_keys
from natya.actors.journal.walk import Walk
from natya.actors.journal.waypoint import WAYPOINT_NAME, write_waypoint
from natya.messages.orders import OrderIntended

SEGMENT_BYTES = 4_096


def grown(workshop, disk, *, closed=0, records=5, symbol="RELIANCE"):
    """Make a journal with so many closed segments and at least so many records in the active one; close it."""
    journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
    journal.open()
    number = 0
    while len(journal.closed_segments) < closed or number < journal._files.segments[-1].first_sequence - 1 + records:
        number += 1
        journal.append((workshop.an_intent(number, symbol=symbol),), f"A-{number}")
        journal.commit()
    journal.close()
    return journal


def again(workshop, disk):
    return workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)


def active(journal, disk):
    return disk.content(journal._files.segments[-1].path)


def offsets(content, magic=b"NJR1"):
    """Where the records begin."""
    found, place = [], content.find(magic)
    while place >= 0:
        found.append(place)
        place = content.find(magic, place + 1)
    return found


def without_mark(workshop, disk):
    disk.remove(workshop.directory / MARK_NAME)


def is_refused(workshop, disk, match="is damaged", *, at=None):
    """See that it is damage to a start and to `verify`; both name its place, if it is given: (offset, sequence)."""
    with pytest.raises(JournalDamagedError, match=match) as at_start:
        again(workshop, disk).open()
    with pytest.raises(JournalDamagedError, match=match) as verified:
        verify(workshop.directory, disk)
    if at is not None:
        assert (at_start.value.offset, at_start.value.sequence) == at
        assert verified.value.sequence == at[1]


class TestTheChain:
    """Two journals of the same name, made at the same time: only what was written differs."""

    @pytest.fixture
    def pair(self, workshop):
        disks = SimulatedDisk(), SimulatedDisk()
        for disk, symbol in zip(disks, ("RELIANCE", "TATATECH"), strict=True):
            grown(workshop, disk, closed=1, symbol=symbol)
        return disks

    def swap(self, workshop, pair, *, which, header):
        ours, theirs = pair
        name = sorted(name for name in ours.names(workshop.directory) if name.endswith(".journal"))[which]
        start = 0 if header else HEADER_SIZE
        ours.content(workshop.directory / name)[start:] = theirs.content(workshop.directory / name)[start:]
        return ours

    def test_is_checked_across_a_rotation(self, workshop, pair):
        disk = self.swap(workshop, pair, which=1, header=False)
        without_mark(workshop, disk)

        is_refused(workshop, disk)

    def test_ties_a_closed_segment_to_the_next_one(self, workshop, pair):
        disk = self.swap(workshop, pair, which=0, header=True)
        without_mark(workshop, disk)

        is_refused(workshop, disk, "not those that were written")

    def test_ends_in_the_record_that_was_acknowledged(self, workshop):
        disks = SimulatedDisk(), SimulatedDisk()
        for disk, symbol in zip(disks, ("RELIANCE", "TATATECH"), strict=True):
            journal = grown(workshop, disk, symbol=symbol)
        content = active(journal, disks[0])
        content[:] = disks[1].content(journal._files.segments[-1].path)

        is_refused(workshop, disks[0], "not the one that was acknowledged", at=(offsets(content)[4], 5))

    def test_whose_last_record_alone_is_another_is_seen_by_a_start_behind_its_waypoint(self, workshop):
        disks = SimulatedDisk(), SimulatedDisk()
        for disk, last in zip(disks, (30, 31), strict=True):
            journal = workshop.a_journal(disk)
            journal.open()
            for number in (*range(1, 30), last):
                workshop.commit_one(journal, number)
            waypoint = journal.next_waypoint()
            write_waypoint(waypoint, disk, journal.active_segment)
            journal.close()
        assert waypoint.sequence == 30
        for path in (journal.active_segment.path, workshop.directory / WAYPOINT_NAME):
            disks[0].content(path)[:] = disks[1].content(path)

        is_refused(
            workshop, disks[0], "not the one that was acknowledged", at=(offsets(active(journal, disks[1]))[29], 30)
        )


@pytest.mark.parametrize(
    "name", [RESERVE_NAME, WAYPOINT_NAME, SEALS_NAME, f"{1:020}.keys", "orders.checkpoint", "notes.txt"]
)
def test_a_directory_with_a_trace_of_a_journal_and_no_segment_is_damage(workshop, disk, name):
    disk.create(workshop.directory / name, 100).close()
    found = again(workshop, disk)
    if name == "notes.txt":
        assert found.open() is None
        return

    with pytest.raises(JournalDamagedError, match=f"there is {name}, but no segment"):
        found.open()


def test_a_closed_segment_of_many_windows_is_whole(workshop, disk, monkeypatch):
    monkeypatch.setattr("natya.actors.journal.recovery.WINDOW_SIZE", 600)
    journal = grown(workshop, disk, closed=1)
    found = again(workshop, disk)

    assert found.open() is None
    assert found.last_sequence == journal.last_sequence


class Windowed:
    """Bytes that tell how many of them were asked for at once."""

    def __init__(self, data):
        self.data = bytes(data)
        self.asked = []

    def read(self, offset, size):
        self.asked.append(size)
        return self.data[offset : offset + size]


class TestAWalk:
    @pytest.fixture
    def content(self, workshop, disk):
        """Twelve records from some 200 to 900 bytes."""
        journal = workshop.a_journal(disk)
        journal.open()
        for number in range(1, 13):
            journal.append((workshop.an_intent(number, symbol="X" * (number * 211 % 700)),))
            journal.commit()
        journal.close()
        data = active(journal, disk)
        return data[: len(data.rstrip(b"\0"))]

    def walked(self, content, *, end, window, monkeypatch):
        monkeypatch.setattr("natya.actors.journal.walk.WINDOW_SIZE", window)
        file = Windowed(content)
        walk = Walk(file, FORMATS[max(FORMATS)], offset=HEADER_SIZE, end=end, sequence=1, landmarks={})
        found = [record.raw for record in walk]
        return (found, walk.offset, walk.sequence, walk.fault), file.asked

    @pytest.mark.parametrize("window", [64, 300, 512, 1024])
    def test_is_the_same_by_whatever_window_and_wherever_it_ends(self, content, window, monkeypatch):
        places = [*offsets(content), len(content)]
        cuts = (place + size for place in places[:-1] for size in (50, window))
        for end in (*places[1:], *cuts, len(content) + 70):
            for data in (content, content[:-30]):
                whole, _ = self.walked(data, end=end, window=1 << 20, monkeypatch=monkeypatch)
                in_windows, _ = self.walked(data, end=end, window=window, monkeypatch=monkeypatch)

                assert in_windows == whole
                assert bool(whole[3]) == (end not in places or end > len(data))

    def test_of_a_file_that_ends_where_it_begins_says_so(self, content, monkeypatch):
        (found, *_, fault), _ = self.walked(
            content[:HEADER_SIZE], end=HEADER_SIZE + 70, window=1024, monkeypatch=monkeypatch
        )

        assert (found, fault) == ([], f"the file ends at {HEADER_SIZE}")

    def test_does_not_read_more_at_once_than_a_record_needs(self, content, monkeypatch):
        _, asked = self.walked(content, end=len(content), window=1024, monkeypatch=monkeypatch)

        assert max(asked) <= 1024


class TestAFaultInTheActiveSegment:
    @pytest.mark.parametrize("record", [0, 1, 3])
    @pytest.mark.parametrize("mark", ["kept", "gone"])
    def test_before_good_records_is_damage_and_never_cut(self, workshop, disk, record, mark):
        """Zeros look like a sector that did not arrive; what was written later proves that it had."""
        journal = grown(workshop, disk)
        content = active(journal, disk)
        places = offsets(content)
        content[places[record] : places[record + 1]] = bytes(places[record + 1] - places[record])
        before = bytes(content)
        if mark == "gone":
            without_mark(workshop, disk)

        is_refused(workshop, disk, "behind it was written after it was durable", at=(places[record], record + 1))
        assert active(journal, disk) == before

    def test_before_a_record_of_the_same_commit_is_a_torn_tail(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        for number in (1, 2):
            journal.append((workshop.an_intent(number, symbol="X" * 600),))
        journal.commit()
        content = active(journal, disk)
        content[512:1024] = bytes(512)
        without_mark(workshop, disk)
        found = workshop.a_journal(self.killed(workshop, disk), segment_bytes=SEGMENT_BYTES)

        assert found.open().sequence == 1
        assert found.last_sequence == 0

    def test_in_which_nothing_is_missing_is_damage_whatever_is_missing_behind_it(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=65_536)
        journal.open()
        for number in (1, 2, 3):
            journal.append((workshop.an_intent(number, symbol="X" * 1_500),))
        journal.commit()
        content = active(journal, disk)
        first, _, third = offsets(content)
        content[first + 100] ^= 1
        sector = (third + 511) // 512 * 512
        content[sector : sector + 512] = bytes(512)
        without_mark(workshop, disk)

        with pytest.raises(JournalDamagedError, match="a record was changed: nothing of it is missing"):
            workshop.a_journal(self.killed(workshop, disk), segment_bytes=65_536).open()

    def killed(self, workshop, disk):
        """Give what a killed process leaves: the page cache, without its lock."""
        survivor = SimulatedDisk()
        for name in disk.names(workshop.directory):
            survivor.create(workshop.directory / name, 0).write(disk.content(workshop.directory / name), 0)
        return survivor

    @pytest.mark.parametrize("left", [1, 3, 4, 40, 100])
    def test_of_a_file_that_was_shortened_is_damage(self, workshop, disk, left):
        journal = grown(workshop, disk)
        content = active(journal, disk)
        del content[offsets(content)[-1] + left :]
        without_mark(workshop, disk)

        is_refused(workshop, disk)


class TestAMarkAheadOfTheJournal:
    @pytest.mark.parametrize("lost", [1, 2, 5])
    def test_tells_that_the_end_is_lost(self, workshop, disk, lost):
        journal = grown(workshop, disk)
        content = active(journal, disk)
        place = offsets(content)[-lost]
        content[place:] = bytes(len(content) - place)

        is_refused(workshop, disk, r"5 was durable", at=(place, 6 - lost))

    def test_by_one_record_of_an_append_tells_it_too(self, workshop, disk):
        journal = workshop.a_journal(disk)
        journal.open()
        journal.append((workshop.an_intent(1), workshop.an_intent(2)))
        journal.commit()
        journal.close()
        content = active(journal, disk)
        content[offsets(content)[1] :] = bytes(len(content) - offsets(content)[1])

        is_refused(workshop, disk, "2 was durable")

    def test_is_written_after_each_commit_and_says_how_far(self, workshop, disk):
        journal = workshop.a_journal(disk)
        journal.open()
        for number in range(1, 6):
            workshop.commit_one(journal, number)
            mark = read_mark(disk, workshop.directory)
            assert (mark.sequence, mark.last_hash) == (number, journal.place.last_hash)

    def test_whose_newer_slot_is_broken_still_counts_by_the_older(self, workshop, disk):
        grown(workshop, disk)
        newest = read_mark(disk, workshop.directory)
        content = disk.content(workshop.directory / MARK_NAME)
        slot = 4096 * (newest.generation % 2)
        content[slot + 30] ^= 1

        assert read_mark(disk, workshop.directory).generation == newest.generation - 1

    def test_of_another_journal_is_damage(self, workshop, disk):
        grown(workshop, disk)
        other = SimulatedDisk()
        journal = workshop.a_journal(other, clock=workshop.Ticking(7), segment_bytes=SEGMENT_BYTES)
        journal.open()
        journal.close()
        disk.content(workshop.directory / MARK_NAME)[:] = other.content(workshop.directory / MARK_NAME)

        with pytest.raises(JournalDamagedError, match="another journal than the mark"):
            again(workshop, disk).open()


class TestATornTail:
    def torn(self, workshop, disk):
        """Leave the beginning of one more record; returns the journal, where that is, and what."""
        journal = grown(workshop, disk)
        content, end = active(journal, disk), journal._files.position.offset
        content[end : end + 60] = begun = bytes(content[HEADER_SIZE : HEADER_SIZE + 60])
        return journal, end, begun

    def test_is_blanked_before_anything_is_written_over_it(self, workshop, disk):
        journal, end, _ = self.torn(workshop, disk)
        found = again(workshop, disk)
        found.open()

        assert not any(active(journal, disk)[end:])
        assert not any(disk._names[found._files.segments[-1].path].stored[end:])

    def test_is_kept_beside_the_segment(self, workshop, disk):
        _, end, begun = self.torn(workshop, disk)
        cut = again(workshop, disk).open()

        assert (cut.offset, cut.size, cut.sequence) == (end, len(begun.rstrip(b"\0")), 6)
        (copy,) = (name for name in disk.names(workshop.directory) if ".torn-" in name)
        assert disk.content(workshop.directory / copy) == begun.rstrip(b"\0")

    def test_is_cut_on_a_full_disk_too_without_a_copy(self, workshop, disk):
        _, end, begun = self.torn(workshop, disk)
        disk.capacity_bytes -= disk.free_bytes()
        found = again(workshop, disk)
        cut = found.open()

        assert cut == Cut(
            path=found.active_segment.path,
            offset=end,
            size=len(begun.rstrip(b"\0")),
            sequence=6,
            reason=f"{len(begun.rstrip(bytes(1)))} bytes of a commit that did not finish",
        )
        assert not any(active(found, disk)[end:])
        assert not [name for name in disk.names(workshop.directory) if ".torn-" in name]

    def test_may_be_an_append_of_which_whole_records_have_arrived(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        workshop.commit_one(journal, 1)
        journal.append((workshop.an_intent(2), workshop.an_intent(3)))
        journal.commit()
        journal.close()
        content = active(journal, disk)
        _, second, third = offsets(content)
        content[third:] = bytes(len(content) - third)
        without_mark(workshop, disk)
        cut = again(workshop, disk).open()

        assert (cut.offset, cut.size, cut.sequence) == (second, third - second, 2)
        assert cut.reason == "an append of several facts that did not finish"

    def test_takes_no_acknowledged_record_with_it(self, workshop, disk):
        self.torn(workshop, disk)
        found = again(workshop, disk)
        found.open()

        assert [fact.quantity for fact in workshop.facts_of(found)] == [1, 2, 3, 4, 5]
        assert workshop.commit_one(found, 6) == 6


class TestAStart:
    def test_brings_to_the_disk_what_a_killed_process_left_in_the_page_cache(self, workshop, disk, monkeypatch):
        """It was read from there, and is acted on: the next power cut must not take it away."""
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        with monkeypatch.context() as patched:
            patched.setattr(SimulatedFile, "sync", lambda _file: None)
            workshop.commit_one(journal, 2)
        disk._locked.clear()  # it was killed
        found = workshop.a_journal(disk)
        found.open()

        assert found.last_sequence == 2
        for seed in range(8):
            survivor = workshop.a_journal(disk.crash(Random(seed)))
            survivor.open()
            assert workshop.facts_of(survivor) == [workshop.an_intent(1), workshop.an_intent(2)]

    def test_goes_on_behind_the_last_record_with_the_chain(self, workshop, disk):
        grown(workshop, disk, closed=2, records=3)
        found = again(workshop, disk)
        found.open()
        last = found.last_sequence
        workshop.commit_one(found, last + 1)
        found.close()

        assert verify(workshop.directory, disk).last_sequence == last + 1

    @pytest.mark.parametrize("records", [0, 5])
    def test_seals_what_it_found_with_what_it_adds(self, workshop, disk, records):
        grown(workshop, disk, closed=1, records=records)
        found = again(workshop, disk)
        found.open()
        while len(found.closed_segments) == 1:
            workshop.commit_one(found, found.last_sequence + 1)
        found.close()
        content = disk.content(found.closed_segments[1].path)
        seal = found.closed_segments[1].seal

        assert seal.crc == zlib.crc32(content[: seal.used])
        assert again(workshop, disk).open() is None
        assert verify(workshop.directory, disk).last_sequence == found.last_sequence

    def test_finds_the_keys_of_the_active_segment(self, workshop, disk):
        grown(workshop, disk, closed=1, records=5)
        found = again(workshop, disk)
        found.open()
        first = found._files.segments[-1].first_sequence

        for number in (1, first - 1, first, first + 1, found.last_sequence):
            assert [record.sequence for record in found.view().find(key=f"A-{number}")] == [number]

    def test_of_a_journal_of_one_empty_segment_begins_with_one(self, workshop, disk):
        again(workshop, disk).open()
        disk._locked.clear()
        found = again(workshop, disk)
        found.open()

        assert (found.oldest_sequence, found.last_sequence) == (1, 0)
        assert workshop.commit_one(found) == 1


class TestASegment:
    def test_is_used_to_its_last_byte_and_not_beyond(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        while not journal.closed_segments:
            workshop.commit_one(journal, journal.last_sequence + 1)
        size = journal.bytes_written // journal.last_sequence
        closed = journal.closed_segments[0]

        assert len(disk.content(closed.path)) == SEGMENT_BYTES
        assert SEGMENT_BYTES - 2 * size < closed.seal.used <= SEGMENT_BYTES

    def test_says_in_its_seal_what_is_in_it(self, workshop, disk):
        journal = grown(workshop, disk, closed=1)
        closed = journal.closed_segments[0]
        records = [
            record for record in journal.view().find() if record.sequence < journal._files.segments[1].first_sequence
        ]

        assert closed.seal.first_sequence == 1
        assert closed.seal.earliest_ns == min(record.recorded_ns for record in records)
        assert closed.seal.latest_ns == max(record.recorded_ns for record in records)
        assert closed.seal.latest_ns > closed.seal.earliest_ns

    def test_says_the_times_of_records_in_disorder(self, workshop, disk):
        times = iter([5_000, 4_000, 9_000, 1_000, 7_000, *range(10_000, 100_000, 1_000)])
        journal = workshop.a_journal(disk, clock=lambda: next(times), segment_bytes=SEGMENT_BYTES)
        journal.open()
        while not journal.closed_segments:
            workshop.commit_one(journal, journal.last_sequence + 1)
        seal = journal.closed_segments[0].seal
        found = [r.recorded_ns for r in journal.view().find() if r.sequence < journal._files.segments[1].first_sequence]

        assert (seal.earliest_ns, seal.latest_ns) == (min(found), max(found))


def test_the_mark_is_on_the_disk_once_the_journal_has_proved_that_it_works(workshop, disk):
    journal = workshop.a_journal(disk)
    journal.open()
    for number in range(1, 4):
        workshop.commit_one(journal, number)
    journal.prove()

    marks = [read_mark(disk.crash(Random(seed)), workshop.directory) for seed in range(8)]
    assert [mark.sequence for mark in marks] == [3] * 8


class TestARecordOfAnotherVersion:
    """Whole by its checksum, hash and number, and of a fact that nobody here knows: each reader names its place."""

    @pytest.fixture
    def journal(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        workshop.commit_one(journal, 1)
        journal.append((workshop.an_intent(2), workshop.an_intent(3), workshop.a_cancel(2), workshop.an_intent(4)))
        journal.commit()
        return journal

    @pytest.fixture(autouse=True)
    def of_another_version(self, monkeypatch):
        def forget():
            monkeypatch.setattr(records, "_FACT_TYPES", frozenset({OrderIntended}))

        return forget

    def test_in_the_midst_of_an_append_of_the_active_segment(self, workshop, disk, journal, of_another_version):
        place = offsets(active(journal, disk))[3]
        journal.close()
        of_another_version()

        is_refused(workshop, disk, "a fact 'OrderCancelled' wanted", at=(place, 4))

    def test_of_a_closed_segment_whose_keys_are_made_anew(self, disk, journal, of_another_version):
        journal._files.rotate(outcome=False)
        closed = journal.closed_segments[0]
        closed.keys = None
        of_another_version()

        with pytest.raises(JournalDamagedError, match="a fact 'OrderCancelled' wanted") as damage:
            keep_keys(disk, closed)
        assert (damage.value.offset, damage.value.sequence) == (offsets(disk.content(closed.path))[3], 4)


class TestTheFooterOfAClosedSegment:
    @pytest.fixture
    def journal(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        while not journal.closed_segments:
            workshop.commit_one(journal, 1)
        return journal

    def test_is_on_the_disk_when_the_next_segment_begins(self, disk, journal):
        closed = journal.closed_segments[0]
        contents = [disk.crash(Random(seed)).content(closed.path) for seed in range(8)]

        assert all(content[closed.seal.used :].startswith(closed.footer) for content in contents)

    def test_that_is_whole_is_not_written_again_by_a_start(self, workshop, disk, journal, monkeypatch):
        journal.close()
        written, plain = [], SimulatedFile.write

        def write(file, data, offset):
            written.append(next(path.name for path, content in disk._names.items() if content is file._content))
            plain(file, data, offset)

        monkeypatch.setattr(SimulatedFile, "write", write)
        again(workshop, disk).open()

        assert written == [MARK_NAME]

    def test_is_not_written_where_an_earlier_version_left_no_room_for_it(self, workshop, disk, journal):
        closed = journal.closed_segments[0]
        journal.close()
        disk.content(closed.path)[closed.seal.used :] = bytes(5)
        workshop.a_journal(disk, segment_bytes=4_096).open()

        assert disk.content(closed.path)[closed.seal.used :] == bytes(5)


class TestAnArchive:
    def test_is_not_read_by_a_start(self, workshop, disk, monkeypatch):
        journal = grown(workshop, disk, closed=2)
        for segment in journal.closed_segments:
            archive_segment(disk, segment)
        monkeypatch.setattr(recovery, "verify_closed", None)

        assert again(workshop, disk).open() is None

    def test_is_read_back_before_the_plain_file_goes(self, workshop, disk, monkeypatch):
        journal = grown(workshop, disk, closed=2)
        closed = journal.closed_segments[0]
        real = SimulatedFile.write

        def failing(file, data, offset):
            changed = bytearray(data)
            changed[len(changed) // 2] ^= 1
            real(file, bytes(changed), offset)

        monkeypatch.setattr(SimulatedFile, "write", failing)
        with pytest.raises(JournalDamagedError):
            archive_segment(disk, closed)
        monkeypatch.setattr(SimulatedFile, "write", real)

        assert closed.path.suffix == ".journal"
        assert disk.exists(closed.path)
        assert len(workshop.facts_of(journal)) == journal.last_sequence

    def test_of_a_segment_that_was_changed_is_not_made(self, workshop, disk):
        journal = grown(workshop, disk, closed=2)
        closed = journal.closed_segments[0]
        disk.content(closed.path)[300] ^= 1

        with pytest.raises(JournalDamagedError):
            archive_segment(disk, closed)
        assert not [name for name in disk.names(workshop.directory) if name.endswith(".gz")]

    def test_of_another_segment_in_its_place_is_damage(self, workshop, disk):
        journal = grown(workshop, disk, closed=3)
        for segment in journal.closed_segments[:2]:
            archive_segment(disk, segment)
        first, second = journal.closed_segments[:2]
        disk.content(first.path)[:] = disk.content(second.path)

        with pytest.raises(JournalDamagedError):
            verify(workshop.directory, disk)

    def test_loses_no_record_to_a_power_cut(self, workshop, disk):
        journal = grown(workshop, disk, closed=2)
        for segment in journal.closed_segments:
            keep_keys(disk, segment)
        archive_segment(disk, journal.closed_segments[0])
        for seed in range(8):
            survivor = again(workshop, disk.crash(Random(seed)))
            survivor.open()
            assert len(workshop.facts_of(survivor)) == journal.last_sequence


class TestASegmentInBetween:
    @pytest.mark.parametrize("which", [1, 2])
    def test_that_is_gone_is_named(self, workshop, disk, which):
        journal = grown(workshop, disk, closed=4)
        gone = journal.closed_segments[which]
        disk.remove(gone.path)

        is_refused(workshop, disk, f"the segment before it, {gone.first_sequence}, is missing")

    def test_of_another_journal_is_named(self, workshop, disk):
        """Made in the same way at another time: only its id, and what hangs on it, differs."""
        grown(workshop, disk, closed=3)
        other = SimulatedDisk()
        journal = workshop.a_journal(other, clock=workshop.Ticking(7), segment_bytes=SEGMENT_BYTES)
        journal.open()
        while len(journal.closed_segments) < 3:
            workshop.commit_one(journal, journal.last_sequence + 1)
        path = journal.closed_segments[1].path
        if not disk.exists(path):
            pytest.fail("the journals were to have segments alike")
        disk.content(path)[:] = other.content(path)

        is_refused(workshop, disk, "another journal than the segment before it")

    def test_under_the_name_of_another_is_named(self, workshop, disk):
        journal = grown(workshop, disk, closed=3)
        first, second = journal.closed_segments[:2]
        disk.content(second.path)[:] = disk.content(first.path)

        is_refused(workshop, disk, f"begins with sequence 1, its name says {second.first_sequence}")


def test_an_append_is_a_whole_whatever_it_holds(workshop):
    """Facts of several types in one append stand in their order, with one number after the other."""
    journal = workshop.a_journal(SimulatedDisk())
    journal.open()
    facts = (workshop.an_intent(1), workshop.a_cancel(1), workshop.an_intent(2))
    ticket = journal.append(facts, "A-1")
    journal.commit()

    assert (ticket.first_sequence, ticket.last_sequence) == (1, 3)
    assert [(record.sequence, record.fact) for record in journal.take_durable()] == list(enumerate(facts, start=1))
