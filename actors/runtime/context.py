"""The interface between an actor and its host, one protocol for each direction.

An actor calls its host, and a host calls its actor. Each knows the other as a protocol, so that neither has to import
the other. There are two hosts: the cell of the in-process base (`cell_context`, `runtime_cell`), and `ForeignContext`
on one of Thespian's own bases (`thespian.foreign`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from thespian.actors import ActorAddress

    from ...messages.system import Statistics
    from ...messages.trace import Hop
    from .dispatch import HandlerTable
    from .errors import MessageRefusedError
    from .lifecycle import Control, MailboxCounters
    from .mailboxes import MailboxKind
    from .market_clock import MarketClock
    from .offload import Then
    from .timers import Timer
    from .trace import Trace


class Request(Protocol):
    """Asks an actor from a coroutine, on any asyncio loop of this process."""

    async def __call__(self, target: ActorAddress | str, message: Any, *, timeout_s: float) -> Any:
        """Send a request, and await its answer, be it `Failed` or `Unavailable`.

        Raises:
            RequestTimedOut: none came within `timeout_s` seconds; a late one is a dead letter.
        """
        ...


class ActorContext(Protocol):
    """What an actor may ask of its host, on its own thread; `RuntimeActor` documents each call for its callers."""

    handled: int
    """Messages handled so far."""

    failures: int
    """Messages whose handler raised."""

    life: int
    """Counts restarts; what belongs to an earlier life is not delivered to a later one."""

    awaited: int
    """Outcomes of this life that have not been handled yet."""

    trace: Trace
    """The conversation of the current message."""

    @property
    def market(self) -> MarketClock:
        """The time of a simulated market, if there is one (`rules`)."""
        ...

    @property
    def parent(self) -> Any:
        """The address of the actor that started it; None if no actor did."""
        ...

    # Messages.

    def send_elsewhere(self, target: ActorAddress | str, message: Any) -> None:
        """Send by name, or to an address that is no `RuntimeCell`."""
        ...

    def forward(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send with another sender, to whom an answer will go."""
        ...

    def stash(self, message: Any, sender: ActorAddress) -> None:
        """Put a message aside."""
        ...

    def unstash_all(self) -> None:
        """Have all stashed messages handled next."""
        ...

    def unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Take a message of a type without a handler."""
        ...

    def turn_away(self, message: Any, sender: ActorAddress, refusal: MessageRefusedError) -> None:
        """Refuse a message: a dead letter, and `Failed` to its sender."""
        ...

    def ask(self, target: ActorAddress | str, message: Any, timeout_s: float, then: Then) -> None:
        """Send a request; its answer or timeout arrives as an outcome."""
        ...

    def watch(self, name: str) -> None:
        """Have `Terminated` delivered when the actor of that name has ended."""
        ...

    def entrance(self) -> Callable[[Any], None]:
        """Return a function by which other threads send to the actor, until its next restart."""
        ...

    def requester(self) -> Request:
        """Return a function by which coroutines on other threads ask actors in this one's name."""
        ...

    # Time and work.

    def after(self, seconds: float, message: Any) -> Timer:
        """Deliver the message to the actor later."""
        ...

    def after_in_market(self, seconds: float, message: Any) -> Timer:
        """Deliver it later, in market time."""
        ...

    def after_on_machine(self, seconds: float, message: Any) -> Timer:
        """Deliver it later, in real time."""
        ...

    def offload(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], then: Then, lane: str, *, left_at_stop: bool
    ) -> None:
        """Call a function that may block on threads of the actor's own."""
        ...

    def when_quiet(self, message: Any, at_ns: int | None, *, ends: bool = False) -> None:
        """Deliver the message when no other actor has work."""
        ...

    def tell_started(self) -> None:
        """Report that the start is complete."""
        ...

    def new_random(self) -> random.Random:
        """Make the random generator of this life."""
        ...

    # Traces and logs.

    def hops(self, correlation_id: str, hops_max: int) -> tuple[Hop, ...]:
        """Return the newest recorded hops of a conversation, or of all."""
        ...

    def new_hops(self) -> tuple[Hop, ...]:
        """Return the hops recorded since the last call, of all actors: one actor alone may ask."""
        ...

    def begin_trace(self) -> None:
        """Begin a new conversation for what is sent from here on."""
        ...

    def join_trace(self, correlation_id: str) -> None:
        """Make what is sent from here on part of the conversation of that name."""
        ...

    def may_log(self) -> bool:
        """Say whether another line of the bounded log may be written, and count it."""
        ...

    def stalls(self) -> tuple[int, str]:
        """Return how many turns held the shared loop too long, and which actor's was the newest."""
        ...

    # Children.

    def start_child(
        self, name: str, actor_class: type[HostedActor], settings: Any, *, supervised: bool
    ) -> ActorAddress:
        """Start an actor under this one."""
        ...

    def control_child(self, child: ActorAddress, message: Control) -> None:
        """Send a control message to a child, ahead of its mailbox."""
        ...

    def mailbox_of(self, child: ActorAddress) -> MailboxCounters:
        """Return the counters of a child's mailbox."""
        ...

    def trouble_of(self, child: ActorAddress) -> str:
        """Return the `trouble` of a child."""
        ...


class HostedActor(Protocol):
    """What a host reads of an actor's class, and calls on its instance. `RuntimeActor` implements and documents it."""

    blocking: ClassVar[bool]
    on_loop_in_market: ClassVar[bool]
    system_time: ClassVar[bool]
    background: ClassVar[bool]
    ready_when_told: ClassVar[bool]
    mailbox: ClassVar[MailboxKind | None]
    offload_threads_max: ClassVar[int]
    offloads_max: ClassVar[int]
    stash_max: ClassVar[int]
    conflates: ClassVar[bool]
    takes_ahead: ClassVar[bool]
    says: ClassVar[frozenset[type] | None]
    handler_table: ClassVar[HandlerTable]
    front_table: ClassVar[HandlerTable]
    overrides_on_drained: ClassVar[bool]
    keeps_state: ClassVar[bool]

    name: str
    inherited: Any
    trouble: str

    @property
    def host(self) -> ActorContext:
        """Its host."""
        ...

    @property
    def myAddress(self) -> ActorAddress:  # noqa: N802  Thespian's name
        """Its address."""
        ...

    def on_start(self) -> None:
        """Set everything up."""

    def on_stop(self) -> None:
        """Release what `on_start` acquired."""

    def on_drained(self) -> None:
        """Do work that is batched over a burst of messages."""

    def is_drained(self) -> bool:
        """Say, during a stop, whether it has no work left."""
        ...

    def statistics(self) -> Statistics:
        """Return its statistics."""
        ...


class KeepsState(Protocol):
    """An actor that hands its state over to the fresh instance when it is restarted in place.

    This works in a worker process, too; but when the process itself dies, nothing is handed over.
    """

    def snapshot(self) -> Any:
        """Return the state for the next instance; called on the failed instance, before `on_stop`."""
        ...

    def restore(self, state: Any) -> None:
        """Take the state over; called after `on_start`. If it raises, the next restart begins without state."""
        ...
