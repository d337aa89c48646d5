"""Supervisors: they start actors in order, restart them when they fail, and stop them in reverse. Source: Erlang/OTP.

Public names to build with: `Supervisor`, `SupervisorSettings`, `ChildSpec`, `BreakerSettings`; `Pool`, `PoolSettings`,
`ByKey`, `Resize`. Files, from the decision to the act:

policy          what to do about a failure (pure); it uses backoff, restart_budget
children        the children of one supervisor: starting, restarting, stopping them in order; decides no policy
start_group     children that are started one after another; start_groups: how such groups merge
child           what is known of one child; child_spec: what a user says of it
actor           `Supervisor`, the actor around them
pool, routing   `Pool`, a supervisor of equal workers, and which of them gets a message (pure)
report          log events and journal facts about children
parking         the orders that a parked strategy leaves open
tree            the answer to `DescribeTree`
deadline        a cancellable timer
handover        what a restarted supervisor takes over from the instance that failed
protocol        messages that stay in the process
settings, errors
"""

from .actor import Supervisor
from .child import KILL_S, Child, stop_bound_s
from .child_spec import BreakerSettings, ChildSpec
from .errors import GaveUpError, ProbeOverranError, StartOverranError, SupervisionError
from .handover import Handover as SupervisorHandover
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
    "KILL_S",
    "AwaitSystemStop",
    "BreakerSettings",
    "ByKey",
    "Child",
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
    "SupervisorHandover",
    "SupervisorSettings",
    "SystemStopped",
    "stop_bound_s",
]
