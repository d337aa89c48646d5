"""Files: how they may look, what makes them the same, and what makes them no recording."""

import gzip
import itertools
import os
import tracemalloc
from pathlib import Path

import pytest

from natya.actors.feed import RecordingError
from natya.actors.feed.recording import Recording
from natya.actors.feed.source import MESSAGES_A_CHUNK

HEADER = "time,ltp,volume"
ROWS = ("1766992622,100,1", "1766992623,100.05,2")


class TestAFile:
    def test_may_have_a_mark_blank_lines_quotes_and_the_ends_of_windows(self, write, messages):
        path = write(
            "\ufefftime,ltp,volume", "", '"1766992622","100",1', "   ", '1766992623,"100.05","2"', "", end="\r\n"
        )

        assert [tick.price for tick in messages(path)] == [100.0, 100.05]

    def test_may_be_zipped_whatever_its_name(self, write, messages):
        plain = write(HEADER, *ROWS)
        prices = [tick.price for tick in messages(plain)]
        plain.write_bytes(gzip.compress(plain.read_bytes()))

        assert [tick.price for tick in messages(plain)] == prices

    def test_may_end_without_a_line_end(self, write, messages):
        path = write(HEADER, *ROWS)
        path.write_bytes(path.read_bytes().rstrip())

        assert len(messages(path)) == 2

    def test_may_be_longer_than_a_row(self, write, messages, monkeypatch):
        monkeypatch.setattr("natya.actors.feed.files.csv_table.ROW_LENGTH_MAX", 100)

        assert len(messages(write(HEADER, *itertools.repeat(ROWS[0], 50)))) == 50

    def test_is_read_a_chunk_at_a_time(self, write):
        path = write(HEADER, *itertools.repeat(ROWS[0], 2 * MESSAGES_A_CHUNK + 5))

        chunks = [len(chunk) for chunk in Recording(path, symbol="TCS").chunks()]

        assert chunks == [MESSAGES_A_CHUNK, MESSAGES_A_CHUNK, 5]

    def test_hands_out_all_before_a_broken_row(self, write):
        chunks = Recording(write(HEADER, *ROWS, "broken"), symbol="TCS").chunks()

        assert len(next(chunks)) == 2
        with pytest.raises(RecordingError, match="line 4: 3 columns are wanted, found 1"):
            next(chunks)


class TestNoRecording:
    def test_is_a_file_that_is_not_there(self, tmp_path, messages):
        with pytest.raises(RecordingError, match="No such file"):
            messages(tmp_path / "absent.csv")

    def test_is_a_directory(self, tmp_path, messages):
        with pytest.raises(RecordingError, match="Is a directory"):
            messages(tmp_path)

    def test_is_an_empty_file(self, write, messages):
        with pytest.raises(RecordingError, match="found an empty file"):
            messages(write())

    def test_is_a_header_alone(self, write, messages):
        with pytest.raises(RecordingError, match="at least one whole row is wanted, found none"):
            messages(write(HEADER))

    def test_is_what_is_no_text(self, write, messages):
        path = write()
        path.write_bytes(bytes(range(1, 256)) * 10)

        with pytest.raises(RecordingError):
            messages(path)

    def test_is_a_zip_that_breaks_off(self, write, messages):
        path = write(HEADER, *ROWS)
        path.write_bytes(gzip.compress(path.read_bytes())[:-9])

        with pytest.raises(RecordingError, match="a file that can be read to its end is wanted"):
            messages(path)

    def test_is_a_zip_with_a_broken_middle(self, write, messages):
        path = write(HEADER, *itertools.repeat(ROWS[0], 20_000))
        packed = bytearray(gzip.compress(path.read_bytes()))
        packed[len(packed) // 2] ^= 0xFF
        path.write_bytes(packed)

        with pytest.raises(RecordingError):
            messages(path)

    def test_is_a_field_without_end(self, write, messages):
        with pytest.raises(RecordingError, match="field larger than field limit"):
            messages(write(HEADER, ROWS[0], '"' + "x" * 200_000))

    def test_is_a_pipe_that_nobody_writes_into(self, tmp_path, messages):
        path = tmp_path / "pipe.csv"
        os.mkfifo(path)

        with pytest.raises(RecordingError, match="found a pipe, a socket or a device"):
            messages(path)

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
    def test_is_a_device(self, messages, device):
        with pytest.raises(RecordingError, match="found a pipe, a socket or a device"):
            messages(Path(device))

    @pytest.mark.parametrize(
        ("unit", "reason"),
        [
            (b"x", "a row of more than"),
            (b"1,", "a row of more than"),
            (b"\0", "a row of more than"),
            (b'"a\n",', "a row of"),
        ],
    )
    @pytest.mark.parametrize("behind", [b"", b"time,ltp,volume\n", b"time,ltp,volume\n1766992622,100,1\n"])
    def test_is_a_zip_of_one_row_without_end(self, tmp_path, messages, unit, reason, behind):
        path = tmp_path / "endless.csv.gz"
        path.write_bytes(gzip.compress(behind + unit * (20_000_000 // len(unit) ** 2), 1))
        tracemalloc.start()

        with pytest.raises(RecordingError, match=f"{reason}|field larger than"):
            messages(path, bad_rows_max=10)

        assert tracemalloc.get_traced_memory()[1] < 2**26
        tracemalloc.stop()

    def test_is_a_symbol_that_is_not_utf8(self, write, messages):
        path = write()
        path.write_bytes(b"time,ltp,symbol\n1766992622,100,T\xffS\n")

        with pytest.raises(RecordingError, match="printable characters"):
            messages(path)

    def test_is_a_file_that_changes_while_it_is_read(self, write):
        path = write(HEADER, *itertools.repeat(ROWS[0], 3 * MESSAGES_A_CHUNK))
        chunks = Recording(path, symbol="TCS").chunks()
        next(chunks)
        os.utime(path, ns=(1, 1))

        with pytest.raises(RecordingError, match="changed while it was read"):
            list(chunks)


class TestTheIdentityOfARecording:
    def test_is_that_of_its_content_wherever_it_lies(self, write, messages):
        here, there = write(HEADER, *ROWS), write(HEADER, *ROWS, name="copy.csv")

        assert messages(here) == messages(there)

    @pytest.mark.parametrize("options", [{"symbol": "INFY"}, {"tick_size_rupees": 0.01}])
    def test_is_another_where_its_ticks_are_others(self, write, messages, options):
        path = write(HEADER, *ROWS)

        assert messages(path)[0].source != messages(path, **options)[0].source

    def test_is_another_where_its_dates_or_its_times_are_read_otherwise(self, write):
        path = write("date,ltp", "03/04/2025 10:00,1", "04/04/2025 10:00,1")
        ways = [{"dates": "day-first"}, {"dates": "month-first"}, {"dates": "day-first", "zone": "UTC"}]
        found = [Recording(path, symbol="TCS", **way) for way in ways]
        ticks = [next(recording.chunks())[0] for recording in found]

        assert len({tick.exchange_ns for tick in ticks}) == len({tick.source for tick in ticks}) == 3
        assert len({recording.fingerprint() for recording in found}) == 3

    def test_is_another_for_one_other_byte(self, write, messages):
        first, second = write(HEADER, *ROWS), write(HEADER, ROWS[0], "1766992623,100.05,3", name="other.csv")

        assert messages(first)[0].source != messages(second)[0].source
