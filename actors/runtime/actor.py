"""`RuntimeActor`, the base class of all actors, and everything the runtime offers them."""

from __future__ import annotations

import functools
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from thespian.actors import Actor, ActorExitRequest

from ...domain.trace_context import place_of, traceparent
from ...messages.system import ActorStatistics, Ping, Pong, Statistics
from ...messages.trace import ReadTrace, TraceRead
from .dispatch import HandlerTable, handles
from .door import admitted, front_of
from .errors import MessageRefusedError
from .lifecycle import ChildHandlerFailed
from .offload import OutcomeArrived
from .runtime_cell import Ended, RuntimeCell
from .thespian.foreign import ForeignContext
from .trace import Span, causation_of, correlation_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from thespian.actors import ActorAddress

    from ...messages.trace import Hop
    from .cell import Cell
    from .clock import Clock
    from .context import ActorContext, Request
    from .lifecycle import Control, MailboxCounters
    from .mailboxes import MailboxKind
    from .offload import Then
    from .timers import Timer
    from .trace import Trace

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_logger = logging.getLogger("natya")

READS_BACK_S: Final = 3_600.0
"""Seconds for the start of an actor that reads back files that grow."""


class RuntimeActor(Actor):
    """An actor with handlers by message type, which fails once and restarts in place.

    Fails once: a message whose handler raises is not tried again. It becomes a dead letter, its sender is answered
    `Failed`, and the actor is restarted with a fresh instance at the same address, with the same mailbox.

    Set up in `on_start`, never in `__init__`. The methods of this class may be called from `on_start` on, and only on
    the actor's own thread: not from an offloaded function, and not by other objects.
    """

    blocking: ClassVar[bool] = False
    """It has a thread of its own, which it may block."""

    on_loop_in_market: ClassVar[bool] = False
    """Although `blocking`, it runs on the shared loop in a simulated market, which waits for it anyway. So does what it
    offloads: when a thread is done is a matter of chance, and would decide what others do first."""

    system_time: ClassVar[bool] = False
    """It uses real time where others use the time of a simulated market: for the owner of something outside of the
    system, and for actors that limit how long others may take."""

    background: ClassVar[bool] = False
    """Its work does not count for `when_quiet`."""

    ready_when_told: ClassVar[bool] = False
    """Its start is complete when it calls `ready()`, not when `on_start` returns."""

    start_s: ClassVar[float | None] = None
    """Seconds that its start may take under a supervisor, longer is a failure; None: as that one's settings say.
    `READS_BACK_S` for who reads back files that grow: a start anew would be as long, and never end."""

    mailbox: ClassVar[MailboxKind | None] = None
    """None: unbounded. See `mailboxes`."""

    offload_threads_max: ClassVar[int] = 4
    offloads_max: ClassVar[int] = 10_000
    """Offloaded jobs that may wait for a thread."""

    stash_max: ClassVar[int] = 1_000
    """Messages that may be stashed."""

    conflates: ClassVar[bool] = False
    """When it is behind in a live market, it gets the newest tick of each symbol alone, and what is left out is counted
    (see `conflation`). Otherwise it gets each, however late."""

    takes_ahead: ClassVar[bool] = False
    """It has a method `on_turn`, called before the messages of each turn, of which it may take some."""

    wire_types: ClassVar[tuple[type[Any], ...]] = ()
    """Message types of your own, frozen msgspec Structs, that it may be sent, and send, where it has a worker process
    (`ChildSpec(host="process")`). Natya's own messages need not be named."""

    says: ClassVar[frozenset[type] | None] = None
    """Message types that it and its children may send to natya's own actors, of a child never more than of its parent;
    None: all. See `door`."""

    handler_table: ClassVar[HandlerTable]
    """The declared handlers, by message type."""

    front_table: ClassVar[HandlerTable]
    """The same, with the checks of `door` before them: what the mailbox is dispatched by."""

    overrides_on_drained: ClassVar[bool]
    keeps_state: ClassVar[bool] = False
    """It has `snapshot` and `restore`; see `lifecycle.Restart`."""

    inherited: Any = None
    """In `on_start` of a restart: the state that `restore` will be given, for actors that need it earlier."""

    name: str
    settings: Any
    clock: Clock
    directory: Mapping[str, Any] = MappingProxyType({})
    """The current address of every actor by name; empty on Thespian's own bases."""

    host: ActorContext
    """For the runtime: its cell, or the replacement for one on Thespian's own bases."""

    behavior: str = ""
    """The current behavior, which selects among handlers with `when`; the class attribute is the one to start with."""

    trouble: str = ""
    """Why it cannot do part of its work although it runs, for people; shown in the tree. Empty: nothing."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.handler_table = cls.handlers_of()
        cls.front_table = front_of(cls, RuntimeActor)
        cls.overrides_on_drained = cls.on_drained is not RuntimeActor.on_drained
        cls.keeps_state = hasattr(cls, "snapshot") and hasattr(cls, "restore")

    @classmethod
    def handlers_of(cls) -> HandlerTable:
        """Return the handlers of a class, as its methods declare them; a base class may put something round them."""
        return HandlerTable(cls, cls.on_unhandled)

    # To override.

    def on_start(self) -> None:
        """Set everything up, at the start and at every restart. If it raises, it has released what it acquired."""

    def on_stop(self) -> None:
        """Release what `on_start` acquired; at the stop and before every restart, once for each successful start."""

    def on_drained(self) -> None:
        """Do work that is batched over a burst of messages: called whenever the mailbox has become empty."""

    def on_unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Take a message of a type without a handler; as it stands, a dead letter."""
        self.host.unhandled(message, sender)

    def is_drained(self) -> bool:
        """Say, during a stop, whether it has no work left; asked again after each message until True.

        Offloaded jobs and pending requests are waited for in any case. A job that would run for ever can be told to
        end here.
        """
        return True

    def statistics(self) -> Statistics:
        """Return its statistics: the answer to `Ping`, and recorded at the stop."""
        return ActorStatistics(handled=self.host.handled, failures=self.host.failures)

    def newest_is_enough(self, tick: Any) -> bool:
        """Tell, where nothing waits for it, whether up to this tick it needs only the newest of each symbol.

        True only where handling the others would change nothing, now or later. See `Lane`.
        """
        del tick
        return False

    def defers(self, message: Any) -> bool:
        """Tell, where nothing waits for it, whether messages like this tick or candle may reach it by `catch_up`.

        True only where handling them sends nothing and the time of it makes no difference to others. See `Lane`.
        """
        del message
        return False

    def catch_up(self, messages: list[Any]) -> None:
        """Handle ticks and candles that it deferred, in their order."""
        raise NotImplementedError

    def relays(self, message: Any) -> tuple[str, ...] | None:
        """As a router, return the names of the receivers of messages like this tick or candle.

        None: it would do more than hand them on, or is no router. See `Lane`.
        """
        del message
        return None

    def relayed(self, message: Any, count: int) -> None:
        """Count, as a router, so many messages like this one, which were handed on for it."""

    # Offered by the runtime.

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

    def send_each(self, targets: Iterable[ActorAddress | str], messages: Sequence[Any]) -> None:
        """Send all these messages, in their order, to each of these targets, as `send` does: many at once cost less."""
        host: Any = self.host
        trace = host.trace
        stamp = trace if trace.__class__ is int else trace.stamp()
        envelopes = [(message, host, stamp) for message in messages]
        for target in targets:
            found: Any = self.directory.get(target) if target.__class__ is str else target
            if found.__class__ is RuntimeCell:
                cell: Cell = found
                put = cell.put  # as long as it is held, what is put is found, in whatever state the cell comes to be
                for envelope in envelopes:
                    put(envelope)
                if cell.idle:
                    cell.idle = False
                    cell.ready(cell)
                    if cell.worker.asleep:
                        cell.worker.wake()
            else:
                for message in messages:
                    host.send_elsewhere(target, message)

    def forward(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Forward a message with its original sender, to whom an answer will go."""
        self.host.forward(target, message, sender)

    def become(self, behavior: str) -> None:
        """Change the behavior from the next message on: handlers declared `when` it has this behavior apply.

        A restart resets it to the behavior of the class.

        Raises:
            ValueError: no handler is declared for this behavior, and it is not that of the class.
        """
        known = self.handler_table.behaviors | {type(self).behavior}
        if behavior not in known:
            named = f"that @handles(…, when=…) of {type(self).__name__} names"
            has = ", ".join(map(repr, sorted(known)))
            raise ValueError(f"a behavior {named} is wanted ({has}), found {behavior!r}")
        self.behavior = behavior

    def stash(self, message: Any, sender: ActorAddress) -> None:
        """Put the current message aside; `unstash_all`, a restart or a stop puts it back into the mailbox.

        Raises:
            StashFullError: `stash_max` messages are stashed already; uncaught, it fails this message alone.
        """
        self.host.stash(message, sender)

    def unstash_all(self) -> None:
        """Put all stashed messages back, in order, before those in the mailbox."""
        self.host.unstash_all()

    def admitted(self, message: Any, sender: Any) -> Any:
        """Return what came to a handler that `reads_back` as a wire would have brought it; None: it is turned away."""
        is_guest = getattr(sender, "guest", False) and sender is not self.host  # a base that is not ours has no guests
        return admitted(self.host, message, sender) if is_guest else message

    def turn_away(self, message: Any, sender: ActorAddress, reason: str) -> None:
        """Refuse a message without failing: it becomes a dead letter, and its sender is answered `Failed`."""
        self.host.turn_away(message, sender, MessageRefusedError(reason))

    def after(self, seconds: float, message: Any) -> Timer:
        """Send the message to this actor itself after so many seconds; a restart cancels it."""
        return self.host.after(seconds, message)

    def after_in_market(self, seconds: float, message: Any) -> Timer:
        """As `after`, in market time also for a `system_time` actor; only in a simulated market."""
        return self.host.after_in_market(seconds, message)

    def after_on_machine(self, seconds: float, message: Any) -> Timer:
        """As `after`, in real time also in a simulated market."""
        return self.host.after_on_machine(seconds, message)

    def offload(
        self, function: Callable[..., Any], *arguments: Any, then: Then, lane: str = "", left_at_stop: bool = False
    ) -> None:
        """Call a function that may block on this actor's own threads; `then(outcome)` is called later, in a turn.

        Jobs of one lane run one at a time, in order; those that name none are of one lane. A restart drops jobs that
        have not begun, and all outcomes. A stop waits for the outcome, but of a job that is `left_at_stop`: it goes on
        by itself, and nobody hears how it ends.

        Raises:
            OffloadRefusedError: `offloads_max` jobs are waiting.
        """
        self.host.offload(function, arguments, then, lane, left_at_stop=left_at_stop)

    def ask(self, target: ActorAddress | str, message: Any, *, timeout_s: float, then: Then) -> None:
        """Send a request; `then(outcome)` is called later, in a turn, with the answer, be it `Failed` or `Unavailable`.

        `outcome.error` is `RequestTimedOut` if none came in time. A restart drops the request; a stop waits for it.
        The time of a simulated market stands still while a background actor owes the answer; the timeout is real then.
        """
        self.host.ask(target, message, timeout_s, then)

    def watch(self, name: str) -> None:
        """Receive `lifecycle.Terminated` when the actor of that name has ended; at once if none runs.

        It comes once, also if this actor is restarted in between.

        Raises:
            WatchRefusedError: `WATCHERS_MAX` actors watch it already, or it is no actor of this process.
        """
        self.host.watch(name)

    def entrance(self) -> Callable[[Any], None]:
        """Return a function that any thread may call to send to this actor; without effect after the next restart."""
        return self.host.entrance()

    def requester(self) -> Request:
        """Return a function by which coroutines on other threads ask actors in this one's name; it outlives a restart.

        `answer = await request("orders", message, timeout_s=5)`
        """
        return self.host.requester()

    def when_quiet(self, message: Any, at_ns: int | None = None, *, ends: bool = False) -> None:
        """Send the message to this actor itself when no other actor, except background ones, has work.

        Work is a message waiting or being handled, an offloaded job, and a start or restart in progress. A timer counts
        once it is due.

        With `at_ns` (market time: nanoseconds since 1970-01-01 UTC) all earlier timers of the simulated market come
        first, each followed by quiet; then `at_ns` becomes the market time. Paced by `pace_market`. At one moment what
        ends then comes before timers (`ends`: a candle), and what begins then behind those of strategies.
        """
        self.host.when_quiet(message, at_ns, ends=ends)

    @property
    def fact_clock(self) -> Clock:
        """The clock for the times of facts: market time in a simulated market, also for a `system_time` actor."""
        return self.host.market if self.market_rules else self.clock

    def machine_ns(self) -> int:
        """Read the machine's monotonic clock (ns), also in a simulated market: for how long something takes."""
        return self.host.market.machine_ns()

    @property
    def market_rules(self) -> bool:
        """Whether the system runs in the time of a simulated market."""
        return self.host.market.rules

    def skip_market(self, market_ns: int) -> None:
        """Let so much time of the simulated market pass without waiting for it in real time."""
        self.host.market.pace.skip(market_ns)

    def pace_market(self, speed: float) -> None:
        """Set the speed of the simulated market, as a multiple of real time; 0: as fast as possible."""
        self.host.market.pace.speed = speed

    def since_release_ns(self) -> int | None:
        """Return the real time since the simulated market released its newest message; None: unknown."""
        return self.host.market.since_release_ns()

    def ready(self) -> None:
        """Report that the start is complete; only with `ready_when_told`."""
        self.host.tell_started()

    @functools.cached_property
    def random(self) -> random.Random:
        """A random generator of this life of this actor; the same numbers in every run if the system has a seed.

        They are a function of the seed, the name and how often it was restarted, wherever it runs, however it failed.
        """
        return self.host.new_random()

    @property
    def trace(self) -> Trace:
        """The conversation of the current message. Keep it and set it again to make a later send belong to it."""
        return self.host.trace

    @trace.setter
    def trace(self, trace: Trace) -> None:
        self.host.trace = trace

    @property
    def correlation_id(self) -> str:
        """The name or number of the conversation that the current message belongs to."""
        return correlation_of(self.host.trace)

    @property
    def causation_id(self) -> int:
        """The hop that sent the current message; where hops are not recorded, the number of the conversation."""
        return causation_of(self.host.trace)

    def new_hops(self) -> tuple[Hop, ...]:
        """Return what was recorded of conversations since the last call, of all actors; one actor alone may ask."""
        return self.host.new_hops()

    @property
    def traceparent(self) -> str:
        """The W3C's header for a request to another system, by which that continues this conversation's trace.

        Empty where the conversation is not recorded; that of an order always is.
        """
        trace = self.host.trace
        return traceparent(place_of(trace.correlation_id, trace.hop_id)) if isinstance(trace, Span) else ""

    def begin_trace(self) -> None:
        """Begin a new conversation: what is sent from here on belongs to it."""
        self.host.begin_trace()

    def join_trace(self, correlation_id: str) -> None:
        """Continue, or begin, the recorded conversation of that name: an order's has its client order id."""
        self.host.join_trace(correlation_id)

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event: a dotted name in the past tense (`order.placed`), and its fields."""
        severity = _LEVELS[level]
        if _logger.isEnabledFor(severity):
            extra = {"actor": self.name, "correlation_id": self.correlation_id, "fields": fields}
            _logger.log(severity, event, extra=extra)

    def log_bounded(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event that may come thousands of times: lines beyond a rate are dropped, so count them elsewhere."""
        if self.host.may_log():
            self.log(event, level=level, **fields)

    # For supervisors.

    def start_child(self, name: str, actor_class: type[RuntimeActor], settings: Any = None) -> ActorAddress:
        """Start an actor as a child of this one; it ends with this one.

        If this class handles `lifecycle.ChildHandlerFailed` it supervises the child: it receives `Started` or
        `StartFailed`, later every failure and the end, and after a failure the child waits for `control`. If not, the
        child restarts by itself at once when its handler raises, and ends when this actor is restarted, so that
        `on_start` can start it anew.

        Raises:
            NameTakenError: an actor of that name runs.
        """
        supervised = self.handler_table.has(ChildHandlerFailed)
        return self.host.start_child(name, actor_class, settings, supervised=supervised)

    def control(self, child: ActorAddress, message: Control) -> None:
        """Send a control message (see `lifecycle`) to a child; no effect on one that has ended."""
        self.host.control_child(child, message)

    def mailbox_of(self, child: ActorAddress) -> MailboxCounters:
        """Return the counters of a child's mailbox."""
        return self.host.mailbox_of(child)

    def trouble_of(self, child: ActorAddress) -> str:
        """Return the `trouble` of a child; empty if it has none, or is down."""
        return self.host.trouble_of(child)

    def stalls(self) -> tuple[int, str]:
        """Return how many turns held the shared loop too long, and which actor's was the newest."""
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
            self.host.awaited -= arrived.is_awaited
            arrived.then(arrived.outcome)

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:  # noqa: N802  Thespian's name
        """Handle a message on one of Thespian's own bases; the in-process base uses the table directly."""
        context: ForeignContext | None = vars(self).get("host")
        if context is None:
            self.host = context = ForeignContext(self)
        context.receive(message, sender)


RuntimeActor.handler_table = RuntimeActor.front_table = HandlerTable(RuntimeActor, RuntimeActor.on_unhandled)
RuntimeActor.overrides_on_drained = False
