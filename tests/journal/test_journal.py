"""The journal as a plain object: appending, rotating, the reserve, one owner."""

from __future__ import annotations

import errno
import subprocess
import time
from random import Random

import msgspec
import pytest
from natya_starts import Python

from natya.actors.journal import (
    AppendInvalidError,
    Journal,
    JournalBusyError,
    JournalDamagedError,
    JournalError,
    JournalFailedError,
    JournalFullError,
    JournalMisplacedError,
    SimulatedDisk,
    Trouble,
    are_outcomes,
)
from natya.actors.journal.header import FOOTER_SIZE, HEADER_SIZE, SegmentHeader
from natya.actors.journal.segments import list_segments
from natya.actors.journal.simulated import SimulatedFile
from natya.actors.journal.tools import verify
from natya.actors.journal.upkeep import archive_segment


class TestAppending:
    def test_is_durable_after_the_commit_and_not_before(self, journal, workshop):
        ticket = journal.append((workshop.an_intent(1),))

        assert journal.last_sequence == 0
        journal.commit()
        assert journal.last_sequence == ticket.last_sequence == 1

    def test_hands_out_each_durable_record_once(self, journal, workshop):
        journal.append((workshop.an_intent(1), workshop.an_intent(2)), "A-1")
        before = journal.take_durable()
        journal.commit()
        handed = journal.take_durable()

        assert before == journal.take_durable() == ()
        assert [(record.sequence, record.correlation_id) for record in handed] == [(1, "A-1"), (2, "A-1")]
        assert handed == journal.view().page(0, 10).records

    def test_is_counted_when_it_is_durable_with_others_in_one_commit(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        journal.append((workshop.an_intent(1), workshop.an_intent(2)), "A-1")
        journal.append((workshop.a_cancel(1),))
        buffered = journal.buffered_bytes
        assert (journal.commits, journal.appended, journal.bytes_written) == (0, 0, 0)
        journal.commit()
        journal.commit()  # of nothing

        assert (journal.commits, journal.appended, journal.bytes_written) == (1, 3, buffered)
        assert (journal.oldest_sequence, journal.last_sequence, journal.buffered_bytes) == (1, 3, 0)
        assert journal._files.position.offset == HEADER_SIZE + buffered
        journal.append((workshop.an_intent(3),))
        journal.commit()
        assert (journal.commits, journal.appended) == (2, 4)

    def test_of_many_costs_one_sync_and_one_write_beside_that_of_the_mark(self, journal, workshop, monkeypatch):
        done = []
        for action in ("write", "sync"):
            plain = getattr(SimulatedFile, action)
            monkeypatch.setattr(
                SimulatedFile, action, lambda *given, action=action, plain=plain: done.append(action) or plain(*given)
            )
        for number in range(1, 6):
            journal.append((workshop.an_intent(number),))
        journal.commit()

        assert done == ["write", "sync", "write"]
        done.clear()
        journal.commit()
        assert done == []

    @pytest.mark.parametrize(
        ("facts", "correlation_id", "reason"),
        [
            ((), "", "an append has a tuple of at least 1 fact, found ()"),
            ({}, "", "an append has a tuple of at least 1 fact, found {}"),
            (("text",), "", "a fact is wanted, found str"),
            (None, 7, "a correlation id is a text, found 7"),
            (None, "\udfff", r"a correlation id is a text of UTF-8, found '\udfff'"),
            (None, "x" * 65_536, "a correlation id has at most 65535 bytes, found 65536"),
            (None, "Ω" * 32_768, "a correlation id has at most 65535 bytes, found 65536"),
        ],
        ids=lambda value: str(value)[:20],
    )
    def test_that_is_none_is_refused_and_told_why(self, journal, workshop, facts, correlation_id, reason):
        with pytest.raises(AppendInvalidError) as refusal:
            journal.append((workshop.an_intent(),) if facts is None else facts, correlation_id)

        assert str(refusal.value) == reason

    def test_with_the_longest_name_is_taken(self, journal, workshop):
        journal = workshop.a_journal(SimulatedDisk(), segment_bytes=1 << 20)
        journal.open()
        journal.append((workshop.an_intent(),), "x" * 65_535)
        journal.commit()

        assert journal.view().page(0, 1).records[0].correlation_id == "x" * 65_535

    @pytest.mark.parametrize("correlation_id", ["", "Ω" * 40_000])
    def test_of_nothing_or_with_too_long_a_name_is_refused(self, journal, workshop, correlation_id):
        facts = (workshop.an_intent(),) if correlation_id else ()

        with pytest.raises(AppendInvalidError):
            journal.append(facts, correlation_id)

    def test_of_what_nobody_could_read_back_is_refused_and_the_next_one_goes_on(self, journal, workshop, unreadable):
        with pytest.raises(AppendInvalidError, match="could not be read back"):
            journal.append(unreadable)

        assert workshop.commit_one(journal) == 1

    def test_of_more_than_a_segment_is_refused_and_the_next_one_goes_on(self, journal, workshop):
        with pytest.raises(AppendInvalidError):
            journal.append((workshop.an_intent(symbol="X" * 70_000),))

        assert workshop.commit_one(journal) == 1

    def test_of_all_of_a_segment_is_taken_and_of_one_byte_more_is_not(self, journal, workshop):
        """Whatever is larger than an empty segment could be written nowhere."""
        most = workshop.segment_bytes - HEADER_SIZE - FOOTER_SIZE

        def of_letters(count):
            return (workshop.an_intent(symbol="X" * count),)

        with pytest.raises(AppendInvalidError, match=f"an append has at most {most} bytes") as refusal:
            journal.append(of_letters(65_535))
        letters = 65_535 - (int(str(refusal.value).split()[-1]) - most)
        with pytest.raises(AppendInvalidError, match=f"found {most + 1}$"):
            journal.append(of_letters(letters + 1))
        journal.append(of_letters(letters))
        journal.commit()

        assert [len(fact.symbol) for fact in workshop.facts_of(journal)] == [letters]

    def test_before_it_is_open_is_refused(self, disk, workshop):
        with pytest.raises(JournalFailedError, match=r"journal .* is not open"):
            workshop.a_journal(disk).append((workshop.an_intent(),))

    def test_after_close_is_refused(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        journal.close()

        with pytest.raises(JournalFailedError, match="not open"):
            journal.append((workshop.an_intent(),))

    def test_goes_on_after_closing_and_opening(self, disk, workshop):
        for number in range(1, 6):
            journal = workshop.a_journal(disk)
            assert journal.open() is None
            assert workshop.commit_one(journal, number) == number
            journal.close()


class TestAFullSegment:
    @pytest.mark.parametrize(("more", "segments"), [(0, 1), (1, 2)], ids=["just enough", "a byte more"])
    def test_is_what_the_appends_of_one_commit_fill_together(self, disk, workshop, more, segments):
        journal = workshop.a_journal(disk)
        journal.open()
        room = workshop.segment_bytes - HEADER_SIZE - FOOTER_SIZE
        journal.append((workshop.an_intent(1, symbol="X" * 30_000),))
        journal.append((workshop.an_intent(2, symbol="X" * 30_000),))
        besides = journal.buffered_bytes // 2 - 30_000
        journal.append((workshop.an_intent(3, symbol="X" * (room - journal.buffered_bytes - besides + more)),))
        journal.commit()

        assert len(list_segments(disk, workshop.directory)) == segments
        assert [fact.quantity for fact in workshop.facts_of(journal)] == [1, 2, 3]
        assert journal.last_sequence == 3
        journal.close()
        again = workshop.a_journal(disk)
        again.open()
        assert [fact.quantity for fact in workshop.facts_of(again)] == [1, 2, 3]

    def test_is_followed_by_another_and_read_as_one_journal(self, disk, workshop):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        sequences = [workshop.commit_one(journal, number) for number in range(1, 101)]

        assert len(journal.closed_segments) == 4
        assert sequences == list(range(1, 101))
        assert [fact.quantity for fact in workshop.facts_of(journal)] == sequences

    @pytest.mark.parametrize("left", [0, 7, FOOTER_SIZE])
    def test_has_the_footer_again_that_a_crash_left_out(self, disk, workshop, left):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        segment = journal.closed_segments[0]
        journal.close()
        file = disk.open(segment.path, writable=True)
        used, footer = segment.seal.used, file.read(segment.seal.used, FOOTER_SIZE)
        file.write(footer[:left] + bytes(FOOTER_SIZE - left), used)
        file.close()
        again = workshop.a_journal(disk, segment_bytes=4_096)
        again.open()

        file = disk.open(segment.path)
        assert footer == segment.footer
        assert file.read(used, FOOTER_SIZE) == footer
        file.close()
        again.close()

    def test_that_is_archived_is_left_as_it_is_by_a_start_that_completes_the_others(self, disk, workshop, monkeypatch):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        first, second = journal.closed_segments[:2]
        journal.close()
        archive_segment(disk, first)
        archive = bytes(disk.content(first.path))
        file = disk.open(second.path, writable=True)
        file.write(bytes(FOOTER_SIZE), second.seal.used)
        file.close()
        written, plain = [], disk.open

        def opened(path, *, writable=False):
            written.extend([path] * writable)
            return plain(path, writable=writable)

        monkeypatch.setattr(disk, "open", opened)
        again = workshop.a_journal(disk, segment_bytes=4_096)
        again.open()

        assert first.archived
        assert second.path in written
        assert first.path not in written
        assert bytes(disk.content(first.path)) == archive
        assert disk.open(second.path).read(second.seal.used, FOOTER_SIZE) == second.footer
        again.close()

    def test_of_other_whole_records_is_no_segment_of_this_journal(self, disk, workshop):
        other = SimulatedDisk()
        for each, numbers in ((disk, range(300, 400)), (other, range(400, 500))):
            journal = workshop.a_journal(each, segment_bytes=4_096)
            journal.open()
            for number in numbers:
                workshop.commit_one(journal, number)
            path = journal.closed_segments[0].path
            journal.close()
        disk.content(path)[HEADER_SIZE:] = other.content(path)[HEADER_SIZE:]

        with pytest.raises(JournalDamagedError, match="its records are whole, but not those that were written"):
            workshop.a_journal(disk, segment_bytes=4_096).open()

    def test_with_a_changed_record_is_damage_there_and_not_one_of_other_records(self, disk, workshop):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        segment = journal.closed_segments[0]
        journal.close()
        disk.content(segment.path)[HEADER_SIZE + 40] ^= 1

        for read in (workshop.a_journal(disk, segment_bytes=4_096).open, lambda: verify(segment.directory, disk)):
            with pytest.raises(JournalDamagedError) as damage:
                read()
            assert (damage.value.path, damage.value.offset, damage.value.sequence) == (segment.path, HEADER_SIZE, 1)
            assert "its records are whole" not in str(damage.value)

    def test_is_not_what_has_a_longer_name_or_one_of_other_characters(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        path = journal.active_segment.path
        for name in (
            "00000000000000000009-copy.journal",
            "a-name-of-20-letters.journal",
            "00000000000000000009.journal.old",
            *(f"{digit * 20}.journal" for digit in ("\u00b2", "\u0661")),
        ):
            disk.create(path.with_name(name), 100)

        assert [each.first_sequence for each in list_segments(disk, path.parent)] == [1]

    def test_in_the_middle_of_a_group_loses_nothing(self, disk, workshop):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            journal.append((workshop.an_intent(number),))
        journal.commit()

        assert [record.sequence for record in journal.take_durable()] == list(range(1, 101))


class TestAFullDisk:
    def fill(self, disk, journal, workshop):
        """Take all space, then append intents until they are refused; returns how many were taken."""
        disk.capacity_bytes -= disk.free_bytes()
        number = 0
        while True:
            number += 1
            try:
                workshop.commit_one(journal, number)
            except JournalFullError:
                return number - 1

    def test_refuses_intents_and_takes_outcomes_into_the_reserve(self, disk, journal, workshop):
        taken = self.fill(disk, journal, workshop)
        journal.append((workshop.a_cancel(1),))
        journal.commit()

        with pytest.raises(JournalFullError):
            journal.append((workshop.an_intent(),))
        with pytest.raises(JournalFullError):
            journal.append((workshop.a_cancel(), workshop.an_intent()))
        assert workshop.facts_of(journal)[taken:] == [workshop.a_cancel(1)]

    def test_takes_outcomes_until_the_reserve_is_used_up(self, disk, journal, workshop):
        taken = self.fill(disk, journal, workshop)
        cancels = 300  # a segment of 64 KiB holds more
        for _ in range(cancels):
            journal.append((workshop.a_cancel(1),))
            journal.commit()

        assert len(workshop.facts_of(journal)) == taken + cancels
        with pytest.raises(JournalFullError):
            journal.append((workshop.a_cancel(1),) * 300)

    def test_takes_intents_again_as_soon_as_space_returns(self, disk, journal, workshop):
        taken = self.fill(disk, journal, workshop)
        journal.append((workshop.a_cancel(1),))
        journal.commit()
        disk.capacity_bytes += 1 << 20
        journal._now_ns.value_ns += 1_000_000_000  # space is asked for again after a second

        assert workshop.commit_one(journal) == taken + 2
        assert journal.reserve_held

    def test_at_the_start_is_survived(self, disk, journal, workshop):
        taken = self.fill(disk, journal, workshop)
        journal.close()
        again = workshop.a_journal(disk)
        again.open()
        again.append((workshop.a_cancel(1),))
        again.commit()

        assert again.last_sequence == taken + 1

    def test_of_a_new_journal_is_named(self, workshop):
        with pytest.raises(JournalFullError):
            workshop.a_journal(SimulatedDisk(capacity_bytes=1_000)).open()


class TestAWriteThatWasTakenBack:
    """Half of it had arrived on a full disk, its first record whole; it was refused, and the power goes."""

    @pytest.mark.parametrize("seed", range(12))
    def test_is_never_read_back(self, disk, journal, workshop, seed):
        workshop.commit_one(journal, 1)
        for number in (2, 3):  # two appends of one length: the first of them arrives whole
            journal.append((workshop.an_intent(number),))
        disk.troubles = [Trouble(action="write", error=errno.ENOSPC)]
        with pytest.raises(JournalFullError):
            journal.commit()
        again = workshop.a_journal(disk.crash(Random(seed)))
        again.open()

        assert workshop.facts_of(again) == [workshop.an_intent(1)]


class TestAWriteThatCannotBeTakenBack:
    """Half of it has arrived on a full disk, and blanking that fails as well."""

    SECOND = (
        Trouble(action="write"),
        Trouble(action="write", error=errno.ENOSPC),
        Trouble(action="sync"),
        Trouble(action="sync", error=errno.ENOSPC),
    )

    @pytest.mark.parametrize("second", SECOND, ids=str)
    def test_is_the_end_of_the_file_and_is_never_read_back(self, disk, journal, workshop, second):
        workshop.commit_one(journal, 1)
        for number in (2, 3):  # two appends of one length: the first of them arrives whole
            journal.append((workshop.an_intent(number),))
        disk.troubles = [Trouble(action="write", error=errno.ENOSPC), second]
        with pytest.raises(JournalFailedError, match="full disk"):
            journal.commit()
        disk.troubles = []

        with pytest.raises(JournalFailedError):
            journal.append((workshop.an_intent(4),))
        journal.close()
        again = workshop.a_journal(disk)
        again.open()
        assert workshop.facts_of(again) == [workshop.an_intent(1)]
        assert workshop.commit_one(again, 5) == 2


class TestADiskThatFailsAtTheStart:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (errno.ENOSPC, JournalFullError),
            (errno.EDQUOT, JournalFullError),
            (errno.EIO, JournalFailedError),
            (errno.EACCES, JournalFailedError),
            (errno.ENOENT, JournalFailedError),
            (errno.EEXIST, JournalMisplacedError),
            (errno.ENOTDIR, JournalMisplacedError),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("action", ["write", "sync", "sync_directory"])
    def test_is_named_as_what_it_is_and_holds_nothing(self, disk, workshop, action, error, kind):
        disk.troubles = [Trouble(action=action, error=error)]

        with pytest.raises(JournalError, match="cannot be opened") as refusal:
            workshop.a_journal(disk).open()
        disk.troubles = []

        assert type(refusal.value) is kind
        workshop.a_journal(disk).open()


class TestOutcomes:
    def test_are_what_has_happened_to_an_order(self, workshop):
        assert are_outcomes((workshop.a_cancel(), workshop.a_cancel()))
        assert not are_outcomes((workshop.a_cancel(), workshop.an_intent()))


class TestTwoOwners:
    def test_of_one_directory_are_refused_naming_the_first(self, tmp_path):
        code = (
            "import sys, time; from pathlib import Path; from natya.actors.journal import Journal;"
            "journal = Journal(Path(sys.argv[1]), now_ns=time.time_ns, segment_bytes=65536); journal.open();"
            "print('open', flush=True); sys.stdin.read()"
        )
        with Python([code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout.readline() == b"open\n"
            with pytest.raises(JournalBusyError) as busy:
                Journal(tmp_path, now_ns=time.time_ns, segment_bytes=65_536).open()

        assert busy.value.holder_pid == holder.pid


class TestAnotherJournalsFile:
    def test_in_place_of_ours_is_damage(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal)
        journal.close()
        other_disk = SimulatedDisk()
        other = workshop.a_journal(other_disk, clock=workshop.Ticking(7))
        other.open()
        workshop.commit_one(other)
        path = other._files.segments[0].path
        disk.content(path)[:] = other_disk.content(path)

        with pytest.raises(JournalDamagedError, match="another journal"):
            workshop.a_journal(disk).open()


class TestAHeader:
    def test_is_read_as_it_was_written_and_any_changed_bit_is_seen(self, journal):
        header = journal._files.segments[0].header
        encoded = header.encode()

        assert SegmentHeader.decode(encoded) == header
        for position in range(len(encoded)):
            changed = bytearray(encoded)
            changed[position] ^= 1
            with pytest.raises(ValueError, match=r"segment|CRC"):
                SegmentHeader.decode(bytes(changed))
        assert msgspec.structs.replace(header, first_sequence=2).encode() != encoded
