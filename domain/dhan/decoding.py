"""Bytes into rows: in C where the service writes exactly as documented, tolerantly where it does not.

The problem: reading tolerantly costs a hundred microseconds a row, and a book has a thousand. The idea: rows are first
read strictly, and only what fails is read again tolerantly. The trap: what succeeds strictly must be what the tolerant
reading says. So strictly read are only rows that forbid names they do not have (an alias, another case: read again),
only bodies without an escape in them (then a quote is a quote, and the service's words for nothing can be taken out
beforehand), and a word that is not exactly one of the known ones makes all of it be read again; so does an empty text
where nothing is not the same as an empty text.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, get_args, get_type_hints

import msgspec

from .tolerant import MalformedAnswerError, read, read_all
from .words import Words

_NOTHING: Final = tuple(
    (word, replacement.ljust(len(word)))  # of equal length, so that it is one pass without a new layout
    for word, replacement in (
        (b'"NA"', b'""'),
        (b'"0001-01-01 00:00:00"', b"null"),
        (b'"0001-01-01"', b"null"),
    )
)


@functools.cache
def row_reader(kind: type[msgspec.Struct]) -> Callable[[bytes], Any]:
    """Return what reads one object of this kind out of a body.

    It raises `MalformedAnswerError` for anything else.
    """
    strict = _strict(kind, kind)
    return lambda body: _read(body, strict, functools.partial(read, kind))


@functools.cache
def rows_reader(kind: type[msgspec.Struct]) -> Callable[[bytes], tuple[Any, ...]]:
    """Return what reads an array of this kind out of a body, which may be empty: there are none.

    It raises `MalformedAnswerError` for anything else.
    """
    strict = _strict(kind, tuple[kind, ...])  # type: ignore[valid-type]  # a type that is only known now
    return lambda body: _read(body, strict, functools.partial(read_all, kind))


def _read(body: bytes, strict: Callable[[bytes], Any] | None, tolerant: Callable[[Any], Any]) -> Any:
    found = None if strict is None else strict(body)
    if found is not None:
        return found
    try:
        decoded = msgspec.json.decode(body) if body.strip() else None
    # Invalid UTF-8, and nesting beyond the stack, are no DecodeError.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise MalformedAnswerError(f"JSON wanted, found something else ({type(fault).__name__}: {fault})") from None
    return tolerant(decoded)


def _strict(kind: type[msgspec.Struct], whole: Any) -> Callable[[bytes], Any] | None:
    """Return what reads as documented, and None where that fails; None for a kind that is not read so."""
    if not kind.__struct_config__.forbid_unknown_fields:
        return None
    decoder = msgspec.json.Decoder(whole)
    words, unempty = _words(kind), _unempty(kind)

    def strictly(body: bytes) -> Any:
        if b"\\" in body:
            return None
        for word, replacement in _NOTHING:
            body = body.replace(word, replacement)
        try:
            found = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        rows = found if isinstance(found, tuple) else (found,)
        if any("" in map(text, rows) for text in unempty):
            return None
        return found if all(known.issuperset(map(word, rows)) for word, known in words) else None

    return strictly


def _unempty(kind: type[msgspec.Struct]) -> list[Callable[[Any], Any]]:
    """Find the fields that could be read as an empty text, and for which that is not what nothing means."""
    hints = get_type_hints(kind, include_extras=True)
    found: list[Callable[[Any], Any]] = []
    for field in msgspec.structs.fields(kind):
        with contextlib.suppress(msgspec.ValidationError):
            if msgspec.convert("", hints[field.name]) != field.default:
                found.append(attrgetter(field.name))
    return found


def _words(kind: type[msgspec.Struct]) -> list[tuple[Callable[[Any], str], frozenset[str]]]:
    """Find the fields whose words are to be known ones."""
    found: list[tuple[Callable[[Any], str], frozenset[str]]] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        notes = [note for note in get_args(hint) if isinstance(note, Words)]
        found += [(attrgetter(name), frozenset(note.known)) for note in notes]
    return found
