"""natya: a troupe of supervised actors for trading.

The public names are loaded when they are first asked for: `import natya` alone is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .actors.broker.adapters import (
        BrokerAdapter,
        BrokerCredentials,
        DhanBrokerAdapter,
        ForeverLeg,
        ForeverOrderRequest,
        OrderRequest,
        SuperOrderRequest,
        WriteAccepted,
        WriteNotSent,
        WriteRefused,
        WriteUnknown,
    )
    from .actors.database import (
        BaseRepository,
        DuckDBAdapter,
        EventRepository,
        FillRepository,
        MarketDataRepositoryImpl,
        OrderRepository,
        PositionRepository,
        RepositoryResult,
    )
    from .actors.events import EventPublisher, EventSubscriber, Listening, PublishFailedError, PublishInDoubtError
    from .actors.external import BaseExternalAdapter, Endpoint, ExternalServiceResult, Pending, PendingResult
    from .actors.runtime import (
        Bounded,
        Conflating,
        InProcessSystem,
        MessageRefusedError,
        NameTakenError,
        OffloadRefusedError,
        Outcome,
        Probe,
        RequestTimedOut,
        RuntimeActor,
        StashFullError,
        SystemStoppedError,
        Terminated,
        UnknownActorError,
        WatchRefusedError,
        WouldDeadlockError,
        handles,
        tuned_process,
    )
    from .actors.strategy import StrategyActor, StrategyBrokenError, StrategyNotFoundError
    from .actors.supervision import (
        AwaitSystemStop,
        BreakerSettings,
        ByKey,
        ChildSpec,
        GaveUpError,
        Pool,
        PoolSettings,
        Resize,
        Resized,
        Supervisor,
        SupervisorSettings,
        SystemStopped,
    )
    from .backtest import BacktestResult, backtest
    from .client import connect
    from .config.container import DependencyContainer
    from .config.errors import SettingsError
    from .config.loader import load_settings
    from .config.sections.supervision import SupervisionSettings
    from .config.settings import Settings
    from .domain.events.catalog import EventCatalog
    from .domain.instruments import Instrument, PriceGrid
    from .domain.quotas import Allowance, Quota
    from .messages.delivery import (
        DeliverEvents,
        DeliveryTerms,
        EventPublished,
        EventsHandled,
        EventsNotHandled,
        EventsSubscribed,
        SubscribeDurably,
        SubscribeEvents,
        UnsubscribeEvents,
    )
    from .messages.domain_events import DomainEvent, IntegrationEvent, MarketDataReceived, UnknownEvent
    from .messages.holdings import Position
    from .messages.market import Candle, DaySummary, Depth, Tick
    from .messages.orders import (
        CancellationIntended,
        CancellationRefused,
        CancellationUncertain,
        CancelOrder,
        ModificationIntended,
        ModificationRefused,
        ModifyOrder,
        OrderAccepted,
        OrderCancelled,
        OrderExpired,
        OrderFilled,
        OrderIntended,
        OrderModified,
        OrderRefused,
        OrderRejected,
        OrderTriggered,
        OrderUncertain,
        SubmitOrder,
    )
    from .messages.risk_state import Resume, Resumed, ResumeRefused, RiskStateChanged
    from .messages.supervision import ChildStatus, DeadLetter, DescribeTree, Failed, SupervisionTree, Unavailable
    from .messages.system import ActorStatistics, Ping, Pong
    from .services import ServiceLocator, get_container, inject
    from .summary import Summary
    from .system import SystemGaveUpError, TradingSystem

    __version__: str

_MODULES: Final = {
    ".actors.broker.adapters": (
        "BrokerAdapter",
        "BrokerCredentials",
        "DhanBrokerAdapter",
        "ForeverLeg",
        "ForeverOrderRequest",
        "OrderRequest",
        "SuperOrderRequest",
        "WriteAccepted",
        "WriteNotSent",
        "WriteRefused",
        "WriteUnknown",
    ),
    ".actors.database": (
        "BaseRepository",
        "DuckDBAdapter",
        "EventRepository",
        "FillRepository",
        "MarketDataRepositoryImpl",
        "OrderRepository",
        "PositionRepository",
        "RepositoryResult",
    ),
    ".actors.events": (
        "EventPublisher",
        "EventSubscriber",
        "Listening",
        "PublishFailedError",
        "PublishInDoubtError",
    ),
    ".actors.external": ("BaseExternalAdapter", "Endpoint", "ExternalServiceResult", "Pending", "PendingResult"),
    ".actors.runtime": (
        "Bounded",
        "Conflating",
        "InProcessSystem",
        "MessageRefusedError",
        "NameTakenError",
        "OffloadRefusedError",
        "Outcome",
        "Probe",
        "RequestTimedOut",
        "RuntimeActor",
        "StashFullError",
        "SystemStoppedError",
        "Terminated",
        "UnknownActorError",
        "WatchRefusedError",
        "WouldDeadlockError",
        "handles",
        "tuned_process",
    ),
    ".actors.strategy": ("StrategyActor", "StrategyBrokenError", "StrategyNotFoundError"),
    ".actors.supervision": (
        "AwaitSystemStop",
        "BreakerSettings",
        "ByKey",
        "ChildSpec",
        "GaveUpError",
        "Pool",
        "PoolSettings",
        "Resize",
        "Resized",
        "Supervisor",
        "SupervisorSettings",
        "SystemStopped",
    ),
    ".config.container": ("DependencyContainer",),
    ".config.errors": ("SettingsError",),
    ".config.loader": ("load_settings",),
    ".config.sections.supervision": ("SupervisionSettings",),
    ".config.settings": ("Settings",),
    ".domain.events.catalog": ("EventCatalog",),
    ".domain.instruments": ("Instrument", "PriceGrid"),
    ".domain.quotas": ("Allowance", "Quota"),
    ".messages.delivery": (
        "DeliverEvents",
        "DeliveryTerms",
        "EventPublished",
        "EventsHandled",
        "EventsNotHandled",
        "EventsSubscribed",
        "SubscribeDurably",
        "SubscribeEvents",
        "UnsubscribeEvents",
    ),
    ".messages.domain_events": ("DomainEvent", "IntegrationEvent", "MarketDataReceived", "UnknownEvent"),
    ".messages.market": ("Candle", "DaySummary", "Depth", "Tick"),
    ".messages.orders": (
        "CancelOrder",
        "CancellationIntended",
        "CancellationRefused",
        "CancellationUncertain",
        "OrderAccepted",
        "OrderCancelled",
        "OrderExpired",
        "OrderFilled",
        "OrderIntended",
        "OrderModified",
        "ModificationIntended",
        "ModificationRefused",
        "ModifyOrder",
        "OrderRefused",
        "OrderRejected",
        "OrderTriggered",
        "OrderUncertain",
        "SubmitOrder",
    ),
    ".messages.holdings": ("Position",),
    ".messages.risk_state": ("Resume", "ResumeRefused", "Resumed", "RiskStateChanged"),
    ".messages.supervision": ("ChildStatus", "DeadLetter", "DescribeTree", "Failed", "SupervisionTree", "Unavailable"),
    ".messages.system": ("ActorStatistics", "Ping", "Pong"),
    ".backtest": ("BacktestResult", "backtest"),
    ".client": ("connect",),
    ".services": ("ServiceLocator", "get_container", "inject"),
    ".summary": ("Summary",),
    ".system": ("SystemGaveUpError", "TradingSystem"),
}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "ActorStatistics",
    "Allowance",
    "AwaitSystemStop",
    "BacktestResult",
    "BaseExternalAdapter",
    "BaseRepository",
    "Bounded",
    "BreakerSettings",
    "BrokerAdapter",
    "BrokerCredentials",
    "ByKey",
    "CancelOrder",
    "CancellationIntended",
    "CancellationRefused",
    "CancellationUncertain",
    "Candle",
    "ChildSpec",
    "ChildStatus",
    "Conflating",
    "DaySummary",
    "DeadLetter",
    "DeliverEvents",
    "DeliveryTerms",
    "DependencyContainer",
    "Depth",
    "DescribeTree",
    "DhanBrokerAdapter",
    "DomainEvent",
    "DuckDBAdapter",
    "Endpoint",
    "EventCatalog",
    "EventPublished",
    "EventPublisher",
    "EventRepository",
    "EventSubscriber",
    "EventsHandled",
    "EventsNotHandled",
    "EventsSubscribed",
    "ExternalServiceResult",
    "Failed",
    "FillRepository",
    "ForeverLeg",
    "ForeverOrderRequest",
    "GaveUpError",
    "InProcessSystem",
    "Instrument",
    "IntegrationEvent",
    "Listening",
    "MarketDataReceived",
    "MarketDataRepositoryImpl",
    "MessageRefusedError",
    "ModificationIntended",
    "ModificationRefused",
    "ModifyOrder",
    "NameTakenError",
    "OffloadRefusedError",
    "OrderAccepted",
    "OrderCancelled",
    "OrderExpired",
    "OrderFilled",
    "OrderIntended",
    "OrderModified",
    "OrderRefused",
    "OrderRejected",
    "OrderRepository",
    "OrderRequest",
    "OrderTriggered",
    "OrderUncertain",
    "Outcome",
    "Pending",
    "PendingResult",
    "Ping",
    "Pong",
    "Pool",
    "PoolSettings",
    "Position",
    "PositionRepository",
    "PriceGrid",
    "Probe",
    "PublishFailedError",
    "PublishInDoubtError",
    "Quota",
    "RepositoryResult",
    "RequestTimedOut",
    "Resize",
    "Resized",
    "Resume",
    "ResumeRefused",
    "Resumed",
    "RiskStateChanged",
    "RuntimeActor",
    "ServiceLocator",
    "Settings",
    "SettingsError",
    "StashFullError",
    "StrategyActor",
    "StrategyBrokenError",
    "StrategyNotFoundError",
    "SubmitOrder",
    "SubscribeDurably",
    "SubscribeEvents",
    "Summary",
    "SuperOrderRequest",
    "SupervisionSettings",
    "SupervisionTree",
    "Supervisor",
    "SupervisorSettings",
    "SystemGaveUpError",
    "SystemStopped",
    "SystemStoppedError",
    "Terminated",
    "Tick",
    "TradingSystem",
    "Unavailable",
    "UnknownActorError",
    "UnknownEvent",
    "UnsubscribeEvents",
    "WatchRefusedError",
    "WouldDeadlockError",
    "WriteAccepted",
    "WriteNotSent",
    "WriteRefused",
    "WriteUnknown",
    "backtest",
    "connect",
    "get_container",
    "handles",
    "inject",
    "load_settings",
    "tuned_process",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  reading metadata costs more than the rest of this file

        value: Any = version(__name__)
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name], __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
