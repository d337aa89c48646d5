"""Whatever is done with a journal, and however it ends: no file of it stays open."""

import errno

import pytest

from natya.actors.journal import JournalDamagedError, JournalError, SimulatedDisk
from natya.actors.journal.errors import UpkeepFailedError
from natya.actors.journal.mark import MARK_NAME, MARK_SIZE, MarkKeeper
from natya.actors.journal.segments import keys_path, list_segments, open_segment, stored_bytes
from natya.actors.journal.simulated import SimulatedFile
from natya.actors.journal.tools import check, export, stat, tail, verify
from natya.actors.journal.upkeep import archive_segment, keep_keys, look_through
from natya.config.files import NotOursError


@pytest.fixture
def still_open(monkeypatch):
    """The files that were opened and not closed."""
    opened = []
    begin, close = SimulatedFile.__init__, SimulatedFile.close
    monkeypatch.setattr(
        SimulatedFile, "__init__", lambda self, *of, **how: opened.append(self) or begin(self, *of, **how)
    )

    def close_once(self):
        close(self)
        opened[:] = [each for each in opened if each is not self]

    monkeypatch.setattr(SimulatedFile, "close", close_once)
    return opened


@pytest.fixture
def disk():
    return SimulatedDisk()


@pytest.fixture
def journal(workshop, disk):
    """A journal of three segments, the oldest of them archived."""
    journal = workshop.a_journal(disk, segment_bytes=4_096)
    journal.open()
    number = 0
    while len(journal.closed_segments) < 2:
        number += 1
        workshop.commit_one(journal, number)
    archive_segment(disk, journal.closed_segments[0])
    keep_keys(disk, journal.closed_segments[1])
    journal.close()
    return journal


def test_after_everything_that_is_done_with_it(workshop, journal, disk, still_open):
    journal.open()
    closed = len(journal.closed_segments)
    while len(journal.closed_segments) == closed:
        count = workshop.commit_one(journal, 99)
    assert len(workshop.facts_of(journal)) == count
    view = journal.view()
    assert len(list(view.find(key="A-2"))) == 1
    assert tail(workshop.directory, records_max=2, disk=disk)[-1].sequence == count
    check(workshop.directory, disk)
    stored_bytes(disk, journal.closed_segments[0])
    open_segment(disk, journal.closed_segments[0]).close()
    archive_segment(disk, journal.closed_segments[1])
    journal.close()
    assert verify(workshop.directory, disk).last_sequence == count
    assert stat(workshop.directory, disk) is not None
    assert len(list(export(workshop.directory, disk=disk))) == count

    assert still_open == []


@pytest.mark.parametrize("chore", [keep_keys, archive_segment, look_through])
def test_upkeep_that_can_open_no_more_is_tried_again(workshop, journal, disk, monkeypatch, chore):
    journal.open()
    archived, plain = journal.closed_segments
    segment, opens = archived if chore is look_through else plain, disk.open
    segment.keys = None
    disk.content(keys_path(workshop.directory, plain.first_sequence))[0] ^= 1  # so that it is made anew

    def failing(path, **how):
        if path.suffix in {".journal", ".gz"}:
            raise OSError(errno.EMFILE, "injected")
        return opens(path, **how)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "open", failing)
        with pytest.raises(UpkeepFailedError, match=rf"{segment.path} could not be opened: .*injected"):
            chore(disk, segment)
    assert chore(disk, segment) is not None


def test_after_damage_in_any_segment(workshop, journal, disk, still_open):
    for segment in list_segments(disk, workshop.directory):
        content = disk.content(segment.path)
        before = bytes(content)
        middle = len(before.rstrip(b"\0")) // 2
        content[middle : middle + 20] = bytes(20)
        with pytest.raises(JournalDamagedError):
            verify(workshop.directory, disk)
        if not segment.archived:
            with pytest.raises(JournalDamagedError):
                journal.open()
        content[:] = before

    assert still_open == []


@pytest.mark.usefixtures("journal")
def test_an_archive_that_cannot_be_read_is_damage_and_a_plain_file_on_a_failing_disk_is_none(
    workshop, disk, monkeypatch
):
    archived, plain, _ = list_segments(disk, workshop.directory)
    content = disk.content(archived.path)
    before = bytes(content)
    content[:20] = bytes(20)
    with pytest.raises(JournalDamagedError):
        list_segments(disk, workshop.directory)
    content[:] = before
    read = SimulatedFile.read

    def fail(file, offset, size):
        if disk.holds(plain.path, file._content):
            raise OSError(errno.EIO, "the disk does not answer")
        return read(file, offset, size)

    monkeypatch.setattr(SimulatedFile, "read", fail)
    with pytest.raises(JournalError, match=r"cannot be read: .*the disk does not answer") as failed:
        list_segments(disk, workshop.directory)
    assert not isinstance(failed.value, JournalDamagedError)


def test_after_another_file_is_found_in_the_place_of_the_mark(workshop, disk, still_open):
    file = disk.create(workshop.directory / MARK_NAME, MARK_SIZE)
    file.write(b"a letter", 0)
    file.close()
    with pytest.raises(NotOursError, match="is no mark of a journal: it begins with b'a le'"):
        MarkKeeper(disk, workshop.directory, journal_id=bytes(16), newest=None)

    assert still_open == []
