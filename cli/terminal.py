"""Where the commands print, and how: the one place that knows of streams, of markup, and of what may not be printed.

Whatever comes from outside (ids, reasons, symbols, error texts, answers) is plain text here: nothing in it is markup,
and a character that could move a terminal becomes a question mark. A stream of this process that takes no more raises
one error, `OutputError`, whoever writes; `ended` makes an exit code of it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Final, TextIO

from .exit_codes import CANNOT_CREATE, SIGNALLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Buffer

CONTROLS_OF_JSON: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]")
"""What JSON allows in a text and a terminal may obey: DEL, and the control characters above ASCII, in UTF-8."""

CSV_MARKS: Final = re.compile(r'[",\r\n]|^\s|\s$')
"""What makes a field of CSV stand in quotes."""

ERROR_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")
"""What Python puts before the words of an error of the system's; the words say it."""


CLOSED: Final = -1
"""No descriptor: whoever writes to it is told so by the system."""


class OutputError(Exception):
    """Standard output takes no more: the disk is full, it is closed, or whoever read it has gone (`is_left`)."""

    def __init__(self, fault: OSError) -> None:
        self.is_left: Final = fault.errno == errno.EPIPE
        super().__init__(f"standard output cannot be written: {fault.strerror or fault}")


# Text that may be printed.


def plain(text: str) -> str:
    """Replace what is not printable, line feeds too: one line stays one line, and moves no cursor."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def plain_lines(text: str) -> str:
    """Do the same line by line; a tab is four columns."""
    return "\n".join(plain(line.expandtabs(4)) for line in text.splitlines())


# Saying it.

_prepared: Final[list[TextIO]] = []
"""Standard output and error of this process, once they are made."""


def out() -> TextIO:
    """Return standard output, whatever a strategy has put into its place in `sys`."""
    return _prepared[0] if _prepared else sys.stdout


def err() -> TextIO:
    """Return standard error, likewise."""
    return _prepared[1] if _prepared else sys.stderr


def tell(text: str) -> None:
    """Print lines for a person."""
    out().write(f"{plain_lines(text)}\n")


def tell_json(document: bytes, end: bytes = b"\n") -> None:
    """Print JSON, whatever the encoding of the terminal is; `end` is empty for one that has its line feeds."""
    out().flush()
    out().buffer.write(CONTROLS_OF_JSON.sub(_escaped, document) + end)


def tell_csv(rows: Iterable[Iterable[object]]) -> None:
    """Print rows of CSV in UTF-8, whatever the encoding of the terminal is; on a terminal no text of them moves it.

    What is missing is nothing, and an empty text is a pair of quotes.
    """
    if out().isatty():
        rows = [[plain(value) if isinstance(value, str) else value for value in row] for row in rows]
    out().flush()
    lines = "".join(",".join(map(_csv_field, row)) + "\n" for row in rows)
    out().buffer.write(lines.encode("utf-8", "replace"))


def text_of_value(value: object) -> str:
    """Write a value of a row as a text; what is missing is an empty one."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def complain(text: object) -> None:
    """Say on standard error what went wrong, each line beginning with our name; in words, without their numbers."""
    lines = plain_lines(ERROR_NUMBER.sub("", str(text))).split("\n")
    err().write("".join(f"natya: {line}\n" for line in lines))
    err().flush()


def note(text: str) -> None:
    """Add something on standard error that is not wrong."""
    err().write(f"{plain_lines(text)}\n")


def _csv_field(value: object) -> str:
    text = text_of_value(value)
    if isinstance(value, str) and (not text or CSV_MARKS.search(text)):
        return '"' + text.replace('"', '""') + '"'
    return text


def _escaped(control: re.Match[bytes]) -> bytes:
    return f"\\u{ord(control[0].decode()):04x}".encode("ascii")


# The streams.


class _Outlet(io.FileIO):
    """A descriptor that says in one way that it takes no more, once: what comes after that goes nowhere.

    One that somebody closes, a strategy for one, is as one that the shell has closed.
    """

    def __init__(self, descriptor: int, *, complains: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._complains = complains
        self._is_broken = False
        self._is_shut = False

    def close(self) -> None:
        """Take no more. The descriptor stays, and so does the stream around it, which would raise other errors."""
        self._is_shut = True

    def write(self, data: Buffer) -> int:
        if not self._is_broken:
            try:
                return os.write(CLOSED, data) if self._is_shut else super().write(data)
            except OSError as fault:
                self._is_broken = True
                if self._complains:
                    raise OutputError(fault) from fault
        return memoryview(data).nbytes


class _Buffered(io.BufferedWriter):
    """What is written to an outlet, in large pieces; to close it is to close the outlet."""

    def close(self) -> None:
        """Write what is there; more of it goes the way of the outlet."""
        try:
            self.flush()
        finally:
            self.raw.close()


def prepare() -> None:
    """Make standard output and error such that any text can be printed, and a failure is told as `OutputError`.

    Descriptors 0 to 2 are taken where they are closed: else the next file that is opened, the journal for one, would
    be standard output.
    """
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:  # it is closed, and the lowest that is: this takes it
            os.set_inheritable(os.open(os.devnull, flags), True)
    sys.stdout = stream(1, encoding=_encoding(sys.stdout))
    sys.stderr = stream(2, encoding=_encoding(sys.stderr), errors="backslashreplace", complains=False)
    _prepared[:] = sys.stdout, sys.stderr


def stream(
    descriptor: int, *, encoding: str = "utf-8", errors: str = "replace", complains: bool = True
) -> io.TextIOWrapper:
    """Make a stream on which any text can be printed; it raises `OutputError`, or, without `complains`, nothing."""
    outlet = _Outlet(descriptor, complains=complains)
    line_buffering = not complains or outlet.isatty()
    return io.TextIOWrapper(_Buffered(outlet), encoding=encoding, errors=errors, line_buffering=line_buffering)


def _encoding(before: TextIO | None) -> str:
    return "utf-8" if before is None else before.encoding


def ended(command: Callable[[], object]) -> int:
    """Run a command that ends in `SystemExit`; return the exit code, with everything printed or said why not."""
    code = 0
    try:
        try:
            command()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out().flush()
    except OutputError as fault:
        if fault.is_left:  # `natya … | head` has what it wanted; the shell is told as of any other program
            return SIGNALLED + signal.SIGPIPE
        complain(fault)
        return code or CANNOT_CREATE
    return code
