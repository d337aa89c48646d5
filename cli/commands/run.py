"""`natya run`: trade until the market ends, or Ctrl-C."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ..options import (
    ConfigOption,
    DatesOption,
    DecimalOption,
    IntervalOption,
    Profile,
    ProfileOption,
    SetOption,
    ZoneOption,
    assignments,
    is_file,
    written_as,
)
from ..session import faults, load_to_run
from ..terminal import keep_apart

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ...config.loader import LoadedSettings


class SummaryFormat(StrEnum):
    """How the summary at the end is written."""

    TEXT = "text"
    JSON = "json"


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        return float(text)
    except ValueError as fault:
        raise typer.BadParameter(f"a number or max is wanted, found {text!r}") from fault


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    replay: Annotated[
        list[Path],
        typer.Option(
            metavar="[SYMBOL=]FILE|DIR",
            help="Recording to replay, without it the market is synthetic; may be repeated: all go by one time, each "
            "with its symbol where it names none. "
            "Or a database: its file, or the data directory of a system.",
        ),
    ] = [],
    feed: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where prices come from, instead of the settings': dhan.")
    ] = None,
    symbol: Annotated[
        list[str],
        typer.Option(help="Symbol of a recording that says none; else the only one of the market; may be repeated."),
    ] = [],
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="Of a database: the first day, or time, in India.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="DAY", help="Of a database: the last day, included; or time.")
    ] = "",
    source: Annotated[
        str, typer.Option(metavar="NAME", help="Of a database: whose ticks, where several were recorded at one time.")
    ] = "",
    interval: IntervalOption = None,
    dates: DatesOption = None,
    decimal: DecimalOption = None,
    zone: ZoneOption = None,
    speed: Annotated[
        float | None, typer.Option(parser=_speed, metavar="X|max", help="Times the recorded speed, or max.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="End the market after so much of its time.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Let orders of the real market leave; without it a live run is a dry run.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Replay with the account of the replay before, not with a new one.")
    ] = False,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE:CLASS|FILE",
            help="Strategy to run instead of the configured ones: module:Class, file.py, file.py:Class; repeatable.",
        ),
    ] = None,
    param: Annotated[
        list[str],
        typer.Option(metavar="KEY=VALUE", help="Parameter of the strategies that --strategy names; may be repeated."),
    ] = [],
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of all that survives the process.")
    ] = None,
    config: ConfigOption = None,
    max_bad_rows: Annotated[
        int | None, typer.Option(help="Broken rows of a recording that are skipped before it is refused.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the synthetic market.")] = None,
    settings: SetOption = [],
    summary: Annotated[
        SummaryFormat, typer.Option(help="json: nothing but one JSON object on standard output.")
    ] = SummaryFormat.TEXT,
    json: Annotated[bool, typer.Option("--json", help="The same as --summary json.")] = False,
) -> None:
    """Trade until the market ends, or Ctrl-C."""
    summary = SummaryFormat.JSON if json else summary
    if summary is SummaryFormat.JSON:
        keep_apart()
    if replay and feed is not None:
        raise typer.BadParameter("one of --replay and --feed wanted, found both")
    if param and not strategy:
        raise typer.BadParameter("--strategy, whose parameters they are, wanted beside --param; found none")
    stored = _database_of(replay)
    if stored is None and (since or until or source):
        raise typer.BadParameter("--from, --to and --source are of a database, found none in --replay")
    if stored is None and replay and len(symbol) > 1:
        raise typer.BadParameter(f"one --symbol wanted, that of rows which name none, found {len(symbol)}")
    overrides: dict[str, Any] = {
        "feed.source": "replay" if replay else feed,
        "feed.recording": _recording(replay),
        "feed.interval": interval,
        **written_as(dates, decimal, zone),
        "feed.symbol": symbol[0] if symbol and stored is None else None,
        "feed.symbols": symbol if symbol and not replay else None,
        "feed.speed": speed,
        "feed.duration_s": duration,
        "broker.live": True if live else None,
        "orders.account": "newest" if go_on else None,
        "feed.bad_rows_max": max_bad_rows,
        "feed.seed": seed,
        "system.data_dir": None if data_dir is None else str(data_dir),
        "strategies": _strategies(strategy, _parameters(param), profile) if strategy else None,
    }
    given = {key: value for key, value in overrides.items() if value is not None}
    if profile is Profile.NODE:
        _expect_of_a_node(given, summary)
    loaded = load_to_run(profile.value, {**assignments(settings), **given}, config=config)
    _expect_of_its_source(given, loaded.settings.feed.source)

    from ...bodies import expect_bodies
    from ...config.loader import load_with_origins
    from ...system import TradingSystem
    from ..foreground import perform

    at_start = dict(os.environ)

    def read_again() -> LoadedSettings:
        again = load_with_origins(
            profile.value, config=config, environment=at_start, overrides={**assignments(settings), **given}
        )
        expect_bodies(again.settings, again.origins)
        return again

    sys.path.append(str(Path.cwd()))  # for strategies in the current directory; last, so that it hides nothing
    if profile is Profile.NODE:
        from ..node import perform as perform_node

        raise typer.Exit(perform_node(loaded.settings))
    if stored is None:
        make = functools.partial(TradingSystem, read_again=read_again)
        raise typer.Exit(perform(loaded.settings, make, summary_format=summary.value))
    from ...transfer import AS_STORED

    with _recorded(
        stored, symbols=symbol, source=source, since=since, until=until, interval=interval or ""
    ) as recordings:
        given["feed.recording"] = list(map(str, recordings))
        loaded = load_to_run(profile.value, {**AS_STORED, **assignments(settings), **given}, config=config)
        raise typer.Exit(perform(loaded.settings, TradingSystem, summary_format=summary.value))


OF_A_SOURCE: Final = {
    "feed.seed": ("--seed", ("synthetic",)),
    "feed.bad_rows_max": ("--max-bad-rows", ("replay",)),
    "feed.interval": ("--interval", ("replay",)),
    "feed.dates": ("--dates", ("replay",)),
    "feed.decimal": ("--decimal", ("replay",)),
    "feed.zone": ("--zone", ("replay",)),
    "feed.speed": ("--speed", ("replay", "synthetic")),
}
"""Options that only these sources of prices heed, by the setting that they are."""

OF_A_MARKET: Final = {
    "feed.source": "--replay or --feed",
    "feed.duration_s": "--duration",
    "broker.live": "--live",
    "orders.account": "--continue",
    **{key: name for key, (name, _) in OF_A_SOURCE.items()},
}
"""Options that a node, which has neither market nor account, does not heed, by the setting that they are."""


def _expect_of_a_node(given: Collection[str], summary: SummaryFormat) -> None:
    """Refuse to a node what is its broker node's alone."""
    found = [name for key, name in OF_A_MARKET.items() if key in given]
    if summary is SummaryFormat.JSON:
        found.append("--summary json")
    if found:
        raise typer.BadParameter(f"prices, account and summary are those of its broker node, found {', '.join(found)}")


def _expect_of_its_source(given: Collection[str], source: str) -> None:
    """Refuse an option that this source of prices would not heed."""
    for key, (name, sources) in OF_A_SOURCE.items():
        if key in given and source not in sources:
            raise typer.BadParameter(f"{name} is heeded where feed.source is {' or '.join(sources)}, found {source}")


def _database_of(replay: list[Path]) -> Path | None:
    """Return the database that is to be replayed; None where files are."""
    if not replay:
        return None
    from ...transfer import is_database

    found = [place for place in replay if is_database(place)]
    if found and len(replay) > 1:
        raise typer.BadParameter(f"one database or files wanted, found {' '.join(map(str, replay))}")
    return found[0] if found else None


@contextlib.contextmanager
def _recorded(
    place: Path, *, symbols: list[str], source: str, since: str, until: str, interval: str
) -> Iterator[tuple[Path, ...]]:
    """Give what a database has recorded as files, while they are played."""
    from ...backtest.plan import time_ns
    from ...transfer import stored_files

    with tempfile.TemporaryDirectory(prefix="natya-replay-") as folder:
        with faults():
            files = stored_files(
                place,
                Path(folder) / "stored",
                symbols=symbols,
                source=source,
                since_ns=time_ns(since) if since else None,
                until_ns=time_ns(until, is_end=True) if until else None,
                interval=interval,
            )
        yield files


def _parameters(pairs: list[str]) -> dict[str, Any]:
    """Read `key=value` texts; the value is TOML, or a text as it stands."""
    from ...config.values import toml_value

    parsed = {
        key: (text, toml_value(text))
        for key, text in assignments(pairs, "a parameter of the strategy, key=value,").items()
    }
    return {key: text if value is None else value for key, (text, value) in parsed.items()}


def _strategies(paths: list[str], parameters: dict[str, Any], profile: Profile) -> list[dict[str, Any]]:
    """Name each strategy after its class (a second one `name2`, and so on), since each has its own position."""
    from ...messages.addresses import TAKEN

    with faults():
        paths = [_class_in(path) for path in paths]
    names: list[str] = []
    for path in paths:
        name = path.rpartition(":")[2].lower()
        tries = itertools.chain([name], (f"{name}{number}" for number in itertools.count(2)))
        names.append(next(each for each in tries if each not in TAKEN and each not in names))
    host = {"host": "node"} if profile is Profile.NODE else {}
    named = zip(names, paths, strict=True)
    return [{"name": name, "strategy": path, "parameters": parameters, **host} for name, path in named]


def _class_in(strategy: str) -> str:
    if not is_file(strategy):
        return strategy
    from ...actors.strategy import path_of

    return path_of(strategy)


def _recording(files: list[Path]) -> str | list[str] | None:
    return None if not files else str(files[0]) if len(files) == 1 else list(map(str, files))
