"""`RuntimeActor`, the base of all our actors, and everything the runtime gives them."""

from __future__ import annotations

import functools
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from thespian.actors import Actor, ActorExitRequest

from ...messages.system import ActorStatistics, Ping, Pong, Statistics
from ...messages.trace import ReadTrace, TraceRead
from .dispatch import HandlerTable, handles
from .door import front_of
from .errors import MessageRefusedError
from .lifecycle import ChildHandlerFailed
from .offload import OutcomeArrived
from .runtime_cell import Ended, RuntimeCell
from .thespian.foreign import ForeignContext
from .trace import causation_of, correlation_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from thespian.actors import ActorAddress

    from .cell import Cell
    from .clock import Clock
    from .context import ActorContext
    from .lifecycle import Control, MailboxCounters
    from .mailboxes import MailboxKind
    from .offload import Then
    from .timers import Timer
    from .trace import Trace

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_logger = logging.getLogger("natya")


class RuntimeActor(Actor):
    """An actor with handlers by message type, which fails once and restarts in place.

    Set up in `on_start`, never in `__init__`. What the runtime gives is there from `on_start` on, only for the actor's
    own thread: neither an offloaded function nor anyone else may call these methods.
    """

    blocking: ClassVar[bool] = False
    """A thread of its own, which it may block."""

    on_loop_in_market: ClassVar[bool] = False
    """Blocking, it shares the loop all the same where the time of a simulated market rules: the market waits anyway."""

    system_time: ClassVar[bool] = False
    """It lives on the machine's time where others live in that of a simulated market: for an owner of something outside
    the system, which does not wait for a market, and for one that bounds how long others may take."""

    background: ClassVar[bool] = False
    """Its work does not count for `when_quiet`."""

    ready_when_told: ClassVar[bool] = False
    """It has started when it calls `ready()`, not when `on_start` returns."""

    mailbox: ClassVar[MailboxKind | None] = None
    """None: unbounded. See `mailboxes`."""

    offload_threads_max: ClassVar[int] = 4
    offloads_max: ClassVar[int] = 10_000
    """Jobs that may wait for its threads."""

    stash_max: ClassVar[int] = 1_000
    """Messages that it may put aside (`stash`)."""

    says: ClassVar[frozenset[type] | None] = None
    """All that it and its children may say to actors of ours; None: anything. See `door`."""

    handler_table: ClassVar[HandlerTable]
    front_table: ClassVar[HandlerTable]
    """The handlers for what comes from others."""

    overrides_on_drained: ClassVar[bool]
    keeps_state: ClassVar[bool] = False
    """It has `snapshot` and `restore`; see `lifecycle.Restart`."""

    inherited: Any = None
    """In `on_start` of a restart: the state that `restore` will get, for whom a start without it would do harm."""

    name: str
    settings: Any
    clock: Clock
    directory: Mapping[str, Any] = MappingProxyType({})
    """Every address by name, as it is now; on a base that is not ours, none."""

    host: ActorContext
    """What runs it, for the runtime: its cell, or what stands for one on another base."""

    behavior: str = ""
    """Which handlers with a `when` are its own at the moment; a class names the one to begin with, in every life."""

    trouble: str = ""
    """What keeps it from all of its work while it runs on, for people to read; the tree shows it. Empty: it is well."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.handler_table = HandlerTable(cls, cls.on_unhandled)
        cls.front_table = front_of(cls, RuntimeActor)
        cls.overrides_on_drained = cls.on_drained is not RuntimeActor.on_drained
        cls.keeps_state = hasattr(cls, "snapshot") and hasattr(cls, "restore")

    # To override.

    def on_start(self) -> None:
        """Set everything up; at the start and at every restart. If it raises, it has released what it took."""

    def on_stop(self) -> None:
        """Release what `on_start` took; at the stop and before every restart, once for each start that succeeded."""

    def on_drained(self) -> None:
        """Do what waits for the end of a burst: called whenever the mailbox has run empty."""

    def on_unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Take a message that the class declares no handler for: a dead letter."""
        self.host.unhandled(message, sender)

    def is_drained(self) -> bool:
        """Say whether, asked to stop, it waits for no answer any more. Offloaded jobs are waited for in any case.

        The place to end a job that has no end of its own: it is asked before they are waited for, and again after.
        """
        return True

    def statistics(self) -> Statistics:
        """Count what matters here; the answer to `Ping`, and kept at the stop."""
        return ActorStatistics(handled=self.host.handled, failures=self.host.failures)

    # Given by the runtime.

    def send(self, target: ActorAddress | str, message: Any) -> None:
        """Send by address or name; an unknown name is a dead letter."""
        found: Any = self.directory.get(target) if target.__class__ is str else target
        host: Any = self.host
        if found.__class__ is RuntimeCell:
            # `Cell.deliver`, written out: a call would cost a quarter of a send.
            cell: Cell = found
            trace = host.trace
            cell.put((message, host, trace if trace.__class__ is int else trace.stamp()))
            if cell.idle:
                cell.idle = False
                cell.ready(cell)
                if cell.worker.asleep:
                    cell.worker.wake()
        else:
            host.send_elsewhere(target, message)

    def forward(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send the message on in its sender's name: the answer goes to that sender."""
        self.host.forward(target, message, sender)

    def become(self, behavior: str) -> None:
        """Handle messages otherwise from the next one on: by the handlers declared `when` it has this behavior.

        A restart begins with the behavior of the class again.

        Raises:
            ValueError: no handler is declared for it, and it is not the one of the class.
        """
        known = self.handler_table.behaviors | {type(self).behavior}
        if behavior not in known:
            raise ValueError(f"one of {', '.join(map(repr, sorted(known)))} is wanted, found {behavior!r}")
        self.behavior = behavior

    def stash(self, message: Any, sender: ActorAddress) -> None:
        """Put the message in hand aside, until `unstash_all`, a restart or a stop puts it back into the mailbox.

        Raises:
            StashFullError: `stash_max` are put aside already; not caught, it makes the message fail like any other.
        """
        self.host.stash(message, sender)

    def unstash_all(self) -> None:
        """Handle next what was put aside, in the order it came, before all that waits."""
        self.host.unstash_all()

    def turn_away(self, message: Any, sender: ActorAddress, reason: str) -> None:
        """Let a message die that this actor cannot use: a dead letter, and `Failed` to its sender. Raises nothing."""
        self.host.turn_away(message, sender, MessageRefusedError(reason))

    def after(self, seconds: float, message: Any) -> Timer:
        """Send the message to this actor itself after so long; a restart forgets it."""
        return self.host.after(seconds, message)

    def after_in_market(self, seconds: float, message: Any) -> Timer:
        """As `after`, by the time of a simulated market although this actor lives on the machine's; only there."""
        return self.host.after_in_market(seconds, message)

    def after_on_machine(self, seconds: float, message: Any) -> Timer:
        """As `after`, by the machine's clock although this actor lives in the time of a simulated market."""
        return self.host.after_on_machine(seconds, message)

    def offload(self, function: Callable[..., Any], *arguments: Any, then: Then, lane: str = "") -> None:
        """Run what may block on this actor's own threads; `then(outcome)` runs later, in this actor.

        Jobs of one lane run one at a time, in order. A restart drops what has not begun, and every outcome to come.

        Raises:
            OffloadRefusedError: `offloads_max` jobs are waiting.
        """
        self.host.offload(function, arguments, then, lane)

    def ask(self, target: ActorAddress | str, message: Any, *, timeout_s: float, then: Then) -> None:
        """Send, and have `then(outcome)` run in this actor with the one answer, `Failed` and `Unavailable` included.

        `outcome.error` is `RequestTimedOut` if none came; a restart forgets the question. An orderly stop waits for it.
        """
        self.host.ask(target, message, timeout_s, then)

    def watch(self, name: str) -> None:
        """Have `lifecycle.Terminated` sent to this actor when the one of that name is gone; at once if none is there.

        It comes once, and also if this actor is restarted in between.

        Raises:
            WatchRefusedError: `WATCHERS_MAX` watch it already, or what has that name is no actor of this process.
        """
        self.host.watch(name)

    def entrance(self) -> Callable[[Any], None]:
        """Return a function that other threads may call: it sends to this actor itself, until the next restart."""
        return self.host.entrance()

    def when_quiet(self, message: Any, at_ns: int | None = None) -> None:
        """Send the message to this actor itself when no other, background ones excepted, has anything to do.

        Anything: a message to handle or in hand, an offloaded job, a restart or a start that is not over. A timer
        counts from when it is due.

        With a time of a simulated market (nanoseconds since 1970-01-01 UTC) that becomes the time, as soon as every
        timer of before has come and all is quiet again; paced as `pace_market` says.
        """
        self.host.when_quiet(message, at_ns)

    @property
    def house_clock(self) -> Clock:
        """What facts are stamped by: the time of a simulated market where one rules, for who lives on another, too."""
        return self.host.market if self.market_rules else self.clock

    @property
    def market_rules(self) -> bool:
        """Whether actors live in the time of a simulated market."""
        return self.host.market.rules

    def pace_market(self, speed: float) -> None:
        """Let the simulated market go at a multiple of its own time by the machine's clock; 0: as fast as possible."""
        self.host.market.pace.speed = speed

    def since_release_ns(self) -> int | None:
        """Tell how long ago the simulated market released its newest message, on the machine's clock; None: unknown."""
        return self.host.market.since_release_ns()

    def ready(self) -> None:
        """Tell that the start is complete; only with `ready_when_told`."""
        self.host.tell_started()

    @functools.cached_property
    def random(self) -> random.Random:
        """Randomness of this actor alone; the same in every run if the system has a seed."""
        return self.host.new_random()

    @property
    def trace(self) -> Trace:
        """What the message in hand belongs to. Kept and set again, it lets a later answer belong to it, too."""
        return self.host.trace

    @trace.setter
    def trace(self, trace: Trace) -> None:
        self.host.trace = trace

    @property
    def correlation_id(self) -> str:
        """The name or number of the conversation that the message in hand belongs to."""
        return correlation_of(self.host.trace)

    @property
    def causation_id(self) -> int:
        """The hop that sent the message in hand; where hops are not recorded, the number of the conversation."""
        return causation_of(self.host.trace)

    def begin_trace(self) -> None:
        """Begin a conversation: what is sent from here on belongs to it."""
        self.host.begin_trace()

    def join_trace(self, correlation_id: str) -> None:
        """Take up, or begin, the conversation of that name, which is recorded: an order's, by its client order id."""
        self.host.join_trace(correlation_id)

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log what happened: a dotted name in the past tense, and its fields."""
        severity = _LEVELS[level]
        if _logger.isEnabledFor(severity):
            extra = {"actor": self.name, "correlation_id": self.correlation_id, "fields": fields}
            _logger.log(severity, event, extra=extra)

    def log_bounded(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log what may come by the thousand: not every line is written, so whoever calls it counts."""
        if self.host.may_log():
            self.log(event, level=level, **fields)

    # For supervisors.

    def start_child(self, name: str, actor_class: type[RuntimeActor], settings: Any = None) -> ActorAddress:
        """Start an actor under this one; it ends with this one.

        Who handles `lifecycle.ChildHandlerFailed` supervises it: `Started` or `StartFailed` follows, later whatever
        becomes of it, and it waits for `control`. Else it looks after itself: it restarts at once when a handler of it
        raises, and ends when this one is restarted, whose `on_start` starts it anew.

        Raises:
            NameTakenError: an actor of that name runs.
        """
        supervised = self.handler_table.has(ChildHandlerFailed)
        return self.host.start_child(name, actor_class, settings, supervised=supervised)

    def control(self, child: ActorAddress, message: Control) -> None:
        """Steer a child; see `lifecycle`. To a child that is gone: nothing happens."""
        self.host.control_child(child, message)

    def mailbox_of(self, child: ActorAddress) -> MailboxCounters:
        """Look at a child's mailbox."""
        return self.host.mailbox_of(child)

    def trouble_of(self, child: ActorAddress) -> str:
        """Look at what a child says keeps it from its work; empty when it is well, or down."""
        return self.host.trouble_of(child)

    def stalls(self) -> tuple[int, str]:
        """Tell how many turns held the shared loop too long, and whose the newest was."""
        return self.host.stalls()

    # Handled for every actor.

    @handles(Ping)
    def _answer_ping(self, _: Ping, sender: ActorAddress) -> None:
        self.send(sender, Pong(actor=self.name, statistics=self.statistics()))

    @handles(ReadTrace)
    def _read_trace(self, request: ReadTrace, sender: ActorAddress) -> None:
        self.send(sender, TraceRead(hops=self.host.hops(request.correlation_id, request.hops_max)))

    @handles(ActorExitRequest)
    def _exit(self, _: ActorExitRequest, __: ActorAddress) -> None:
        raise Ended

    @handles(OutcomeArrived)
    def _take_outcome(self, arrived: OutcomeArrived, _: ActorAddress) -> None:
        if arrived.life == self.host.life:
            self.host.awaited -= 1
            arrived.then(arrived.outcome)

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:  # noqa: N802  Thespian's name
        """Handle a message on a base that is not ours; our own looks into the table itself."""
        context: ForeignContext | None = vars(self).get("host")
        if context is None:
            self.host = context = ForeignContext(self)
        context.receive(message, sender)


RuntimeActor.handler_table = RuntimeActor.front_table = HandlerTable(RuntimeActor, RuntimeActor.on_unhandled)
RuntimeActor.overrides_on_drained = False
