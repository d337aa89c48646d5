"""The actor runtime: the in-process system, the base class of all actors, messages, timers, requests, worker processes.

The problem. A tick passes four actors, a hundred thousand times a second, in one Python process; an actor that fails
must not take a message of another with it, be tried twice, or keep its callers waiting.

The idea. An actor lives in a `Cell`: its address and its mailbox in one object. Sending is one append to the mailbox
and, if the cell was idle, one append to the queue of its worker thread; no lock is taken. All that happens rarely
(start, failure, restart, stop) is decided in `life.py`, a pure state machine, and carried out by the cell on its own
thread. Thespian stays the outer interface: its `ActorSystem` runs this base as it runs its own.

The trap. Everything a sender reads (`put`, `idle`, `asleep`) may change under its hands, so each change is ordered so
that one of two threads always sees the other: set the flag, then look again. `cell.py`, `worker.py` and `quiet.py` say
how, and a change there needs the simulation (`tests/simulation`) and `benchmarks/bench_actors.py`.

How the files depend on each other is in `docs/architecture.md`, "The runtime's rooms".

actor.py         RuntimeActor, the base class of all actors
context.py       what an actor calls of its host, and a host of its actor (protocols)
dispatch.py      @handles and the table of handlers; proof.py: does a restarted actor get past the message it failed at
door.py          messages of untrusted senders are checked before a handler of natya's own actors gets them
lifecycle.py     messages between a supervisor and its child

endpoint.py      an address in this process
cell.py          address, mailbox, idle and ready; what happens to a message by the state of its actor
cell_context.py  what an actor may ask of its cell
life.py          the life of an actor as a pure state machine
living_cell.py   carries out the steps of a life; runtime_cell.py: runs turns, and fails once
services.py      what a cell may use of the system (protocol)
mailboxes.py     bounded and conflating mailboxes
conflation.py    market data for receivers that are behind
dead_letters.py  messages that no handler completed
requests.py      pending requests of a thread, a future, a coroutine, an actor
awaiting.py      blocking calls that a coroutine awaits
watching.py      notifying watchers of an actor's end
journal_pages.py reading the journal, page by page
offload.py       blocking work on threads of the actor's own
trace.py         conversations across mailboxes, and what caused what

base.py          the system base that Thespian's ActorSystem calls: it makes the cells, and implements their services
system.py        InProcessSystem: the same for programs and tests, without Thespian's names
worker.py        a thread that runs cells
watchdog.py      logs which handler holds the shared loop
quiet.py         detecting that nothing is going on; lane.py: market data handed on while nothing is
clock.py  market_clock.py  pace.py  timers.py                time
errors.py  probe.py  tuning.py
thespian/        what exists because of Thespian's own protocol
simulation/      the same actors in one thread on a virtual clock
workers/         actors in processes of their own
"""

import logging

from thespian.actors import ActorAddress

from .actor import READS_BACK_S, RuntimeActor
from .awaiting import to_the_end
from .base import InProcessSystemBase
from .clock import Clock, SystemClock
from .conflation import newest_of
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
    fails_start,
    hiding,
    reason_of,
    restart_helps,
    trace_of,
    where_of,
)
from .journal_pages import JournalPages
from .lane import Lane
from .lifecycle import MailboxCounters, Terminated
from .mailboxes import Bounded, Conflating
from .offload import Outcome
from .probe import Probe
from .system import InProcessSystem
from .timers import Timer
from .trace import Trace, conversation
from .tuning import tuned_process

# As every library: silent until the embedding program, or natya's command line, configures logging.
logging.getLogger("natya").addHandler(logging.NullHandler())

__all__ = [
    "READS_BACK_S",
    "ActorAddress",
    "ActorRuntimeError",
    "Bounded",
    "Clock",
    "Conflating",
    "InProcessSystem",
    "InProcessSystemBase",
    "JournalPages",
    "Lane",
    "MailboxCounters",
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
    "Terminated",
    "Timer",
    "Trace",
    "UnknownActorError",
    "UnsupportedBaseError",
    "WatchRefusedError",
    "WouldDeadlockError",
    "conversation",
    "fails_start",
    "handles",
    "hiding",
    "newest_of",
    "reason_of",
    "restart_helps",
    "to_the_end",
    "trace_of",
    "tuned_process",
    "where_of",
]
