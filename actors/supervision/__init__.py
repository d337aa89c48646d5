"""Owner of life and death: supervisors start actors in order, restart them when they fail, and stop them in reverse."""

from .actor import Supervisor
from .child_spec import BreakerSettings, ChildSpec
from .errors import GaveUpError, ProbeOverranError, StartOverranError, SupervisionError
from .pool import Pool, PoolSettings, Resize, Resized
from .protocol import (
    EXIT_GAVE_UP,
    AwaitSystemStop,
    ChildrenStopped,
    StatisticsByPath,
    StopChildren,
    SystemStopped,
)
from .routing import ByKey, Routing
from .settings import Strategy, SupervisorSettings

__all__ = [
    "EXIT_GAVE_UP",
    "AwaitSystemStop",
    "BreakerSettings",
    "ByKey",
    "ChildSpec",
    "ChildrenStopped",
    "GaveUpError",
    "Pool",
    "PoolSettings",
    "ProbeOverranError",
    "Resize",
    "Resized",
    "Routing",
    "StartOverranError",
    "StatisticsByPath",
    "StopChildren",
    "Strategy",
    "SupervisionError",
    "Supervisor",
    "SupervisorSettings",
    "SystemStopped",
]
