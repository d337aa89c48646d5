"""A backtest and its result, for scripts and notebooks: `natya.backtest(…)`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec
import numpy as np

from ..actors.database import Frames, columns_of
from .figures.report import Figures, Played, Report, figures_of
from .plan import (
    CAPITAL_RUPEES,
    CHARGES,
    LATENCY_S,
    Plan,
    duration_s,
    parameters_of,
    paths_of,
    since_ns_of,
    slippage_of,
    symbols_of,
    until_ns_of,
)
from .running.running import play

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from ..actors.database.tables.columns import Columns
    from ..actors.strategy import StrategyActor
    from ..messages.orders import OrderFilled
    from .figures.trades import Trade

Table: TypeAlias = Literal["trades", "fills", "equity", "months", "symbols"]


class ResultTable(Frames):
    """One table of a result: `.columns()` as numpy, `.df()` as pandas, `.polars()`, `.arrow()`."""

    def __init__(self, columns: Columns) -> None:
        self._columns: Final = columns

    def columns(self) -> Columns:
        """Return equally long arrays by column name. Times are nanoseconds since 1970-01-01 UTC, amounts rupees."""
        return self._columns


class BacktestResult:
    """The figures of a backtest, and the tables behind them."""

    def __init__(self, plan: Plan, figures: Figures, played: Played) -> None:
        self._plan: Final = plan
        self._figures: Final = figures
        self._played: Final = played

    @property
    def plan(self) -> Plan:
        """The plan of the test."""
        return self._plan

    @property
    def report(self) -> Report:
        """All figures."""
        return self._figures.report

    @property
    def trades(self) -> tuple[Trade, ...]:
        """What was opened and closed, in the order of exits; what is still open last."""
        return self._figures.trades

    @property
    def fills(self) -> tuple[OrderFilled, ...]:
        """The trades of all orders, in the order of the journal."""
        return self._played.fills

    @property
    def figures(self) -> Figures:
        """The report, with the curve and the trades as they were computed."""
        return self._figures

    @property
    def played(self) -> Played:
        """The data that the figures were computed from."""
        return self._played

    def json(self) -> bytes:
        """Return the report as one line of JSON; amounts are numbers with two decimal places."""
        return msgspec.json.Encoder(decimal_format="number").encode(self.report)

    def html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as one page of HTML that needs no network; write it to a file, if one is named.

        It has price and fills, equity, drawdown, trades, all figures, the settings, and what they assume. An earlier
        page is replaced, any other file is not.

        Raises:
            BacktestRefusedError: the file is none of ours.
            OSError: it cannot be written.
        """
        from .pages.document import write_page  # noqa: PLC0415  only who wants a page pays for it
        from .pages.result import page_of  # noqa: PLC0415  the same

        page = page_of(self._plan, self._figures, self._played)
        if path is not None:
            write_page(Path(path), page)
        return page

    def table(self, name: Table) -> ResultTable:
        """Return a table: `result.table("equity").df()`.

        Raises:
            KeyError: there is none of that name; the text says which there are.
        """
        tables = {
            "trades": self._trades,
            "fills": self._fills,
            "equity": self._equity,
            "months": self._months,
            "symbols": self._symbols,
        }
        if name not in tables:
            raise KeyError(f"a table wanted, one of {', '.join(tables)}, found {name!r}")
        return ResultTable(tables[name]())

    def __repr__(self) -> str:
        report = self.report
        return f"<BacktestResult of {report.strategy}: {report.trades:,} trades, {report.net_rupees:+,} rupees>"

    def _repr_html_(self) -> str:
        """Return the page in a frame, as a notebook shows it."""
        from .pages.document import framed  # noqa: PLC0415  only notebooks pay for it

        return framed(self.html())

    def _trades(self) -> Columns:
        names = (
            "strategy",
            "symbol",
            "direction",
            "quantity",
            "entry_ns",
            "entry_price",
            "exit_ns",
            "exit_price",
            "profit",
            "charges",
            "net",
        )
        return columns_of(
            names,
            [
                (
                    each.strategy,
                    each.symbol,
                    each.direction,
                    each.quantity,
                    each.entry_ns,
                    float(each.entry_price),
                    each.exit_ns,
                    None if each.exit_price is None else float(each.exit_price),
                    float(each.profit),
                    float(each.charges),
                    float(each.net),
                )
                for each in self.trades
            ],
        )

    def _fills(self) -> Columns:
        names = ("occurred_ns", "strategy", "client_order_id", "symbol", "side", "quantity", "price", "charges")
        return columns_of(
            names,
            [
                (
                    each.occurred_ns,
                    each.strategy,
                    each.client_order_id,
                    each.symbol,
                    each.side,
                    each.quantity,
                    each.price,
                    float(cost),
                )
                for each, cost in zip(self.fills, self._figures.costs, strict=True)
            ],
        )

    def _equity(self) -> Columns:
        curve = self._figures.curve
        peaks = np.maximum.accumulate(np.concatenate(([self._played.capital_rupees], curve.equity)))[1:]
        return {
            "time_ns": curve.times_ns,
            "equity": curve.equity,
            "held": curve.held,
            "drawdown": curve.equity / peaks - 1.0,
        }

    def _months(self) -> Columns:
        return _parts(self.report.months)

    def _symbols(self) -> Columns:
        return _parts(self.report.by_symbol)


def _parts(parts: Sequence[Any]) -> Columns:
    names = ("name", "trades", "win_rate", "profit", "charges", "net", "return")
    return columns_of(
        names,
        [
            (
                each.name,
                each.trades,
                each.win_rate,
                float(each.profit_rupees),
                float(each.charges_rupees),
                float(each.net_rupees),
                each.return_,
            )
            for each in parts
        ],
    )


def backtest(  # noqa: PLR0913  each has its default
    strategy: str | type[StrategyActor],
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    symbols: str | Sequence[str] = (),
    since: str = "",
    until: str = "",
    interval: str = "",
    parameters: Mapping[str, Any] | None = None,
    latency: str | float = LATENCY_S,
    slippage: str = "",
    charges: str = CHARGES,
    capital_rupees: float = CAPITAL_RUPEES,
    settings: Mapping[str, Any] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    on_progress: Callable[[int], object] = lambda _: None,
) -> BacktestResult:
    """Test a strategy on market data of the past, by the actors that trade on paper and live.

        result = natya.backtest("my_strategies:Crossover", "reliance.csv", symbols=["RELIANCE"], parameters={"fast": 5})
        result.report.sharpe, result.table("equity").df()

    Args:
        strategy: the class, `module:Class`, or a file.
        data: recordings, each with its symbol where it names none (`TCS=tcs.csv`); or the data directory or DuckDB file
            of a system.
        symbols: only this, or these; of a recording that names none the one that it is of.
        since: first day, or time, in India: `2025-11-03`.
        until: last day (included), or time.
        interval: length of the candles (`5m`), where the data does not say it, or has several.
        parameters: of the strategy.
        latency: from a decision until the order is in the book: `20ms`, or seconds.
        slippage: by which an order that comes to the market trades worse: `0.05%`, `5bp`, `1tick`.
        charges: name of a charge model: dhan-equity-intraday, dhan-equity-delivery, dhan-futures, dhan-options,
            dhan-commodity-futures, dhan-commodity-options, none. A symbol that names an option or a future is charged
            as one by each of them, except by `none`.
        capital_rupees: what returns are of.
        settings: any settings by key, such as `{"orders.quantity_max": 500}`.
        data_dir: where the journal stays; without it nothing does.
        on_progress: told the market time (ns since 1970-01-01 UTC) now and then, on another thread.

    Raises:
        BacktestError: the test cannot be made as it was asked for, or did not come to the end of its data.
        SettingsError, RecordingError, StrategyNotFoundError, StrategyBrokenError: see there.
    """
    percent, ticks = slippage_of(slippage)
    plan = Plan(
        strategy=strategy,
        data=paths_of(data),
        symbols=symbols_of(symbols),
        since_ns=since_ns_of(since),
        until_ns=until_ns_of(until),
        interval=interval,
        parameters=parameters_of(parameters),
        latency_s=duration_s(latency) if isinstance(latency, str) else latency,
        slippage_percent=percent,
        slippage_ticks=ticks,
        charges=charges,
        capital_rupees=capital_rupees,
        settings=parameters_of(settings),
        data_dir=None if data_dir is None else Path(data_dir),
    )
    return perform(plan, on_progress=on_progress)


def perform(plan: Plan, *, on_progress: Callable[[int], object] = lambda _: None) -> BacktestResult:
    """Carry out a plan, and compute its figures.

    Args:
        plan: what is to be tested.
        on_progress: told the market time (ns since 1970-01-01 UTC) now and then, on another thread.

    Raises:
        Exception: as `play`.
    """
    played = play(plan, on_progress=on_progress)
    return BacktestResult(plan, figures_of(played), played)
