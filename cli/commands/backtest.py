"""`natya backtest`: a strategy on market data of the past."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from ..options import (
    ConfigOption,
    DatesOption,
    DecimalOption,
    IntervalOption,
    JsonOption,
    ZoneOption,
    length,
    written_as,
)

if TYPE_CHECKING:
    from ...backtest import Plan
    from ...backtest.sweeping.outcomes import Outcome
    from ...backtest.sweeping.sweep import Sweep, Walk

LengthOption: TypeAlias = Annotated[
    str | None,
    typer.Option(parser=length, metavar="LENGTH", help="Of a sweep: choose on so much (60d), test on so much behind."),
]


class Engine(StrEnum):
    """What runs the tests of a sweep."""

    LOKY = "loky"
    DASK = "dask"
    RAY = "ray"


def command(
    *,
    strategy: Annotated[
        str, typer.Argument(metavar="MODULE:CLASS|FILE", help="The strategy: module:Class, a file, or file.py:Class.")
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            metavar="[SYMBOL=]FILE|DIR",
            help="Recordings, all by one time, each with its symbol where it names none; or the data directory of a "
            "system.",
        ),
    ],
    symbol: Annotated[
        list[str], typer.Option(help="Only this one; of a recording that names none, the one it is of.")
    ] = [],
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, or time, in India.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included; or time.")] = "",
    interval: IntervalOption = None,
    dates: DatesOption = None,
    decimal: DecimalOption = None,
    zone: ZoneOption = None,
    settings: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="Parameter of the strategy; section.key=value: a setting."),
    ] = [],
    latency: Annotated[str, typer.Option(metavar="TIME", help="From a decision until it is in the book.")] = "20ms",
    slippage: Annotated[
        str,
        typer.Option(
            metavar="0.05%|5bp|1tick",
            help="By which an order that comes to the market trades worse; a tick is exchange.tick_size_rupees.",
        ),
    ] = "",
    charges: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="dhan-equity-intraday, -delivery, dhan-futures, -options, dhan-commodity-futures, -options or none: "
            "of what does not tell it by its name, as an option does.",
        ),
    ] = "dhan-equity-intraday",
    capital: Annotated[float, typer.Option(metavar="RUPEES", help="What returns are of.")] = 1_000_000.0,
    sweep: Annotated[
        str, typer.Option(metavar="GRID", help="Test every choice of parameters: fast=5:50:5,slow=100|200.")
    ] = "",
    train: LengthOption = None,
    test: LengthOption = None,
    by: Annotated[
        str, typer.Option(metavar="MEASURE", help="By which the best is chosen: sharpe, net_rupees.")
    ] = "sharpe",
    workers: Annotated[int, typer.Option(min=0, help="Processes of a sweep; 0: as many as cores.")] = 0,
    engine: Annotated[Engine, typer.Option(help="What runs a sweep: this machine, or a cluster.")] = Engine.LOKY,
    cluster: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Of a dask or ray that runs: tcp://host:8786; else one is started.")
    ] = "",
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Outcomes of a sweep: .duckdb, or JSON lines; none is repeated."),
    ] = None,
    kept_in: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Where the journal stays; without it nothing does.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report as one page, too; an earlier page is replaced."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Test a strategy on market data of the past, by the actors that trade on paper and live.

    The clock is that of the data; an order meets the market only after its latency, at prices that came after it was
    decided. The same inputs give the same result, to the byte of its journal. Ends with 70 if the strategy failed.
    """
    from ...backtest.pages.document import expect_writable
    from ...backtest.plan import Plan, assigned, duration_s, since_ns_of, slippage_of, until_ns_of
    from ...backtest.result import perform
    from ...backtest.sweeping.outcomes import expect_measure
    from ...backtest.sweeping.shown import resumed_shown
    from ...backtest.sweeping.sweep import Sweep
    from ..exit_codes import INTERNAL
    from ..session import faults, tell_answer
    from ..views.backtest import counting, progress, report_text, sweep_text

    of_sweep = {
        "--train": train,
        "--test": test,
        "--by": by != "sharpe",
        "--workers": workers,
        "--engine": engine is not Engine.LOKY,
        "--cluster": cluster,
        "--results": results,
    }
    if not sweep and any(of_sweep.values()):
        told = ", ".join(name for name, given in of_sweep.items() if given)
        raise typer.BadParameter(f"a --sweep, whose options they are, wanted beside {told}; found none")
    if sweep and kept_in is not None:
        raise typer.BadParameter("one of --sweep and --data-dir wanted, found both: a sweep keeps no journal")
    if bool(train) != bool(test):
        raise typer.BadParameter("both of --train and --test wanted, found one")

    sys.path.append(str(Path.cwd()))  # for strategies in the current directory; last, so that it hides nothing
    with faults():
        if html is not None:
            expect_writable(html)
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
            settings=others | written_as(dates, decimal, zone),
            config=config,
            data_dir=kept_in,
        )
        if sweep:
            expect_measure(by)
            with counting() as tell_count:
                runner = Sweep(
                    plan, workers=workers, engine=engine.value, cluster=cluster, results=results, on_progress=tell_count
                )
                found = _sweep(plan, runner, sweep, train=train, test=test, by=by, html=html)
            tell_answer(
                {"outcomes": found} if isinstance(found, list) else found,
                sweep_text(found, by, resumed_shown(runner)),
                json=json,
            )
            if runner.failed:
                raise typer.Exit(INTERNAL)
            return
        with progress() as tell_progress:
            result = perform(plan, on_progress=tell_progress)
        if html is not None:
            result.html(html)
        tell_answer(result.json(), report_text(result.report), json=json)
        if result.report.failed:
            raise typer.Exit(INTERNAL)


def _sweep(
    plan: Plan, runner: Sweep, text: str, *, train: str | None, test: str | None, by: str, html: Path | None
) -> list[Outcome] | Walk:
    """Test every choice, or walk; and write the page, if one is wanted."""
    from msgspec.structs import replace

    from ...backtest.pages.document import write_page
    from ...backtest.pages.sweep import page_of_sweep, page_of_walk
    from ...backtest.result import perform
    from ...backtest.sweeping.grid import grid_of
    from ...backtest.sweeping.shown import resumed_shown
    from ...backtest.sweeping.sweep import sweep, trainings_of, walk_forward
    from ...domain.time import duration_ns

    grid = grid_of(text)
    if train is None or test is None:
        outcomes = sweep(runner, plan, grid)
        if html is not None:
            write_page(html, page_of_sweep(plan, outcomes, by, [*resumed_shown(runner)]))
        return outcomes
    whole = perform(replace(plan, parameters=plan.parameters | dict(grid[0]))).report
    walk = walk_forward(
        runner,
        grid,
        first_ns=whole.first_ns,
        last_ns=whole.last_ns,
        train_ns=duration_ns(train),
        test_ns=duration_ns(test),
        by=by,
    )
    if html is not None:
        write_page(html, page_of_walk(plan, walk, trainings_of(runner, grid, walk), [*resumed_shown(runner)]))
    return walk
