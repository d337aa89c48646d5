import io
import json
import logging
import os
import re
import stat
import sys
import time
from pathlib import Path

import msgspec
import pytest

from natya.actors.observability import LOSS, LogNotOpenedError, log, logging_to
from natya.actors.observability.log import (
    LINE_MAX,
    LINES_MAX,
    LOGGERS,
    JsonLines,
    LimitedHandler,
    PrivateRotatingFile,
    StandardError,
    TextLines,
    _may_be_ours,
)
from natya.actors.observability.redaction import TEXT_MAX, Redactor
from natya.actors.runtime import reason_of, trace_of
from natya.actors.runtime.errors import REASON_MAX
from natya.cli.exit_codes import CANNOT_CREATE, exit_code
from natya.config.loader import load_settings
from natya.config.secrets import Secret

CANARY = "canary-7f3a91"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("THESPLOG_FILE", "")
    for name in ("lines", "fault"):  # of this process: no other test is to find what one of these has lost
        monkeypatch.setattr(LOSS, name, getattr(LOSS, name))


@pytest.fixture
def settings(tmp_path):
    overrides = {"system.data_dir": str(tmp_path), "broker.access_token": Secret(CANARY)}
    return load_settings("paper", environment={}, overrides=overrides)


def with_log(settings, **changes):
    return msgspec.structs.replace(settings, log=msgspec.structs.replace(settings.log, **changes))


def say(event, level=logging.INFO, actor="orders", error=None, **fields):
    logging.getLogger("natya").log(level, event, extra={"actor": actor, "fields": fields}, exc_info=error)


def lines(settings):
    return [json.loads(line) for line in Path(settings.log.path).read_text().splitlines()]


def own_state(name):
    logger = logging.getLogger(name)
    return logger.level, logger.propagate, list(logger.handlers)


class Silent:
    """Cannot be shown."""

    def __str__(self):
        raise RuntimeError("no")


class Fails:
    """Raises an error of this text where a number is wanted."""

    def __init__(self, text):
        self.text = text

    def __int__(self):
        raise ValueError(self.text)


class Count(int):
    """A number of a type that JSON does not know."""


class TestAnEvent:
    def test_becomes_one_line_of_json(self, settings):
        with logging_to(settings):
            say("order.placed", client_order_id="x-1", quantity=0)

        (line,) = lines(settings)
        assert line.pop("time").endswith("+00:00")
        assert line == {
            "level": "info",
            "event": "order.placed",
            "actor": "orders",
            "correlation_id": "x-1",
            "fields": {"client_order_id": "x-1", "quantity": 0},
        }

    def test_stays_one_line_whatever_its_fields_hold(self, settings):
        with logging_to(settings):
            say("order.rejected", reason='no\n{"event": "forged"}\x1b[2J\u2028')

        (line,) = lines(settings)
        assert line["fields"]["reason"].startswith("no\n")
        assert b"\x1b" not in Path(settings.log.path).read_bytes()

    @pytest.mark.parametrize(
        "said",
        [
            {"x": "\ud800"},
            {"\ud800": 1},
            {"x": ["a", {"b": "\udfff"}]},
            {"x": Silent()},
            {"x": Count(7)},
            {"x": {1: Silent()}},
            {"client_order_id": "\ud800"},
            {"correlation_id": Silent()},
            {"actor": "\ud800"},
            {"event": "half \ud800"},
            {"error": ValueError("\ud800")},
        ],
        ids=lambda said: ascii(list(said)),
    )
    def test_is_never_lost_for_what_it_holds(self, settings, said, capsys):
        with logging_to(settings):
            say(**{"event": "strategy.said", **said})

        (line,) = lines(settings)
        assert line["event"] in {"strategy.said", "half \\ud800"}
        assert not capsys.readouterr().err

    def test_writes_half_a_character_as_its_escape(self, settings):
        with logging_to(settings):
            say("strategy.said", x="\ud800", path="a\udcffb")

        assert lines(settings)[0]["fields"] == {"x": "\\ud800", "path": "a\\udcffb"}

    def test_below_the_level_is_not_written(self, settings):
        with logging_to(with_log(settings, level="warning")):
            say("order.placed")
            say("order.uncertain", logging.WARNING)

        assert [line["event"] for line in lines(settings)] == ["order.uncertain"]

    def test_with_an_error_brings_its_traceback(self, settings):
        with logging_to(settings):
            try:
                int("x")
            except ValueError:
                say("handler.failed", logging.ERROR, error=sys.exc_info())

        (line,) = lines(settings)
        assert "ValueError: invalid literal" in line["error"]

    def test_with_an_error_whose_class_raises_at_every_question_is_written_without_its_traceback(self, settings):
        class Hidden(Exception):  # noqa: N818
            def __getattr__(self, name):
                return self.__dict__[name]

        with logging_to(settings):
            say("handler.failed", logging.ERROR, error=Hidden())

        (line,) = lines(settings)
        assert (line["event"], line["error"]) == (
            "handler.failed",
            "(Hidden whose traceback cannot be shown: KeyError)",
        )


class TestALongText:
    TEXT = "head" + "x" * 10_000_000 + "tail"

    def test_keeps_its_head_and_its_tail_and_says_what_is_left_out(self, settings):
        with logging_to(settings):
            say("child.failed", reason=self.TEXT, several=[self.TEXT])
            try:
                int(Fails(self.TEXT))
            except ValueError:
                say(self.TEXT, logging.ERROR, error=sys.exc_info(), actor=self.TEXT, client_order_id=self.TEXT)

        failed, raised = lines(settings)
        cut = [failed["fields"]["reason"], *failed["fields"]["several"], raised["event"], raised["actor"]]
        for text in [*cut, raised["correlation_id"]]:
            assert (text[:4], text[-4:], len(text) <= TEXT_MAX) == ("head", "tail", True)
            assert re.search(r" … [\d,]+ characters left out … ", text)
        assert raised["error"].startswith("Traceback (most recent call last)")
        assert "ValueError: head" in raised["error"]
        assert raised["error"].endswith("tail")

    def test_takes_no_earlier_line_with_it(self, settings):
        with logging_to(settings):
            say("order.placed")
            for _ in range(3):
                say("child.failed", reason=self.TEXT, many=["y" * 1_000] * 1_000)

        assert lines(settings)[0]["event"] == "order.placed"
        assert max(len(json.dumps(line)) for line in lines(settings)) < LINE_MAX

    @pytest.mark.parametrize("escaped", ["\x01", "\x80"], ids=ascii)
    @pytest.mark.parametrize("fields", [{}, {"reason": '"' * TEXT_MAX}])
    def test_of_escapes_is_no_longer_than_a_line_wherever_it_stands(self, fields, escaped):
        """Each is six times as long as what it stands for."""
        text = escaped * TEXT_MAX
        fields = {name: each + text for name, each in fields.items()}
        record = logging.LogRecord("natya", logging.INFO, "", 0, text, None, (ValueError, ValueError(text), None))
        record.fields, record.actor, record.correlation_id = fields, text, text

        written = JsonLines(Redactor()).format(record)
        found = json.loads(written)
        assert len(written) <= LINE_MAX
        assert found.keys() - {"fields"} == {"time", "level", "event", "actor", "correlation_id", "error"}
        assert all(found[name].startswith(escaped) for name in ("event", "actor", "correlation_id"))
        assert found["time"].endswith("+00:00")

    @pytest.mark.parametrize("where", ["fields", "the rest"])
    def test_is_whole_to_the_last_character_of_a_line_and_cut_in_one_more(self, where):
        def written(length):
            """A line of which all texts but one are as long as can be, and that one has this length."""
            long, text = "x" * TEXT_MAX, "x" * length
            record = logging.LogRecord("natya", logging.INFO, "", 0, "event", None, None)
            record.fields = {"a": long, "b": long, "c": long, "d": text} if where == "fields" else {}
            if where == "the rest":
                record.msg, record.actor, record.correlation_id = long, long, long
                record.exc_info = (ValueError, ValueError(text), None)
            return JsonLines(Redactor()).format(record)

        room = LINE_MAX - len(written(1_000)) + 1_000
        line = json.loads(written(room))

        assert len(written(room)) == LINE_MAX
        assert (line["fields"]["d"] if where == "fields" else line["error"]).endswith("x" * room)
        assert "left out" not in written(room)
        assert "left out" in written(room + 1)

    def test_hides_the_secret_that_would_have_been_cut_in_two(self):
        text = "x" * (TEXT_MAX // 2 - 30) + "correct-horse" + "y" * TEXT_MAX
        hidden = Redactor([Secret("correct-horse")]).text(text)

        assert len(hidden) <= TEXT_MAX
        assert "correct" not in hidden


class TestASecret:
    def test_is_in_no_line_however_it_came_there(self, settings):
        with logging_to(settings):
            say("broker.failed", token=CANARY, url=f"https://x/?t={CANARY}", body={"a": [CANARY]})
            say(f"event {CANARY}")
            try:
                int(CANARY)
            except ValueError:
                say("handler.failed", logging.ERROR, error=sys.exc_info())

        assert len(lines(settings)) == 3
        assert CANARY not in Path(settings.log.path).read_text()

    def test_is_in_nothing_that_is_told_of_an_error_while_the_log_is_written(self, settings):
        """What the tree, facts, dead letters and alarms say of an error is made by these two."""
        error = RuntimeError(f"wss://feed.example?token={CANARY} and {CANARY}")
        broker = msgspec.structs.replace(settings.broker, access_token=Secret(CANARY))
        with logging_to(msgspec.structs.replace(settings, broker=broker)):
            told = reason_of(error), trace_of(error)

        assert not [each for each in told if CANARY in each or "***" not in each]
        assert CANARY in reason_of(error)  # nobody's secret any more

    def test_is_not_half_in_what_is_cut(self, settings):
        error = RuntimeError("x" * (REASON_MAX // 2 - 30) + CANARY + "x" * REASON_MAX)
        broker = msgspec.structs.replace(settings.broker, access_token=Secret(CANARY))
        with logging_to(msgspec.structs.replace(settings, broker=broker)):
            assert CANARY[:6] not in reason_of(error)

    def test_of_the_database_is_one_too(self, settings):
        database = msgspec.structs.replace(settings.database, encryption_key=Secret(CANARY))
        broker = msgspec.structs.replace(settings.broker, access_token=Secret(""))
        with logging_to(msgspec.structs.replace(settings, database=database, broker=broker)):
            say("database.failed", reason=f"wrong key {CANARY}")

        assert CANARY not in Path(settings.log.path).read_text()


class TestTheLevel:
    @pytest.mark.parametrize(("level", "thespian"), [("debug", "WARNING"), ("info", "WARNING"), ("error", "ERROR")])
    def test_of_thespian_is_a_warning_at_least(self, settings, level, thespian):
        with logging_to(with_log(settings, level=level)):
            assert logging.getLevelName(logging.getLogger("Thespian").level) == thespian
            assert logging.getLevelName(logging.getLogger("natya").level) == level.upper()


class TestAStorm:
    def test_has_a_hundred_lines_a_second(self):
        assert LINES_MAX == 100

    def test_is_cut_and_counted_exactly(self, settings):
        with logging_to(settings):
            for _ in range(5_000):
                say("handler.failed", logging.ERROR)

        written = lines(settings)
        failed = [line for line in written if line["event"] == "handler.failed"]
        suppressed = sum(line["fields"]["count"] for line in written if line["event"] == "log.suppressed")
        assert len(failed) + suppressed == 5_000
        assert len(failed) <= 20 * LINES_MAX


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.written = []

    def emit(self, record):
        self.written.append((record.created, record.msg, getattr(record, "fields", None), record.levelname))


def test_a_storm_is_limited_second_by_second_by_the_time_of_its_lines(monkeypatch):
    monkeypatch.setattr(log, "LINES_MAX", 2)
    kept = Kept()
    handler = LimitedHandler(kept)
    for created in (10.0, 10.25, 10.5, 10.75, 10.75, 11.25, 11.5, 11.75, 20.0):
        record = logging.LogRecord("natya", logging.INFO, "", 0, "storm", None, None)
        record.created = created
        handler.emit(record)

    def told(count):
        return {"event": "storm", "count": count}

    assert kept.written == [
        (10.0, "storm", None, "INFO"),
        (10.25, "storm", None, "INFO"),
        (11.25, "log.suppressed", told(3), "WARNING"),
        (11.25, "storm", None, "INFO"),
        (11.5, "storm", None, "INFO"),
        (20.0, "log.suppressed", told(1), "WARNING"),
        (20.0, "storm", None, "INFO"),
    ]


def test_a_line_for_a_person_begins_with_the_time_of_day_to_the_millisecond():
    record = logging.LogRecord("natya", logging.INFO, "", 0, "order.placed", None, None)
    record.created, record.actor, record.fields = 1_790_567_100.0625, "orders", {"client_order_id": "x-1"}
    clock = time.strftime("%H:%M:%S", time.localtime(1_790_567_100))

    assert TextLines(Redactor()).format(record) == f"{clock}.062 info orders order.placed client_order_id=x-1"


class TestTheFile:
    def test_that_another_program_has_moved_is_begun_anew_with_the_next_line(self, settings):
        path = Path(settings.log.path)
        with logging_to(settings):
            say("before")
            path.rename(path.with_suffix(".moved"))
            say("after")
            say("later")

        assert [line["event"] for line in lines(settings)] == ["after", "later"]
        assert "before" in path.with_suffix(".moved").read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_that_was_removed_or_replaced_is_too(self, settings):
        path = Path(settings.log.path)
        with logging_to(settings):
            say("before")
            path.unlink()
            say("after")
            assert [line["event"] for line in lines(settings)] == ["after"]

            other = path.with_name("other")
            other.touch()
            other.replace(path)
            say("later")

        assert [line["event"] for line in lines(settings)] == ["later"]

    def test_that_was_cut_to_nothing_goes_on_from_there(self, settings):
        with logging_to(settings):
            say("before")
            os.truncate(settings.log.path, 0)
            say("after")

        assert [line["event"] for line in lines(settings)] == ["after"]

    def test_whose_directory_is_gone_for_a_while_is_told_once_and_comes_back(self, settings, tmp_path, capsys):
        path = tmp_path / "logs" / "natya.log"
        path.parent.mkdir()
        settings = with_log(settings, path=str(path))
        with logging_to(settings):
            say("before")
            path.parent.rename(tmp_path / "away")
            say("lost")
            say("lost")
            (tmp_path / "away").rename(path.parent)
            say("after")

        told = lines(settings)
        assert [line["event"] for line in told] == ["before", "after", "log.not_written"]
        assert (told[-1]["level"], told[-1]["fields"]) == ("warning", {"count": 2})
        assert capsys.readouterr().err.count("the log cannot be written") == 1

    def test_that_cannot_be_written_is_counted_until_it_can(self, settings, tmp_path):
        """It had lost lines before: one that cannot be written is one more, and why is known as long as it lasts."""
        path, before = tmp_path / "logs" / "natya.log", LOSS.lines
        path.parent.mkdir()
        with logging_to(with_log(settings, path=str(path))):
            for times in (2, 4):
                path.parent.rename(tmp_path / "away")
                say("lost")
                say("lost")
                assert (LOSS.lines - before, LOSS.fault) == (times, "FileNotFoundError")

                (tmp_path / "away").rename(path.parent)
                say("after")
                assert (LOSS.lines - before, LOSS.fault) == (times, "")

        assert path.read_text().count("log.not_written") == 2

    def test_has_the_place_of_one_of_natyas_or_of_none(self, tmp_path, monkeypatch):
        path, pipe = tmp_path / "natya.log.1", tmp_path / "natya.log.2"
        free = _may_be_ours(path)
        path.touch()
        os.mkfifo(pipe)
        found = [_may_be_ours(each) for each in (path, pipe, tmp_path)]
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)

        assert (free, found, _may_be_ours(path)) == (True, [True, False, False], False)

    def test_has_what_is_of_another_level_from_now_on_and_of_others_libraries_what_is_of_theirs(self, settings):
        with logging_to(settings):
            for level, of_ours, of_theirs in (("debug", 10, 30), ("error", 40, 40), ("info", 20, 30)):
                log.set_level(level)
                found = [logging.getLogger(name).level for name in ("natya", "Thespian")]
                assert found == [of_ours, of_theirs]

    def test_is_not_written_is_said_once_a_minute(self, settings, capsys):
        written = PrivateRotatingFile("/dev/full", "a", delay=True)
        for at_s in (0, 59, 60, 61, 30):
            record = logging.LogRecord("natya", logging.INFO, "", 0, "x", None, None)
            record.created = 1_000.0 + at_s
            written.handle(record)
        written.close()

        assert capsys.readouterr().err.count("the log cannot be written") == 3 + 1  # a clock set back; the end

    @pytest.mark.parametrize("path", [".", "none/natya.log", "natya.log/natya.log"])
    def test_that_cannot_be_opened_is_named(self, settings, tmp_path, path):
        (tmp_path / "natya.log").touch()
        settings = with_log(settings, path=str(tmp_path / path))

        with pytest.raises(
            LogNotOpenedError, match=re.escape(f"the log {tmp_path / path} cannot be opened: ")
        ) as caught:
            logging_to(settings).__enter__()
        assert exit_code(caught.value) == CANNOT_CREATE

    def test_follows_no_link_that_was_put_in_its_place(self, settings, tmp_path, capsys):
        path, elsewhere = Path(settings.log.path), tmp_path / "elsewhere"
        with logging_to(settings):
            say("before")
            path.unlink()
            path.symlink_to(elsewhere)
            say("after")

        assert not elsewhere.exists()
        assert "the log cannot be written" in capsys.readouterr().err

    def test_can_be_read_by_its_user_alone(self, settings):
        with logging_to(settings):
            say("system.started")

        assert stat.S_IMODE(Path(settings.log.path).stat().st_mode) == 0o600

    def test_goes_on_where_an_earlier_run_ended(self, settings):
        for _ in range(2):
            with logging_to(settings):
                say("system.started")

        assert len(lines(settings)) == 2

    def test_is_not_written_through_a_link_that_was_planted(self, settings, tmp_path):
        Path(settings.log.path).symlink_to(tmp_path / "elsewhere")

        with pytest.raises(LogNotOpenedError, match="symbolic links"), logging_to(settings):
            pass

        assert not (tmp_path / "elsewhere").exists()

    def test_rotates_and_all_together_stay_below_a_bound(self, settings, tmp_path):
        small = with_log(settings, file_bytes_max=65_536, files_max=3)
        with logging_to(small):
            for number in range(2_000):
                say(f"event.{number}", padding="x" * 300)

        files = list(tmp_path.glob("natya.log*"))
        assert len(files) == 3
        assert sum(file.stat().st_size for file in files) <= 3 * 65_536

    @pytest.mark.parametrize("kind", ["notes", "link", "folder"])
    def test_leaves_alone_what_is_no_log_of_ours(self, settings, tmp_path, kind):
        theirs, victim = tmp_path / "natya.log.1", tmp_path / "victim"
        victim.write_text("theirs")
        match kind:
            case "notes":
                theirs.write_text("theirs")
            case "link":
                theirs.symlink_to(victim)
            case "folder":
                theirs.mkdir()

        def kept():
            found = theirs.lstat()
            return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns  # who reads it changes the rest

        before = kept()
        with logging_to(with_log(settings, file_bytes_max=65_536, files_max=3)):
            for number in range(1_200):
                say(f"event.{number}", padding="x" * 300)

        assert kept() == before
        assert victim.read_text() == "theirs"
        names = {file.name for file in tmp_path.glob("natya.log*")}
        assert names == {"natya.log", "natya.log.1", "natya.log.2", "natya.log.3"}

    def test_that_fails_is_reported_once_and_stops_nobody(self, settings, capsys):
        full = with_log(settings, path="/dev/full")
        with logging_to(full):
            say("a.happened")
            say("b.happened")

        assert capsys.readouterr().err.count("natya: the log cannot be written: OSError") == 1

    def test_that_fails_on_is_reported_once_a_minute_and_where_the_clock_was_set_back(self, capsys):
        handler, reported = StandardError(io.StringIO()), []
        handler.stream.close()
        for at_s in (100.0, 100.0, 159.9, 160.0, 160.0, 219.9, 90.0):
            record = logging.LogRecord("natya", logging.INFO, "", 0, "a.happened", None, None)
            record.created = at_s
            handler.handle(record)
            reported.append(capsys.readouterr().err.count("natya: the log cannot be written"))

        assert reported == [1, 0, 0, 1, 0, 0, 1]


class TestTheProcessAround:
    def test_gets_its_loggers_back(self, settings):
        before = [own_state(name) for name in LOGGERS]
        with logging_to(settings):
            assert [own_state(name) for name in LOGGERS] != before

        assert [own_state(name) for name in LOGGERS] == before

    def test_keeps_its_root_logger_to_itself(self, settings, caplog):
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        with logging_to(settings):
            say("order.placed")

            assert (root.handlers, root.level) == (handlers, level)
        assert not caplog.records

    def test_has_thespian_s_own_file_in_the_data_directory(self, settings, tmp_path):
        with logging_to(settings):
            assert os.environ["THESPLOG_FILE"] == str(tmp_path / "thespian.log")


class TestStandardError:
    def test_gets_json_where_it_is_no_terminal(self, settings, capsys):
        with logging_to(with_log(settings, path="-")):
            say("order.placed")

        assert json.loads(capsys.readouterr().err)["event"] == "order.placed"

    def test_gets_text_on_a_terminal_and_no_control_characters(self, settings, capsys, monkeypatch):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        with logging_to(with_log(settings, path="-")):
            say("order.rejected", reason="no\x1b[2J\nforged")

        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("info orders order.rejected reason=no\\u001b[2J\\u000aforged")
