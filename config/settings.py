"""All settings, typed and frozen, filled by the loader from files, environment and command line."""

from __future__ import annotations

import msgspec

from .sections.broker import BrokerSettings
from .sections.control import ControlSettings
from .sections.database import DatabaseSettings
from .sections.exchange import ExchangeSettings
from .sections.feed import FeedSettings
from .sections.instruments import InstrumentsSettings
from .sections.journal import JournalSettings
from .sections.kill_switch import KillSwitchSettings
from .sections.log import LogSettings
from .sections.nodes import NodesSettings
from .sections.notifications import NotificationsSettings
from .sections.orders import OrdersSettings
from .sections.redis import RedisSettings
from .sections.strategy import StrategySettings
from .sections.supervision import SupervisionSettings
from .sections.system import SystemSettings
from .sections.telemetry import TelemetrySettings
from .sections.web import WebSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a process; each section is described in `config/sections/`."""

    system: SystemSettings
    journal: JournalSettings
    database: DatabaseSettings
    broker: BrokerSettings
    redis: RedisSettings
    nodes: NodesSettings
    instruments: InstrumentsSettings
    exchange: ExchangeSettings
    orders: OrdersSettings
    kill_switch: KillSwitchSettings
    feed: FeedSettings
    supervision: SupervisionSettings
    log: LogSettings
    strategies: tuple[StrategySettings, ...]
    control: ControlSettings
    web: WebSettings
    notifications: NotificationsSettings
    telemetry: TelemetrySettings
