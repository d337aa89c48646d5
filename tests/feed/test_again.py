"""Recordings that one process plays over and over."""

import os

import pytest

from natya.actors.feed import again
from natya.actors.feed.again import Again
from natya.actors.feed.errors import RecordingError
from natya.actors.feed.recording import open_recordings
from natya.actors.feed.source import MESSAGES_A_CHUNK

HEADER = "date,open,high,low,close,volume"


def minutes(count, *, volume=4):
    return [
        f"2025-10-29T{10 + place // 60}:{place % 60:02},100,102,99,{100 + place % 2},{volume}" for place in range(count)
    ]


@pytest.fixture
def reads(monkeypatch):
    """Count how often a file was read."""
    read = []

    def reading(settings):
        read.append(settings)
        return open_recordings(settings)

    monkeypatch.setattr(again, "open_recordings", reading)
    return read


@pytest.fixture
def plays(feed_settings):
    """Play a recording so many times; return the chunks of each."""

    def build(path, times, **changes):
        settings = feed_settings(recording=path, **changes)
        return [list(Again(settings).chunks()) for _ in range(times)]

    return build


class TestARecordingThatIsPlayedOverAndOver:
    def test_is_read_twice_and_says_the_same_each_time(self, write, plays, messages, reads):
        path = write(HEADER, *minutes(MESSAGES_A_CHUNK // 2))

        first, *others = plays(path, 4)

        assert [message for chunk in first for message in chunk] == messages(path)
        assert others == [first, first, first]
        assert len(reads) == 2

    def test_gives_each_play_messages_of_its_own(self, write, plays):
        *_, third, fourth = plays(write(HEADER, *minutes(3)), 4)

        assert not {id(message) for message in third[0]} & {id(message) for message in fourth[0]}

    def test_is_read_again_when_it_was_changed(self, write, plays, messages, reads):
        path = write(HEADER, *minutes(3))
        before = plays(path, 3)[-1]
        status = path.stat()
        path.write_text("\n".join([HEADER, *minutes(3, volume=8), ""]))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # of the same size, within the disk's clock

        (after,) = plays(path, 1)

        assert after == [messages(path)] != before
        assert len(reads) == 3

    def test_is_read_each_time_if_its_file_cannot_be_looked_at(self, write, plays, reads, monkeypatch):
        def denied(path):
            raise PermissionError(path)

        monkeypatch.setattr(again, "version_of", denied)
        one, other = write(HEADER, *minutes(3), name="a.csv"), write(HEADER, *minutes(4), name="b.csv")
        plays(one, 3)

        assert [len(chunks[0]) for chunks in plays(other, 2)] == [20, 20]
        assert len(reads) == 5

    def test_is_another_one_under_other_settings(self, write, plays):
        path = write(HEADER, *minutes(3))
        plays(path, 3)

        (other,) = plays(path, 1, symbol="INFY")

        assert {message.symbol for message in other[0]} == {"INFY"}

    def test_tells_its_skipped_rows_and_notes_each_time(self, write, feed_settings):
        settings = feed_settings(
            recording=write("date,open,high,low,close", *[row[:-2] for row in minutes(2)], "x"), bad_rows_max=1
        )

        told = []
        for _ in range(3):
            source = Again(settings)
            list(source.chunks())
            told.append((source.bad_rows, source.notes))

        assert told[0][0] == 1
        assert "counts as 0" in told[0][1][0]
        assert told == [told[0]] * 3

    def test_that_is_broken_says_so_each_time_behind_all_before(self, write, feed_settings):
        path = write(HEADER, *minutes(3), "nonsense")

        for _ in range(4):
            chunks = Again(feed_settings(recording=path)).chunks()
            assert len(next(chunks)) == 15
            with pytest.raises(RecordingError, match="line 5"):
                next(chunks)

    def test_is_not_kept_as_long_as_it_is_left_before_its_end(self, write, feed_settings, reads):
        settings = feed_settings(recording=write(HEADER, *minutes(MESSAGES_A_CHUNK // 2)))

        for _ in range(4):
            next(Again(settings).chunks())

        assert len(reads) == 4

    def test_is_read_each_time_if_it_is_too_large_to_be_kept(self, write, plays, reads, monkeypatch):
        monkeypatch.setattr(again, "FRAMES_BYTES_MAX", 50)

        first, *others = plays(write(HEADER, *minutes(3)), 4)

        assert others == [first, first, first]
        assert len(reads) == 4

    @pytest.mark.parametrize(("bytes_max", "written"), [(1 << 25, [0, 2, 0]), (50, [0, 1, 0])])
    def test_costs_who_plays_it_once_nothing_and_is_written_once(self, write, plays, monkeypatch, bytes_max, written):
        writes = []
        write_frame = again.write_frame
        monkeypatch.setattr(again, "write_frame", lambda *given: writes.append(write_frame(*given)))
        monkeypatch.setattr(again, "FRAMES_BYTES_MAX", bytes_max)
        path, found = write(HEADER, *minutes(3)), []
        for _ in range(3):
            plays(path, 1)
            found.append(len(writes))
            writes.clear()

        assert found == written
