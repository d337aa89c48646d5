"""Files in memory, where those of a backtest's journal are: no name is taken twice, and none is made up."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.backtest.running.disk import MemoryDisk, MemoryFile, UnsyncedDisk

A, B = Path("d/a"), Path("d/b")


@pytest.fixture
def disk():
    made = MemoryDisk()
    made.create(A, 10)
    made.create(B, 20)
    return made


def test_a_name_that_is_taken_is_given_to_no_other_file(disk):
    kept = disk.open(B)
    for take in (lambda: disk.create(B, 5), lambda: disk.rename(A, B)):
        with pytest.raises(FileExistsError):
            take()

    assert (disk.open(B), disk.names(Path("d"))) == (kept, ("a", "b"))


def test_a_file_that_is_moved_is_where_it_was_moved_to_alone(disk):
    moved = disk.open(A)
    disk.rename(A, Path("d/c"))
    assert (disk.open(Path("d/c")), disk.exists(A)) == (moved, False)
    disk.replace(Path("d/c"), B)

    assert (disk.open(B), disk.names(Path("d"))) == (moved, ("b",))


def test_a_file_that_is_not_there_is_not_opened(disk):
    disk.remove(A)

    with pytest.raises(FileNotFoundError) as missing:
        disk.open(A)
    assert missing.value.filename == str(A)
    assert disk.names(Path("elsewhere")) == ()


@given(
    size=st.integers(0, 30),
    writes=st.lists(st.tuples(st.binary(min_size=1, max_size=12), st.integers(0, 40)), max_size=6),
    read=st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_a_file_reads_as_one_of_a_disk_does(size, writes, read):
    file, whole = MemoryFile(size), bytearray(size)
    for data, offset in writes:
        file.write(data, offset)
        whole.extend(bytes(max(0, offset + len(data) - len(whole))))
        whole[offset : offset + len(data)] = data

    offset, count = read
    assert file.size() == len(whole)
    assert file.read(0, file.size()) == whole
    assert file.read(offset, count) == whole[offset : offset + count]


class TestADiskWithoutSyncs:
    def test_makes_files_of_zeros_for_nobody_else(self, tmp_path):
        path = tmp_path / "a"
        file = UnsyncedDisk().create(path, 1 << 20)
        file.write(b"x", 9)
        file.sync()
        file.close()

        assert path.read_bytes() == bytes(9) + b"x" + bytes((1 << 20) - 10)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_blocks * 512 < 1 << 20, "space is taken as it is written"
        with pytest.raises(FileExistsError):
            UnsyncedDisk().create(path, 1)
