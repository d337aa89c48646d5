"""One backtest from its start to its end: the actors, on the time of the recording."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...actors.feed import look_ahead
from ...actors.observability import logging_to
from ...actors.runtime import InProcessSystem, InProcessSystemBase
from ...actors.supervision import (
    AwaitSystemStop,
    ChildrenStopped,
    StopChildren,
    Supervisor,
    SupervisorSettings,
    stop_bound_s,
)
from ...bodies import expect_bodies
from ...composition import candles_wanted, notes_on
from ...config.data_directory import DataDirectory
from ...config.sections.orders import OrdersSettings
from ...domain.booked import is_booked
from ...domain.time import second_text, time_text
from ...domain.wording import counted
from ...messages.addresses import FEED, STRATEGIES, SYSTEM
from ...messages.market import AwaitMarketEnd, MarketEnded
from ...messages.orders import OrderRefused, OrderRejected
from ...messages.supervision import DescribeTree
from ...messages.system import Ping
from ...transfer import AS_STORED, was_made_up
from ..errors import BacktestBrokenError, BacktestFailedError, BacktestRefusedError
from ..figures.curve import Marks
from ..figures.report import Played
from ..plan import END_NS, settings_of
from .feed import BacktestFeedSettings, MarksRead, ReadMarks
from .recorder import RECORDER, ReadRecord, Record
from .stored import recordings_of
from .tree import backtest_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from ...config.settings import Settings
    from ...messages.supervision import ChildStatus
    from ..plan import Plan

START_TIMEOUT_S: Final = 60.0
ANSWER_S: Final = 60.0
LEFT_OUT: Final = "left out, since only"
"""Begins the note on symbols that were not wanted."""

_SYMBOLS_SHOWN_MAX: Final = 5
REASONS_TOLD: Final = 3
"""For which our limits refused most orders, or the exchange."""

_LIMITS: Final = frozenset(OrdersSettings.__struct_fields__)
"""Rules of the risk gate that are the name of a setting."""

LOOK_S: Final = 0.2
"""Seconds between two looks whether a strategy has failed for good."""


def play(plan: Plan, *, on_progress: Callable[[int], object] = lambda _: None, may_be_empty: bool = False) -> Played:
    """Run a backtest to the end of its data, and return what came of it.

    Args:
        plan: what is to be tested.
        on_progress: told the market time (ns since 1970-01-01 UTC) now and then, on another thread.
        may_be_empty: a time in which the data has nothing is a test without trades, as a window of holidays is.

    Raises:
        BacktestRefusedError: the plan cannot be carried out, or the data has nothing of what is wanted.
        BacktestBrokenError: a recording is broken further on.
        BacktestFailedError: the strategy failed for good.
        RecordingError: a recording is missing, or none.
        SettingsError: settings are refused.
        StrategyNotFoundError, StrategyBrokenError: the strategy cannot be loaded.
    """
    with tempfile.TemporaryDirectory(prefix="natya-backtest-") as folder:
        scratch = Path(folder)
        data_dir = scratch / "data" if plan.data_dir is None else plan.data_dir
        recordings = recordings_of(plan, scratch)
        is_stored = recordings != plan.data
        if is_stored:
            plan = msgspec.structs.replace(plan, settings={**AS_STORED, **plan.settings})
        settings = settings_of(plan, recordings, data_dir)
        raw = play_settings(
            settings,
            since_ns=plan.since_ns,
            until_ns=plan.until_ns,
            symbols=frozenset(plan.symbols),
            is_made_up=is_stored and was_made_up(plan.data[0]),  # a database is the only one
            is_kept=plan.data_dir is not None,
            on_progress=on_progress,
        )
    record, ended = raw.record, raw.ended
    notes = (
        *raw.notes,
        *_left_out(raw, plan.symbols),
        *_broken(ended.bad_rows),
        *_declined(record),
        *_unchanged(record.unchanged),
        *_tick_of_slippage(plan, settings),
        *_spread(record, settings, of_candles=ended.candles > 0),
        *_inside(record, raw.marks),
    )
    if not (may_be_empty or ended.ticks or ended.candles):
        raise BacktestRefusedError(_nothing(plan, notes))
    return Played(
        strategy=settings.strategies[0].strategy,
        fills=record.fills,
        marks=raw.marks,
        ticks=ended.ticks,
        candles=ended.candles,
        orders=_orders(record),
        refused={rule: each.count for rule, each in record.refused.items()},
        rejected=sum(each.count for each in record.rejected),
        capital_rupees=plan.capital_rupees,
        charge_model=plan.charges,
        products={each.client_order_id: each.product for each in record.intended if each.product is not None},
        latency_s=plan.latency_s,
        exchange=None if settings.feed.exchange == "none" else settings.feed.exchange,
        begin_ns=raw.begin_ns,
        notes=notes,
        failed=raw.failed,
    )


def _nothing(plan: Plan, notes: Sequence[str]) -> str:
    of = f" of {', '.join(plan.symbols)}" if plan.symbols else ""
    since = f" from {time_text(plan.since_ns)}" if plan.since_ns else ""
    until = f" until {time_text(plan.until_ns)}" if plan.until_ns != END_NS else ""
    others = "".join(f"; {note}" for note in notes if note.startswith(LEFT_OUT))
    return f"market data{of}{since}{until} wanted, found none in {', '.join(map(str, plan.data))}{others}"


def _left_out(raw: Raw, wanted: Sequence[str]) -> Iterator[str]:
    """Yield notes on symbols that the choice of symbols left out, or did not find."""
    if raw.left_out:
        shown = ", ".join(raw.left_out[:_SYMBOLS_SHOWN_MAX])
        more = ", …" if len(raw.left_out) > _SYMBOLS_SHOWN_MAX else ""
        yield f"{LEFT_OUT} {', '.join(wanted)} is wanted: {shown}{more}"
    if missing := [symbol for symbol in wanted if symbol not in raw.marks.times]:
        yield f"wanted, and nothing of it is in the data: {', '.join(missing)}"


def _broken(bad_rows: int) -> Iterator[str]:
    """Yield that rows were left out: what happened in them was not played."""
    if bad_rows:
        yield f"left out: {counted(bad_rows, 'broken row')} of the data, as feed.bad_rows_max allows"


def _orders(record: Record) -> int:
    return len(record.intended) + sum(each.count for each in record.refused.values())


def _declined(record: Record) -> Iterator[str]:
    """Yield why orders did not come to be: the figures are those of a strategy that does without them."""
    of = counted(_orders(record), "order")
    for declined in (record.refused.values(), record.rejected):
        for each in sorted(declined, key=lambda each: -each.count)[:REASONS_TOLD]:
            fact = each.first
            first = f"{fact.client_order_id} at {second_text(fact.occurred_ns)}"
            yield f"{each.count:,} of {of} {_by(fact)}, the first {first}: {fact.reason}"


def _by(fact: OrderRefused | OrderRejected) -> str:
    if isinstance(fact, OrderRejected):
        return "rejected by the exchange"
    return f"refused by the limit orders.{fact.rule}" if fact.rule in _LIMITS else f"refused by the rule {fact.rule}"


def _unchanged(refused: dict[str, int]) -> Iterator[str]:
    """Yield that changes of orders were refused: these traded, or rested, as they had been."""
    if refused:
        by_rule = ", ".join(f"{rule} {number:,}" for rule, number in sorted(refused.items()))
        yield f"refused: {counted(sum(refused.values()), 'change')} of orders, which stayed as they were, by {by_rule}"


def _tick_of_slippage(plan: Plan, settings: Settings) -> Iterator[str]:
    """Yield how much a tick of slippage is: that of the instrument may be ten times as much."""
    if plan.slippage_ticks:
        yield (
            f"a tick of slippage is {settings.exchange.tick_size_rupees:g} rupees: that of the instrument may be more "
            "(--set exchange.tick_size_rupees=0.05)"
        )


def _spread(record: Record, settings: Settings, *, of_candles: bool) -> Iterator[str]:
    """Yield that market orders paid no spread: candles have no book, and nothing stands for it."""
    if settings.exchange.slippage_percent or settings.exchange.slippage_ticks or not of_candles:
        return
    at_market = {each.client_order_id for each in record.intended if each.order_type in {"MARKET", "STOP"}}
    fills = [each.client_order_id in at_market for each in record.fills if not is_booked(each.trade_id)]
    if any(fills):
        yield (
            f"{sum(fills):,} of {len(fills):,} fills were at the market, and paid no spread, which candles do not "
            "tell: --slippage 1tick, or more where it is wider"
        )


def _inside(record: Record, marks: Marks) -> Iterator[str]:
    """Yield how many fills are of the prices that were made up inside of the candle in which they were decided.

    Of orders at the market alone: which of open, high, low and close comes next is known there (behind a high that came
    first it is the low), and an order with a limit does not trade better than what it found.
    """
    decided = {each.client_order_id: each.occurred_ns for each in record.intended if each.order_type == "MARKET"}
    fills = [each for each in record.fills if not is_booked(each.trade_id)]
    bars = {symbol: each for symbol, each in marks.bars.items() if each.are_candles}
    number = sum(
        bars[each.symbol].is_inside(decided[each.client_order_id], each.occurred_ns)
        for each in fills
        if each.client_order_id in decided and each.symbol in bars
    )
    if number:
        yield (
            f"{number:,} of {counted(len(fills), 'fill')} met the next of the four prices of the candle in which they "
            "were decided, whose order is made up: behind a high that comes first that is the low. Decide in "
            "on_candle, or play ticks"
        )


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """What the actors of a backtest answered at its end."""

    record: Record
    marks: Marks
    ended: MarketEnded
    notes: tuple[str, ...]
    begin_ns: int
    """When the first of what was played happened: nanoseconds since 1970-01-01 UTC; 0: nothing was."""

    left_out: tuple[str, ...]
    """Symbols of the data that were not wanted."""

    failed: str = ""
    """How an actor failed that was begun anew, or that could not stop."""


def play_settings(  # noqa: PLR0913  by name
    settings: Settings,
    *,
    since_ns: int,
    until_ns: int,
    symbols: frozenset[str],
    is_made_up: bool,
    is_kept: bool,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Raw:
    """Play the recordings of these settings between two times, and return what came of it; raises as `play` does."""
    with contextlib.ExitStack() as stack:
        expect_bodies(settings)
        outlook = look_ahead(settings.feed)
        outlook.expect_candles(candles_wanted(settings), played=symbols)
        directory = DataDirectory(settings.system.data_dir)
        directory.take()
        stack.callback(directory.release)
        stack.enter_context(logging_to(settings))
        feed = BacktestFeedSettings(
            feed=settings.feed,
            since_ns=since_ns,
            until_ns=until_ns,
            symbols=symbols,
            is_made_up=is_made_up,
            on_progress=on_progress,
        )
        children = backtest_children(settings, feed, is_kept=is_kept)
        base = InProcessSystemBase(
            market_opening_ns=max(outlook.opening_ns or 0, since_ns),
            seed=settings.feed.seed,
            stall_warn_s=None,
            trace_every=0,  # the hops of an order are not asked for after the run
        )
        runtime = stack.enter_context(InProcessSystem(base))
        root = SupervisorSettings(
            children=children, policy=settings.supervision, root=True, shutdown_s=settings.system.shutdown_s
        )
        runtime.start(SYSTEM, Supervisor, root, timeout_s=START_TIMEOUT_S)
        ended, failures = _await_end(runtime)
        if ended.error:
            raise BacktestBrokenError(f"the market broke off: {ended.error}")
        record: Record = runtime.request(RECORDER, ReadRecord(), timeout_s=ANSWER_S)
        marks: MarksRead = runtime.request(FEED, ReadMarks(), timeout_s=ANSWER_S)
        stopped: ChildrenStopped = runtime.request(
            SYSTEM, StopChildren(), timeout_s=stop_bound_s(children, settings.system.shutdown_s) + ANSWER_S
        )
    return Raw(
        record=record,
        marks=marks.marks,
        ended=ended,
        notes=(*outlook.notes, *notes_on(settings)),
        begin_ns=marks.begin_ns,
        left_out=marks.left_out,
        failed="; ".join((*failures, *stopped.told())),
    )


def _await_end(runtime: InProcessSystem) -> tuple[MarketEnded, tuple[str, ...]]:
    """Wait for the end of the market; return it, and a sentence for each failure on the way.

    Raises:
        BacktestFailedError: a strategy failed for good: nobody is left to trade.
    """
    stopped = runtime.request_future(SYSTEM, AwaitSystemStop())
    # Answered in order: if the root gave up at the start, `stopped` is done by now.
    runtime.request(SYSTEM, Ping(), timeout_s=ANSWER_S)
    _expect_going(stopped)
    awaited = runtime.request_future(FEED, AwaitMarketEnd())
    while True:
        with contextlib.suppress(TimeoutError):
            ended = awaited.result(LOOK_S)
            if not isinstance(ended, MarketEnded):
                raise BacktestFailedError(f"the market did not come to its end: {ended}")
            return ended, _failures(runtime)
        _expect_going(stopped)
        _failures(runtime)


def _expect_going(stopped: Future[Any]) -> None:
    if stopped.done():
        end = stopped.result()
        raise BacktestFailedError(end.reason) from end.error


def _failures(runtime: InProcessSystem) -> tuple[str, ...]:
    """Return a sentence for each actor that failed and was begun anew.

    Raises:
        BacktestFailedError: one failed for good.
    """
    tree = runtime.request(SYSTEM, DescribeTree(), timeout_s=ANSWER_S)
    for child in tree.children:
        if child.state == "PARKED" or (
            child.state != "RUNNING" and f"/{STRATEGIES}/" not in child.path and child.last_error
        ):
            raise BacktestFailedError(_told(child))
    return tuple(
        f"{_told(child)}: it was begun anew {child.restarts:,} times, and the figures are not those of the whole data"
        for child in tree.children
        if child.restarts
    )


def _told(child: ChildStatus) -> str:
    at = f" at {child.raised_at}" if child.raised_at else ""
    return f"{child.path.rpartition('/')[2]} failed: {child.last_error}{at}"
