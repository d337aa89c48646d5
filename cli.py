"""The command line: thin, it turns options into settings and a fault into an exit code."""

from __future__ import annotations

import functools
import itertools
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import cli_db, cli_journal, cli_remote
from .terminal import complain, ended, note, prepare, tell, tell_json

if TYPE_CHECKING:
    from .config.loader import LoadedSettings

app = typer.Typer(
    name="natya",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A troupe of supervised actors for trading.",
)
config_app = typer.Typer(no_args_is_help=True, help="The settings: what is in force, and where it came from.")
app.add_typer(config_app, name="config")
app.add_typer(cli_journal.app, name="journal")
app.add_typer(cli_db.app, name="db")
app.command("tree")(cli_remote.tree)
app.command("ping")(cli_remote.ping)
app.command("resume")(cli_remote.resume)
app.command("trace")(cli_remote.trace)


class Profile(StrEnum):
    """What the process is for."""

    PAPER = "paper"
    LIVE = "live"
    BACKTEST = "backtest"


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


def _assignments(pairs: list[str]) -> dict[str, Any]:
    parted = [pair.partition("=") for pair in pairs]
    for key, equals, _ in parted:
        if not key or not equals:
            raise typer.BadParameter(f"section.key=value is wanted, found {key!r}")
    return {key: value for key, _, value in parted}


ProfileOption = Annotated[Profile, typer.Option(help="What the process is for.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Your own settings, in TOML.")]
SetOption = Annotated[
    list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any setting; may be repeated.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def _print_version(asked: bool) -> None:  # noqa: FBT001  typer calls it so
    if asked:
        from importlib.metadata import version  # noqa: PLC0415

        tell(f"natya {version('natya')}")
        raise typer.Exit


@app.callback()
def natya(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A troupe of supervised actors for trading."""


@app.command()
def run(  # noqa: PLR0913  each option is one parameter
    *,
    profile: ProfileOption = Profile.PAPER,
    replay: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Recording to replay, without it the market is synthetic; may be repeated: all go by one time.",
        ),
    ] = [],  # noqa: B006  typer copies it
    symbol: Annotated[
        str | None, typer.Option(help="Symbol of a recording that says none, or the synthetic one.")
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="How long the candles of a recording are (5m); else as they are apart."),
    ] = None,
    speed: Annotated[
        float | None, typer.Option(parser=_speed, metavar="X|max", help="Times the recorded speed, or max.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="End the market after so much of its time.")
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Replay with the account of the replay before, not with a new one.")
    ] = False,
    strategy: Annotated[
        list[str] | None,
        typer.Option(metavar="MODULE:CLASS", help="Strategy to run instead of the configured ones; may be repeated."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of all that survives the process.")
    ] = None,
    config: ConfigOption = None,
    max_bad_rows: Annotated[
        int | None, typer.Option(help="Broken rows of a recording that are skipped before it is refused.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the synthetic market.")] = None,
    settings: SetOption = [],  # noqa: B006  typer copies it
    summary: Annotated[
        SummaryFormat, typer.Option(help="json: nothing but one JSON object on standard output.")
    ] = SummaryFormat.TEXT,
) -> None:
    """Trade until the market ends, or Ctrl-C."""
    overrides: dict[str, Any] = {
        "feed.source": "replay" if replay else None,
        "feed.recording": _recording(replay),
        "feed.interval": interval,
        "feed.symbol": symbol,
        "feed.symbols": None if symbol is None or replay else [symbol],
        "feed.speed": speed,
        "feed.duration_s": duration,
        "orders.account": "newest" if go_on else None,
        "feed.bad_rows_max": max_bad_rows,
        "feed.seed": seed,
        "system.data_dir": None if data_dir is None else str(data_dir),
        "strategies": _strategies(strategy) if strategy else None,
    }
    given = {key: value for key, value in overrides.items() if value is not None}
    loaded = _load(profile, config, {**_assignments(settings), **given})

    from .foreground import perform  # noqa: PLC0415  --help loads neither rooms nor DuckDB
    from .system import TradingSystem  # noqa: PLC0415

    sys.path.append(str(Path.cwd()))  # a strategy may lie where the user is; last, so that it hides nothing
    raise typer.Exit(perform(loaded.settings, TradingSystem, summary_format=summary.value))


@config_app.command("show")
def show(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],  # noqa: B006  typer copies it
    json: JsonOption = False,
) -> None:
    """Print every setting in force and where it came from; secrets are masked."""
    from .config.show import as_json, as_text  # noqa: PLC0415

    loaded = _load(profile, config, _assignments(settings))
    if json:
        tell_json(as_json(loaded).encode())
    else:
        tell(as_text(loaded))


@config_app.command("check")
def check(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],  # noqa: B006  typer copies it
    json: JsonOption = False,
) -> None:
    """Say whether the settings are right; list everything that is wrong, and exit with 78."""
    from .config.errors import SettingsError  # noqa: PLC0415
    from .config.loader import load_with_origins  # noqa: PLC0415
    from .config.show import problems_as_json  # noqa: PLC0415

    problems: tuple[str, ...] = ()
    try:
        load_with_origins(profile.value, config=config, overrides=_assignments(settings))
    except SettingsError as fault:
        problems = fault.problems
    if json:
        tell_json(problems_as_json(problems).encode())
    elif problems:
        note("\n".join(problems))
    else:
        tell("the settings are right")
    if problems:
        raise typer.Exit(_exit_code_of_settings())


def _strategies(paths: list[str]) -> list[dict[str, Any]]:
    """Name each after its class; of one name the second is `name2`, and so on: each has a position of its own."""
    from .config.loader import ACTOR_NAMES  # noqa: PLC0415

    names: list[str] = []
    for path in paths:
        name = path.rpartition(":")[2].lower()
        tries = itertools.chain([name], (f"{name}{number}" for number in itertools.count(2)))
        names.append(next(each for each in tries if each not in ACTOR_NAMES and each not in names))
    return [{"name": name, "strategy": path} for name, path in zip(names, paths, strict=True)]


def _recording(files: list[Path]) -> str | list[str] | None:
    return None if not files else str(files[0]) if len(files) == 1 else list(map(str, files))


def _load(profile: Profile, config: Path | None, overrides: dict[str, Any]) -> LoadedSettings:
    from .config.errors import SettingsError  # noqa: PLC0415
    from .config.loader import load_with_origins  # noqa: PLC0415

    try:
        return load_with_origins(profile.value, config=config, environment=os.environ, overrides=overrides)
    except SettingsError as fault:
        for problem in fault.problems:
            complain(problem)
        raise typer.Exit(_exit_code_of_settings()) from fault


def _exit_code_of_settings() -> int:
    from .exit_codes import SETTINGS  # noqa: PLC0415

    return SETTINGS


def main() -> None:
    """Run the command line; the console script `natya`."""
    prepare()
    sys.exit(ended(functools.partial(app, prog_name="natya")))
