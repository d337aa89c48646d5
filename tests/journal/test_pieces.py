"""The smallest pieces of a journal's files: a header, an archive, and what is empty."""

import errno
import gzip
import os
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.journal.disk import RealDisk
from natya.actors.journal.header import HEADER_SIZE, HeaderBrokenError, Seal, SegmentHeader
from natya.actors.journal.records import FORMATS
from natya.actors.journal.recovery import Position
from natya.actors.journal.segments import ArchiveFile
from natya.actors.journal.walk import footer_fault, is_zero

FORMAT = FORMATS[max(FORMATS)]
HEADER = SegmentHeader(
    version=2,
    journal_id=bytes(range(16)),
    first_sequence=7,
    created_ns=8,
    previous=Seal(first_sequence=1, used=900, crc=5, earliest_ns=3, latest_ns=4, last_hash=b"\x09" * 32),
)


class File:
    """A file that is these bytes."""

    def __init__(self, data):
        self.data = data

    def read(self, offset, size):
        return self.data[offset : offset + size]

    def size(self):
        return len(self.data)

    def close(self):
        pass


def with_its_crc(head):
    return head + zlib.crc32(head).to_bytes(4, "little")


class TestAHeader:
    def test_is_read_as_it_was_written(self):
        assert SegmentHeader.decode(HEADER.encode() + b"records") == HEADER

    @pytest.mark.parametrize("field", HEADER.__struct_fields__)
    def test_is_another_by_each_field(self, field):
        other = {"version": 1, "journal_id": bytes(16), "first_sequence": 8, "created_ns": 9, "previous": Seal()}
        changed = msgspec.structs.replace(HEADER, **{field: other[field]})

        assert SegmentHeader.decode(changed.encode()) == changed

    def test_of_another_kind_of_file_is_none_though_its_crc_is_right(self):
        foreign = with_its_crc(b"OTHERJNL" + HEADER.encode()[8:-4])

        with pytest.raises(HeaderBrokenError, match=r"NATYAJNL.*OTHERJNL"):
            SegmentHeader.decode(foreign)

    @given(st.integers(0, HEADER_SIZE - 1), st.integers(1, 255))
    def test_with_any_byte_changed_is_none(self, place, change):
        data = bytearray(HEADER.encode())
        data[place] ^= change

        with pytest.raises(HeaderBrokenError):
            SegmentHeader.decode(bytes(data))

    def test_that_is_too_short_is_none(self):
        with pytest.raises(HeaderBrokenError, match=f"{HEADER_SIZE} bytes"):
            SegmentHeader.decode(HEADER.encode()[:-1])


class TestAnArchive:
    DATA = bytes(range(256)) * 40

    def test_is_read_like_a_plain_file(self):
        archive = ArchiveFile(File(gzip.compress(self.DATA)))

        assert archive.size() == len(self.DATA)
        assert [archive.read(offset, 10) for offset in (300, 5)] == [self.DATA[300:310], self.DATA[5:15]]

    @pytest.mark.parametrize("fault", ["cut off", "changed"])
    def test_that_is_broken_says_so(self, fault):
        packed = bytearray(gzip.compress(self.DATA))
        if fault == "cut off":
            del packed[-30:]
        else:
            packed[20:40] = b"\xff" * 20
        archive = ArchiveFile(File(bytes(packed)))

        with pytest.raises(OSError, match=r"archive is broken|CRC"):
            archive.read(0, len(self.DATA) + 1)


class TestWhatIsEmpty:
    @given(st.integers(0, 20), st.integers(0, 20), st.lists(st.integers(0, 24), max_size=3))
    def test_is_what_has_zeros_from_here_to_there_whatever_is_beside_it(self, offset, size, written):
        data = bytearray(25)
        for place in written:
            data[place] = 1

        assert is_zero(File(bytes(data)), offset, offset + size) == (not any(data[offset : offset + size]))


class TestWhatFollowsTheRecordsOfAClosedSegment:
    MAGIC = FORMAT.magic
    FOOTER = bytes(range(1, 33))

    @pytest.mark.parametrize(
        ("found", "is_allowed"),
        [
            (FOOTER, True),
            (b"", True),
            (bytes(32), True),
            (FOOTER[:7], True),
            (FOOTER[:7] + bytes(25), True),
            (bytes(7) + FOOTER[7:], True),
            (MAGIC + b"a record that was refused after a failed fsync", True),
            (MAGIC, True),
            (b"\xff" + FOOTER[1:], False),
            (FOOTER[:-1] + b"\xff", False),
            (b"\xff" + MAGIC, False),
        ],
    )
    def test_is_its_footer_a_part_of_it_nothing_or_records_that_were_refused(self, found, is_allowed):
        fault = footer_fault(File(b"records" + found), FORMAT, used=7, footer=self.FOOTER)

        assert fault == ("" if is_allowed else "its footer was changed")


class TestAPosition:
    @given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=5))
    def test_knows_the_first_and_the_last_time_of_all_its_segment_wherever_they_came(self, appends):
        """A clock that was set back may give a later record the earlier time."""
        header = HEADER.encode()
        position = Position(offset=0, crc=0, sequence=6, last_hash=bytes(32), earliest_ns=99, latest_ns=-1)
        position = position.at_start_of(header)
        written = header
        for number, times_ns in enumerate(appends):
            data = bytes([number]) * 5
            written += data
            position = position.after(data, records=len(times_ns), last_hash=bytes([number]) * 32, times_ns=times_ns)
        all_ns = [each for times_ns in appends for each in times_ns]

        assert position.seal(7) == Seal(
            first_sequence=7,
            used=len(written),
            crc=zlib.crc32(written),
            earliest_ns=min(all_ns),
            latest_ns=max(all_ns),
            last_hash=bytes([len(appends) - 1]) * 32,
        )
        assert position.sequence == 6 + len(all_ns)


class TestAFileThatIsMade:
    def test_is_not_there_and_not_open_if_the_disk_is_full(self, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(os, "posix_fallocate", full)
        before = len([*Path("/proc/self/fd").iterdir()])
        for _ in range(3):
            with pytest.raises(OSError, match="full"):
                RealDisk().create(tmp_path / "segment", 4096)

        assert len([*Path("/proc/self/fd").iterdir()]) == before
        assert [*tmp_path.iterdir()] == []
