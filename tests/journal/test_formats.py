"""Format versions: what an older release wrote is read and goes on; what a later one wrote is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from natya.actors.journal import JournalDamagedError, JournalTooNewError, SimulatedDisk
from natya.actors.journal.header import FOOTER_SIZE, decode_footer, encode_footer
from natya.actors.journal.records import FORMATS, RecordFormat1
from natya.actors.journal.segments import segment_path
from natya.actors.journal.tools import export, verify
from natya.actors.journal.walk import Walk

FORMAT_1 = Path(__file__).with_name("format_1.journal")
"""A segment as it was written when format 1 was the newest, one fact of every type; without the zeros behind it."""


@pytest.fixture
def old_disk(workshop):
    """A disk with that segment, as a process that was killed left it: without a mark."""
    disk = SimulatedDisk()
    file = disk.create(segment_path(workshop.directory, 1), workshop.segment_bytes)
    file.write(FORMAT_1.read_bytes(), 0)
    return disk


class MemoryFile:
    """Bytes, read like a file."""

    def __init__(self, content):
        self.content = content

    def read(self, offset, size):
        return self.content[offset : offset + size]


class RecordFormat2(RecordFormat1):
    """A later format, as one may come."""

    version = 2
    magic = b"NJR2"


class TestAJournalOfFormat1:
    def test_is_read_to_the_last_field(self, old_disk, workshop):
        lines = [line.decode() for line in export(workshop.directory, disk=old_disk)]

        assert verify(workshop.directory, old_disk).records == len(lines) == 12
        assert lines[0] == (
            '{"sequence":1,"recorded_ns":1700000000003000000,"correlation_id":"A-1","type":"OrderIntended",'
            '"client_order_id":"A-1","strategy":"crossover","symbol":"RELIANCE","side":"BUY","quantity":25,'
            '"order_type":"LIMIT","limit_price":2843.55,"occurred_ns":1700000000000000000,'
            '"trigger_price":null,"validity":"DAY","product":null,"target_price":null,"stop_loss_price":null}\n'
        )
        assert '"reason":"no margin: ₹0"' in lines[6]
        assert '"type":"Escalated"' in lines[11]

    def test_goes_on_where_it_was(self, old_disk, workshop):
        journal = workshop.a_journal(old_disk)
        journal.open()

        assert workshop.commit_one(journal, 7) == 13
        assert [record.sequence for record in journal.view().find(key="day")] == list(range(3, 13))
        journal.close()
        assert verify(workshop.directory, old_disk).records == 13

    def test_goes_on_in_a_new_segment_when_there_is_a_later_format(self, old_disk, workshop, monkeypatch):
        monkeypatch.setitem(FORMATS, 2, RecordFormat2())
        journal = workshop.a_journal(old_disk)
        journal.open()
        workshop.commit_one(journal, 7)

        assert [segment.header.version for segment in journal.view()._segments] == [1, 2]
        assert len(workshop.facts_of(journal)) == 13
        journal.close()
        assert verify(workshop.directory, old_disk).records == 13

    def test_that_was_changed_is_damage(self, old_disk, workshop):
        old_disk.content(segment_path(workshop.directory, 1))[1_000] ^= 1

        with pytest.raises(JournalDamagedError):
            workshop.a_journal(old_disk).open()


class TestAFooter:
    def test_is_one_only_when_it_is_whole(self):
        footer = encode_footer(77)

        assert decode_footer(footer) == decode_footer(footer + bytes(100)) == 77
        assert [decode_footer(footer[:size]) for size in range(FOOTER_SIZE)] == [None] * FOOTER_SIZE
        for place in range(FOOTER_SIZE):
            changed = bytearray(footer)
            changed[place] ^= 1
            assert decode_footer(bytes(changed)) is None


class TestAJournalOfALaterFormat:
    def test_is_refused_and_not_touched(self, old_disk, workshop, monkeypatch):
        monkeypatch.setitem(FORMATS, 2, RecordFormat2())
        journal = workshop.a_journal(old_disk)
        journal.open()
        workshop.commit_one(journal, 7)
        journal.close()
        monkeypatch.delitem(FORMATS, 2)
        paths = [workshop.directory / name for name in old_disk.names(workshop.directory)]
        before = [bytes(old_disk.content(path)) for path in paths]

        with pytest.raises(JournalTooNewError, match="format 2, this version knows 1"):
            workshop.a_journal(old_disk).open()
        assert [bytes(old_disk.content(path)) for path in paths] == before


class TestAWalkOverAFileThatIsTooShort:
    """A crash does not shorten a file: wherever it ends before it should, that is a fault, and the place is told."""

    @pytest.fixture
    def records(self):
        return [
            FORMATS[1].encode(
                b"OrderIntended", b"A-1", b"x" * number, sequence=number, durable_sequence=0, recorded_ns=1,
                remaining=0, previous_hash=bytes(32),
            )
            for number in (1, 2, 3)
        ]  # fmt: skip

    def walked(self, data, end):
        walk = Walk(MemoryFile(data), FORMATS[1], offset=0, end=end, sequence=1, landmarks={})
        return [record.sequence for record in walk], walk.fault, walk.offset

    def test_behind_a_record_or_within_one_says_where(self, records):
        whole = b"".join(records)
        assert self.walked(whole, len(whole)) == ([1, 2, 3], "", len(whole))
        first = len(records[0])
        assert self.walked(whole[:first], len(whole)) == ([1], f"the file ends at {first}", first)
        cut = first + 10
        assert self.walked(whole[:cut], len(whole)) == ([1], f"the file ends at {cut}, within a record", first)
        assert self.walked(b"", len(whole)) == ([], "the file ends at 0", 0)

    def test_is_told_apart_from_an_end_that_lies_within_a_record(self, records):
        whole = b"".join(records)
        end = len(whole) - 1

        sequences, fault, offset = self.walked(whole, end)
        assert (sequences, offset) == ([1, 2], len(whole) - len(records[2]))
        assert fault == f"a record goes on behind the end at {end}"


def test_a_record_whose_checksum_is_right_and_whose_names_are_no_text_ends_a_walk():
    for name, correlation in ((b"\xff", b"A-1"), (b"OrderIntended", b"\xff")):
        data = FORMATS[1].encode(
            name, correlation, b"", sequence=1, durable_sequence=0, recorded_ns=1, remaining=0, previous_hash=bytes(32)
        )
        walk = Walk(MemoryFile(data), FORMATS[1], offset=0, end=len(data), sequence=1, landmarks={})

        assert list(walk) == []
        assert "can't decode byte 0xff" in walk.fault
