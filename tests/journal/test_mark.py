"""The mark: two slots in turn, read as they were written, by this release and by each later one."""

import struct
import zlib

import pytest

from natya.actors.journal import Trouble
from natya.actors.journal.errors import JournalFailedError
from natya.actors.journal.mark import MARK_NAME, MARK_SIZE, Mark, MarkKeeper, read_mark
from natya.config.files import NotOursError

ID, HASH = bytes(range(16)), bytes(range(32))
WRITTEN = {"oldest_sequence": 3, "sequence": 9, "last_hash": HASH, "failed_first_sequence": 7}


@pytest.fixture
def keeper(disk, workshop):
    return MarkKeeper(disk, workshop.directory, journal_id=ID, newest=None)


def a_slot(generation):
    body = struct.pack("<4s16sQQQQ32s", b"NJM1", ID, generation, 3, 9, 7, HASH)
    return body + zlib.crc32(body).to_bytes(4, "little")


class TestAMark:
    def test_is_written_byte_by_byte_as_every_release_reads_it(self, keeper, disk, workshop):
        content = disk.content(workshop.directory / MARK_NAME)
        keeper.write(**WRITTEN)
        assert content == bytes(4_096) + a_slot(1) + bytes(MARK_SIZE - 4_096 - len(a_slot(1)))
        keeper.write(**WRITTEN)
        keeper.write(**WRITTEN)

        assert (content[: len(a_slot(2))], content[4_096 : 4_096 + len(a_slot(3))]) == (a_slot(2), a_slot(3))
        assert read_mark(disk, workshop.directory) == Mark(generation=3, journal_id=ID, **WRITTEN)

    def test_is_the_newer_of_both_wherever_it_is(self, keeper, disk, workshop):
        for generation in range(1, 5):
            keeper.write(oldest_sequence=1, sequence=generation, last_hash=HASH)
            assert read_mark(disk, workshop.directory) == Mark(
                generation=generation, journal_id=ID, oldest_sequence=1, sequence=generation, last_hash=HASH
            )

    def test_goes_on_behind_that_of_the_life_before(self, keeper, disk, workshop):
        keeper.write(**WRITTEN)
        again = MarkKeeper(disk, workshop.directory, journal_id=ID, newest=read_mark(disk, workshop.directory))
        again.write(**WRITTEN)

        assert read_mark(disk, workshop.directory).generation == 2

    @pytest.mark.parametrize("place", [0, 4_096])
    def test_is_not_written_into_a_file_of_somebody_else(self, disk, workshop, place):
        disk.create(workshop.directory / MARK_NAME, MARK_SIZE).write(b"notes", place)
        before = bytes(disk.content(workshop.directory / MARK_NAME))

        with pytest.raises(NotOursError, match="is no mark of a journal"):
            MarkKeeper(disk, workshop.directory, journal_id=ID, newest=None)
        assert disk.content(workshop.directory / MARK_NAME) == before

    def test_is_none_where_none_was_written_or_no_byte_of_it_is_right(self, disk, workshop):
        assert read_mark(disk, workshop.directory) is None
        MarkKeeper(disk, workshop.directory, journal_id=ID, newest=None)
        assert read_mark(disk, workshop.directory) is None

        slot = a_slot(1)
        assert Mark.decode(slot).generation == 1
        for place in range(len(slot)):
            assert Mark.decode(slot[:place]) is None
            assert Mark.decode(slot[:place] + bytes([slot[place] ^ 1]) + slot[place + 1 :]) is None
        other = struct.pack("<4s", b"NJM2") + slot[4:-4]
        assert Mark.decode(other + zlib.crc32(other).to_bytes(4, "little")) is None


class TestAMarkThatCannotBeWritten:
    """A commit is on the disk, and its mark is not: what is durable is told, and nothing more is taken."""

    def test_is_a_failure_of_the_journal_and_loses_nothing(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        assert len(journal.take_durable()) == 1
        journal.append((workshop.an_intent(2),))
        disk.troubles = [Trouble(action="write", after=1)]

        with pytest.raises(JournalFailedError, match=r"^writing the mark failed: .*Input/output error"):
            journal.commit()
        assert [record.sequence for record in journal.take_durable()] == [2]
        assert journal.last_sequence == 2
        with pytest.raises(JournalFailedError, match="writing the mark failed"):
            journal.append((workshop.an_intent(3),))
        journal.close()
        again = workshop.a_journal(disk)
        again.open()
        assert workshop.facts_of(again) == [workshop.an_intent(1), workshop.an_intent(2)]

    @pytest.mark.parametrize("action", ["write", "sync"])
    def test_proves_nothing(self, disk, journal, action):
        disk.troubles = [Trouble(action=action)]

        with pytest.raises(JournalFailedError, match="writing the mark failed"):
            journal.prove()
        with pytest.raises(JournalFailedError, match="writing the mark failed"):
            journal.look()
