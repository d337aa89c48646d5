"""Printing: the only place that knows about streams, markup and control characters.

Everything that comes from outside (ids, reasons, symbols, error texts, answers) is printed as plain text: nothing in it
is markup, and control characters become question marks. A standard stream that cannot be written raises one error,
`OutputError`, wherever the write happens; `ended` turns it into an exit code.
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

SCHEMA: Final = 1
"""Version of the form of answers in JSON; it changes when a member is renamed or removed."""

CONTROLS_OF_JSON: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]")
"""Control characters that JSON does not escape: DEL, and those above ASCII, in UTF-8."""

CSV_MARKS: Final = re.compile(r'[",\r\n]|^\s|\s$')
"""Characters for which a CSV field is quoted."""

ERROR_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")
"""The error number that Python puts before the text of a system error; it is left out."""


TERMINAL: Final = "/dev/tty"
"""The terminal that controls a process, by whichever name it is."""

CLOSED: Final = -1
"""An invalid descriptor: writing to it fails with EBADF."""


class OutputError(Exception):
    """Standard output cannot be written: the disk is full, it is closed, or its reader has ended (`is_left`)."""

    def __init__(self, fault: OSError) -> None:
        self.is_left: Final = fault.errno == errno.EPIPE
        super().__init__(f"standard output cannot be written: {fault.strerror or fault}")


# Text that may be printed.


def plain(text: str) -> str:
    """Replace unprintable characters, line feeds included, by question marks."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def plain_lines(text: str) -> str:
    """Do the same line by line; tabs become four columns."""
    return "\n".join(plain(line.expandtabs(4)) for line in text.splitlines())


# Printing.

_prepared: Final[list[TextIO]] = []
"""Standard output and error of this process, once they are made."""


def out() -> TextIO:
    """Return the process's standard output, even if a strategy has replaced `sys.stdout`."""
    return _prepared[0] if _prepared else sys.stdout


def err() -> TextIO:
    """Return standard error, likewise."""
    return _prepared[1] if _prepared else sys.stderr


def tell(text: str) -> None:
    """Print text for people."""
    out().write(f"{plain_lines(text)}\n")


def tell_json(document: bytes, end: bytes = b"\n") -> None:
    """Print JSON in UTF-8, whatever the encoding of the terminal is; `end` is empty if it ends with a line feed."""
    out().flush()
    out().buffer.write(CONTROLS_OF_JSON.sub(_escaped, document) + end)


def tell_object(document: bytes) -> None:
    """Print one object of JSON, whose member `schema` is the version of its form: `SCHEMA`, or one of its own."""
    import msgspec  # noqa: PLC0415  help does without

    if "schema" not in msgspec.json.decode(document, type=dict[str, msgspec.Raw]):
        rest = document[document.index(b"{") + 1 :]
        document = b'{"schema":%d%s%s' % (SCHEMA, b"" if rest.lstrip().startswith(b"}") else b",", rest)
    tell_json(document)


def tell_list(name: str, documents: Iterable[bytes]) -> None:
    """Print one object of JSON whose member `name` has these documents, each as it comes."""
    tell_json(b'{"schema":%d,"%s":[' % (SCHEMA, name.encode()), end=b"")
    for place, document in enumerate(documents):
        tell_json((b"," if place else b"") + document.rstrip(), end=b"")
    tell_json(b"]}")


def tell_csv(rows: Iterable[Iterable[object]]) -> None:
    """Print rows of CSV in UTF-8, whatever the encoding of the terminal is; on a terminal without control characters.

    NULL is an empty field, and an empty text is a pair of quotes.
    """
    if out().isatty():
        rows = [[plain(value) if isinstance(value, str) else value for value in row] for row in rows]
    out().flush()
    lines = "".join(",".join(map(_csv_field, row)) + "\n" for row in rows)
    out().buffer.write(lines.encode("utf-8", "replace"))


def text_of_value(value: object) -> str:
    """Return a value of a row as text; NULL is an empty text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def complain(text: object) -> None:
    """Print an error on standard error, each line beginning with `natya: `, without error numbers."""
    lines = plain_lines(ERROR_NUMBER.sub("", str(text))).split("\n")
    err().write("".join(f"natya: {line}\n" for line in lines))
    err().flush()


def note(text: str) -> None:
    """Print a note on standard error that is no error."""
    err().write(f"{plain_lines(text)}\n")


def _csv_field(value: object) -> str:
    text = text_of_value(value)
    if isinstance(value, str) and (not text or CSV_MARKS.search(text)):
        return '"' + text.replace('"', '""') + '"'
    return text


def _escaped(control: re.Match[bytes]) -> bytes:
    return f"\\u{ord(control[0].decode()):04x}".encode("ascii")


def has_terminal() -> bool:
    """Whether a terminal controls this process, and ends it by closing; a service has none."""
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


# The streams.


class _Outlet(io.FileIO):
    """A descriptor whose first failed write raises `OutputError`; later writes are discarded.

    If the stream is closed, by a strategy for one, that counts as a failed write.
    """

    def __init__(self, descriptor: int, *, complains: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._complains = complains
        self._is_broken = False
        self._is_shut = False

    def close(self) -> None:
        """Let later writes fail. Descriptor and stream stay open, since a closed stream would raise other errors."""
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
    """The buffer before an outlet."""

    def close(self) -> None:
        """Flush, and close the outlet."""
        try:
            self.flush()
        finally:
            self.raw.close()


def open_what_is_closed() -> None:
    """Open those of descriptors 0 to 2 that are closed, on /dev/null, for child processes, too.

    Else the next file that is opened, the journal for one, would be standard output.
    """
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:  # it is the lowest closed descriptor: `open` returns its number
            os.set_inheritable(os.open(os.devnull, flags), True)


def prepare() -> None:
    """Replace standard output and error by streams that print any text, and whose failures are `OutputError`."""
    open_what_is_closed()
    sys.stdout = stream(1, encoding=_encoding(sys.stdout))
    sys.stderr = stream(2, encoding=_encoding(sys.stderr), errors="backslashreplace", complains=False)
    _prepared[:] = sys.stdout, sys.stderr


def keep_apart() -> None:
    """Leave standard output to `out` alone: what strategies print, their processes too, goes to standard error.

    Without effect where the streams are not those of `prepare`.
    """
    if _prepared:
        out().flush()
        _prepared[0] = stream(os.dup(1), encoding=out().encoding)
        os.dup2(2, 1)  # inherited, as it was
        sys.stdout = stream(1, encoding=err().encoding, errors="backslashreplace", complains=False)


def _put_back() -> None:
    """Undo `keep_apart`."""
    if _prepared and out().fileno() != 1:
        os.dup2(out().fileno(), 1)
        sys.stdout = out()


def stream(
    descriptor: int, *, encoding: str = "utf-8", errors: str = "replace", complains: bool = True
) -> io.TextIOWrapper:
    """Make a stream that prints any text; a failure raises `OutputError`, or nothing without `complains`."""
    outlet = _Outlet(descriptor, complains=complains)
    line_buffering = not complains or outlet.isatty()
    return io.TextIOWrapper(_Buffered(outlet), encoding=encoding, errors=errors, line_buffering=line_buffering)


def _encoding(before: TextIO | None) -> str:
    return "utf-8" if before is None else before.encoding


def ended(command: Callable[[], object]) -> int:
    """Run a command that ends in `SystemExit`; flush its output, and return the exit code."""
    code = 0
    try:
        try:
            command()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out().flush()
    except OutputError as fault:
        if fault.is_left:  # `natya … | head`: exit as any program that SIGPIPE ends
            return SIGNALLED + signal.SIGPIPE
        complain(fault)
        return code or CANNOT_CREATE
    finally:
        _put_back()
    return code
