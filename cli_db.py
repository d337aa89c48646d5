"""Commands on the database: through the system that runs there, or on its files where none does: `natya db …`."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .cli_remote import DataDirOption, JsonOption, ProfileNameOption
from .db_command import alone, expect_database, expect_new, faults, journal_of, owner_of, pages, say
from .domain.wording import counted
from .exit_codes import BAD_DATA
from .terminal import complain, tell, tell_json

app = typer.Typer(no_args_is_help=True, help="The database: ask it, fill it, copy it, keep it in order.")

TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.001, max=3_500, metavar="SECONDS", help="How long it may take.")
]


class FileFormat(StrEnum):
    """What rows are written as."""

    PARQUET = "parquet"
    CSV = "csv"


@app.command()
def query(  # noqa: PLR0913  each option is one parameter
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT.")],
    parameters: Annotated[list[str] | None, typer.Argument(help="Values for its question marks, as texts.")] = None,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV with a header.")] = False,
    timeout: TimeoutOption = 30.0,
    rows_max: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="More rows are refused.")] = 1_000_000,
) -> None:
    """Answer one SELECT, while the system trades or when none runs.

    natya db query "select symbol, count(*) from ticks group by symbol"

    natya db query "select * from orders_utc where symbol = ?" TCS --csv
    """
    if json and csv:
        raise typer.BadParameter("one of --json and --csv is wanted, found both")
    from . import db_view  # noqa: PLC0415
    from .actors.database import QueryResult  # noqa: PLC0415
    from .messages.database import QueryToFile  # noqa: PLC0415

    message = QueryToFile(sql=sql, parameters=tuple(parameters or ()), timeout_s=timeout, rows_max=rows_max)
    with faults(), owner_of(data_dir, profile) as owner, QueryResult(owner.work(message, timeout_s=timeout)) as result:
        if json:
            db_view.print_json(result)
        elif csv:
            db_view.print_csv(result)
        else:
            db_view.print_table(result)


@app.command()
def snapshot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new DuckDB file.")],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    timeout: TimeoutOption = 600.0,
) -> None:
    """Write all tables and views, as they are at one moment, to one DuckDB file that anyone may read.

    Archived days stay in the archive; `all_ticks` in the file reads them there.

    natya db snapshot today.duckdb
    """
    from .actors.database import take  # noqa: PLC0415
    from .messages.database import BackUp  # noqa: PLC0415

    with faults(), owner_of(data_dir, profile) as owner:
        expect_new(file)
        answer = owner.work(BackUp(single_file=True, timeout_s=timeout), timeout_s=timeout)
        take(Path(answer.paths[0]), file)
        size = file.stat().st_size
    say({"file": str(file), "bytes": size}, f"{file}: {size:,} bytes, read back", json=json)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy of the core file; NAME-market lies beside.")],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    timeout: TimeoutOption = 1_800.0,
) -> None:
    """Copy both database files, while the system trades, and read the copies back.

    To go back to them, stop the system and put them in the place of its own. Archived days are files in `archive`, and
    never change: copy them as they are. So are closed segments of the journal; without its journal a core file is put
    aside at the next start, and what it held is not known to the orders.

    natya db backup /backups/natya-monday.duckdb
    """
    from .actors.database import take  # noqa: PLC0415
    from .messages.database import BackUp  # noqa: PLC0415

    targets = (file, file.with_name(f"{file.stem}-market{file.suffix}"))
    with faults(), owner_of(data_dir, profile) as owner:
        for target in targets:
            expect_new(target)
        answer = owner.work(BackUp(timeout_s=timeout), timeout_s=timeout)
        for source, target in zip(answer.paths, targets, strict=True):
            take(Path(source), target)
        sizes = [target.stat().st_size for target in targets]
    found = [{"file": str(target), "bytes": size} for target, size in zip(targets, sizes, strict=True)]
    text = "\n".join(f"{target}: {size:,} bytes, read back" for target, size in zip(targets, sizes, strict=True))
    say({"files": found}, text, json=json)


@app.command("import")
def import_(  # noqa: PLR0913  each option is one parameter
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV, plain or gzipped, or Parquet.")],
    *,
    symbol: Annotated[str, typer.Option(help="Symbol of files that have no column for it.")] = "",
    tick_size: Annotated[
        float | None,
        typer.Option(
            min=1e-9, max=1_000, metavar="RUPEES", help="Round prices to multiples of it; else they stay as written."
        ),
    ] = None,
    interval: Annotated[
        str, typer.Option(metavar="LENGTH", help="How long candles are (5m); else as far as they are apart.")
    ] = "",
    max_bad_rows: Annotated[int, typer.Option(min=0, help="Broken rows of a file before it is refused.")] = 0,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Save the ticks or candles of files: all of a file, or nothing of it.

    They are recognised by their columns: time and ltp make ticks; date, open, high, low, close and volume make candles.
    A time without an offset is read on the exchange's clock. A file that is imported again is there already; what was
    interrupted goes on when it is called again. Candles replace earlier ones of their time, ticks of files that overlap
    stay beside each other, and it says so. Exits with 65 when a file is refused, after the others.

    natya db import reliance-2025-*.csv --symbol RELIANCE

    natya db import ticks.parquet --max-bad-rows 10
    """
    import msgspec  # noqa: PLC0415

    from . import db_view  # noqa: PLC0415
    from .actors.feed import RecordingError  # noqa: PLC0415
    from .bulk_import import import_file  # noqa: PLC0415
    from .domain.time import duration_ns  # noqa: PLC0415

    try:
        interval_ns = duration_ns(interval) if interval else None
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--interval") from fault
    refused = False
    with faults(), owner_of(data_dir, profile, writes=True) as owner:
        for file in files:
            with db_view.progress(file.name) as on_progress:
                try:
                    done = import_file(
                        file,
                        owner,
                        symbol=symbol,
                        tick_size_rupees=tick_size,
                        bad_rows_max=max_bad_rows,
                        interval_ns=interval_ns,
                        on_progress=on_progress,
                    )
                except RecordingError as fault:
                    refused = True
                    on_progress(None)
                    complain(f"{fault}; nothing of it was saved")
                    continue
            if json:
                tell_json(msgspec.json.encode(done))
            else:
                db_view.tell_import(done)
    if refused:
        raise typer.Exit(BAD_DATA)


@app.command("export")
def export_(  # noqa: PLR0913  each option is one parameter
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; made if it is not there.")],
    *,
    symbol: Annotated[list[str] | None, typer.Option(help="Only of this symbol; may be repeated.")] = None,
    start: Annotated[
        dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")
    ] = None,
    end: Annotated[
        dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day.")
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="Of the files.")] = FileFormat.PARQUET,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Write ticks, a file a day, and candles, a file an interval; archived days too. `natya db import` reads them back.

    natya db export out --symbol RELIANCE --from 2025-12-01 --to 2025-12-31 --format csv
    """
    import msgspec  # noqa: PLC0415

    from . import db_view  # noqa: PLC0415
    from .bulk_export import export  # noqa: PLC0415

    with faults(), owner_of(data_dir, profile) as owner, db_view.progress(folder.name) as on_progress:
        files = export(
            folder,
            owner,
            symbols=symbol or (),
            first_day=None if start is None else start.date(),
            last_day=None if end is None else end.date(),
            file_format=file_format.value,
            on_progress=on_progress,
        )
        for file in files:
            if json:
                tell_json(msgspec.json.encode(file))
            else:
                tell(f"{file.file}: {counted(file.rows, 'row')}")


@app.command()
def archive(
    *,
    before: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Only days before this one; else all before today."),
    ] = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Move the ticks of closed days to Parquet files, one a day; repositories and SQL (`all_ticks`) go on seeing them.

    natya db archive --before 2026-01-01
    """
    from . import db_view  # noqa: PLC0415
    from .database_owner import closed_days  # noqa: PLC0415
    from .messages.database import ArchiveDay, DaysArchived  # noqa: PLC0415

    archived: list[tuple[str, str, int]] = []
    with faults(), owner_of(data_dir, profile, writes=True) as owner, db_view.progress("archive") as on_progress:
        days = closed_days(owner, None if before is None else before.date())
        for number, day in enumerate(days, start=1):
            answer: DaysArchived = owner.work(ArchiveDay(day=str(day)), timeout_s=600.0)
            archived += zip(answer.days, answer.files, answer.ticks, strict=True)
            on_progress(number / len(days))
    found = [{"day": day, "file": file, "ticks": ticks} for day, file, ticks in archived]
    text = (
        "\n".join(f"{day}: {counted(ticks, 'tick')}, {file}" for day, file, ticks in archived)
        or "no closed day is left"
    )
    say({"days": found}, text, json=json)


@app.command()
def check(
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    timeout: TimeoutOption = 1_800.0,
) -> None:
    """Read every block of both files and look for contradictions; exit with 65 when there are any.

    natya db check --json
    """
    from .messages.database import CheckDatabase, DatabaseChecked  # noqa: PLC0415

    with faults(), owner_of(data_dir, profile) as owner:
        checked: DatabaseChecked = owner.work(CheckDatabase(timeout_s=timeout), timeout_s=timeout)
    problems = checked.problems
    text = "\n".join(problems) or "both files are whole, and nothing in them contradicts"
    say({"ok": not problems, "problems": problems}, text, json=json, err=bool(problems))
    if problems:
        raise typer.Exit(BAD_DATA)


@app.command()
def stat(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show the files, how many rows each table has, and which days and symbols there are.

    natya db stat --json
    """
    import msgspec  # noqa: PLC0415

    from .database_owner import stat as look  # noqa: PLC0415

    with faults(), owner_of(data_dir, profile) as owner:
        found = look(owner)
    if json:
        tell_json(msgspec.json.encode(found))
        return
    for file, size in found.files.items():
        tell(f"{file}: {size:,} bytes")
    for table, rows in found.rows.items():
        tell(f"  {table} {rows:,}")
    tell(f"the journal is projected up to sequence {found.projected_sequence}")
    tell(f"ticks of {found.days} days, {found.first_day} to {found.last_day}; {found.archived_days} are archived")
    tell(f"symbols: {', '.join(found.symbols) or 'none'}")


@app.command()
def compact(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Copy both files without their gaps and put the copies in their places; not while a system runs there.

    What was there stays beside them as FILE.old-1: delete it when you have seen that all is well.

    natya db compact
    """
    from .actors.database import compact as compact_files  # noqa: PLC0415

    with faults(), alone(data_dir, profile) as settings:
        expect_database(settings)
        before = [Path(path).stat().st_size for path in (settings.database.path, settings.database.market_path)]
        moved = compact_files(settings.database)
        found = [
            {"file": str(file), "bytes_before": size, "bytes": file.stat().st_size, "old": str(old)}
            for size, (file, old) in zip(before, moved, strict=True)
        ]
    text = "\n".join(
        f"{each['file']}: {each['bytes_before']:,} bytes before, {each['bytes']:,} now; the old one is {each['old']}"
        for each in found
    )
    say({"files": found}, text, json=json)


@app.command()
def rebuild(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Write the core file anew from the journal; not while a system runs there. Market data is not touched.

    The whole journal is verified first: from a damaged one nothing is rebuilt, and the core file stays as it is.

    What was there stays beside it as FILE.old-1: delete it when you have seen that all is well.

    natya db rebuild
    """
    from . import db_view  # noqa: PLC0415
    from .actors.database import rebuild as rebuild_core  # noqa: PLC0415

    with faults(), alone(data_dir, profile) as settings, db_view.progress("rebuild") as on_progress:
        view = journal_of(settings, verified=True)
        last, old = rebuild_core(settings.database, pages(view, on_progress), first=view.oldest_sequence)
    core = settings.database.path
    text = f"{core}: rebuilt from {counted(last, 'record')}" + (f"; the old one is {old}" if old else "")
    say({"file": core, "records": last, "old": None if old is None else str(old)}, text, json=json)
