"""Options that several commands have."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from .terminal import keep_apart

INTEGER_MAX: Final = (1 << 63) - 1


def finite(value: float) -> float:
    """Check the value of an option; a callback of it.

    Raises:
        typer.BadParameter: it is not a number, or has no end: a range takes both.
    """
    if not math.isfinite(value):
        raise typer.BadParameter(f"a finite number is wanted, found {value}")
    return value


class Profile(StrEnum):
    """The settings profile."""

    PAPER = "paper"
    LIVE = "live"
    BACKTEST = "backtest"
    NODE = "node"


# Which settings.

ProfileOption: TypeAlias = Annotated[Profile, typer.Option(help="What the process is for.")]


def _own_settings(context: typer.Context, named: Path | None) -> Path | None:
    from .own_settings import NAME, own_settings  # noqa: PLC0415
    from .session import faults  # noqa: PLC0415
    from .terminal import note  # noqa: PLC0415

    if context.params.get("data_dir") is not None:  # the file of a named data directory is not read here
        if named is None and Path(NAME).exists():
            note(f"{NAME} of this folder is not read, since --data-dir names a system: --config {NAME} has it read")
        return named
    with faults():
        found = own_settings(named)
    if found is not None and named is None:
        note(f"settings of {found}")
    return found


ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", callback=_own_settings, help="Your own settings, in TOML; else natya.toml here."
    ),
]
SetOption: TypeAlias = Annotated[
    list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any setting; may be repeated.")
]


def assignments(pairs: list[str], form: str = "section.key=value") -> dict[str, Any]:
    """Split the values of `--set`, or of another option of this form, into keys and values.

    Raises:
        typer.BadParameter: one is no assignment.
    """
    parted = [pair.partition("=") for pair in pairs]
    for pair, (key, equals, _) in zip(pairs, parted, strict=True):
        if not key or not equals:
            raise typer.BadParameter(f"{form} is wanted, found {pair!r}")
    return {key: value for key, _, value in parted}


# How a recording is written.


class DateOrder(StrEnum):
    """Whether day or month comes first in a date of three numbers."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class DecimalMark(StrEnum):
    """What stands before the decimals of a number."""

    POINT = "point"
    COMMA = "comma"


def _zone(text: str) -> str:
    from ..actors.feed import zone_of  # noqa: PLC0415

    try:
        zone_of(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from fault
    return text


DatesOption: TypeAlias = Annotated[
    DateOrder | None, typer.Option("--dates", help="Of dates such as 03/04/2025; else as the others of the file tell.")
]
DecimalOption: TypeAlias = Annotated[
    DecimalMark | None,
    typer.Option(
        "--decimal", help="What stands before decimals, where 74,125 may be 74.125; else as the other numbers tell."
    ),
]
ZoneOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--zone",
        parser=_zone,
        metavar="ZONE",
        help="Of times that name none: IST, UTC, +05:30; else IST, unless they fit the hours as UTC alone.",
    ),
]


def written_as(dates: DateOrder | None, decimal: DecimalMark | None, zone: str | None) -> dict[str, Any]:
    """Return the settings of how a recording is written, those that are given."""
    found = {
        "feed.dates": None if dates is None else dates.value,
        "feed.decimal": None if decimal is None else decimal.value,
        "feed.zone": zone,
    }
    return {key: value for key, value in found.items() if value is not None}


def length(text: str) -> str:
    """Check a length of time such as `5m`."""
    from ..domain.time import duration_ns  # noqa: PLC0415

    try:
        duration_ns(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from fault
    return text


def length_or_ticks(text: str) -> str:
    """Check a length of candles, or the word for none."""
    return text if text == "ticks" else length(text)


IntervalOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        parser=length, metavar="LENGTH", help="How long the candles of a recording are (5m); else as they are apart."
    ),
]

# Which system.

DataDirOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", help="Where the system works; else as natya.toml here, or the profile, says."
    ),
]
ProfileNameOption: TypeAlias = Annotated[str, typer.Option("--profile", help="Whose settings name the data directory.")]

# Which orders.

StrategyOption: TypeAlias = Annotated[str, typer.Option("--strategy", metavar="NAME", help="Only of this strategy.")]
SymbolOption: TypeAlias = Annotated[str, typer.Option("--symbol", metavar="SYMBOL", help="Only in this symbol.")]


def strategy_file(text: str) -> str:
    """Return a strategy that is named by a file with its absolute path: the system works in another folder."""
    return str(Path(text).absolute()) if is_file(text) else text


def is_file(strategy: str) -> bool:
    """Whether a strategy is named by its file, `file.py` or `file.py:Class`."""
    return strategy.partition(":")[0].endswith(".py")


StrategyArgument: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="Name of the strategy.")]
StrategyPathArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:CLASS|FILE",
        parser=strategy_file,
        help="Class of a strategy, importable where the system runs; or its file, or file.py:Class.",
    ),
]

# The form of the answer.


def _alone(json: bool) -> bool:  # noqa: FBT001  as typer calls it
    """Print nothing but the JSON object on standard output."""
    if json:
        keep_apart()
    return json


JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", callback=_alone, help="One JSON object on standard output.")
]
TimeoutOption: TypeAlias = Annotated[
    float, typer.Option("--timeout", min=0.001, max=3_500, metavar="SECONDS", help="How long it may take.")
]

# Which records of the journal.

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


def filters(*, since_ns: int, until_ns: int, types: list[str] | None, key: str) -> dict[str, Any]:
    """Return the filter arguments of the journal's tools.

    Raises:
        typer.BadParameter: there is no fact type of that name.
    """
    return {"since_ns": since_ns, "until_ns": until_ns, "types": _known_types(types), "key": key}


def _known_types(types: list[str] | None) -> tuple[str, ...]:
    """Refuse unknown fact types: a misspelt one would find nothing, which would look like an answer."""
    from ..messages.codec import FACT_TYPES  # noqa: PLC0415

    known = {each.__name__ for each in FACT_TYPES}
    unknown = sorted(set(types or ()) - known)
    if unknown:
        raise typer.BadParameter(f"types of facts are {', '.join(sorted(known))}; found {', '.join(unknown)}")
    return tuple(types or ())
