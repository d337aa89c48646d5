"""What a reader keeps beside the records: it counts whole and for this very journal, or not at all."""

import errno
from hashlib import blake2b
from random import Random

import msgspec
import pytest

from natya.actors.journal import JournalDamagedError, PowerCutError, SimulatedDisk, Trouble
from natya.actors.journal.journal import Journal
from natya.actors.journal.simulated import SimulatedFile
from natya.messages.journal import KeepCheckpoint, ReadCheckpoint

HEAD, PAST = "orders.checkpoint", "orders.past"
NEW = (5, b"onetwo", b"state of 5")
OLD = (3, b"one", b"state of 3")
NONE = (0, b"", b"")


def keep(journal, sequence, past=b"one", *, follows=0):
    state = b"state of %d" % sequence
    request = KeepCheckpoint(name="orders", version="1", sequence=sequence, follows=follows, past=past, state=state)
    return journal.checkpoints().keep(journal.view(), request)


def read(journal, version="1", **wanted):
    return journal.checkpoints().read(journal.view(), ReadCheckpoint(name="orders", version=version, **wanted))


def found(answer):
    return answer.sequence, answer.past, answer.state


@pytest.fixture
def kept(journal, workshop):
    """A journal of five records, with the checkpoint of the third."""
    for number in range(1, 6):
        workshop.commit_one(journal, number)
    assert keep(journal, 3).sequence == 3
    return journal


def a_file(disk, workshop, name):
    return disk.content(workshop.directory / name)


def another(workshop, disk, numbers):
    """The same journal as it would be with other records, and with the checkpoint of this one."""
    other = SimulatedDisk()
    journal = workshop.a_journal(other)
    journal.open()
    for number in numbers:
        workshop.commit_one(journal, number)
    for name in (HEAD, PAST):
        data = bytes(a_file(disk, workshop, name))
        other.create(workshop.directory / name, len(data)).write(data, 0)
    return journal


class TestACheckpoint:
    def test_is_read_back(self, kept):
        assert found(read(kept)) == OLD

    def test_is_there_at_the_next_start(self, kept, disk, workshop):
        kept.close()
        with_what_was_left = workshop.a_journal(disk)
        with_what_was_left.open()

        assert found(read(with_what_was_left)) == OLD

    def test_adds_to_the_past_of_the_one_that_it_follows(self, kept):
        assert keep(kept, 5, b"two", follows=3).sequence == 5
        assert found(read(kept)) == NEW

    def test_that_has_no_past_yet_is_kept_and_may_be_followed(self, kept):
        assert keep(kept, 4, b"").sequence == 4
        assert found(read(kept)) == (4, b"", b"state of 4")

        assert keep(kept, 5, b"two", follows=4).sequence == 5
        assert found(read(kept)) == (5, b"two", b"state of 5")

    def test_that_follows_none_begins_anew(self, kept):
        keep(kept, 5, b"x")

        assert found(read(kept)) == (5, b"x", b"state of 5")

    def test_may_have_no_past(self, kept):
        keep(kept, 5, b"")
        assert found(read(kept)) == (5, b"", b"state of 5")
        keep(kept, 5, b"y", follows=5)
        assert found(read(kept)) == (5, b"y", b"state of 5")

    def test_is_told_without_its_content_where_that_is_not_wanted(self, kept):
        assert found(read(kept, only_looks=True)) == (3, b"", b"")

    def test_does_not_follow_one_that_is_not_there(self, kept):
        answer = keep(kept, 5, b"two", follows=4)

        assert answer.sequence == 0
        assert "sequence 4 wanted" in answer.reason
        assert "it is of sequence 3" in answer.reason
        assert found(read(kept)) == OLD

    def test_is_not_kept_of_records_that_are_not_durable(self, kept, workshop):
        kept.append((workshop.an_intent(6),), "A-6")

        assert keep(kept, 6).reason == "record 6 wanted, found 1 to 5"
        assert found(read(kept)) == OLD

    def test_has_later_reads_begin_where_it_ends(self, kept, disk, workshop):
        """The first two records are not looked at any more: changed here, they are not found."""
        kept.close()
        again = workshop.a_journal(disk)
        again.open()
        read(again)
        content = a_file(disk, workshop, again.view()._segments[0].path.name)
        for segment in again.view()._segments:
            segment.landmarks.clear()
        content[200] ^= 1

        assert [each.sequence for each in again.view().find(after_sequence=3)] == [4, 5]
        with pytest.raises(JournalDamagedError):
            list(again.view().find())


class TestIsRefused:
    def test_where_there_is_none(self, journal):
        assert (found(read(journal)), read(journal).reason) == (NONE, "")

    def test_where_a_file_of_it_is_damaged_with_the_name_of_that(self, kept, disk, workshop):
        past, head = a_file(disk, workshop, PAST), a_file(disk, workshop, HEAD)
        past[0] ^= 1
        assert read(kept).reason == "orders.past is damaged: its CRC is not that of its bytes"
        del past[2:]
        assert read(kept).reason == "3 bytes of orders.past wanted, found 2"
        head[-1] ^= 1
        assert read(kept).reason == "it is damaged: its sum is not that of its bytes"
        body = b"\x91\x01"
        head[:] = b"NJC1" + blake2b(body, digest_size=32).digest() + body
        assert read(kept).reason.startswith("it cannot be read: Expected `")

    @pytest.mark.parametrize("name", [HEAD, PAST])
    def test_where_the_disk_does_not_read_it(self, kept, disk, workshop, monkeypatch, name):
        content, plain = disk._names[workshop.directory / name], SimulatedFile.read

        def failing(file, offset, size):
            if file._content is content:
                raise OSError(errno.EIO, "injected")
            return plain(file, offset, size)

        monkeypatch.setattr(SimulatedFile, "read", failing)

        assert (found(read(kept)), read(kept).reason) == (NONE, f"{name} cannot be read: [Errno 5] injected")
        answer = keep(kept, 5, b"two", follows=3)
        assert (answer.sequence, bool(answer.reason)) == ((0, True) if name == HEAD else (5, False))

    @pytest.mark.parametrize("name", [HEAD, PAST])
    def test_where_it_cannot_be_opened(self, kept, disk, monkeypatch, name):
        plain = disk.open

        def failing(path, **how):
            if path.name == name:
                raise OSError(errno.EMFILE, "injected")
            return plain(path, **how)

        monkeypatch.setattr(disk, "open", failing)

        assert (found(read(kept)), read(kept).reason) == (NONE, f"{name} cannot be opened: [Errno 24] injected")
        answer = keep(kept, 5, b"two", follows=3)
        assert (answer.sequence, "[Errno 24] injected" in answer.reason) == (0, True)

    def test_where_its_record_is_not_at_its_place_and_no_later_read_begins_there(self, kept, disk, workshop):
        head = a_file(disk, workshop, HEAD)
        fields = msgspec.msgpack.decode(bytes(head[36:]))
        _, offset, _ = kept.view().place_of(3)
        assert (fields[3], fields[5], fields[6]) == (3, 1, offset)
        for place in (offset + 1, 1 << 40):
            fields[6] = place
            body = msgspec.msgpack.encode(fields)
            head[:] = b"NJC1" + blake2b(body, digest_size=32).digest() + body
            assert (found(read(kept)), read(kept).reason) == (NONE, "record 3 is another one in this journal")
            assert [each.sequence for each in kept.view().find(after_sequence=3)] == [4, 5]

    def test_by_another_version(self, kept):
        answer = read(kept, version="2")

        assert found(answer) == NONE
        assert answer.reason == "version '2' wanted, found '1': other code made it"

    def test_by_a_journal_that_ends_before_it(self, kept, disk, workshop):
        answer = read(another(workshop, disk, (1, 2)))

        assert found(answer) == NONE
        assert answer.reason == "it is of record 3, and the journal has 1 to 2"

    @pytest.mark.parametrize("numbers", [(1, 2, 7, 4, 5), (7, 2, 3, 4, 5)], ids=["that record", "one before it"])
    def test_by_a_journal_of_other_records(self, kept, disk, workshop, numbers):
        answer = read(another(workshop, disk, numbers))

        assert found(answer) == NONE
        assert answer.reason == "record 3 is another one in this journal"

    def test_by_another_journal(self, kept, disk, workshop):
        journal = another(workshop, disk, (1, 2, 3))
        journal._files._journal_id = b"another journal!"

        assert (found(read(journal)), read(journal).reason) == (NONE, "it is of another journal")

    @pytest.mark.parametrize("name", [HEAD, PAST])
    def test_with_any_byte_changed(self, kept, disk, workshop, name):
        keep(kept, 5, b"two", follows=3)
        content = a_file(disk, workshop, name)
        for place in range(len(content)):
            content[place] ^= 1 << place % 8
            answer = read(kept)
            assert found(answer) == NONE, f"with byte {place} changed"
            assert answer.reason
            content[place] ^= 1 << place % 8

        assert found(read(kept)) == NEW

    @pytest.mark.parametrize("name", [HEAD, PAST])
    def test_at_any_length_but_its_own(self, kept, disk, workshop, name):
        keep(kept, 5, b"two", follows=3)
        content = a_file(disk, workshop, name)
        whole = bytes(content)
        for size in range(len(whole)):
            content[:] = whole[:size]
            assert found(read(kept)) == NONE, f"of {size} bytes"

        content[:] = whole
        assert found(read(kept)) == NEW

    @pytest.mark.parametrize("name", [HEAD, PAST])
    def test_if_one_of_its_files_is_gone(self, kept, disk, workshop, name):
        disk.remove(workshop.directory / name)

        assert found(read(kept)) == NONE


class TestThePowerGoes:
    @pytest.mark.parametrize("follows", [0, 3])
    def test_at_any_moment_and_one_of_both_is_there_or_it_is_refused(self, workshop, follows):
        """What follows another never costs that one."""
        seen, cuts = set(), 0
        for actions in range(40):
            disk = SimulatedDisk()
            journal = workshop.a_journal(disk)
            journal.open()
            for number in range(1, 6):
                workshop.commit_one(journal, number)
            keep(journal, 3)
            disk.actions_left = actions
            try:
                keep(journal, 5, b"two" if follows else b"onetwo", follows=follows)
            except PowerCutError:
                cuts += 1
            for seed in range(6 if disk.actions_left == 0 else 1):
                again = workshop.a_journal(disk.crash(Random(seed)))
                again.open()
                answer = read(again)
                seen.add(found(answer))
                assert not (found(answer) == NONE and follows)
                assert found(answer) in {OLD, NEW, NONE}
                assert not [name for name in again.disk.names(workshop.directory) if name.endswith(".new")]
            if disk.actions_left:
                break

        assert cuts >= 6
        assert {OLD, NEW} <= seen


class TestADiskThatDoesNotTakeIt:
    @pytest.mark.parametrize("action", ["create", "write", "sync", "rename", "sync_directory"])
    def test_says_so_and_the_one_before_counts(self, kept, disk, action):
        disk.troubles = [Trouble(action=action, error=errno.ENOSPC)]
        answer = keep(kept, 5, b"two", follows=3)

        assert (answer.sequence, "cannot be written" in answer.reason) == (0, True)
        disk.troubles = []
        assert found(read(kept)) in {OLD, NEW}
        assert keep(kept, 5, b"two", follows=read(kept).sequence).sequence == 5


def test_a_directory_with_a_checkpoint_and_no_segment_had_a_journal(kept, disk, workshop):
    kept.close()
    for name in disk.names(workshop.directory):
        if name not in {HEAD, PAST}:
            disk.remove(workshop.directory / name)

    with pytest.raises(JournalDamagedError):
        Journal(workshop.directory, now_ns=workshop.Ticking(), disk=disk).open()
