"""Output of `natya db`: rows as a table, JSON or CSV, the outcome of an import, and progress."""

from __future__ import annotations

import contextlib
import itertools
import math
from typing import TYPE_CHECKING, Any

import msgspec
from rich.progress import Progress
from rich.table import Table

from ...actors.database import is_json
from ...domain.wording import counted
from ..terminal import note, plain, plain_lines, tell, tell_csv, tell_list, text_of_value
from .tables import PlainConsole, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...actors.database import QueryResult
    from ...messages.database import SqlValue
    from ...transfer import Imported

TABLE_ROWS_MAX = 1_000
"""Rows of a table for people; the rest is only counted."""

BAD_LINES_SHOWN = 20


def print_json(result: QueryResult) -> None:
    """Print one object of JSON with one object a row; `Infinity`, `-Infinity` and `NaN` are strings."""
    encoder = msgspec.json.Encoder()
    nested = [is_json(kind) for kind in result.types]

    def encoded(rows: tuple[tuple[SqlValue, ...], ...]) -> bytes:
        return b",\n".join(
            encoder.encode(dict(zip(result.names, map(_json, row, nested), strict=True))) for row in rows
        )

    tell_list("rows", map(encoded, result.batches()))


def print_csv(result: QueryResult) -> None:
    """Print a header, and the rows, as `tell_csv` does."""
    tell_csv([result.names])
    for rows in result.batches():
        tell_csv(rows)


def print_table(result: QueryResult) -> None:
    """Print a table for people."""
    table = Table()
    for name, kind in zip(result.names, result.types, strict=True):
        table.add_column(plain(name), justify="right" if _is_number(kind) else "left", overflow="fold")
    for row in itertools.islice(result, TABLE_ROWS_MAX):
        table.add_row(*map(_shown, row))
    show(table)
    rest = "" if len(result) <= TABLE_ROWS_MAX else f", {TABLE_ROWS_MAX:,} shown: --csv or --json for all"
    tell(f"{counted(len(result), 'row')}{rest}")


def _json(value: SqlValue, is_nested: bool) -> Any:  # noqa: FBT001  one of each column
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return msgspec.Raw(value.encode()) if is_nested and isinstance(value, str) else value


def _shown(value: SqlValue) -> str:
    return plain_lines(text_of_value(value))


def _is_number(kind: str) -> bool:
    return kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL(") or kind.endswith("INT") or kind == "INTEGER"


def tell_import(done: Imported) -> None:
    """Print the outcome of an import, and its bad lines."""
    kind, count = ("candle", done.candles) if done.candles else ("tick", done.ticks)
    there = f", {count - done.written:,} there already" if done.written < count else ""
    tell(
        f"{done.file}: {counted(count, kind)} of {', '.join(done.symbols) or 'no symbol'}, {done.written:,} written"
        f"{there}, {counted(done.bad_rows, 'bad row')}, {done.elapsed_s:.1f} s"
    )
    for each in done.notes:
        note(f"  {each}")
    if done.beside:
        note(
            f"  {counted(done.beside, 'tick')} of the same symbols and time came from elsewhere before: beside these, "
            "and candles are made of one source at a time"
        )
    if done.replaced:
        note(
            f"  {counted(done.replaced, 'candle')} of the same symbols and times came from elsewhere before: "
            "these take their place"
        )
    for line, reason in done.bad_lines[:BAD_LINES_SHOWN]:
        note(f"  line {line}: {reason}")
    if done.bad_rows > BAD_LINES_SHOWN:
        note(f"  and {done.bad_rows - BAD_LINES_SHOWN:,} more (--json shows up to a hundred)")


@contextlib.contextmanager
def progress(name: str) -> Iterator[Callable[[float | None], object]]:
    """Show a progress bar on standard error if that is a terminal; None removes it."""
    console = PlainConsole(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=1.0)

        def on_progress(share: float | None) -> None:
            if share is None:
                bar.remove_task(task)
            else:
                bar.update(task, completed=share)

        yield on_progress
