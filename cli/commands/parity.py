"""`natya parity`: whether a backtest gives the orders of a recorded session."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import ConfigOption, JsonOption, Profile, ProfileOption, SetOption, assignments, length_or_ticks


def command(
    *,
    data_dir: Annotated[Path, typer.Argument(metavar="DIR", help="Data directory of a session on paper.")],
    strategy: Annotated[
        list[str],
        typer.Option(metavar="MODULE:CLASS|FILE", help="Strategy of the session; else those of the settings."),
    ] = [],
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, or time, in India.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included; or time.")] = "",
    interval: Annotated[
        str | None,
        typer.Option(
            parser=length_or_ticks,
            metavar="LENGTH|ticks",
            help="Candles of 5m, or ticks; else what it played.",
        ),
    ] = None,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    json: JsonOption = False,
) -> None:
    """Backtest a recorded session with its own strategies and settings, and compare the orders, one for one.

    Prints the first difference, and ends with 1 if there is one. Nothing in the data directory is changed.
    """
    from ...backtest.parity import parity
    from ...backtest.plan import since_ns_of, until_ns_of
    from ..exit_codes import FAILED
    from ..session import faults, tell_answer
    from ..views.backtest import parity_text, progress

    sys.path.append(str(Path.cwd()))  # for strategies in the current directory; last, so that it hides nothing
    with faults(), progress() as tell_progress:
        found = parity(
            data_dir,
            profile=profile.value,
            config=config,
            strategies=strategy,
            since_ns=since_ns_of(since),
            until_ns=until_ns_of(until),
            interval=interval or "",
            settings=assignments(settings),
            on_progress=tell_progress,
        )
    tell_answer(found, parity_text(found), json=json)
    if found.difference:
        raise typer.Exit(FAILED)
