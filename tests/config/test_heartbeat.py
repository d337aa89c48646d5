"""Heartbeat files: what one process writes, another reads, whatever is in the file."""

import errno

import pytest

from natya.config import heartbeat
from natya.config.heartbeat import Heartbeat
from natya.domain.pulse import Beat


@pytest.fixture
def path(tmp_path):
    return tmp_path / "heartbeat"


class TestAHeartbeat:
    def test_says_each_epoch_each_beat_and_the_end_as_soon_as_it_happens(self, path):
        heart, watcher, said = Heartbeat(path), Heartbeat(path), []
        for happens in (lambda: heart.begin(pid=7), heart.beat, heart.beat, heart.end):
            happens()
            said.append(watcher.read())
        Heartbeat(path).begin(pid=8)

        assert said == [
            Beat(epoch=1, pid=7, number=0),
            Beat(epoch=1, pid=7, number=1),
            Beat(epoch=1, pid=7, number=2),
            Beat(epoch=1, pid=7, number=3, ended=True),
        ]
        assert watcher.read() == Beat(epoch=2, pid=8, number=0)
        assert [each.name for each in path.parent.iterdir()] == ["heartbeat"]

    def test_is_durable_where_it_begins_and_ends_and_no_beat_waits_for_the_disk(self, path, monkeypatch):
        synced = []
        monkeypatch.setattr(heartbeat.os, "fsync", lambda _descriptor: synced.append("file"))
        monkeypatch.setattr(heartbeat, "sync_folder", lambda _path: synced.append("folder"))
        heart = Heartbeat(path)
        counts = []
        for happens in (lambda: heart.begin(pid=7), heart.beat, heart.end):
            happens()
            counts.append(tuple(synced))
            synced.clear()

        assert counts == [("file", "folder"), (), ("file", "folder")]

    def test_is_so_too_where_a_full_disk_lets_no_new_file_be_made(self, path, monkeypatch):
        Heartbeat(path).begin(pid=7)
        synced, counts = [], []

        def full(_path):
            raise OSError(errno.ENOSPC, "no space left")

        monkeypatch.setattr(heartbeat, "new_file", full)
        monkeypatch.setattr(heartbeat.os, "fsync", lambda _descriptor: synced.append("file"))
        heart = Heartbeat(path)
        for happens in (lambda: heart.begin(pid=8), heart.beat, heart.end):
            happens()
            counts.append(len(synced))

        assert counts == [1, 1, 2]
        assert Heartbeat(path).read() == Beat(epoch=2, pid=8, number=2, ended=True)

    @pytest.mark.parametrize("written", [None, b"", b"\xff", b"{", b"5", b'{"epoch": "one"}'])
    def test_that_is_none_is_read_as_none_and_the_next_begins_at_one(self, path, written):
        if written is not None:
            path.write_bytes(written)

        assert Heartbeat(path).read() is None
        Heartbeat(path).begin(pid=7)
        assert Heartbeat(path).read() == Beat(epoch=1, pid=7)
