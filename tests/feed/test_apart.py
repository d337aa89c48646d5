"""A recording read in a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from natya.actors.feed.apart import READER, Apart, ReaderDiedError
from natya.actors.feed.errors import RecordingError
from natya.actors.feed.source import MESSAGES_A_CHUNK

HEADER = "time,ltp,symbol"


def rows(count):
    return [f"{1_766_992_622 + place},{100 + place % 7},TCS" for place in range(count)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class TestARecordingReadApart:
    def test_says_what_it_says_read_here(self, write, messages, feed_settings):
        path = write(HEADER, *rows(2 * MESSAGES_A_CHUNK + 5))
        apart = Apart(feed_settings(recording=path))

        said = [message for chunk in apart.chunks() for message in chunk]

        assert said == messages(path)
        assert apart.bad_rows == 0

    def test_says_all_before_the_broken_row_and_then_what_is_wrong_with_it(self, write, feed_settings):
        path = write(HEADER, *rows(3), "nonsense", *rows(1))
        chunks = Apart(feed_settings(recording=path)).chunks()

        assert [tick.sequence for tick in next(chunks)] == [1, 2, 3]
        with pytest.raises(RecordingError) as fault:
            next(chunks)
        assert (fault.value.path, fault.value.line) == (path, 5)

    def test_counts_the_rows_that_were_skipped(self, write, feed_settings):
        apart = Apart(feed_settings(recording=write(HEADER, *rows(2), "nonsense", "1,2"), bad_rows_max=2))

        assert sum(map(len, apart.chunks())) == 2
        assert apart.bad_rows == 2

    def test_says_that_a_file_is_missing(self, tmp_path, feed_settings):
        with pytest.raises(RecordingError, match="No such file"):
            next(Apart(feed_settings(recording=tmp_path / "gone.csv")).chunks())

    def test_knows_no_secret_of_ours(self, write, feed_settings, monkeypatch):
        monkeypatch.setenv("BROKER_ACCESS_TOKEN", "canary")
        apart = Apart(feed_settings(recording=write(HEADER, *rows(50 * MESSAGES_A_CHUNK))))
        chunks = apart.chunks()
        next(chunks)

        assert b"canary" not in Path(f"/proc/{apart._process.pid}/environ").read_bytes()
        apart.close()


class TestAReader:
    def test_that_is_killed_is_told_from_a_recording_that_ends(self, write, feed_settings):
        apart = Apart(feed_settings(recording=write(HEADER, *rows(200 * MESSAGES_A_CHUNK))))
        chunks = apart.chunks()
        next(chunks)

        os.kill(apart._process.pid, signal.SIGKILL)

        with pytest.raises(ReaderDiedError):
            list(chunks)

    def test_ends_when_it_is_closed_in_the_middle(self, write, feed_settings):
        apart = Apart(feed_settings(recording=write(HEADER, *rows(200 * MESSAGES_A_CHUNK))))
        next(apart.chunks())
        pid = apart._process.pid

        apart.close()

        assert not alive(pid)

    def test_ends_quietly_when_nobody_reads_its_pipe_any_more(self, write, feed_settings):
        settings = feed_settings(recording=write(HEADER, *rows(200 * MESSAGES_A_CHUNK)))
        with subprocess.Popen(
            [sys.executable, "-m", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reader:
            reader.stdin.write(msgspec.msgpack.encode(settings))
            reader.stdin.close()
            reader.stdout.read(100)
            reader.stdout.close()

            assert reader.stderr.read() == b""
        assert reader.returncode == 1
