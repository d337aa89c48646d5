"""A recording read in a process of its own, or, where it is small, as there in this one."""

import contextlib
import gzip
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from natya_builders import a_tick
from natya_processes import await_that, is_alive
from natya_starts import Executed

from natya.actors.feed import apart
from natya.actors.feed.apart import READER, Apart, ReaderDiedError
from natya.actors.feed.errors import RecordingError
from natya.actors.feed.here import HERE_BYTES_MAX, Here, is_small
from natya.actors.feed.reading import serve
from natya.actors.feed.source import MESSAGES_A_CHUNK
from natya.messages.framing import framed

pytestmark = [pytest.mark.systems, pytest.mark.usefixtures("forked_starts")]

HEADER = "time,ltp,symbol"


def rows(count):
    return [f"{1_766_992_622 + place},{100 + place % 7},TCS" for place in range(count)]


@pytest.mark.parametrize("kind", [Apart, Here])
class TestARecordingReadApartOrHere:
    def test_says_what_it_says(self, write, messages, feed_settings, kind):
        path = write(HEADER, *rows(2 * MESSAGES_A_CHUNK + 5))
        source = kind(feed_settings(recording=path))

        said = [message for chunk in source.chunks() for message in chunk]

        assert said == messages(path)
        assert source.bad_rows == 0

    def test_says_all_before_the_broken_row_and_then_what_is_wrong_with_it(self, write, feed_settings, kind):
        path = write(HEADER, *rows(3), "nonsense", *rows(1))
        chunks = kind(feed_settings(recording=path)).chunks()

        assert [tick.sequence for tick in next(chunks)] == [1, 2, 3]
        with pytest.raises(RecordingError) as fault:
            next(chunks)
        assert (fault.value.path, fault.value.line) == (path, 5)

    def test_counts_the_rows_that_were_skipped(self, write, feed_settings, kind):
        source = kind(feed_settings(recording=write(HEADER, *rows(2), "nonsense", "1,2"), bad_rows_max=2))

        assert sum(map(len, source.chunks())) == 2
        assert source.bad_rows == 2

    def test_says_that_a_file_is_missing(self, tmp_path, feed_settings, kind):
        with pytest.raises(RecordingError, match="No such file"):
            next(kind(feed_settings(recording=tmp_path / "gone.csv")).chunks())


class TestARecordingReadHere:
    def test_is_closed_before_its_first_message_comes_out(self, write, feed_settings):
        path = write(HEADER, *rows(2 * MESSAGES_A_CHUNK))
        chunks = Here(feed_settings(recording=path)).chunks()
        next(chunks)

        assert path not in opened_by(os.getpid())

    @pytest.mark.parametrize(
        ("made", "is_here"),
        [
            (lambda path: path.write_bytes(b"x" * HERE_BYTES_MAX), True),
            (lambda path: path.write_bytes(b"x" * (HERE_BYTES_MAX + 1)), False),
            (lambda path: path.write_bytes(gzip.compress(b"time,ltp,symbol\n")), False),
            (lambda path: path.write_bytes(b"PAR1"), False),
            (os.mkfifo, False),
            (Path.exists, False),
        ],
        ids=["small", "large", "packed", "parquet", "pipe", "missing"],
    )
    def test_is_small_and_plain(self, tmp_path, feed_settings, made, is_here):
        made(tmp_path / "recording.csv")

        assert is_small(feed_settings(recording=tmp_path / "recording.csv")) is is_here

    def test_is_one_of_files_that_are_small_together(self, tmp_path, feed_settings):
        for name in ("one.csv", "other.csv"):
            (tmp_path / name).write_bytes(b"x" * (HERE_BYTES_MAX // 2))
        settings = feed_settings(recording=tmp_path)

        assert is_small(settings)
        (tmp_path / "third.csv").write_bytes(b"x")
        assert not is_small(settings)


class TestARecordingReadApart:
    def test_knows_no_secret_of_ours(self, write, feed_settings, monkeypatch):
        monkeypatch.setattr(subprocess, "Popen", Executed)  # a fork would have the environment of another at its start
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

        assert not is_alive(pid)

    def test_ends_quietly_when_nobody_reads_its_pipe_any_more(self, write, feed_settings):
        settings = feed_settings(recording=write(HEADER, *rows(200 * MESSAGES_A_CHUNK)))
        with subprocess.Popen(
            [sys.executable, "-m", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reader:
            packed = msgspec.msgpack.encode(settings)
            reader.stdin.write(framed(packed))
            reader.stdin.flush()
            reader.stdout.read(100)
            reader.stdout.close()

            assert reader.stderr.read() == b""
        assert reader.returncode == 1


PARENT = """
import os, signal, sys, threading, time
import msgspec
from natya.actors.feed.apart import Apart
from natya.config.sections.feed import FeedSettings
apart = Apart(msgspec.json.decode(sys.argv[1], type=FeedSettings))
threading.Thread(target=next, args=(apart.chunks(),), daemon=True).start()
while apart._process is None:
    time.sleep(0.001)
child = os.fork() if sys.argv[2] == "forked" else 0
if sys.argv[2] == "forked" and not child:
    signal.pause()
print(apart._process.pid, child, flush=True)
signal.pause()
"""


class TestAReaderWhoseParentIsKilled:
    @pytest.mark.parametrize("how", ["alone", "forked"])
    def test_ends_although_it_has_nothing_to_write(self, tmp_path, feed_settings, how):
        """A child of the parent's, forked by whatever strategy, holds the pipe to the reader open."""
        path = tmp_path / "blank.csv.gz"
        path.write_bytes(gzip.compress(b"time,ltp,volume\n" + b"\n" * 100_000_000, 1))
        settings = msgspec.json.encode(feed_settings(recording=path)).decode()
        with subprocess.Popen([sys.executable, "-c", PARENT, settings, how], stdout=subprocess.PIPE) as parent:
            reader, child = map(int, parent.stdout.readline().split())
            await_that(lambda: path in opened_by(reader))
            parent.kill()
        try:
            await_that(lambda: not is_alive(reader), timeout_s=15)
        finally:
            for pid in filter(None, (child, reader)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def opened_by(pid):
    """Paths that a process has open."""
    found = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            found.append(link.readlink())
    return found


class TestWhatAReaderSends:
    def test_here_and_no_message_can_be_ends_the_recording_with_a_line(self, write, feed_settings, monkeypatch):
        monkeypatch.setattr("natya.actors.feed.reading.open_recordings", lambda _settings: OutOfRange())

        with pytest.raises(RecordingError, match="messages within their ranges are wanted, found Expected `int` >= 1"):
            list(Here(feed_settings(recording=write(HEADER, *rows(1)))).chunks())

    def test_and_no_message_can_be_ends_the_recording_with_a_line(self, write, feed_settings, monkeypatch):
        monkeypatch.setattr("natya.actors.feed.apart.READER", "natya_reader_of_nonsense")
        path = write(HEADER, *rows(1))

        with pytest.raises(RecordingError, match="messages within their ranges are wanted, found Expected `int` >= 1"):
            list(Apart(feed_settings(recording=path)).chunks())

    def test_of_a_file_that_is_none_is_why_and_no_bad_row(self, feed_settings, tmp_path):
        stream = io.BytesIO()
        serve(feed_settings(recording=str(tmp_path / "nowhere.csv")), stream)
        stream.seek(0)
        broken = msgspec.msgpack.decode(apart.read_frame(stream), type=apart.Frame)

        assert (type(broken), broken.bad_rows, broken.notes) == (apart.Broken, 0, ())
        assert broken.path.endswith("nowhere.csv")

    def test_that_fails_by_a_mistake_is_what_failed(self, write, feed_settings, monkeypatch):
        monkeypatch.setattr("natya.actors.feed.reading.open_recordings", lambda _settings: Mistaken())
        stream = io.BytesIO()

        serve(feed_settings(recording=write(HEADER, *rows(1))), stream)

        assert b"found ZeroDivisionError: " in stream.getvalue()


class Mistaken:
    bad_rows, notes = 0, ()

    def chunks(self):
        yield [1 // 0]


class OutOfRange:
    bad_rows, notes = 0, ()

    def chunks(self):
        yield [a_tick(sequence=0)]
