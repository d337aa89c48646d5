"""Owner of life and death: supervisors start actors in order, restart them when they fail, and stop them in reverse."""

from .actor import Supervisor
from .child_spec import BreakerSettings, ChildSpec
from .errors import GaveUpError, ProbeOverranError, StartOverranError, SupervisionError
from .protocol import (
    EXIT_GAVE_UP,
    AwaitSystemStop,
    ChildrenStopped,
    StatisticsByPath,
    StopChildren,
    SystemStopped,
)
from .settings import Strategy, SupervisorSettings

__all__ = [
    "EXIT_GAVE_UP",
    "AwaitSystemStop",
    "BreakerSettings",
    "ChildSpec",
    "ChildrenStopped",
    "GaveUpError",
    "ProbeOverranError",
    "StartOverranError",
    "StatisticsByPath",
    "StopChildren",
    "Strategy",
    "SupervisionError",
    "Supervisor",
    "SupervisorSettings",
    "SystemStopped",
]
