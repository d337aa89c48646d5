"""Commands that read the journal's files, of a running system too: `natya journal verify|stat|tail|export`.

None of them ends well on a damaged journal, wherever the damage is: what was asked for may lie before it, or behind.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from .cli_remote import DataDirOption, JsonOption, ProfileNameOption
from .domain.wording import counted
from .exit_codes import SETTINGS, exit_code
from .terminal import complain, tell, tell_json

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(no_args_is_help=True, help="The journal: verify, count, read.")

PAGE_RECORDS = 10_000
INTEGER_MAX = (1 << 63) - 1

SinceOption: TypeAlias = Annotated[
    int, typer.Option(min=0, help="Only from this time on: nanoseconds since 1970 UTC.", show_default=False)
]
UntilOption: TypeAlias = Annotated[int, typer.Option(min=0, help="Only before this time.", show_default=False)]
TypesOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--type", help="Only facts of this type; may be repeated.")
]
KeyOption: TypeAlias = Annotated[
    str, typer.Option(help="Only what is about this client order id, child or request.", show_default=False)
]


@app.command()
def verify(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Read every record: checksum, sequence, hash chain, fact. Exits with 65 at the first damage, and names it."""
    import msgspec  # noqa: PLC0415  --help loads no room

    from .actors.journal import tools  # noqa: PLC0415

    with _reading(data_dir, profile, checked=False) as directory:
        report = tools.verify(directory)
    if json:
        tell_json(msgspec.json.encode(report))
        return
    whole = f"{counted(report.records, 'record')} in {counted(report.segments, 'segment')}"
    tell(f"{whole} are whole, up to sequence {report.last_sequence}")
    tell(f"hash of the last record: {report.last_hash or 'none'}")
    if report.torn_bytes:
        tell(f"{report.torn_bytes:,} bytes of a commit that did not finish: the next start cuts them")


@app.command()
def stat(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show the segment files and what they hold."""
    import msgspec  # noqa: PLC0415

    from .actors.journal import tools  # noqa: PLC0415

    with _reading(data_dir, profile) as directory:
        found = tools.stat(directory)
    if json:
        tell_json(msgspec.json.encode(found))
        return
    sequences = f"sequences {found.oldest_sequence} to {found.last_sequence}"
    tell(f"{counted(found.records, 'record')} in {found.path}, {sequences}")
    for segment in found.segments:
        kind = "archived" if segment.archived else "plain"
        tell(
            f"  {segment.first_sequence}-{segment.last_sequence}  {segment.file_bytes:,} bytes  {kind}  {segment.path}"
        )


@app.command()
def tail(  # noqa: PLR0913  each option is one parameter
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    records: Annotated[int, typer.Option("--records", "-n", min=1, max=PAGE_RECORDS, help="How many.")] = 10,
    since_ns: SinceOption = 0,
    until_ns: UntilOption = INTEGER_MAX,
    types: TypesOption = None,
    key: KeyOption = "",
) -> None:
    """Print the newest records that fit, one JSON object a line."""
    from .actors.journal import tools  # noqa: PLC0415

    filters: dict[str, Any] = {"since_ns": since_ns, "until_ns": until_ns, "types": _known(types), "key": key}
    with _reading(data_dir, profile) as directory:
        for record in tools.tail(directory, records_max=records, **filters):
            tell_json(tools.to_json_line(record), end=b"")


@app.command()
def export(  # noqa: PLR0913  each option is one parameter
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    after: Annotated[int, typer.Option(min=0, help="Only records after this sequence.")] = 0,
    since_ns: SinceOption = 0,
    until_ns: UntilOption = INTEGER_MAX,
    types: TypesOption = None,
    key: KeyOption = "",
) -> None:
    """Print all records that fit, one JSON object a line."""
    from .actors.journal import tools  # noqa: PLC0415

    filters: dict[str, Any] = {"since_ns": since_ns, "until_ns": until_ns, "types": _known(types), "key": key}
    with _reading(data_dir, profile) as directory:
        for line in tools.export(directory, after_sequence=after, **filters):
            tell_json(line, end=b"")


def _known(types: list[str] | None) -> tuple[str, ...]:
    """Refuse names of no fact: a misspelt one would find nothing, and look like an answer."""
    from .messages.codec import FACT_TYPES  # noqa: PLC0415

    known = {each.__name__ for each in FACT_TYPES}
    unknown = sorted(set(types or ()) - known)
    if unknown:
        raise typer.BadParameter(f"types of facts are {', '.join(sorted(known))}; found {', '.join(unknown)}")
    return tuple(types or ())


@contextlib.contextmanager
def _reading(data_dir: Path | None, profile: str, *, checked: bool = True) -> Iterator[Path]:
    """Find the journal's directory, and check all of it afterwards; damage ends the command with 65."""
    from .actors.journal import JournalError, tools  # noqa: PLC0415
    from .config.errors import SettingsError  # noqa: PLC0415
    from .config.loader import load_settings  # noqa: PLC0415

    overrides = {} if data_dir is None else {"system.data_dir": str(data_dir)}
    try:
        directory = Path(load_settings(profile, overrides=overrides).journal.path)
    except SettingsError as fault:
        complain(fault)
        raise typer.Exit(SETTINGS) from fault
    if not directory.is_dir():
        complain(f"there is no journal in {directory}")
        raise typer.Exit(1)
    try:
        yield directory
        if checked:
            tools.check(directory)
    except JournalError as fault:
        complain(fault)
        raise typer.Exit(exit_code(fault)) from fault
