"""The newest lines of a log, for whoever looks at a running system from elsewhere."""

import json
import os

import pytest

from natya.actors.observability import newest_lines, tail
from natya.messages.log import LogLine

LEVELS = ["debug", "info", "warning", "error"]


def written(event, level="info", **parts):
    return json.dumps({"time": "2026-01-05T03:45:00.000000+00:00", "level": level, "event": event, **parts})


@pytest.fixture
def log(tmp_path):
    def make(*lines, end="\n"):
        path = tmp_path / "natya.log"
        path.write_text("".join(f"{line}\n" for line in lines)[: None if end else -1])
        return path

    return make


def events(read):
    return [line.event for line in read.lines]


class TestTheNewestLines:
    def test_are_the_last_ones_the_oldest_first(self, log):
        path = log(*(written(f"e{number}") for number in range(9)))

        assert events(newest_lines(path, level="info", lines_max=3)) == ["e6", "e7", "e8"]

    def test_are_those_of_the_level_and_above(self, log):
        path = log(*(written(level, level=level) for level in LEVELS))

        for place, wanted in enumerate(LEVELS):
            assert events(newest_lines(path, level=wanted, lines_max=9)) == LEVELS[place:]

    def test_tell_who_said_what_and_the_end_of_a_traceback(self, log):
        parts = {"actor": "orders", "correlation_id": "A-1", "fields": {"count": 3, "why": "full"}}
        path = log(written("order.lost", "error", **parts, error="Traceback\n  File x\nOSError: no space"))

        assert newest_lines(path, level="info", lines_max=1).lines == (
            LogLine(
                time="2026-01-05T03:45:00.000000+00:00",
                level="error",
                event="order.lost",
                actor="orders",
                correlation_id="A-1",
                told="count=3 why=full OSError: no space",
            ),
        )

    @pytest.mark.parametrize("stranger", ["", "no json", "[]", '{"time": 1}', '{"time": "a", "level": "info"}'])
    def test_leave_out_what_is_no_line_of_ours(self, log, stranger):
        path = log(written("before"), stranger, written("after"))

        assert events(newest_lines(path, level="info", lines_max=9)) == ["before", "after"]

    def test_leave_out_one_that_is_half_written(self, log):
        path = log(written("whole"), written("half")[:-9], end="")

        assert events(newest_lines(path, level="info", lines_max=9)) == ["whole"]

    def test_are_whole_however_far_back_it_is_read(self, log, monkeypatch):
        lines = [written(f"e{number}") for number in range(12)]
        path = log(*lines)
        begins = [sum(len(line) + 1 for line in lines[number:]) for number in range(12)]  # so far from the end
        for bytes_max in range(1, begins[0] + 50):
            monkeypatch.setattr(tail, "READ_BYTES_MAX", bytes_max)
            found = events(newest_lines(path, level="info", lines_max=99))

            assert found == [f"e{number}" for number, begin in enumerate(begins) if begin <= bytes_max]

    def test_of_no_file_say_why_there_are_none(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to("/etc/hostname")

        for name, why in (("none", "No such file"), ("pipe", "a file wanted"), ("link", "symbolic links")):
            read = newest_lines(tmp_path / name, level="info", lines_max=1)
            assert read.lines == ()
            assert why in read.reason
