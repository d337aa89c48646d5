"""The log: one JSON object a line in a file that rotates, or text on a terminal.

Actors log events to the logger `natya`; `logging_to` writes them while a system runs and leaves every other logger of
the process alone. A line never shows a secret, and a storm of one event is cut to `LINES_MAX` lines a second and an
exact count. Neither is a line longer than somebody would read: it would push earlier ones out of the files.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import stat
import sys
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec

from ...config.data_directory import DataDirectoryError
from ...domain.shown import shortened
from ...domain.time import SECOND_NS
from .rate_limit import LineLimit
from .redaction import TEXT_MAX, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.settings import Settings

LINES_MAX: Final = 100
"""Lines a second of one event; the rest are counted."""

LINE_MAX: Final = 4 * TEXT_MAX
"""Characters of a line; of a longer one the fields are one text, shortened."""

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
LOGGERS: Final = {"natya": logging.DEBUG, "Thespian": logging.WARNING}
"""What we write of, each from its level on."""

SUPPRESSED: Final = "log.suppressed"
"""The event that counts the lines of another that were not written."""

CORRELATIONS: Final = ("correlation_id", "client_order_id")
"""Fields that say which request or order a line belongs to, the first of them that there is."""

_FIRST: Final = b'{"time":"'
"""What each line of a log file begins with."""

_CONTROL = {code: f"\\u{code:04x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
"""What would move a terminal or end a line for some reader; as JSON escapes it."""


class LogNotOpenedError(DataDirectoryError):
    """The log file cannot be opened; the reason names it. Mend that, or name another (`log.path`)."""


class JsonLines(logging.Formatter):
    """`{"time", "level", "event", "actor", "correlation_id", "fields", "error"}`; what is empty is left out."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor: Final = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        line = self.line(record)
        text = msgspec.json.encode(line).decode()
        if len(text) > LINE_MAX and "fields" in line:
            line["fields"] = {"cut": shortened(msgspec.json.encode(line["fields"]).decode(), TEXT_MAX)}
            text = msgspec.json.encode(line).decode()
        return text.translate(_CONTROL)

    def line(self, record: logging.LogRecord) -> dict[str, Any]:
        """Take a record apart, redacted."""
        fields = getattr(record, "fields", {})
        named = (fields[name] for name in CORRELATIONS if name in fields)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "event": self._redactor.text(record.getMessage()),
            "actor": self._redactor.field("", getattr(record, "actor", "")),
            "correlation_id": self._redactor.field("", next(named, getattr(record, "correlation_id", ""))),
            "fields": self._redactor.field("", fields),
            "error": self._redactor.text(self.formatException(record.exc_info)) if record.exc_info else "",
        }
        return {name: value for name, value in line.items() if value}


class TextLines(JsonLines):
    """`14:03:07.512 info orders order.placed client_order_id=x-1`: for a person; control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line, and its traceback below."""
        line = self.line(record)
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(sep=" ", timespec="milliseconds")[11:23]
        fields = [f"{name}={value}" for name, value in line.get("fields", {}).items()]
        text = " ".join([time, line["level"], line.get("actor", "-"), line["event"], *fields])
        text = shortened(text, LINE_MAX).translate(_CONTROL)
        below = [error.translate(_CONTROL) for error in line.get("error", "").splitlines()]
        return "\n    ".join([text, *below])


class LimitedHandler(logging.Handler):
    """Hands records on to another handler, `LINES_MAX` a second of one event, and then how many it left out."""

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


class _Reporting(logging.Handler):
    """Says once on standard error that it cannot write, the disk being full for example; that stops nobody."""

    _said = False

    def close(self) -> None:
        """Close, and report what could not be written any more."""
        try:
            super().close()
        except OSError:
            self._report()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  logging calls it so
        """Report the exception in flight."""
        self._report()

    def _report(self) -> None:
        if not self._said:
            self._said = True
            fault = sys.exc_info()[1]
            sys.stderr.write(f"natya: the log cannot be written: {type(fault).__name__}: {fault}\n")


class StandardError(_Reporting, logging.StreamHandler[TextIO]):
    """Lines on standard error."""


class PrivateRotatingFile(_Reporting, RotatingFileHandler):
    """A log file that its user alone can read, `name`, and older ones, `name.1` and on; all together are bounded.

    It follows its path: moved by logrotate, or removed, it is begun anew with the next line. A file that has one of the
    names and is no log of ours keeps it: its number is left out.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write it to the file that has the path now: another program may have moved ours, or removed it."""
        stream = self.stream
        if stream is not None and not self._is_in_place(stream):
            stream.close()
            self.stream = None  # as `logging` does; the next write opens it
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802  logging calls it so
        """Give each file the next number that may be ours; what had the last one goes."""
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
    """Tell whether a name is free, or a log of ours has it."""
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
    """Write the log where the settings say for as long as the context lasts.

    The data directory must exist. Thespian's own file, by default a world-readable one in /tmp, goes there too.

    Raises:
        LogNotOpenedError: the log file cannot be opened.
    """
    # Thespian reads it at its first line, and keeps it: so it stays set.
    os.environ["THESPLOG_FILE"] = str(Path(settings.system.data_dir) / "thespian.log")
    handler = LimitedHandler(_target(settings))
    with contextlib.ExitStack() as undo:
        undo.callback(handler.close)
        for name, level in LOGGERS.items():
            undo.callback(_attach(logging.getLogger(name), handler, max(level, LEVELS[settings.log.level])))
        yield


def _target(settings: Settings) -> logging.Handler:
    redactor = Redactor([settings.broker.access_token, settings.database.encryption_key])
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
    """Give a logger to our handler alone; return what gives it back."""
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False  # the handlers of an embedding program would show what ours hides

    def detach() -> None:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
        logger.setLevel(before[0])

    return detach
