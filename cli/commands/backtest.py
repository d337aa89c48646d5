"""`natya backtest`: a strategy on market data of the past."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import ConfigOption, IntervalOption, JsonOption


def command(
    *,
    strategy: Annotated[
        str, typer.Argument(metavar="MODULE:CLASS|FILE", help="The strategy: module:Class, a file, or file.py:Class.")
    ],
    data: Annotated[
        list[Path],
        typer.Option(metavar="FILE|DIR", help="Recordings, all by one time; or the data directory of a system."),
    ],
    symbol: Annotated[
        list[str], typer.Option(help="Only this one; of a recording that names none, the one it is of.")
    ] = [],
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, or time, in India.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included; or time.")] = "",
    interval: IntervalOption = None,
    settings: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="Parameter of the strategy; section.key=value: a setting."),
    ] = [],
    latency: Annotated[str, typer.Option(metavar="TIME", help="From a decision until it is in the book.")] = "20ms",
    slippage: Annotated[
        str, typer.Option(metavar="0.05%|5bp|1tick", help="By which an order that comes to the market trades worse.")
    ] = "",
    charges: Annotated[
        str, typer.Option(metavar="MODEL", help="dhan-equity-intraday, -delivery, dhan-futures, dhan-options or none.")
    ] = "dhan-equity-intraday",
    capital: Annotated[float, typer.Option(metavar="RUPEES", help="What returns are of.")] = 1_000_000.0,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the journal stays; without it nothing does.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Test a strategy on market data of the past, by the actors that trade on paper and live.

    The clock is that of the data; an order meets the market only after its latency, at prices that came after it was
    decided. The same inputs give the same result, to the byte of its journal.
    """
    from ...backtest.plan import Plan, assigned, duration_s, since_ns_of, slippage_of, until_ns_of
    from ...backtest.result import perform
    from ..session import faults, tell_answer
    from ..views.backtest import progress, report_text

    sys.path.append(str(Path.cwd()))  # for strategies in the current directory; last, so that it hides nothing
    with faults():
        parameters, others = assigned(settings)
        percent, ticks = slippage_of(slippage)
        plan = Plan(
            strategy=strategy,
            data=tuple(data),
            symbols=tuple(symbol),
            since_ns=since_ns_of(since),
            until_ns=until_ns_of(until),
            interval=interval or "",
            parameters=parameters,
            latency_s=duration_s(latency),
            slippage_percent=percent,
            slippage_ticks=ticks,
            charges=charges,
            capital_rupees=capital,
            settings=others,
            config=config,
            data_dir=data_dir,
        )
        with progress() as tell_progress:
            result = perform(plan, on_progress=tell_progress)
        tell_answer(result.json(), report_text(result.report), json=json)
