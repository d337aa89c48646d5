"""Owner of Thespian: the in-process system, the base class of all our actors, and what they may ask of the world."""

import logging

from thespian.actors import ActorAddress

from .actor import RuntimeActor
from .base import InProcessSystemBase
from .clock import Clock, SystemClock
from .dispatch import handles
from .errors import (
    ActorRuntimeError,
    MessageRefusedError,
    NameTakenError,
    OffloadRefusedError,
    RequestTimedOut,
    StashFullError,
    SystemStoppedError,
    UnknownActorError,
    UnsupportedBaseError,
    WatchRefusedError,
    WouldDeadlockError,
    reason_of,
    trace_of,
    where_of,
)
from .mailboxes import Bounded, Conflating
from .offload import Outcome
from .probe import Probe
from .system import InProcessSystem
from .timers import Timer
from .trace import Trace
from .tuning import tuned_process

# As every library: silent until the program that embeds it, or our own command line, says where logs go.
logging.getLogger("natya").addHandler(logging.NullHandler())

__all__ = [
    "ActorAddress",
    "ActorRuntimeError",
    "Bounded",
    "Clock",
    "Conflating",
    "InProcessSystem",
    "InProcessSystemBase",
    "MessageRefusedError",
    "NameTakenError",
    "OffloadRefusedError",
    "Outcome",
    "Probe",
    "RequestTimedOut",
    "RuntimeActor",
    "StashFullError",
    "SystemClock",
    "SystemStoppedError",
    "Timer",
    "Trace",
    "UnknownActorError",
    "UnsupportedBaseError",
    "WatchRefusedError",
    "WouldDeadlockError",
    "handles",
    "reason_of",
    "trace_of",
    "tuned_process",
    "where_of",
]
