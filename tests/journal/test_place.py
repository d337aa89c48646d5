"""The files of an open journal are moved, removed or replaced: nothing more is acknowledged, nothing begins anew."""

from __future__ import annotations

import errno
import json
import os
import shutil
from random import Random
from stat import S_IMODE

import msgspec
import pytest

from natya.actors.journal import (
    Journal,
    JournalActor,
    JournalBusyError,
    JournalDamagedError,
    JournalFailedError,
    JournalForeignFileError,
    JournalFullError,
    JournalMovedError,
    Place,
)
from natya.actors.journal.disk import RealDisk, RealFile
from natya.actors.journal.files import LOCK_NAME
from natya.actors.journal.segments import archive_path, segment_path
from natya.actors.journal.simulated import SimulatedFile, Trouble
from natya.actors.journal.tools import check, export, stat, tail, verify
from natya.actors.journal.upkeep import archive_segment
from natya.actors.runtime import InProcessSystem
from natya.actors.supervision import AwaitSystemStop, ChildSpec, Supervisor, SupervisorSettings
from natya.cli.exit_codes import exit_code
from natya.config.loader import load_settings
from natya.config.sections.journal import JournalSettings
from natya.messages.journal import Append, Appended, AppendRefused
from natya.messages.supervision import Unavailable

SEGMENT = "00000000000000000001.journal"


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "data" / "journal"


def moved(directory):
    return directory.with_name("elsewhere")


def replace_by_copy(path):
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.replace(path)


ACCIDENTS = {
    "directory moved": lambda directory: directory.rename(moved(directory)),
    "directory removed": shutil.rmtree,
    "data directory removed": lambda directory: shutil.rmtree(directory.parent),
    "segment renamed": lambda directory: (directory / SEGMENT).rename(directory / "x"),
    "segment removed": lambda directory: (directory / SEGMENT).unlink(),
    "segment replaced by a copy": lambda directory: replace_by_copy(directory / SEGMENT),
    "mark removed": lambda directory: (directory / "journal.mark").unlink(),
    "mark replaced by a copy": lambda directory: replace_by_copy(directory / "journal.mark"),
    "lock removed": lambda directory: (directory / "journal.lock").unlink(),
    "lock renamed": lambda directory: (directory / "journal.lock").rename(directory / "x"),
    "lock replaced by a copy": lambda directory: replace_by_copy(directory / "journal.lock"),
}


@pytest.fixture(params=ACCIDENTS.values(), ids=ACCIDENTS.keys())
def accident(request):
    return request.param


def a_real_journal(workshop, directory, **options):
    return Journal(directory, now_ns=workshop.Ticking(), segment_bytes=65_536, **options)


@pytest.fixture
def journal(workshop, directory):
    journal = a_real_journal(workshop, directory)
    journal.open()
    workshop.commit_one(journal, 1)
    yield journal
    journal.close()


def while_it_syncs(monkeypatch, act, kind=RealFile):
    """Let something happen as soon as the next commit is on the disk."""
    real = kind.sync

    def sync(file):
        monkeypatch.setattr(kind, "sync", real)
        real(file)
        act()

    monkeypatch.setattr(kind, "sync", sync)


class TestAnOpenJournalWhoseFilesWentAway:
    def test_acknowledges_nothing_more(self, workshop, directory, journal, accident):
        accident(directory)
        with pytest.raises(JournalMovedError):
            workshop.commit_one(journal, 2)

        assert journal.last_sequence == 1
        with pytest.raises(JournalMovedError.__base__):
            workshop.commit_one(journal, 3)

    def test_sees_it_while_nothing_is_committed(self, directory, journal, accident):
        journal.look()
        accident(directory)

        with pytest.raises(JournalMovedError, match="was moved, removed or replaced"):
            journal.look()

    def test_proves_nothing(self, directory, journal, accident):
        journal.prove()
        accident(directory)

        with pytest.raises(JournalMovedError, match="was moved, removed or replaced"):
            journal.prove()

    @pytest.mark.parametrize("left", [0, 100, 65_535])
    def test_acknowledges_nothing_more_once_they_are_cut_short(self, workshop, directory, journal, left):
        """What was acknowledged is lost already; each record more would be lost with it."""
        os.truncate(directory / "00000000000000000001.journal", left)

        with pytest.raises(JournalMovedError, match=r"00000001\.journal was moved, removed or replaced, or cut short"):
            workshop.commit_one(journal, 2)
        assert journal.last_sequence == 1

    def test_acknowledges_nothing_that_was_written_while_they_went(self, workshop, directory, monkeypatch, accident):
        journal = a_real_journal(workshop, directory)
        journal.open()
        workshop.commit_one(journal, 1)
        while_it_syncs(monkeypatch, lambda: accident(directory))
        with pytest.raises(JournalMovedError):
            workshop.commit_one(journal, 2)
        journal.close()

        assert journal.last_sequence == 1

    @pytest.mark.parametrize("accident", ["directory moved", "mark removed"])
    def test_leaves_what_was_acknowledged_and_nothing_else_in_them(self, workshop, directory, monkeypatch, accident):
        journal = a_real_journal(workshop, directory)
        journal.open()
        workshop.commit_one(journal, 1)
        while_it_syncs(monkeypatch, lambda: ACCIDENTS[accident](directory))
        with pytest.raises(JournalMovedError):
            workshop.commit_one(journal, 2)
        journal.close()
        if accident == "directory moved":
            moved(directory).rename(directory)
        again = a_real_journal(workshop, directory)
        again.open()

        assert workshop.facts_of(again) == [workshop.an_intent(1)]
        assert workshop.commit_one(again, 3) == 2

    @pytest.mark.parametrize("seed", range(12))
    @pytest.mark.parametrize("name", ["journal.mark", SEGMENT])
    def test_leaves_nothing_else_when_they_come_back_and_the_power_goes(self, workshop, disk, monkeypatch, name, seed):
        """Without the mark the blank is what holds, and without the blank, the mark."""
        journal = workshop.a_journal(disk)
        directory, path = journal.directory, journal.directory / name
        journal.open()
        workshop.commit_one(journal, 1)
        disk.sync_directory(directory)

        def happen():
            disk.rename(path, path.with_name("elsewhere"))
            disk.sync_directory(directory)
            if name == SEGMENT:
                disk.troubles = [Trouble(action="write")]

        while_it_syncs(monkeypatch, happen, SimulatedFile)
        with pytest.raises(JournalMovedError):
            workshop.commit_one(journal, 2)
        survivor = disk.crash(Random(seed))
        if name == SEGMENT:
            survivor.rename(path.with_name("elsewhere"), path)
        else:
            survivor.remove(path.with_name("elsewhere"))
        again = workshop.a_journal(survivor)
        again.open()

        assert workshop.facts_of(again) == [workshop.an_intent(1)]

    def test_leaves_what_another_process_has_read_meanwhile(self, workshop, directory, journal, monkeypatch):
        """It is not acknowledged, and it is not taken back from whoever goes on behind it."""
        other = a_real_journal(workshop, directory)

        def take_over():
            (directory / "journal.lock").unlink()
            other.open()

        while_it_syncs(monkeypatch, take_over)
        with pytest.raises(JournalMovedError):
            workshop.commit_one(journal, 2)
        journal.close()
        workshop.commit_one(other, 30)
        other.close()
        again = a_real_journal(workshop, directory)

        assert again.open() is None
        assert [fact.quantity for fact in workshop.facts_of(again)] == [1, 2, 30]

    def test_writes_nothing_where_another_process_may_have_the_files_now(self, workshop, directory, journal):
        (directory / "journal.lock").unlink()
        other = a_real_journal(workshop, directory)
        other.open()
        workshop.commit_one(other, 20)
        with pytest.raises(JournalMovedError):
            workshop.commit_one(journal, 2)
        journal.close()
        workshop.commit_one(other, 30)

        assert [fact.quantity for fact in workshop.facts_of(other)] == [1, 20, 30]
        other.close()
        again = a_real_journal(workshop, directory)
        assert again.open() is None
        assert [fact.quantity for fact in workshop.facts_of(again)] == [1, 20, 30]

    @pytest.mark.parametrize("name", ["plain", "archive"])
    def test_among_them_a_closed_one_sees_it_at_the_next_segment(self, workshop, disk, name):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        oldest = journal.closed_segments[0]
        if name == "archive":
            archive_segment(disk, oldest)
        disk.remove(oldest.path)

        def write_on():
            for number in range(101, 201):
                workshop.commit_one(journal, number)

        with pytest.raises(JournalDamagedError, match="the file is gone"):
            write_on()


def place_of(workshop, directory):
    """Make a journal of three records, and say where its owner left it."""
    journal = a_real_journal(workshop, directory)
    journal.open()
    for number in range(1, 4):
        workshop.commit_one(journal, number)
    place = journal.place
    journal.close()
    return place


@pytest.mark.usefixtures("journal")
def test_its_tools_read_a_real_directory_where_nothing_else_is_said(directory):
    check(directory)
    (record,) = tail(directory)
    (line,) = export(directory)

    assert (record.sequence, json.loads(line)["sequence"]) == (1, 1)
    assert (verify(directory).records, stat(directory).records) == (1, 1)


@pytest.mark.usefixtures("journal")
def test_every_file_is_for_its_user_alone(directory):
    files = {path.name: S_IMODE(path.lstat().st_mode) for path in directory.iterdir()}

    assert len(files) >= 3
    assert set(files.values()) == {0o600}


class TestALaterLife:
    def test_goes_on_in_the_same_journal(self, workshop, directory):
        place = place_of(workshop, directory)
        again = a_real_journal(workshop, directory)
        again.open(after=place)

        assert workshop.commit_one(again, 4) == 4
        again.close()
        again.open(after=place)  # what was added since is no harm
        assert again.last_sequence == 4

    def test_makes_nothing_where_the_directory_is_gone(self, workshop, directory):
        place = place_of(workshop, directory)
        directory.rename(moved(directory))

        with pytest.raises(JournalMovedError, match="gone"):
            a_real_journal(workshop, directory).open(after=place)
        assert not directory.exists()

    @pytest.mark.parametrize(
        ("error", "kind"), [(errno.ENOSPC, JournalFullError), (errno.EIO, JournalFailedError)], ids=["full", "failing"]
    )
    def test_is_not_told_that_the_files_went_where_the_disk_is_to_blame(
        self, workshop, directory, monkeypatch, error, kind
    ):
        place = place_of(workshop, directory)

        def lock(_disk, path):
            raise OSError(error, "injected", str(path))

        monkeypatch.setattr(RealDisk, "lock", lock)
        with pytest.raises(kind, match="cannot be opened"):
            a_real_journal(workshop, directory).open(after=place)

    def test_makes_no_journal_in_an_empty_directory(self, workshop, directory):
        place = place_of(workshop, directory)
        directory.rename(moved(directory))
        directory.mkdir()

        with pytest.raises(JournalMovedError, match="no journal"):
            a_real_journal(workshop, directory).open(after=place)
        assert [path.name for path in directory.iterdir()] == ["journal.lock"]

    @pytest.mark.parametrize("more", [0, 5])
    def test_refuses_another_journal_however_long(self, workshop, directory, tmp_path, more):
        place = place_of(workshop, directory)
        other = tmp_path / "other"
        place_of(workshop, other)
        longer = a_real_journal(workshop, other)
        longer.open()
        for number in range(more):
            workshop.commit_one(longer, 10 + number)
        longer.close()
        shutil.rmtree(directory)
        other.rename(directory)

        with pytest.raises(JournalMovedError, match="another journal"):
            a_real_journal(workshop, directory).open(after=place)

    def test_refuses_an_old_copy(self, workshop, directory, tmp_path):
        place_of(workshop, directory)
        shutil.copytree(directory, tmp_path / "copy")
        journal = a_real_journal(workshop, directory)
        journal.open()
        workshop.commit_one(journal, 4)
        place = journal.place
        journal.close()
        shutil.rmtree(directory)
        (tmp_path / "copy").rename(directory)

        with pytest.raises(JournalMovedError, match="ends with sequence 3"):
            a_real_journal(workshop, directory).open(after=place)

    def test_refuses_a_copy_that_went_its_own_way_as_far(self, workshop, directory, tmp_path):
        place_of(workshop, directory)
        shutil.copytree(directory, tmp_path / "copy")
        places = []
        for path in (directory, tmp_path / "copy"):
            journal = a_real_journal(workshop, path)
            journal.open()
            workshop.commit_one(journal, 4 + len(places))
            places.append(journal.place)
            journal.close()

        with pytest.raises(JournalMovedError, match="not what was left"):
            a_real_journal(workshop, tmp_path / "copy").open(after=places[0])


class TestTheActor:
    @pytest.fixture
    def system(self):
        with InProcessSystem() as system:
            yield system

    @pytest.fixture
    def settings(self, directory):
        return JournalSettings.default(path=str(directory), segment_bytes=65_536)

    def start(self, system, settings):
        """Start it under a supervisor; returns how that ends."""
        child = ChildSpec("journal", JournalActor, settings)
        usual = load_settings("paper").supervision
        policy = msgspec.structs.replace(usual, backoff_first_s=0.001, backoff_max_s=0.001)
        system.start("system", Supervisor, SupervisorSettings(children=(child,), policy=policy, root=True))
        return system.request_future("system", AwaitSystemStop())

    def append(self, system, workshop, number=1):
        return system.request("journal", Append(facts=(workshop.an_intent(number),), correlation_id=f"A-{number}"))

    def test_refuses_who_writes_and_ends_the_system_for_good(self, system, settings, workshop, directory, accident):
        ended = self.start(system, settings)
        assert isinstance(self.append(system, workshop), Appended)
        accident(directory)
        refused = self.append(system, workshop, 2)

        error = ended.result(timeout=60).error
        assert isinstance(refused, AppendRefused)
        assert isinstance(error, JournalMovedError)
        assert exit_code(error) == 65

    @pytest.mark.parametrize("when", ["at once", "after a start that failed"])
    def test_failed_for_another_reason_begins_no_other_journal(self, system, workshop, directory, monkeypatch, when):
        ended = self.start(system, JournalSettings.default(path=str(directory), segment_bytes=65_536))
        assert isinstance(self.append(system, workshop), Appended)
        real_sync, real_lock = RealFile.sync, RealDisk.lock

        def sync(_file):
            monkeypatch.setattr(RealFile, "sync", real_sync)
            directory.rename(moved(directory))
            if when == "at once":
                directory.mkdir()
            else:
                monkeypatch.setattr(RealDisk, "lock", lock)
            raise OSError(errno.EIO, "injected")

        def lock(_disk, _path):
            monkeypatch.setattr(RealDisk, "lock", real_lock)
            directory.mkdir()
            raise OSError(errno.EIO, "injected")

        monkeypatch.setattr(RealFile, "sync", sync)
        answer = self.append(system, workshop, 2)

        assert isinstance(answer, AppendRefused | Unavailable)
        assert isinstance(ended.result(timeout=60).error, JournalMovedError)
        assert not list(directory.glob("*.journal"))


@pytest.mark.usefixtures("journal")
def test_a_journal_that_is_open_says_who_has_it(workshop, directory, disk):
    with pytest.raises(JournalBusyError, match=f"is in use by process {os.getpid()}$"):
        a_real_journal(workshop, directory).open()
    disk.lock(workshop.directory / LOCK_NAME)
    with pytest.raises(JournalBusyError, match=r"is in use by another process$"):
        workshop.a_journal(disk).open()


class TestALock:
    def test_of_a_file_that_was_removed_meanwhile_is_taken_on_the_one_that_is_there(self, tmp_path, monkeypatch):
        path = tmp_path / "journal.lock"
        real = os.open

        def swapped(name, *arguments, **options):
            descriptor = real(name, *arguments, **options)
            monkeypatch.setattr(os, "open", real)
            path.unlink()
            path.touch()
            return descriptor

        monkeypatch.setattr(os, "open", swapped)
        lock = RealDisk().lock(path)

        assert lock.is_in_place()
        lock.release()

    def test_of_an_open_journal_keeps_a_second_owner_away(self, workshop, directory, journal):
        assert journal.last_sequence == 1
        with pytest.raises(JournalBusyError):
            a_real_journal(workshop, directory).open()


class TestAForeignFile:
    """What has the name of one of the journal's files and was not made by it."""

    @pytest.mark.parametrize("name", ["journal.lock", "journal.mark", SEGMENT, "journal.reserve"])
    @pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "directory"])
    def test_is_refused_and_not_touched(self, workshop, directory, tmp_path, name, kind):
        place_of(workshop, directory)
        mine, path = tmp_path / "mine", directory / name
        mine.write_text("12345")
        path.unlink()
        make = {
            "link": lambda: path.symlink_to(mine),
            "dangling link": lambda: path.symlink_to(tmp_path / "nothing"),
            "pipe": lambda: os.mkfifo(path),
            "directory": path.mkdir,
        }
        make[kind]()

        with pytest.raises(JournalForeignFileError) as refusal:
            a_real_journal(workshop, directory).open()
        assert name in str(refusal.value)
        assert exit_code(refusal.value) == 65
        assert mine.read_text() == "12345"
        assert not (tmp_path / "nothing").exists()

    @pytest.mark.parametrize("name", ["journal.lock", "journal.mark"])
    def test_of_the_users_is_refused_and_not_overwritten(self, workshop, directory, tmp_path, name):
        directory.mkdir(parents=True)
        mine = tmp_path / "mine"
        mine.write_bytes(b"ssh-ed25519 AAAA\n" * 600)
        os.link(mine, directory / name)

        with pytest.raises(JournalForeignFileError):
            a_real_journal(workshop, directory).open()
        assert mine.read_bytes() == b"ssh-ed25519 AAAA\n" * 600

    def test_in_place_of_the_reserve_moves_aside(self, workshop, directory, tmp_path):
        place_of(workshop, directory)
        reserve = directory / "journal.reserve"
        reserve.write_bytes(b"x" * 70_000)
        journal = a_real_journal(workshop, directory)
        journal.open()

        assert journal.reserve_held
        assert (directory / "journal.reserve.aside-1").read_bytes() == b"x" * 70_000
        assert reserve.read_bytes() == bytes(65_536)

    @pytest.mark.parametrize(
        "name",
        [
            "00000000000000000009.journal",
            "00000000000000000009.journal.gz",
            "00000000000000000009.keys",
            "journal.reserve",
            "journal.waypoint",
            "days.seals",
            "orders.checkpoint",
            "orders.past",
        ],
    )
    def test_that_was_being_made_when_the_process_was_killed_is_removed(self, workshop, disk, name):
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        journal.close()
        before = disk.names(workshop.directory)
        disk.create(workshop.directory / f"{name}.new", 10)
        disk.create(workshop.directory / f"x{name}.new", 10)
        disk.create(workshop.directory / f"{name}.newer", 10)
        journal.open()

        assert set(disk.names(workshop.directory)) == {*before, f"x{name}.new", f"{name}.newer"}

    def test_of_any_other_name_is_left_alone(self, workshop, directory):
        place_of(workshop, directory)
        mine = {directory / name: name for name in ("notes.new", "1.journal.new", "journal.mark.bak", "x.torn-128")}
        for path, content in mine.items():
            path.write_text(content)
        (directory / "00000000000000000009.journal.new").write_bytes(b"made by a process that was killed")
        journal = a_real_journal(workshop, directory)
        journal.open()

        assert {path: path.read_text() for path in mine} == mine
        assert not (directory / "00000000000000000009.journal.new").exists()


class TestMakingAFile:
    def test_never_writes_over_one_that_is_there(self, tmp_path):
        disk, source, target = RealDisk(), tmp_path / "source", tmp_path / "target"
        source.write_text("new")
        target.write_text("old")

        with pytest.raises(FileExistsError):
            disk.create(target, 100)
        with pytest.raises(FileExistsError):
            disk.rename(source, target)
        assert (source.read_text(), target.read_text()) == ("new", "old")

    def test_through_a_link_is_refused(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "nothing")

        with pytest.raises(FileExistsError):
            RealDisk().create(tmp_path / "link", 100)
        assert not (tmp_path / "nothing").exists()

    def test_of_an_archive_over_another_is_refused_and_the_plain_file_stays(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        segment = journal.closed_segments[0]
        path = archive_path(workshop.directory, segment.first_sequence)
        disk.create(path, 0).write(b"another's", 0)

        with pytest.raises(JournalDamagedError):
            archive_segment(disk, segment)
        assert disk.content(path) == b"another's"
        assert disk.exists(segment_path(workshop.directory, segment.first_sequence))
        assert len(workshop.facts_of(journal)) == 100

    def test_of_an_archive_that_a_crash_left_beside_the_plain_file_is_believed_when_it_reads_back(self, workshop, disk):
        journal = workshop.a_journal(disk, segment_bytes=4_096)
        journal.open()
        for number in range(1, 101):
            workshop.commit_one(journal, number)
        segment = journal.closed_segments[0]
        plain = segment_path(workshop.directory, segment.first_sequence)
        content = bytes(disk.content(plain))
        archive_segment(disk, segment)
        disk.create(plain, 0).write(content, 0)
        segment.archived = False

        assert archive_segment(disk, segment) == 0
        assert not disk.exists(plain)
        assert len(workshop.facts_of(journal)) == 100

    def test_of_two_torn_tails_at_one_place_keeps_both(self, workshop, disk):
        journal = workshop.a_journal(disk)
        journal.open()
        path = journal._files.segments[0].path
        journal.close()
        for byte in b"ab":
            disk.content(path)[130:132] = bytes((byte, 0))
            torn = workshop.a_journal(disk)
            assert torn.open().offset == 128
            torn.close()

        names = [name for name in disk.names(workshop.directory) if ".torn-" in name]
        assert [disk.content(workshop.directory / name)[2] for name in names] == list(b"ab")


def test_a_place_says_which_journal_and_how_far(workshop, journal):
    first = journal.place
    workshop.commit_one(journal, 2)

    assert isinstance(first, Place)
    assert (first.sequence, journal.place.sequence) == (1, 2)
    assert first.journal_id == journal.place.journal_id
    assert first.last_hash != journal.place.last_hash
