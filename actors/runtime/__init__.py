"""Owner of Thespian: the in-process system, the base class of all our actors, and what they may ask of the world.

How the files hang together is in `docs/architecture.md`, "The runtime's rooms".

actor.py         RuntimeActor, the base class of all our actors
context.py       the seam: what an actor calls of its host, what a host calls of its actor (protocols)
dispatch.py      @handles and the table of handlers; proof.py, whether a restarted actor gets past what it failed at
door.py          what a guest says is checked before a handler of ours sees it
lifecycle.py     what a supervisor and its child say to each other

endpoint.py      an address of this process
cell.py          address, mailbox, idle and ready; what becomes of a message that is put
cell_context.py  the context of an actor on our own base
life.py          the life of an actor as a pure state machine
runtime_cell.py  runs turns, takes the steps of a life
services.py      what a cell may use of the system (protocol)
mailboxes.py     bounded and conflating mailboxes
dead_letters.py  messages that nobody handled
requests.py      an answer awaited, by a thread, a future, a coroutine, an actor
watching.py      hearing of an actor's end
offload.py       blocking work on threads of the actor's own
trace.py         what belongs together across mailboxes, and what caused what

base.py          the system base that Thespian's ActorSystem calls: it makes the cells, and is their services
system.py        InProcessSystem: the same for tests and for those who compose a system
worker.py        a thread that runs cells
watchdog.py      names the handler that holds the shared loop
quiet.py         knowing that nothing goes on
clock.py  market_clock.py  pace.py  timers.py                time
errors.py  probe.py  tuning.py
thespian/        what exists because of Thespian's own protocol
simulation/      the same actors in one thread on a virtual clock
workers/         actors in processes of their own
"""

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
