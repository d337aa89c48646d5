"""The simulated disk does what tests rely on: what is not synced may be gone, and faults come in order."""

import errno
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.journal import SimulatedDisk
from natya.actors.journal.disk import DiskLockedError, RealDisk
from natya.actors.journal.simulated import PowerCutError, Trouble
from natya.actors.journal.walk import SECTOR_SIZE

HERE = Path("/here")
A, B = HERE / "a", HERE / "b"


@pytest.fixture
def disk():
    return SimulatedDisk(capacity_bytes=100)


def refused(action):
    """Return the error number of an action that fails; None if it does not."""
    try:
        action()
    except OSError as fault:
        return fault.errno
    return None


class TestSpace:
    def test_is_what_no_file_has_of_the_capacity(self, disk):
        disk.create(A, 60)
        assert disk.free_bytes() == 40
        assert refused(lambda: disk.create(B, 41)) == errno.ENOSPC
        disk.create(B, 40)
        assert disk.free_bytes() == 0
        disk.remove(A)

        assert disk.free_bytes() == 60


class TestNames:
    def test_are_those_of_a_directory_in_order(self, disk):
        for path in (B, A, Path("/elsewhere/c")):
            disk.create(path, 1)

        assert disk.names(HERE) == ("a", "b")
        assert [disk.exists(path) for path in (A, HERE / "c")] == [True, False]

    def test_are_given_once(self, disk):
        disk.create(A, 1)
        disk.create(B, 2)

        assert refused(lambda: disk.create(A, 1)) == errno.EEXIST
        assert refused(lambda: disk.rename(A, B)) == errno.EEXIST
        disk.replace(A, B)
        assert (disk.names(HERE), disk.open(B).size()) == (("b",), 1)
        assert refused(lambda: disk.open(A)) == errno.ENOENT

    def test_belong_to_one_content(self, disk):
        file = disk.create(A, 5)

        assert file.is_at(A, size_min=5)
        assert not file.is_at(A, size_min=6)
        assert not file.is_at(B)
        disk.replace(A, B)
        disk.create(A, 5)
        assert (file.is_at(A), file.is_at(B)) == (False, True)

    def test_are_found_at_their_place_however_empty(self, disk, tmp_path):
        for each, path in ((disk, A), (RealDisk(), tmp_path / "a")):
            if each is not disk:
                path.touch()
            file = each.create(path, 0) if each is disk else each.open(path)
            assert [file.is_at(path), file.is_at(path, size_min=0), file.is_at(path, size_min=1)] == [True, True, False]
            assert not file.is_at(path.with_name("b"))
            assert not file.is_at(path / "below")
            file.close()

    def test_are_opened_to_be_read_or_to_be_written(self, disk, tmp_path):
        (tmp_path / "a").touch()
        for each, path in ((disk, A), (RealDisk(), tmp_path / "a")):
            if each is disk:
                disk.create(A, 0)
            each.open(path, writable=True).write(b"x", 0)
            reader = each.open(path)

            assert refused(lambda reader=reader: reader.write(b"y", 0)) == errno.EBADF
            assert reader.read(0, 1) == b"x"
            reader.close()

    def test_are_locked_once(self, disk):
        lock = disk.lock(A)
        with pytest.raises(DiskLockedError):
            disk.lock(A)
        assert lock.is_in_place()
        lock.release()

        assert not lock.is_in_place()
        assert disk.lock(A).is_in_place()


def test_a_file_is_read_as_far_as_it_goes(disk, tmp_path):
    for each, path in ((disk, A), (RealDisk(), tmp_path / "a")):
        file = each.create(path, 5)
        file.write(b"abcde", 0)

        assert [file.read(*place) for place in ((0, 5), (0, 9), (3, 9), (5, 1), (9, 1))] == [
            b"abcde",
            b"abcde",
            b"de",
            b"",
            b"",
        ]
        file.close()


class TestTroubles:
    def test_of_an_action_come_one_after_the_other_and_each_once(self, disk):
        file = disk.create(A, 10)
        disk.troubles = [
            Trouble(action="write", after=1),
            Trouble(action="sync"),
            Trouble(action="write", after=1, error=errno.EDQUOT),
        ]
        found = [refused(lambda: file.write(b"x", 0)) for _ in range(5)]

        assert found == [None, errno.EIO, None, errno.EDQUOT, None]
        assert [refused(file.sync) for _ in range(2)] == [errno.EIO, None]
        assert disk.troubles == []

    @pytest.mark.parametrize(
        ("action", "call"),
        [
            ("create", lambda disk, _: disk.create(B, 1)),
            ("rename", lambda disk, _: disk.rename(A, B)),
            ("sync_directory", lambda disk, _: disk.sync_directory(HERE)),
            ("write", lambda _, file: file.write(b"abcd", 0)),
            ("sync", lambda _, file: file.sync()),
        ],
    )
    def test_are_of_every_action_and_then_nothing_is_done(self, disk, action, call):
        file = disk.create(A, 4)
        disk.troubles = [Trouble(action=action)]

        assert refused(lambda: call(disk, file)) == errno.EIO
        assert (disk.names(HERE), file.read(0, 4)) == (("a",), bytes(4))

    def test_of_a_full_disk_take_half_of_the_write(self, disk):
        file = disk.create(A, 4)
        disk.troubles = [Trouble(action="write", error=errno.ENOSPC)]

        assert refused(lambda: file.write(b"abcd", 0)) == errno.ENOSPC
        assert file.read(0, 4) == b"ab\0\0"

    def test_of_a_sync_leave_behind_what_it_should_have_brought_to_the_disk(self, disk):
        file = disk.create(A, 4)
        disk.sync_directory(HERE)
        file.write(b"abcd", 0)
        disk.troubles = [Trouble(action="sync")]
        assert refused(file.sync) == errno.EIO
        file.sync()

        for seed in range(8):
            assert bytes(disk.crash(Random(seed)).content(A)) == bytes(4)


class TestAPowerCut:
    def test_comes_at_the_action_that_was_chosen(self, disk):
        disk.actions_left = 2
        file = disk.create(A, 4)
        file.write(b"abcd", 0)

        with pytest.raises(PowerCutError):
            disk.sync_directory(HERE)

    def test_may_come_in_the_middle_of_a_write(self, disk):
        file = disk.create(A, 4)
        disk.sync_directory(HERE)
        disk.actions_left = 0
        with pytest.raises(PowerCutError):
            file.write(b"abcd", 0)

        assert {bytes(disk.crash(Random(seed)).content(A)) for seed in range(20)} == {bytes(4), b"abcd"}

    @given(seed=st.integers(), synced=st.integers(0, 5), then=st.integers(0, 5))
    def test_leaves_what_was_synced_and_of_the_rest_whole_sectors(self, seed, synced, then):
        disk = SimulatedDisk()
        file = disk.create(A, 5 * SECTOR_SIZE)
        disk.sync_directory(HERE)
        file.write(b"s" * synced * SECTOR_SIZE, 0)
        file.sync()
        file.write(b"t" * then * SECTOR_SIZE, 0)
        left = bytes(disk.crash(Random(seed)).content(A))

        for number in range(5):
            before = b"s" if number < synced else b"\0"
            sector = left[number * SECTOR_SIZE : (number + 1) * SECTOR_SIZE]
            may_be = {before * SECTOR_SIZE} | ({b"t" * SECTOR_SIZE} if number < then else set())
            assert sector in may_be

    def test_may_leave_all_of_the_rest_and_nothing_of_it(self):
        disk = SimulatedDisk()
        file = disk.create(A, 100 * SECTOR_SIZE)
        disk.sync_directory(HERE)
        file.write(b"t" * 100 * SECTOR_SIZE, 0)
        left = {bytes(disk.crash(Random(seed)).content(A)).count(b"t") // SECTOR_SIZE for seed in range(40)}

        assert {0, 100} < left

    def test_takes_back_changes_of_names_from_the_newest_on(self, disk):
        disk.create(A, 1)
        disk.sync_directory(HERE)
        disk.rename(A, B)
        disk.create(A, 2)
        disk.remove(B)
        found = {disk.crash(Random(seed)).names(HERE) for seed in range(60)}

        assert found == {("a",), ("b",), ("a", "b")}
        disk.sync_directory(HERE)
        assert {disk.crash(Random(seed)).names(HERE) for seed in range(20)} == {("a",)}

    def test_comes_a_second_time_and_takes_nothing_that_the_first_has_left(self, disk):
        file = disk.create(A, 4)
        file.write(b"abcd", 0)
        file.sync()
        disk.sync_directory(HERE)
        survivor = disk.crash(Random(1)).crash(Random(2))

        assert (survivor.names(HERE), bytes(survivor.content(A))) == (("a",), b"abcd")

    def test_is_not_the_end_of_its_capacity(self, disk):
        assert disk.crash(Random(1)).capacity_bytes == 100
