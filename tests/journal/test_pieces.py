"""The smallest pieces of a journal's files: a header, an archive, and what is empty."""

import gzip
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.journal.header import HEADER_SIZE, HeaderBrokenError, Seal, SegmentHeader
from natya.actors.journal.segments import ArchiveFile
from natya.actors.journal.walk import is_zero

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
