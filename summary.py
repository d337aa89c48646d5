"""The summary of a run, from the statistics of its actors when they stopped."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from .domain.positions import unrealized
from .messages.database import DatabaseStatistics
from .messages.journal import JournalStatistics
from .messages.market import FeedStatistics
from .messages.order_listing import OrdersStatistics
from .messages.supervision import SupervisorStatistics
from .messages.system import StrategyStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .config.sections.database import DatabaseSettings
    from .messages.system import Statistics

Owner = TypeVar("Owner", bound=msgspec.Struct)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds from the feed's release of a tick to a strategy's handler; of the slowest strategy."""

    p50: float
    """Median."""

    p99: float
    """99th percentile."""


class DatabasePaths(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of the DuckDB files."""

    core: str
    market: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run.

    `ticks`, `candles`, how many of them are recorded, `dead_letters` and `restarts` are of this run. Orders, fills,
    positions and profit are of the account, earlier runs in it included; `events_journaled` is of the whole data
    directory. Queries of the database give the same figures; its tables have the account in a column.
    """

    profile: str
    """Name of the settings profile, as in `natya run PROFILE`."""

    ticks: int
    """Sent by the feed."""

    recorded: int
    """Of `ticks`, those that are durable in the market file, whether written in this run or before."""

    candles: int
    recorded_candles: int
    """Of `candles`, those that are durable in the market file."""

    orders: int
    fills: int
    rejected: int
    """Orders refused by our risk gate or rejected by the broker."""

    refused: dict[str, int]
    """Of `rejected`, those that our risk gate refused, by name of the rule."""

    events_journaled: int
    """Facts in the journal."""

    unprojected: int
    """Facts of the journal that the core file does not hold yet: the next start projects them."""

    dead_letters: int
    restarts: int

    realized_pnl: Decimal
    """Rupees, before charges."""

    unrealized_pnl: Decimal
    """Rupees, at the last prices of this run; a position without one counts 0."""

    positions: dict[str, int]
    """Signed shares of every symbol that is not flat."""

    account: int = 0
    """Number of the account: 0 is that of all sessions; each replay has one of its own."""

    wall_s: float
    """Seconds from the beginning of the start to the end of the stop."""

    ticks_per_s: float
    """`ticks` over `wall_s`."""

    tick_to_strategy_us: Latency
    databases: DatabasePaths

    journal: str
    """Directory of the journal files."""

    market_damage: str = ""
    """Damage found in market data recorded earlier, and where the damaged files were moved; empty if none."""

    database_down: str = ""
    """Why the database files were not open at the end; empty if they were."""

    parked: tuple[str, ...] = ()
    """`name: why` of each strategy that failed too often and was parked; its open orders were left as they are."""

    stop_failures: tuple[str, ...] = ()
    """A sentence for each actor whose stop failed: its `on_stop` raised, or it was killed since it took too long."""

    error: str = ""
    """Why the system gave up; empty if it was asked to end. In the output of a command also parked strategies, stops
    that failed and a market that broke off."""


class StoppedInStartError(Exception):
    """A system was asked to stop before it was up, and has stopped in order: there is no summary."""


class IncompleteSummaryError(Exception):
    """An actor ended without returning its statistics: it was killed, or never started."""


def nothing_recorded(settings: DatabaseSettings) -> DatabaseStatistics:
    """Return the statistics of a database that ended without returning its own: nothing is known to be durable."""
    return DatabaseStatistics(
        ticks=0,
        candles=0,
        duplicates=0,
        batches=0,
        projected_sequence=0,
        core_path=settings.path,
        market_path=settings.market_path,
        down="it ended without saying what it had recorded: it was killed, or never came up",
    )


def restarts_of(statistics: Mapping[str, Statistics]) -> int:
    """Return how often an actor was begun anew, by whichever supervisor."""
    return sum(each.restarts for each in statistics.values() if isinstance(each, SupervisorStatistics))


def summarize(  # noqa: PLR0913  by name
    profile: str,
    statistics: Mapping[str, Statistics],
    *,
    dead_letters: int,
    wall_s: float,
    stop_failures: tuple[str, ...] = (),
    error: str = "",
) -> Summary:
    """Build the summary.

    Args:
        profile: name of the settings profile.
        statistics: of all actors, by path in the supervision tree.
        dead_letters: counted by the runtime.
        wall_s: seconds that the run lasted.
        stop_failures: a sentence for each actor whose stop failed.
        error: why the system gave up; empty if it did not.

    Raises:
        IncompleteSummaryError: the statistics of feed, orders, journal or database are missing.
    """
    feed = _of(FeedStatistics, statistics)
    orders = _of(OrdersStatistics, statistics)
    journal = _of(JournalStatistics, statistics)
    database = _of(DatabaseStatistics, statistics)
    strategies = [each for each in statistics.values() if isinstance(each, StrategyStatistics)]
    return Summary(
        profile=profile,
        ticks=feed.ticks,
        recorded=database.market_ticks,
        candles=feed.candles,
        recorded_candles=database.market_candles,
        account=orders.account,
        orders=orders.orders,
        fills=orders.fills,
        rejected=orders.rejected,
        refused=dict(sorted(orders.refused_by_rule.items())),
        events_journaled=journal.records,
        unprojected=database.lag,
        dead_letters=dead_letters,
        restarts=restarts_of(statistics),
        realized_pnl=sum((position.realized_pnl for position in orders.positions), Decimal("0.00")),
        unrealized_pnl=sum(unrealized(orders.positions, feed.last_prices).values(), Decimal("0.00")),
        positions={position.symbol: position.quantity for position in orders.positions if position.quantity},
        wall_s=round(wall_s, 3),
        ticks_per_s=round(feed.ticks / wall_s, 1),
        tick_to_strategy_us=Latency(
            p50=max((strategy.tick_to_strategy_us_p50 for strategy in strategies), default=0.0),
            p99=max((strategy.tick_to_strategy_us_p99 for strategy in strategies), default=0.0),
        ),
        databases=DatabasePaths(core=database.core_path, market=database.market_path),
        journal=journal.path,
        market_damage=database.market_damage,
        database_down=database.down,
        parked=tuple(
            each for its in statistics.values() if isinstance(its, SupervisorStatistics) for each in its.parked
        ),
        stop_failures=stop_failures,
        error=error,
    )


def losses(summary: Summary) -> tuple[str, ...]:
    """Return a sentence for each part of the run that the database files do not hold; empty if they hold all."""
    missing = [
        f"{wanted - found:,} of {wanted:,} {name} are not recorded in {summary.databases.market}"
        for name, wanted, found in (
            ("ticks", summary.ticks, summary.recorded),
            ("candles", summary.candles, summary.recorded_candles),
        )
        if found < wanted
    ]
    if summary.unprojected:
        missing.append(
            f"{summary.unprojected:,} facts of the journal are not in {summary.databases.core}: the next start reads "
            "them there"
        )
    if missing and summary.database_down:
        missing.append(f"the database was down: {summary.database_down}")
    if summary.market_damage:
        missing.append(f"market data of earlier runs was damaged: {summary.market_damage}")
    return tuple(missing)


def summary_json(summary: Summary) -> bytes:
    """Return a summary as one line of JSON; amounts are numbers with two decimal places."""
    return msgspec.json.Encoder(decimal_format="number").encode(summary)


def _of(kind: type[Owner], statistics: Mapping[str, Statistics]) -> Owner:
    for each in statistics.values():
        if isinstance(each, kind):
            return each
    owner = kind.__name__.removesuffix("Statistics").lower()
    raise IncompleteSummaryError(
        f"there is no summary: {owner} ended without saying what it had counted; those that did are "
        f"{', '.join(sorted(statistics)) or 'nobody'}"
    )
