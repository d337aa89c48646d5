"""Taking a file that was handed over."""

import errno
import shutil
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from natya.actors.database import take
from natya.actors.database.results.handover import Handover
from natya.config import files
from natya.config.files import NotOursError, make_private_folder

CONTENTS = bytes(range(256)) * 10_000


@pytest.fixture
def source(tmp_path):
    make_private_folder(tmp_path / "handover", "natya.duckdb")
    path = tmp_path / "handover" / "source"
    path.write_bytes(CONTENTS)
    return path


@pytest.fixture
def far(monkeypatch):
    """The target is on another file system."""

    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(files, "_rename_new", refuse)


def take_and_check(source, target):
    take(source, target)

    assert target.read_bytes() == CONTENTS
    assert not source.exists()


def assert_refused_where_one_is(source, target):
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        take(source, target)

    assert target.read_text() == "mine"
    assert source.read_bytes() == CONTENTS


class TestAFileNearby:
    def test_is_moved(self, source, tmp_path):
        take_and_check(source, tmp_path / "target")

    def test_replaces_nothing(self, source, tmp_path):
        assert_refused_where_one_is(source, tmp_path / "target")

    def test_stays_where_the_target_cannot_be(self, source, tmp_path):
        with pytest.raises(FileNotFoundError):
            take(source, tmp_path / "none" / "target")
        assert source.exists()


@pytest.mark.usefixtures("far")
class TestAFileFarAway:
    def test_is_copied_for_its_user_alone(self, source, tmp_path):
        take_and_check(source, tmp_path / "target")

        assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o600

    def test_replaces_nothing(self, source, tmp_path):
        assert_refused_where_one_is(source, tmp_path / "target")

    def test_that_does_not_read_back_leaves_nothing(self, source, tmp_path, monkeypatch):
        monkeypatch.setattr(shutil, "copyfileobj", lambda read, written, _: written.write(read.read()[:-1] + b"x"))

        with pytest.raises(OSError, match="does not read back"):
            take(source, tmp_path / "target")
        assert not (tmp_path / "target").exists()
        assert source.exists()

    def test_that_fills_the_disk_leaves_nothing(self, source, tmp_path, monkeypatch):
        def fail(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(shutil, "copyfileobj", fail)

        with pytest.raises(OSError, match="No space left"):
            take(source, tmp_path / "target")
        assert not (tmp_path / "target").exists()
        assert source.exists()


class TestAFolder:
    def test_is_made_once_by_all_who_need_it_at_the_same_time(self, tmp_path):
        at_once = threading.Barrier(4)

        def make(handover):
            at_once.wait(60)
            return handover.made()

        with ThreadPoolExecutor(4) as threads:
            for life in range(100):
                handover = Handover.beside(tmp_path / "natya.duckdb", life=str(life))
                assert set(threads.map(make, [handover] * 4)) == {handover.path}

    def test_says_why_it_cannot_be_made(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            Handover.beside(tmp_path / "none" / "natya.duckdb", life="1").made()
        theirs = Handover.beside(tmp_path / "natya.duckdb", life="1")
        theirs.path.mkdir()
        with pytest.raises(NotOursError, match="is not ours: move it away"):
            theirs.made()
