"""Reading: by sequence, time, type and key, always as a plain filter over all records would answer."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.journal import JournalDamagedError, JournalView, SimulatedDisk, records
from natya.actors.journal.segments import open_segment
from natya.actors.journal.simulated import SimulatedFile
from natya.actors.journal.tools import JournalStat, SegmentStat, VerifyReport, check, export, stat, tail, verify
from natya.actors.journal.upkeep import archive_segment
from natya.actors.journal.view import LANDMARK_STRIDE
from natya.actors.journal.walk import record_at
from natya.domain.time import DAY_NS
from natya.messages.orders import OrderCancelled, OrderIntended


class Backwards:
    """A clock that steps back now and then."""

    def __init__(self):
        self.steps = 100

    def __call__(self):
        self.steps += 1
        return self.steps * 10 - (1_000 if self.steps % 50 > 40 else 0)


@pytest.fixture(scope="module")
def library(workshop):
    """A journal of many segments, the oldest two archived, and all its records."""
    disk = SimulatedDisk()
    journal = workshop.a_journal(disk, clock=Backwards(), segment_bytes=32_768)
    journal.open()
    for number in range(1, 1_501):
        fact = workshop.a_cancel(number) if number % 3 == 0 else workshop.an_intent(number)
        journal.append((fact,), f"A-{number % 40}")
        if number % 7 == 0:
            journal.commit()
    journal.commit()
    records = journal.take_durable()
    for segment in journal.closed_segments[:2]:
        archive_segment(disk, segment)
    return disk, journal, records


class TestFinding:
    @given(
        after=st.integers(0, 1_600),
        times=st.tuples(st.integers(-1_000, 20_000), st.integers(-1_000, 20_000)),
        types=st.sets(st.sampled_from(["OrderIntended", "OrderCancelled", "OrderFilled"])),
        key=st.just("") | st.integers(0, 1_600).map("A-{}".format),
    )
    def test_gives_what_a_plain_filter_gives(self, library, after, times, types, key):
        _, journal, records = library
        found = journal.view().find(after_sequence=after, since_ns=times[0], until_ns=times[1], types=types, key=key)

        assert list(found) == [
            record
            for record in records
            if record.sequence > after
            and times[0] <= record.recorded_ns < times[1]
            and (not types or type(record.fact).__name__ in types)
            and key in {"", record.correlation_id, record.fact.client_order_id}
        ]

    def test_of_several_types_gives_each_of_them_also_where_a_segment_has_one_alone(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)

        for types in ({"OrderIntended", "OrderFilled"}, {"OrderIntended"}):
            assert [each.sequence for each in journal.view().find(types=types)] == [1]
        assert list(journal.view().find(types={"OrderFilled"})) == []

    @pytest.mark.parametrize("number", [1, 300, 1_500])
    def test_from_a_time_on_has_what_was_recorded_at_it_and_until_it_has_not(self, library, number):
        _, journal, records = library
        at_ns = records[number - 1].recorded_ns
        since = {record.sequence for record in journal.view().find(since_ns=at_ns)}
        until = {record.sequence for record in journal.view().find(until_ns=at_ns)}

        assert number in since
        assert number not in until
        assert since | until == set(range(1, 1_501))
        assert not since & until

    def test_at_the_bounds_of_a_segment_leaves_nothing_out(self, library):
        _, journal, records = library
        for segment in journal.closed_segments:
            for at_ns in (segment.seal.earliest_ns, segment.seal.latest_ns):
                wanted = [record for record in records if record.recorded_ns == at_ns]
                assert list(journal.view().find(since_ns=at_ns, until_ns=at_ns + 1)) == wanted

    @given(after=st.integers(0, 1_600), size=st.integers(0, 700))
    def test_of_a_page_gives_the_next_records(self, library, after, size):
        _, journal, records = library
        page = journal.view().page(after, size)

        assert page.records == records[after : after + size]
        assert page.last_sequence == 1_500

    def test_of_raw_records_begins_behind_the_given_one_wherever_a_segment_ends(self, library):
        _, journal, _ = library
        for segment in journal.closed_segments[1:]:
            first = segment.first_sequence
            for after in (first - 2, first - 1, first):
                assert next(iter(journal.view().raw(after))).sequence == after + 1

    @pytest.mark.parametrize("after", range(7))
    def test_of_a_key_begins_behind_the_given_record_within_a_segment_too(self, disk, workshop, after):
        journal = workshop.a_journal(disk)
        journal.open()
        for number in (1, 1, 2, 1, 2, 1):
            workshop.commit_one(journal, number)
        found = [record.sequence for record in journal.view().find(after_sequence=after, key="A-1")]

        assert found == [sequence for sequence in (1, 2, 4, 6) if sequence > after]

    def test_sees_nothing_that_was_committed_later(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        view = journal.view()
        workshop.commit_one(journal, 2)

        assert len(view.page(0, 10).records) == 1

    def test_goes_on_while_its_segment_is_archived(self, disk, workshop):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        reading = journal.view().raw()
        first = next(reading)
        for segment in journal.closed_segments:
            archive_segment(disk, segment)

        assert [first.sequence, *(record.sequence for record in reading)] == list(range(1, 101))

    def test_from_outside_sees_what_is_durable(self, library, workshop):
        disk, _, records = library

        assert JournalView.of_directory(disk, workshop.directory).page(1_400, 1_000).records == records[1_400:]

    def test_in_an_empty_directory_finds_nothing(self, disk, workshop):
        assert JournalView.of_directory(disk, workshop.directory).page(0, 10).records == ()


@pytest.mark.parametrize("way", ["page", "find", "key", "verify", "tail"])
def test_a_whole_record_of_a_fact_that_is_not_known_is_damage_and_named(library, workshop, monkeypatch, way):
    disk, journal, _ = library
    monkeypatch.setattr(records, "_FACT_TYPES", frozenset({OrderIntended}))
    ways = {
        "page": lambda: journal.view().page(1_300, 10),
        "find": lambda: list(journal.view().find(after_sequence=1_300)),
        "key": lambda: list(journal.view().find(key="A-1302")),
        "verify": lambda: verify(workshop.directory, disk),
        "tail": lambda: tail(workshop.directory, records_max=200, disk=disk),
    }

    with pytest.raises(JournalDamagedError, match="OrderCancelled") as damage:
        ways[way]()

    assert damage.value.sequence == (3 if way == "verify" else 1_302)
    segment, _, _ = journal.view().place_of(damage.value.sequence)
    assert damage.value.path == segment.path


class Opening(SimulatedDisk):
    """A disk that notes what is opened."""

    def __init__(self):
        super().__init__()
        self.opened = []

    def open(self, path, *, writable=False):
        self.opened.append(path)
        return super().open(path, writable=writable)


class TestAClosedSegment:
    """It is opened where something of it may be what is asked for, and else left alone."""

    @pytest.fixture
    def disk(self):
        return Opening()

    @pytest.fixture
    def journal(self, disk, workshop):
        journal = workshop.a_journal(disk, clock=iter(range(10, 10_000, 10)).__next__, segment_bytes=8_192)
        journal.open()
        for number in range(1, 191):
            workshop.commit_one(journal, number)
        assert len(journal.closed_segments) == 3
        return journal

    @staticmethod
    def opened(disk, journal, **wanted):
        disk.opened.clear()
        list(journal.view().find(**wanted))
        return [segment for segment in journal.closed_segments if segment.path in disk.opened]

    @pytest.mark.parametrize("within", [0, 1])
    def test_is_not_when_all_that_is_wanted_is_behind_its_last_record(self, disk, journal, within):
        first, second, third = journal.closed_segments
        after = second.first_sequence - 1 - within

        assert self.opened(disk, journal, after_sequence=after) == [first, second, third][1 - within :]

    @pytest.mark.parametrize("within_ns", [0, 1])
    def test_is_not_when_all_of_it_is_too_old_or_too_new(self, disk, journal, within_ns):
        first, second, third = journal.closed_segments
        since_ns, until_ns = first.seal.latest_ns + 1 - within_ns, third.seal.earliest_ns + within_ns
        wanted = [first, second, third] if within_ns else [second]

        assert self.opened(disk, journal, since_ns=since_ns, until_ns=until_ns) == wanted


class Counted:
    """A file that notes what is read of it."""

    def __init__(self, file):
        self.file, self.reads = file, []

    def read(self, offset, size):
        self.reads.append((offset, size))
        return self.file.read(offset, size)


class TestTheRecordAtAPlace:
    @staticmethod
    def places(library):
        disk, journal, _ = library
        segment, end, _ = list(journal.view().extents())[-2]
        file = Counted(open_segment(disk, segment))
        walk = segment.walk(file, end=end)
        records = [(walk.offset - len(raw.raw), raw) for raw in walk]
        file.reads.clear()
        return file, segment, end, records

    def test_is_read_forward_each_byte_once_and_no_more(self, library):
        file, segment, end, records = self.places(library)
        assert len(records) > 50

        for offset, raw in records:
            assert record_at(file, segment.format, offset=offset, end=end) == raw
            head_size = segment.format.header_size
            assert file.reads == [(offset, head_size), (offset + head_size, len(raw.raw) - head_size)]
            file.reads.clear()

    @pytest.mark.parametrize("missing_bytes", [1, 40, 10_000])
    def test_is_none_where_it_goes_on_behind_the_end(self, library, missing_bytes):
        file, segment, end, records = self.places(library)
        offset, raw = records[-1]
        assert end == offset + len(raw.raw)
        end = max(end - missing_bytes, offset)

        assert record_at(file, segment.format, offset=offset, end=end) is None
        assert all(at + size <= end for at, size in file.reads)


class TestOneRecord:
    def test_is_found_with_its_segment_and_its_place_there_wherever_it_is(self, library):
        _, journal, records = library
        view = journal.view()
        for record in records[::37]:
            segment, offset, raw = view.place_of(record.sequence)
            assert raw.decoded() == record
            assert segment.first_sequence == max(
                each.first_sequence for each in view._segments if each.first_sequence <= record.sequence
            )
            there = view.record_there(record.sequence, first_sequence=segment.first_sequence, offset=offset)
            assert there == raw
            assert view.record_there(record.sequence, first_sequence=segment.first_sequence, offset=offset + 1) is None
            assert view.record_there(record.sequence + 1, first_sequence=segment.first_sequence, offset=offset) is None
            assert view.record_there(record.sequence, first_sequence=segment.first_sequence + 1, offset=offset) is None

    def test_is_none_behind_the_end(self, library):
        _, journal, _ = library
        view = journal.view()
        segment, offset, raw = view.place_of(view.last_sequence)
        end, there = offset + len(raw.raw), {"first_sequence": segment.first_sequence}

        assert [view.record_there(raw.sequence, **there, offset=end + more) for more in (-1, 0, 1, 1 << 40)] == [
            None
        ] * 4

    @pytest.mark.parametrize("sequence", [-1, 0, 1_501, 10_000])
    def test_that_the_journal_does_not_have_is_none(self, library, sequence):
        _, journal, _ = library

        assert journal.view().place_of(sequence) is None

    def test_behind_what_was_durable_is_not_there(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        view, end = journal.view(), journal._files.position.offset
        workshop.commit_one(journal, 2)

        assert view.record_there(2, first_sequence=1, offset=end) is None
        assert journal.view().record_there(2, first_sequence=1, offset=end).sequence == 2

    def test_that_was_changed_is_damage_where_it_is_looked_for(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        for number in (1, 2, 3):
            workshop.commit_one(journal, number)
        _, offset, _ = journal.view().place_of(2)
        disk.content(journal.active_segment.path)[offset + 70] ^= 1

        with pytest.raises(JournalDamagedError, match="the record's CRC is") as damage:
            journal.view().place_of(3)
        assert (damage.value.path, damage.value.offset, damage.value.sequence) == (
            journal.active_segment.path,
            offset,
            2,
        )
        for read in (journal.view().raw, journal.view().find):
            with pytest.raises(JournalDamagedError, match="the record's CRC is") as damage:
                list(read())
            assert (damage.value.offset, damage.value.sequence) == (offset, 2)


class TestTools:
    def test_verify_tells_all_that_it_has_seen(self, disk, workshop):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 31):
            workshop.commit_one(journal, number)
            journal.append((workshop.a_cancel(number),))
        journal.commit()
        end, path = journal._files.position.offset, journal.active_segment.path
        segments, last_hash = len(journal.closed_segments) + 1, journal.place.last_hash
        journal._now_ns.value_ns += DAY_NS
        journal.end_day()
        (seal,) = journal.take_sealed()[0]
        journal.close()
        disk.content(path)[end : end + 4] = b"NJR1"

        assert segments > 2
        assert verify(workshop.directory, disk) == VerifyReport(
            segments=segments,
            records=60,
            oldest_sequence=1,
            last_sequence=60,
            last_hash=last_hash.hex(),
            torn_bytes=4,
            of_type={"OrderIntended": 30, "OrderCancelled": 30},
            sealed_days=1,
            sealed_day=seal.day,
            sealed_sequence=60,
            hmacs=0,
        )

    def test_stat_tells_each_file_with_its_size(self, library, workshop):
        disk, journal, _ = library
        segments = [*journal.closed_segments, journal.active_segment]
        lasts = [*(each.first_sequence - 1 for each in segments[1:]), 1_500]

        assert stat(workshop.directory, disk) == JournalStat(
            path=str(workshop.directory),
            records=1_500,
            oldest_sequence=1,
            last_sequence=1_500,
            segments=tuple(
                SegmentStat(
                    path=str(each.path),
                    first_sequence=each.first_sequence,
                    last_sequence=last,
                    file_bytes=len(disk.content(each.path)),
                    archived=number < 2,
                )
                for number, (each, last) in enumerate(zip(segments, lasts, strict=True))
            ),
        )

    def test_of_an_empty_directory_tell_that_nothing_is_there(self, disk, workshop):
        assert verify(workshop.directory, disk) == VerifyReport(
            segments=0,
            records=0,
            oldest_sequence=1,
            last_sequence=0,
            last_hash="",
            torn_bytes=0,
            of_type={},
            sealed_days=0,
            sealed_day="",
            sealed_sequence=0,
            hmacs=0,
        )
        assert stat(workshop.directory, disk) == JournalStat(
            path=str(workshop.directory), records=0, oldest_sequence=1, last_sequence=0, segments=()
        )
        assert list(export(workshop.directory, disk=disk)) == []

    def test_tail_gives_the_newest_that_fit_what_it_was_given_besides(self, library, workshop):
        disk, _, records = library

        def is_wanted(record):
            return record.fact.client_order_id.endswith("00")

        wanted = tuple(filter(is_wanted, records))
        assert tail(workshop.directory, records_max=4, where=is_wanted, disk=disk) == wanted[-4:]
        assert tail(workshop.directory, disk=disk) == records[-10:]

    def test_verify_reads_everything(self, library, workshop):
        disk, journal, _ = library
        report = verify(workshop.directory, disk)

        assert (report.records, report.last_sequence, report.torn_bytes) == (1_500, 1_500, 0)
        assert report.segments == len(journal.closed_segments) + 1
        assert report.last_hash == journal._files.position.last_hash.hex()

    def test_in_an_empty_directory_find_nothing(self, disk, workshop):
        check(workshop.directory, disk)

        assert verify(workshop.directory, disk).segments == stat(workshop.directory, disk).records == 0
        assert tail(workshop.directory, records_max=5, disk=disk) == ()

    def test_stat_names_the_files(self, library, workshop):
        disk, journal, _ = library
        found = stat(workshop.directory, disk)

        assert (found.records, found.oldest_sequence, found.last_sequence) == (1_500, 1, 1_500)
        assert [segment.archived for segment in found.segments[:3]] == [True, True, False]
        assert found.segments[0].file_bytes < found.segments[2].file_bytes
        assert len(found.segments) == len(journal.closed_segments) + 1

    def test_tail_gives_the_newest(self, library, workshop):
        disk, _, records = library

        assert tail(workshop.directory, records_max=5, disk=disk) == records[-5:]

    @pytest.mark.parametrize("records_max", [1, 3, 499, 600])
    def test_tail_gives_the_newest_of_a_type(self, library, workshop, records_max):
        disk, _, records = library
        cancels = tuple(record for record in records if isinstance(record.fact, OrderCancelled))

        assert (
            tail(workshop.directory, records_max=records_max, disk=disk, types=("OrderCancelled",))
            == cancels[-records_max:]
        )

    def test_tail_reads_only_the_end_where_that_is_enough(self, library, workshop, monkeypatch):
        disk, journal, _ = library
        read, find = [], JournalView.find
        monkeypatch.setattr(JournalView, "find", lambda view, **given: read.append(given) or find(view, **given))

        tail(workshop.directory, records_max=5, disk=disk)

        assert read == [{"after_sequence": journal.last_sequence - 5}]

    def test_export_writes_a_line_of_json_for_each_record(self, library, workshop):
        disk, _, _ = library
        lines = [json.loads(line) for line in export(workshop.directory, disk=disk, after_sequence=1_498)]

        assert [line["sequence"] for line in lines] == [1_499, 1_500]
        assert lines[1]["type"] == "OrderCancelled"
        assert lines[1]["client_order_id"] == "A-1500"


def test_a_page_far_behind_is_read_from_a_place_near_it_once_somebody_has_passed_there(workshop, monkeypatch):
    journal = workshop.a_journal(SimulatedDisk(), segment_bytes=1 << 20)
    journal.open()
    journal.append(tuple(workshop.an_intent(number) for number in range(1, 1_101)))
    journal.commit()
    view, offsets = journal.view(), []
    assert len(view.page(0, 2_000).records) == 1_100
    read = SimulatedFile.read
    monkeypatch.setattr(
        SimulatedFile, "read", lambda file, offset, size: offsets.append(offset) or read(file, offset, size)
    )

    assert [record.sequence for record in view.page(1_050, 2).records] == [1_051, 1_052]
    assert min(offsets) > journal.place.sequence * 100  # a record has more bytes than that, and 1,024 are passed over


def test_pages_one_after_another_read_each_record_once_wherever_they_begin(workshop, monkeypatch):
    journal = workshop.a_journal(SimulatedDisk(), segment_bytes=1 << 20)
    journal.open()
    journal.append(tuple(workshop.an_intent(number) for number in range(1, 1_001)))
    journal.commit()
    view, decoded = journal.view(), []
    decode = records.RecordFormat1.decode
    monkeypatch.setattr(
        records.RecordFormat1, "decode", lambda *arguments: decoded.append(decode(*arguments)) or decoded[-1]
    )

    pages = [view.page(after, 100).records for after in range(0, 1_000, 100)]

    assert [record.sequence for page in pages for record in page] == list(range(1, 1_001))
    sequences = [each.sequence for each in decoded if each is not None]
    assert len(sequences) <= 1_000 + len(pages)  # and no part of what lies before a page


class Segment:
    """What a view needs of one to find a place in it."""

    format = None

    def __init__(self, first_sequence, landmarks, known_place, read_on_at):
        self.first_sequence, self.landmarks = first_sequence, landmarks
        self.known_place, self.read_on_at = known_place, read_on_at

    def walk(self, _file, *, end, chained):
        return SimpleNamespace(sequence=self.first_sequence, offset=0, end=end, chained=chained)


@given(
    first=st.integers(1, 3 * LANDMARK_STRIDE),
    landmarks=st.sets(st.integers(0, 8)),
    known=st.tuples(st.integers(0, 9 * LANDMARK_STRIDE), st.integers(0, 9 * LANDMARK_STRIDE)),
    further=st.integers(0, 5 * LANDMARK_STRIDE),
    end=st.integers(1, 10 * LANDMARK_STRIDE),
)
def test_a_walk_begins_at_the_nearest_place_that_is_known_of_its_segment_and_durable(
    first, landmarks, known, further, end
):
    """The record of each sequence is at an offset of as many bytes here."""
    wanted = first + further
    places = [*known, *(number * LANDMARK_STRIDE for number in landmarks)]
    usable = [place for place in places if first < place <= wanted and place < end]

    offsets = {number: number * LANDMARK_STRIDE for number in landmarks}
    segment = Segment(first, offsets, *((each, each) for each in known))
    walk = JournalView._walk_near(segment, None, end, wanted)

    assert (walk.sequence, walk.offset) == ((max(usable), max(usable)) if usable else (first, 0))
