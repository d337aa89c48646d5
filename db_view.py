"""What `natya db` shows: rows as a table, as JSON or as CSV, what became of a file, and how far a work is."""

from __future__ import annotations

import contextlib
import csv
import itertools
import sys
from typing import TYPE_CHECKING

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .actors.database import QueryResult
    from .bulk_import import Imported
    from .messages.database import SqlValue

TABLE_ROWS_MAX = 1_000
"""A table for a person ends here."""

BAD_LINES_SHOWN = 20
PLAIN_WIDTH = 200
"""Columns of a table that goes to no terminal."""


def print_json(result: QueryResult) -> None:
    """Print one object a row."""
    encoder = msgspec.json.Encoder()
    for rows in result.batches():
        lines = (encoder.encode(dict(zip(result.names, row, strict=True))) for row in rows)
        sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))


def print_csv(result: QueryResult) -> None:
    """Print a header, and the rows."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.names)
    for rows in result.batches():
        writer.writerows(rows)


def print_table(result: QueryResult) -> None:
    """Print a table for a person."""
    table = Table()
    for name, kind in zip(result.names, result.types, strict=True):
        table.add_column(escape(name), justify="right" if _is_number(kind) else "left", overflow="fold")
    for row in itertools.islice(result, TABLE_ROWS_MAX):
        table.add_row(*map(_shown, row))
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(table, markup=False)
    rest = "" if len(result) <= TABLE_ROWS_MAX else f", {TABLE_ROWS_MAX:,} shown: --csv or --json for all"
    console.print(f"{len(result):,} rows{rest}", markup=False, highlight=False)


def _shown(value: SqlValue) -> str:
    return "" if value is None else escape(str(value))


def _is_number(kind: str) -> bool:
    return kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL(") or kind.endswith("INT") or kind == "INTEGER"


def tell(done: Imported) -> None:
    """Say what became of a file, and which of its lines are bad."""
    kind, count = ("candles", done.candles) if done.candles else ("ticks", done.ticks)
    typer.echo(
        f"{done.file}: {count:,} {kind} of {', '.join(done.symbols) or 'no symbol'}, {done.written:,} written, "
        f"{done.bad_rows:,} bad rows, {done.elapsed_s:.1f} s"
    )
    if done.beside:
        typer.echo(
            f"  {done.beside:,} ticks of the same symbols and time came from elsewhere before: they stay, beside these",
            err=True,
        )
    for line, reason in done.bad_lines[:BAD_LINES_SHOWN]:
        typer.echo(f"  line {line}: {reason}", err=True)
    if done.bad_rows > BAD_LINES_SHOWN:
        typer.echo(f"  and {done.bad_rows - BAD_LINES_SHOWN:,} more (--json shows up to a hundred)", err=True)


@contextlib.contextmanager
def progress(name: str) -> Iterator[Callable[[float | None], object]]:
    """Show a bar on standard error, where that is a terminal; told None, it goes."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=1.0)

        def show(share: float | None) -> None:
            if share is None:
                bar.remove_task(task)
            else:
                bar.update(task, completed=share)

        yield show
