"""Locks that end with their process, and are no fork's."""

import errno
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from natya_processes import await_that, is_alive

from natya.config import locks
from natya.config.files import KEPT_BYTES_MAX, NotOursError
from natya.config.forks import point_nowhere
from natya.config.locks import HeldLock, LockHeldError, holder_of

DESCRIPTORS = Path("/proc/self/fd")

HOLD_AND_FORK = """
import multiprocessing, os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from natya.config.locks import HeldLock

def wait(_):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(600)

if __name__ == "__main__":
    lock = HeldLock(__import__("pathlib").Path(sys.argv[1]))
    if sys.argv[2] == "bare":
        for _ in range(2):
            if os.fork() == 0:
                wait(0)
        time.sleep(600)
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[2]))
    list(pool.map(wait, range(2)))
"""


class TestALock:
    def test_keeps_others_out_and_names_its_holder(self, tmp_path):
        lock = HeldLock(tmp_path / "lock")
        with pytest.raises(LockHeldError) as refusal:
            HeldLock(tmp_path / "lock")
        assert refusal.value.holder_pid == os.getpid()
        assert str(refusal.value) == f"{tmp_path / 'lock'} is held by process {os.getpid()}"
        lock.release()
        lock.release()
        HeldLock(tmp_path / "lock").release()

    def test_names_its_holder_while_the_file_still_names_the_one_before(self, tmp_path):
        path = tmp_path / "lock"
        path.write_bytes(b"%-19d\n" % 7)
        with path.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # and has not written yet
            with pytest.raises(LockHeldError, match=f"is held by process {os.getpid()}$"):
                HeldLock(path)

    def test_names_who_is_written_in_its_file_where_the_kernel_lists_nobody(self, tmp_path, monkeypatch):
        lock = HeldLock(tmp_path / "lock")
        others = tmp_path / "locks"
        others.write_text("1: POSIX  ADVISORY  WRITE 7 fe:00:1 0 EOF\n2: FLOCK  ADVISORY  WRITE 7 fe:00:1 0 EOF\n")
        for listed in (tmp_path / "none", others):
            monkeypatch.setattr(locks, "LOCKS", listed)
            with pytest.raises(LockHeldError, match=f"is held by process {os.getpid()}$"):
                HeldLock(tmp_path / "lock")
        lock.release()

    def test_is_looked_at_without_being_taken(self, tmp_path):
        path = tmp_path / "lock"
        assert holder_of(path) is None
        lock = HeldLock(path)
        assert holder_of(path) == os.getpid()
        lock.release()
        assert holder_of(path) is None

    def test_may_be_shared(self, tmp_path):
        held = [HeldLock(tmp_path / "lock", shared=True) for _ in range(2)]
        with pytest.raises(LockHeldError):
            HeldLock(tmp_path / "lock")
        for lock in held:
            lock.release()

    @pytest.mark.parametrize("content", [b"", b"123\n", b"%-19d\n" % 7, b"\0" * 20, b"\0" * 30 + b"7\n"])
    def test_takes_over_what_a_dead_holder_left(self, tmp_path, content):
        (tmp_path / "lock").write_bytes(content)
        HeldLock(tmp_path / "lock").release()

        assert int((tmp_path / "lock").read_bytes()) == os.getpid()

    def test_knows_whether_its_file_is_still_there(self, tmp_path):
        lock = HeldLock(tmp_path / "lock")
        assert lock.is_in_place()
        (tmp_path / "lock").unlink()
        assert not lock.is_in_place()
        other = HeldLock(tmp_path / "lock")
        assert not lock.is_in_place()
        lock.release()
        assert other.is_in_place()
        other.release()
        assert not other.is_in_place(), "it is held no more"

    def test_is_removed_by_its_only_holder(self, tmp_path):
        lock = HeldLock(tmp_path / "lock")
        lock.remove()
        lock.release()
        lock.remove()

        assert [*tmp_path.iterdir()] == []

    def test_stays_where_others_share_it(self, tmp_path):
        held = [HeldLock(tmp_path / "lock", shared=True) for _ in range(2)]
        held[0].remove()
        assert held[1].is_in_place()
        held[0].release()
        held[1].remove()
        assert not held[1].is_in_place()
        held[1].release()

    def test_of_another_holder_by_now_is_not_removed(self, tmp_path):
        lock = HeldLock(tmp_path / "lock")
        (tmp_path / "lock").unlink()
        other = HeldLock(tmp_path / "lock")
        lock.remove()
        assert other.is_in_place()
        lock.release()
        lock.remove()
        assert other.is_in_place()
        other.release()

    def test_is_refused_in_a_file_too_long_to_be_ours(self, tmp_path):
        (tmp_path / "lock").write_bytes(b"7".ljust(KEPT_BYTES_MAX + 1))
        with pytest.raises(NotOursError, match="holds something that is not ours"):
            HeldLock(tmp_path / "lock")
        (tmp_path / "lock").write_bytes(b"7".ljust(KEPT_BYTES_MAX))
        HeldLock(tmp_path / "lock").release()

    def test_is_of_the_file_that_has_the_name_though_another_was_opened(self, tmp_path, monkeypatch):
        """Who ends removes the file; a lock on a removed one would let everybody in."""
        flock = fcntl.flock

        def removed_first(descriptor, kind):
            monkeypatch.setattr(fcntl, "flock", flock)
            (tmp_path / "lock").unlink()
            flock(descriptor, kind)

        monkeypatch.setattr(fcntl, "flock", removed_first)
        lock = HeldLock(tmp_path / "lock")

        assert lock.is_in_place()
        with pytest.raises(LockHeldError):
            HeldLock(tmp_path / "lock", shared=True)
        lock.release()

    def test_that_the_system_cannot_give_is_no_one_elses(self, tmp_path, monkeypatch):
        """It is told as what it is: nobody looks for a holder that there is not."""
        before = len(list(DESCRIPTORS.iterdir()))

        def fail(_descriptor, _kind):
            raise OSError(errno.ENOLCK, "no locks available")

        monkeypatch.setattr(fcntl, "flock", fail)
        with pytest.raises(OSError, match="no locks available"):
            HeldLock(tmp_path / "lock")
        assert len(list(DESCRIPTORS.iterdir())) == before

    def test_leaves_no_descriptor_behind_a_refusal(self, tmp_path):
        lock = HeldLock(tmp_path / "lock")
        before = len(list(DESCRIPTORS.iterdir()))
        for _ in range(5):
            with pytest.raises(LockHeldError):
                HeldLock(tmp_path / "lock")
        assert len(list(DESCRIPTORS.iterdir())) == before
        lock.release()


class TestForksOfTheHolder:
    @pytest.mark.parametrize("method", ["fork", "bare", "forkserver", "spawn"])
    def test_hold_nothing_after_it_was_killed(self, tmp_path, method):
        script = tmp_path / "script.py"
        script.write_text(HOLD_AND_FORK)
        path = tmp_path / "lock"
        command = [sys.executable, script, path, method]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as holder:
            try:
                children = [int(holder.stdout.readline()) for _ in range(2)]
                with pytest.raises(LockHeldError):
                    HeldLock(path)
                holder.kill()
                holder.wait()
                assert all(map(is_alive, children)) or method != "bare"

                await_that(lambda: can_be_had(path), timeout_s=5)
            finally:
                os.killpg(holder.pid, signal.SIGKILL)

    def test_do_not_end_it(self, tmp_path):
        lock = HeldLock(tmp_path / "lock")
        child = multiprocessing.get_context("fork").Process(target=lock.release)
        child.start()
        child.join()

        with pytest.raises(LockHeldError):
            HeldLock(tmp_path / "lock")
        lock.release()


class TestDescriptorsThatArePointedNowhere:
    def test_write_to_no_file_and_take_no_number(self, tmp_path):
        paths = [tmp_path / "one", tmp_path / "two"]
        descriptors = [os.open(path, os.O_RDWR | os.O_CREAT) for path in paths]
        paths[1].unlink()
        point_nowhere([str(path) for path in paths])
        for descriptor in descriptors:
            os.write(descriptor, b"text")
            assert (DESCRIPTORS / str(descriptor)).readlink() == Path("/dev/null")
            os.close(descriptor)

        assert Path(paths[0]).read_bytes() == b""


def can_be_had(path):
    try:
        HeldLock(path).release()
    except LockHeldError:
        return False
    return True
