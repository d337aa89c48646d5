"""Health of an actor: `Ping`, `Pong`, and the statistics of each kind of actor."""

from typing import TypeAlias

import msgspec

from .broker import BrokerStatistics, ExchangeStatistics, UpdatesStatistics
from .control import ControlStatistics
from .database import DatabaseStatistics
from .delivery import DeliveryStatistics
from .events import EventsStatistics, TransportStatistics
from .health import ServiceStatistics, TokenStatistics
from .history import HistoryStatistics
from .instruments import InstrumentsStatistics
from .journal import JournalStatistics
from .kill_switch import KillSwitchStatistics, LossExitStatistics
from .market import FeedStatistics
from .nodes import NodesStatistics
from .order_listing import OrdersStatistics
from .reconciliation import ReconciliationStatistics
from .supervision import SupervisorStatistics
from .units import Count, Microseconds
from .web import WebStatistics


class ActorStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ActorStatistics"):
    """What the runtime counts for every actor."""

    handled: Count
    """Messages handled."""

    failures: Count
    """Messages whose handler raised."""


class StrategyStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyStatistics"
):
    """What a strategy counts since it started."""

    strategy: str
    ticks: Count
    orders: Count
    fills: Count
    tick_to_strategy_us_p50: Microseconds
    """Microseconds from the feed's release of a tick to its handler here: median of a sample."""

    tick_to_strategy_us_p99: Microseconds
    """Microseconds: 99th percentile of the sample."""


Statistics: TypeAlias = (
    ActorStatistics
    | BrokerStatistics
    | ControlStatistics
    | DatabaseStatistics
    | DeliveryStatistics
    | EventsStatistics
    | ExchangeStatistics
    | FeedStatistics
    | HistoryStatistics
    | NodesStatistics
    | InstrumentsStatistics
    | JournalStatistics
    | KillSwitchStatistics
    | LossExitStatistics
    | OrdersStatistics
    | ReconciliationStatistics
    | ServiceStatistics
    | StrategyStatistics
    | SupervisorStatistics
    | TokenStatistics
    | TransportStatistics
    | UpdatesStatistics
    | WebStatistics
)


class Ping(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Ping"):
    """To any actor; answered by `Pong`."""


class Pong(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Pong"):
    """Answer to `Ping`: alive, and this is what it counts."""

    actor: str
    statistics: Statistics
