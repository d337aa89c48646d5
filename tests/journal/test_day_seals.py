"""Seals of days: an end that was cut off, and a day that was written anew with a whole chain, are named."""

import errno
import random
from hashlib import sha256
from hmac import digest
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.journal import Journal, JournalDamagedError, SimulatedDisk, Trouble
from natya.actors.journal.day_seals import (
    SEALS_NAME,
    DaySeal,
    SealBrokenError,
    SealedDays,
    day_text,
    read_seals,
    seals_of,
    unsigned,
    write_seals,
)
from natya.actors.journal.mark import MARK_NAME
from natya.actors.journal.records import RecordFormat1
from natya.actors.journal.segments import segment_path
from natya.actors.journal.tools import verify
from natya.actors.journal.walk import Walk
from natya.domain.time import DAY_NS, SECOND_NS, day_of, day_start_ns

DIRECTORY = Path("/journal")
MONDAY = 20_420
NOON_NS = day_start_ns(MONDAY) + 12 * 3_600 * SECOND_NS
KEY = b"a key of the test"


class Calendar:
    """A clock that a test sets."""

    def __init__(self, now_ns=NOON_NS):
        self.now_ns = now_ns

    def __call__(self):
        self.now_ns += 1_000_000
        return self.now_ns

    def next_day(self):
        self.now_ns += DAY_NS


@pytest.fixture
def disk():
    return SimulatedDisk()


@pytest.fixture
def calendar():
    return Calendar()


def opened(disk, calendar, *, key=b""):
    journal = Journal(DIRECTORY, now_ns=calendar, segment_bytes=65_536, disk=disk, seal_key=key)
    journal.open()
    return journal


def lived(disk, calendar, workshop, days=3, *, key=b""):
    """Write two orders a day; the last day is not over."""
    journal = opened(disk, calendar, key=key)
    for day in range(days):
        workshop.commit_one(journal, 2 * day + 1)
        workshop.commit_one(journal, 2 * day + 2)
        calendar.next_day()
    journal.close()


def again(line, **changes):
    """Give a line that follows this one, and differs from it in something else besides."""
    seal = msgspec.json.decode(line, type=DaySeal)
    return msgspec.structs.replace(seal, previous=sha256(line).hexdigest(), **changes).signed(b"").line()


def as_of_old(lines):
    """Give seals as earlier releases wrote them: no line has a hash of itself."""
    written, previous = [], ""
    for seal in seals_of(lines):
        old = msgspec.structs.replace(seal, previous=previous, line_hash=msgspec.UNSET)
        written.append(old.line())
        previous = sha256(old.line()).hexdigest()
    return b"".join(line + b"\n" for line in written)


class TestADayThatIsOver:
    def test_is_sealed_by_the_first_record_of_another_with_the_last_of_its_own(self, disk, calendar, workshop):
        lived(disk, calendar, workshop)

        found = read_seals(disk, DIRECTORY)

        assert [(seal.day, seal.last_sequence) for seal in found] == [
            (day_text(MONDAY), 2),
            (day_text(MONDAY + 1), 4),
        ]

    def test_is_sealed_with_others_at_once_by_a_look_however_many_are_over(self, disk, calendar, workshop):
        journal = opened(disk, calendar)
        for number in (1, 2, 3):
            workshop.commit_one(journal, number)
            calendar.next_day()
        before = read_seals(disk, DIRECTORY)
        journal.end_day()

        assert before == ()
        assert [seal.last_sequence for seal in read_seals(disk, DIRECTORY)] == [1, 2, 3]
        assert journal.take_sealed()[0] == read_seals(disk, DIRECTORY)

    def test_is_bound_by_the_seal_of_a_later_one_when_a_crash_took_its_own(self, disk, calendar, workshop):
        journal = opened(disk, calendar)
        workshop.commit_one(journal, 1)
        calendar.next_day()
        workshop.commit_one(journal, 2)
        disk = disk.crash(random.Random(1))
        opened(disk, calendar).close()
        calendar.next_day()
        opened(disk, calendar).close()

        assert [(seal.day, seal.last_sequence) for seal in read_seals(disk, DIRECTORY)] == [(day_text(MONDAY + 1), 2)]
        assert verify(DIRECTORY, disk).sealed_sequence == 2

    def test_is_sealed_by_a_start_when_nothing_came_after_it(self, disk, calendar, workshop):
        lived(disk, calendar, workshop, days=1)

        opened(disk, calendar).close()

        assert [seal.last_sequence for seal in read_seals(disk, DIRECTORY)] == [2]

    def test_is_sealed_once_at_midnight_when_nothing_is_appended(self, disk, calendar, workshop):
        journal = opened(disk, calendar)
        workshop.commit_one(journal)
        calendar.now_ns = day_start_ns(MONDAY + 1) - 10_000_000
        journal.end_day()
        before = journal.take_sealed()
        calendar.next_day()
        journal.end_day()
        journal.end_day()
        (seal,), fault = journal.take_sealed()
        journal.close()

        assert before == ((), "")
        assert (seal.last_sequence, seal.day, fault) == (1, day_text(MONDAY), "")
        assert verify(DIRECTORY, disk).sealed_days == 1

    def test_ends_between_two_appends_of_one_commit(self, disk, calendar, workshop):
        journal = opened(disk, calendar)
        journal.append((workshop.an_intent(1), workshop.an_intent(2)), "A")
        calendar.next_day()
        journal.append((workshop.an_intent(3),), "A")
        journal.commit()
        journal.close()

        assert [seal.last_sequence for seal in read_seals(disk, DIRECTORY)] == [2]
        assert verify(DIRECTORY, disk).sealed_sequence == 2

    def test_in_which_nothing_was_recorded_has_no_seal(self, disk, calendar, workshop):
        journal = opened(disk, calendar)
        calendar.next_day()
        workshop.commit_one(journal)
        journal.close()

        assert read_seals(disk, DIRECTORY) == ()

    @pytest.mark.parametrize("trouble", ["create", "write", "sync", "rename", "sync_directory"])
    def test_whose_seal_the_disk_does_not_take_is_sealed_later_and_appends_go_on(
        self, disk, calendar, trouble, workshop
    ):
        journal = opened(disk, calendar)
        workshop.commit_one(journal, 1)
        calendar.next_day()
        disk.troubles.append(Trouble(action=trouble, error=errno.ENOSPC))
        journal.end_day()
        missed = journal.take_sealed()
        assert workshop.commit_one(journal, 2) == 2
        calendar.next_day()
        workshop.commit_one(journal, 3)
        journal.close()

        assert missed[0] == ()
        assert f"day {day_text(MONDAY)} is not sealed yet" in missed[1]
        assert [seal.last_sequence for seal in read_seals(disk, DIRECTORY)] == [1, 2]

    @settings(max_examples=12)
    @given(steps=st.lists(st.sampled_from([0, SECOND_NS, DAY_NS, 5 * DAY_NS, -DAY_NS]), max_size=12))
    def test_is_sealed_whatever_the_clock_does_and_nothing_is_sealed_twice(self, steps, workshop):
        disk, calendar = SimulatedDisk(), Calendar()
        journal = opened(disk, calendar)
        days = []
        for number, step in enumerate(steps, start=1):
            calendar.now_ns += step
            workshop.commit_one(journal, number)
            days.append(day_of(calendar.now_ns))
        journal.close()

        changes = [number for number, (one, other) in enumerate(pairwise(days), 1) if one != other]
        assert [seal.last_sequence for seal in read_seals(disk, DIRECTORY)] == changes
        assert verify(DIRECTORY, disk).sealed_days == len(changes)


class TestAJournalWithSeals:
    def test_of_which_the_end_was_cut_off_with_its_mark_is_refused_by_the_day(self, disk, calendar, workshop):
        lived(disk, calendar, workshop, days=2)
        content = disk.content(segment_path(DIRECTORY, 1))
        second = content.index(RecordFormat1.magic, content.index(RecordFormat1.magic) + 1)
        content[second:] = bytes(len(content) - second)
        disk.remove(DIRECTORY / MARK_NAME)

        for read in (lambda: verify(DIRECTORY, disk), lambda: opened(disk, calendar)):
            with pytest.raises(JournalDamagedError, match=f"day {day_text(MONDAY)} was sealed up to sequence 2"):
                read()

    def test_that_was_written_anew_with_a_whole_chain_is_refused_by_the_day(self, disk, calendar, workshop):
        lived(disk, calendar, workshop, days=2)
        forged = SimulatedDisk()
        journal = opened(forged, Calendar())
        for number in range(11, 16):
            workshop.commit_one(journal, number)
        journal.close()
        write_seals(forged, DIRECTORY, read_seals(disk, DIRECTORY))

        with pytest.raises(JournalDamagedError, match=f"day {day_text(MONDAY)} .* was rewritten") as damage:
            verify(DIRECTORY, forged)

        assert damage.value.sequence == 2

    def test_beside_seals_of_another_is_refused(self, disk, calendar, workshop):
        lived(disk, calendar, workshop, days=2)
        other = SimulatedDisk()
        lived(other, Calendar(NOON_NS + 5), workshop, days=2)
        write_seals(disk, DIRECTORY, read_seals(other, DIRECTORY))

        for read in (lambda: verify(DIRECTORY, disk), lambda: opened(disk, calendar)):
            with pytest.raises(JournalDamagedError, match="seals of another journal"):
                read()

    def test_whose_segments_are_gone_is_not_begun_anew(self, disk, calendar, workshop):
        lived(disk, calendar, workshop)
        for name in disk.names(DIRECTORY):
            if name != SEALS_NAME:
                disk.remove(DIRECTORY / name)

        with pytest.raises(JournalDamagedError, match=SEALS_NAME):
            opened(disk, calendar)

    def test_is_read_once_to_be_verified(self, disk, calendar, workshop, monkeypatch):
        lived(disk, calendar, workshop)
        walked, plain = [], Walk.__iter__

        def watched(walk):
            for record in plain(walk):
                walked.append(record.sequence)
                yield record

        monkeypatch.setattr(Walk, "__iter__", watched)

        assert verify(DIRECTORY, disk).of_type == {"OrderIntended": 6}
        assert walked == [1, 2, 3, 4, 5, 6]


class TestLinesOfSeals:
    @pytest.fixture
    def lines(self, disk, calendar, workshop):
        lived(disk, calendar, workshop, days=4, key=KEY)
        return bytes(disk.content(DIRECTORY / SEALS_NAME))

    def test_that_were_changed_anywhere_are_refused_or_lack_their_hmac(self, lines):
        @given(at=st.integers(0, len(lines) - 1), bit=st.integers(0, 7))
        def is_found(at, bit):
            changed = bytearray(lines)
            changed[at] ^= 1 << bit
            try:
                seals = seals_of(bytes(changed))
            except SealBrokenError:
                return
            assert unsigned(seals, KEY) is not None

        is_found()

    def test_have_the_hmac_that_anyone_with_the_key_can_make(self, lines, workshop):
        first = seals_of(lines)[0]
        line = lines.split(b"\n")[0].replace(f',"line_hash":"{first.line_hash}"'.encode(), b"")
        body = line.replace(first.hmac.encode(), b"")

        assert first.hmac == digest(KEY, body, "sha256").hex()
        assert first.line_hash == sha256(line).hexdigest()
        assert seals_of(lines)[1].previous == sha256(lines.split(b"\n")[0]).hexdigest()

    def test_need_one_only_from_the_first_that_has_one_on(self, disk, calendar, workshop):
        lived(disk, calendar, workshop, days=2)
        lived_on = opened(disk, calendar, key=KEY)
        workshop.commit_one(lived_on, 9)
        calendar.next_day()
        lived_on.end_day()
        lived_on.close()
        seals = read_seals(disk, DIRECTORY)

        assert [bool(seal.hmac) for seal in seals] == [False, True, True]
        assert unsigned(seals, KEY) is None
        assert unsigned(seals, b"another") == seals[1]
        assert unsigned((*seals, seals[0]), KEY) == seals[0]

    def test_are_written_byte_by_byte_as_every_release_reads_them(self, disk, calendar, workshop):
        journal = opened(disk, calendar)
        workshop.commit_one(journal, 1)
        first = journal.place
        calendar.next_day()
        journal.end_day()
        sealed_ns = calendar.now_ns
        workshop.commit_one(journal, 2)
        calendar.next_day()
        journal.end_day()
        written = bytes(disk.content(DIRECTORY / SEALS_NAME)).split(b"\n")

        wanted = (
            f'{{"day":"{day_text(MONDAY)}","last_sequence":1,"last_hash":"{first.last_hash.hex()}",'
            f'"sealed_ns":{sealed_ns},"journal_id":"{first.journal_id.hex()}","previous":"","hmac":""}}'
        ).encode()
        wanted = wanted[:-1] + f',"line_hash":"{sha256(wanted).hexdigest()}"}}'.encode()
        second = DaySeal(
            day=day_text(MONDAY + 1),
            last_sequence=2,
            last_hash=journal.place.last_hash.hex(),
            sealed_ns=calendar.now_ns,
            journal_id=first.journal_id.hex(),
            previous=sha256(wanted).hexdigest(),
        )
        assert written[0] == wanted
        assert seals_of(b"\n".join(written))[1] == second.signed(b"")

    def test_that_an_earlier_release_wrote_are_read_and_gone_on_from(self, disk, calendar, workshop):
        lived(disk, calendar, workshop)
        old = as_of_old(bytes(disk.content(DIRECTORY / SEALS_NAME)))
        disk.remove(DIRECTORY / SEALS_NAME)
        write_seals(disk, DIRECTORY, seals_of(old))

        opened(disk, calendar).close()  # seals the last day

        found = bytes(disk.content(DIRECTORY / SEALS_NAME))
        assert found.startswith(old)
        assert [seal.line_hash is msgspec.UNSET for seal in seals_of(found)] == [True, True, False]
        assert verify(DIRECTORY, disk).sealed_days == 3

    def test_all_have_a_hash_of_themselves_from_the_first_that_has_one_on(self, lines, workshop):
        seals = seals_of(lines)
        without = msgspec.structs.replace(seals[-1], line_hash=msgspec.UNSET).line()
        changed = b"".join(seal.line() + b"\n" for seal in seals[:-1]) + without + b"\n"

        with pytest.raises(SealBrokenError, match=f"line 3, day {seals[-1].day}: its own hash is not that of the line"):
            seals_of(changed)

    def test_without_a_key_are_bound_to_the_last_byte_of_the_last(self, disk, calendar, workshop):
        lived(disk, calendar, workshop)
        lines = bytes(disk.content(DIRECTORY / SEALS_NAME))
        for at in range(len(lines)):
            for bit in range(8):
                changed = bytearray(lines)
                changed[at] ^= 1 << bit
                with pytest.raises(SealBrokenError):
                    seals_of(bytes(changed))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda lines: [b"{}", *lines[1:]], "line 1: Object missing required field `day`"),
            (lambda lines: [b"\xff", *lines[1:]], "line 1: "),
            (lambda lines: [lines[0].replace(b":", b": ", 1), *lines[1:]], "line 1, day {0}: it is written otherwise"),
            (lambda lines: [lines[0], lines[0], *lines[1:]], "line 2, day {0}: it does not follow the line before it"),
            (lambda lines: lines[1:], "line 1, day {1}: it does not follow the line before it"),
            (lambda lines: [*lines[:2], again(lines[1], last_sequence=4)], "line 3, day {1}: it does not go on where"),
            (lambda lines: [*lines[:2], again(lines[1], last_sequence=3)], "line 3, day {1}: it does not go on where"),
            (lambda lines: [*lines[:2], again(lines[1], last_sequence=5)], ""),
            (
                lambda lines: [*lines[:2], again(lines[1], last_sequence=5, journal_id="another")],
                "line 3, day {1}: it does not go on where",
            ),
        ],
    )
    def test_are_refused_with_the_line_and_the_reason(self, lines, change, reason):
        days = [day_text(MONDAY + number) for number in range(3)]
        changed = b"".join(line + b"\n" for line in change(lines.split(b"\n")[:-1]))
        if not reason:
            assert len(seals_of(changed)) == 3
            return
        with pytest.raises(SealBrokenError) as refusal:
            seals_of(changed)
        assert str(refusal.value).startswith(reason.format(*days))

    def test_that_end_within_one_are_refused(self, lines, workshop):
        with pytest.raises(SealBrokenError, match="within a line"):
            seals_of(lines[:-1])

    def test_are_refused_with_the_day_when_one_between_is_missing(self, lines, workshop):
        first, _, third, _ = lines.split(b"\n")
        day = seals_of(lines)[2].day

        with pytest.raises(SealBrokenError, match=f"line 2, day {day}"):
            seals_of(first + b"\n" + third + b"\n")

    @pytest.mark.parametrize(
        ("kept", "reason"),
        [
            (lambda lines: lines, ""),
            (lambda lines: lines.split(b"\n")[0] + b"\n", ""),
            (lambda lines: lines[:0], ""),
            (lambda lines: lines[:-1], "the copy of it"),
            (lambda lines: lines.replace(b"2025", b"2024", 1), "not that of the copy|the copy of it"),
        ],
        ids=["all", "the first", "none", "cut", "others"],
    )
    def test_of_a_copy_kept_elsewhere_must_be_those_here(self, disk, lines, kept, reason, workshop):
        copy = kept(lines)
        if not reason:
            assert verify(DIRECTORY, disk, kept_seals=copy, seal_key=KEY).hmacs == 3
            return
        with pytest.raises(JournalDamagedError, match=reason):
            verify(DIRECTORY, disk, kept_seals=copy)

    def test_of_a_copy_that_has_more_or_another_one_are_refused_by_its_day(self, disk, lines, workshop):
        first, second, _, _ = lines.split(b"\n")
        other = b"\n".join((first, second, again(second, day=seals_of(lines)[2].day, last_sequence=5), b""))
        day = seals_of(lines)[2].day
        with pytest.raises(JournalDamagedError, match=f"the seal of day {day} is not that of the copy: found {day}"):
            verify(DIRECTORY, disk, kept_seals=other)
        write_seals(disk, DIRECTORY, seals_of(lines)[:2])

        with pytest.raises(JournalDamagedError, match=f"the seal of day {day} is not that of the copy: found none"):
            verify(DIRECTORY, disk, kept_seals=lines)

    def test_that_were_made_anew_without_the_key_are_named_by_it_and_by_the_copy(self, disk, calendar, lines, workshop):
        disk.remove(DIRECTORY / SEALS_NAME)
        opened(disk, calendar).close()  # seals what it finds

        assert verify(DIRECTORY, disk).sealed_days == 1
        with pytest.raises(JournalDamagedError, match="not that of the copy"):
            verify(DIRECTORY, disk, kept_seals=lines)


def test_a_day_without_a_record_has_no_seal_also_behind_one_whose_seal_is_not_written_yet():
    def end(day, sequence):
        days.end(day_start_ns(day), last_sequence=sequence, last_hash=bytes([sequence]) * 32)
        return [(seal.day, seal.last_sequence) for seal in days.owed]

    days = SealedDays(SimulatedDisk(), DIRECTORY, (), journal_id=bytes(16), key=KEY, now_ns=Calendar())
    days.begin(NOON_NS, 3)

    assert end(MONDAY + 1, 3) == end(MONDAY + 2, 3) == [(day_text(MONDAY), 3)]
    assert end(MONDAY + 3, 4) == [(day_text(MONDAY), 3), (day_text(MONDAY + 2), 4)]
    days.write()
    assert end(MONDAY + 4, 4) == []
    assert end(MONDAY + 5, 5) == [(day_text(MONDAY + 4), 5)]
