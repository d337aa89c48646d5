"""Files in memory, where those of a backtest's journal are: no name is taken twice, and none is made up."""

from pathlib import Path

import pytest

from natya.backtest.running.disk import MemoryDisk

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

    with pytest.raises(FileNotFoundError):
        disk.open(A)
    assert disk.names(Path("elsewhere")) == ()
