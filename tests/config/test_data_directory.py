"""One process in a data directory."""

import os
import stat
import subprocess
import sys

import pytest

from natya.config.data_directory import (
    LOCK_NAME,
    DataDirectory,
    DataDirectoryBusyError,
    DataDirectoryError,
    DataDirectoryMovedError,
)

HOLD = """
import sys
from natya.config.data_directory import DataDirectory
directory = DataDirectory(sys.argv[1])
directory.take()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "data")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


class TestADirectoryThatAnotherProcessHolds:
    def test_refuses_and_names_the_directory_and_the_process(self, tmp_path, holder):
        with pytest.raises(DataDirectoryBusyError) as refusal:
            DataDirectory(tmp_path / "data").take()

        assert refusal.value.holder_pid == holder.pid
        assert refusal.value.path == tmp_path / "data"
        assert str(tmp_path / "data") in str(refusal.value)
        assert str(holder.pid) in str(refusal.value)

    def test_is_free_as_soon_as_that_process_was_killed(self, tmp_path, holder):
        holder.kill()
        holder.wait()
        directory = DataDirectory(tmp_path / "data")

        directory.take()

        directory.release()


class TestADirectoryThatIsFree:
    def test_is_made_for_its_user_alone(self, tmp_path):
        directory = DataDirectory(tmp_path / "deep" / "data")

        directory.take()
        directory.release()

        assert stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode) == 0o700

    def test_may_be_in_ones_own_home_but_in_that_of_no_user_that_does_not_exist(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))

        assert DataDirectory("~/data").path == tmp_path / "data"
        with pytest.raises(DataDirectoryError, match="~nobody-of-that-name/data cannot be used"):
            DataDirectory("~nobody-of-that-name/data")

    def test_can_be_taken_again_after_it_was_released(self, tmp_path):
        directory = DataDirectory(tmp_path)
        directory.take()
        directory.release()
        directory.release()

        directory.take()

        with pytest.raises(DataDirectoryBusyError) as refusal:
            DataDirectory(tmp_path).take()
        assert refusal.value.holder_pid == os.getpid()
        directory.release()


def test_a_path_that_cannot_be_a_directory_is_refused_with_the_reason(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(DataDirectoryError, match=r"cannot be used: (Not a directory|File exists)"):
        DataDirectory(tmp_path / "file").take()


class TestADirectoryThatIsHeld:
    @pytest.mark.parametrize(
        "accident",
        [
            lambda path: path.rename(path.with_name("elsewhere")),
            lambda path: (path / LOCK_NAME).unlink(),
            lambda path: (path / LOCK_NAME).rename(path / "x"),
            lambda path: (path / "x").touch() or (path / "x").replace(path / LOCK_NAME),
        ],
        ids=["moved", "its lock removed", "its lock renamed", "its lock replaced"],
    )
    def test_and_goes_away_is_missed(self, tmp_path, accident):
        directory = DataDirectory(tmp_path / "data")
        directory.take()
        directory.expect_in_place()
        accident(tmp_path / "data")

        with pytest.raises(DataDirectoryMovedError, match="was moved, removed or replaced"):
            directory.expect_in_place()
        directory.release()

    def test_is_not_missed_when_it_was_given_free(self, tmp_path):
        directory = DataDirectory(tmp_path / "data")
        directory.take()
        directory.release()
        (tmp_path / "data" / LOCK_NAME).unlink()

        directory.expect_in_place()
