"""The log: one JSON object a line in a file that rotates, or text on a terminal.

Actors log events to the logger `natya`; `logging_to` writes them while a system runs and leaves every other logger of
the process alone. A line never shows a secret; of one event at most `LINES_MAX` lines a second are written, and the
rest counted exactly; a line has at most `LINE_MAX` characters, so that one cannot push all others out of the files.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import os
import stat
import sys
import time
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec

from ...config.data_directory import DataDirectoryError
from ...config.secrets import Secret
from ...domain.shown import shortened, traceback_of
from ...domain.time import SECOND_NS
from ...domain.wording import counted
from ..runtime import hiding
from .rate_limit import LineLimit
from .redaction import TEXT_MAX, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.settings import Settings

LINES_MAX: Final = 100
"""Lines a second of one event; the rest are counted."""

LINE_MAX: Final = 4 * TEXT_MAX
"""Characters of a line; in a longer one the fields are replaced by their text, shortened, and then the rest is."""

REST_MAX: Final = TEXT_MAX // 16
"""Characters of each other part of such a line: an escape is six times as long as what it stands for."""

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
LOGGERS: Final = {"natya": logging.DEBUG, "Thespian": logging.WARNING}
"""The loggers that are written, and their lowest level."""

SUPPRESSED: Final = "log.suppressed"
"""The event that reports how many lines of another event were not written."""

NOT_WRITTEN: Final = "log.not_written"
"""The event that reports how many lines could not be written."""

REPORT_EVERY_S: Final = 60.0

CORRELATIONS: Final = ("correlation_id", "client_order_id")
"""Fields with the request or order that a line belongs to; the first one present counts."""

_FIRST: Final = b'{"time":"'
"""First bytes of each line of a log file."""

_CONTROL = {code: f"\\u{code:04x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
"""Escapes of characters that control a terminal, or end a line for some readers."""


class LogNotOpenedError(DataDirectoryError):
    """The log file cannot be opened; the text names it. Correct that, or set another (`log.path`)."""


class JsonLines(logging.Formatter):
    """`{"time", "level", "event", "actor", "correlation_id", "fields", "error"}`; empty ones are left out."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor: Final = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as one line."""
        line = self.line(record)
        text = _written(line)
        if len(text) > LINE_MAX and "fields" in line:
            line["fields"] = {"cut": shortened(_written(line["fields"]), TEXT_MAX)}
            text = _written(line)
        if len(text) > LINE_MAX:
            line |= {name: shortened(str(line[name]), REST_MAX) for name in line.keys() - {"fields"}}
            text = _written(line)
        return text

    def line(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the parts of a record, redacted."""
        fields = getattr(record, "fields", {})
        named = (fields[name] for name in CORRELATIONS if name in fields)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "event": self._redactor.text(record.getMessage()),
            "actor": self._redactor.field("", getattr(record, "actor", "")),
            "correlation_id": self._redactor.field("", next(named, getattr(record, "correlation_id", ""))),
            "fields": self._redactor.field("", fields),
            "error": self._redactor.text(traceback_of(record.exc_info[1]).rstrip()) if record.exc_info else "",
        }
        return {name: value for name, value in line.items() if value}


def _written(value: Any) -> str:
    """Return it as JSON, every control character escaped."""
    return msgspec.json.encode(value).decode().translate(_CONTROL)


class TextLines(JsonLines):
    """`14:03:07.512 info orders order.placed client_order_id=x-1`: for a person; control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as one line, with its traceback below."""
        line = self.line(record)
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(sep=" ", timespec="milliseconds")[11:23]
        fields = [f"{name}={value}" for name, value in line.get("fields", {}).items()]
        text = " ".join([time, line["level"], line.get("actor", "-"), line["event"], *fields])
        text = shortened(text, LINE_MAX).translate(_CONTROL)
        below = [error.translate(_CONTROL) for error in line.get("error", "").splitlines()]
        return "\n    ".join([text, *below])


class LimitedHandler(logging.Handler):
    """Passes records to another handler, `LINES_MAX` a second of one event, and then the number left out."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__()
        self._target: Final = target
        self._limit: Final = LineLimit(LINES_MAX)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it."""
        now_ns = int(record.created * SECOND_NS)
        self._write_counts(self._limit.take_suppressed(now_ns), record.created)
        if self._limit.admit(str(record.msg), now_ns):
            self._target.handle(record)

    def close(self) -> None:
        """Write the last counts and close the target."""
        self.acquire()
        try:
            self._write_counts(self._limit.take_suppressed(), None)
            self._target.close()
        finally:
            self.release()
        super().close()

    def _write_counts(self, counts: dict[str, int], created: float | None) -> None:
        for event, count in counts.items():
            record = logging.LogRecord("natya", logging.WARNING, "", 0, SUPPRESSED, None, None)
            record.fields = {"event": event, "count": count}
            record.created = record.created if created is None else created
            self._target.handle(record)


class Loss:
    """What the log of this process lacks."""

    def __init__(self) -> None:
        self.lines = 0
        """That could not be written, ever."""

        self.fault = ""
        """Why the newest could not be; empty: it could."""


LOSS: Final = Loss()


class _Reporting(logging.Handler):
    """Counts what it cannot write (a full disk, a folder that is only read) in `LOSS`, and raises nothing.

    It is reported on standard error, once in `REPORT_EVERY_S`, and in the log itself when that can be written again.
    """

    _lost = 0
    """Lines since one was written."""

    _reported_s = -math.inf

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; behind the first after some that were lost, how many those were."""
        lost = self._lost
        super().emit(record)
        if not lost or self._lost != lost:
            return
        self._lost, LOSS.fault = 0, ""
        told = logging.LogRecord("natya", logging.WARNING, "", 0, NOT_WRITTEN, None, None)
        told.fields, told.created = {"count": lost}, record.created
        super().emit(told)
        self._lost += lost if self._lost else 0

    def close(self) -> None:
        """Close, and report a failure to write the rest."""
        try:
            super().close()
        except OSError:
            self._report(time.time())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging calls it so
        """Count and report the exception in flight."""
        self._lost += 1
        LOSS.lines += 1
        LOSS.fault = type(sys.exc_info()[1]).__name__
        self._report(record.created)

    def _report(self, now_s: float) -> None:
        if not 0 <= now_s - self._reported_s < REPORT_EVERY_S:
            self._reported_s = now_s
            fault = sys.exc_info()[1]
            why = f"{type(fault).__name__}: {fault} ({counted(LOSS.lines, 'line')} lost)"
            sys.stderr.write(f"natya: the log cannot be written: {why}\n")


class StandardError(_Reporting, logging.StreamHandler[TextIO]):
    """Lines on standard error."""


class PrivateRotatingFile(_Reporting, RotatingFileHandler):
    """A log file of mode 600, `name`, and rotated ones, `name.1` and so on, at most `backupCount`.

    If the file is moved (logrotate) or removed, a new one is created for the next line. Another file that has the name
    of a rotated one is left alone, and its number is skipped.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write to the file at the path, reopened if another program has moved or removed it."""
        stream = self.stream
        if stream is not None and not self._is_in_place(stream):
            stream.close()
            self.stream = None  # as `logging` does; the next write reopens it
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802  logging calls it so
        """Rotate: each file gets the next free number, and the last one is deleted."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        numbered = (Path(f"{self.baseFilename}.{number}") for number in itertools.count(1))
        slots = list(itertools.islice(filter(_may_be_ours, numbered), self.backupCount))
        for newer, older in reversed(list(itertools.pairwise([Path(self.baseFilename), *slots]))):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)
        self.stream = self._open()

    def _is_in_place(self, stream: TextIOWrapper) -> bool:
        try:
            return os.path.samestat(Path(self.baseFilename).lstat(), os.fstat(stream.fileno()))
        except OSError:
            return False

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_private)


def _may_be_ours(path: Path) -> bool:
    """Tell whether a name is free, or has a log file of natya."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            return False
        with path.open("rb") as file:
            return file.read(len(_FIRST)) in {b"", _FIRST}
    except FileNotFoundError:
        return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


@contextlib.contextmanager
def logging_to(settings: Settings) -> Iterator[None]:
    """Write the log where the settings say while the context lasts, and keep secrets out of what is told of errors.

    The data directory must exist. Thespian's own log file, by default a world-readable one in /tmp, is put there too.

    Raises:
        LogNotOpenedError: the log file cannot be opened.
    """
    # Thespian reads the variable at its first line, so it stays set.
    os.environ["THESPLOG_FILE"] = str(Path(settings.system.data_dir) / "thespian.log")
    redactor = Redactor(secrets_in(settings))
    handler = LimitedHandler(_target(settings, redactor))
    with contextlib.ExitStack() as undo:
        undo.callback(handler.close)
        undo.enter_context(hiding(redactor.text))
        for name, level in LOGGERS.items():
            undo.callback(_attach(logging.getLogger(name), handler, max(level, LEVELS[settings.log.level])))
        yield


def set_level(level: str) -> None:
    """Write what is of this level or above from now on, while `logging_to` lasts."""
    for name, lowest in LOGGERS.items():
        logging.getLogger(name).setLevel(max(lowest, LEVELS[level]))


def secrets_in(settings: Settings) -> list[Secret]:
    """Return every secret of the settings."""
    sections = (getattr(settings, name) for name in settings.__struct_fields__)
    return [
        value
        for section in sections
        if isinstance(section, msgspec.Struct)
        for value in msgspec.structs.asdict(section).values()
        if isinstance(value, Secret)
    ]


def _target(settings: Settings, redactor: Redactor) -> logging.Handler:
    if settings.log.path == "-":
        handler: logging.Handler = StandardError(sys.stderr)
        handler.setFormatter(TextLines(redactor) if sys.stderr.isatty() else JsonLines(redactor))
        return handler
    try:
        handler = PrivateRotatingFile(
            settings.log.path,
            maxBytes=settings.log.file_bytes_max,
            backupCount=settings.log.files_max - 1,
            encoding="utf-8",
        )
    except OSError as fault:
        raise LogNotOpenedError(f"the log {settings.log.path} cannot be opened: {fault.strerror}") from fault
    handler.setFormatter(JsonLines(redactor))
    return handler


def _attach(logger: logging.Logger, handler: logging.Handler, level: int) -> Any:
    """Make a logger use only this handler; return a function that restores it."""
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False  # handlers of an embedding program would write what ours redacts

    def detach() -> None:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
        logger.setLevel(before[0])

    return detach
