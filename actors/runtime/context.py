"""The two sides of the seam between an actor and what hosts it.

An actor calls its host, and a host calls its actor. Each knows the other as a protocol, so the class of all actors
imports no host, and a host no class of actors. There are two hosts: the cell of our own system base (`cell_context`,
`runtime_cell`), and what stands for one on a base of Thespian's own (`thespian.foreign`).
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


class ActorContext(Protocol):
    """What an actor may ask of its host, on its own thread; `RuntimeActor` says what each call means to its author."""

    handled: int
    """Messages so far."""

    failures: int
    life: int
    """Counts restarts; what belongs to an earlier life is not delivered to a later one."""

    awaited: int
    """Outcomes of this life that have not been handled yet."""

    trace: Trace
    """The conversation of the message in hand."""

    @property
    def market(self) -> MarketClock:
        """The time of a simulated market, if one rules."""
        ...

    @property
    def parent(self) -> Any:
        """The address of the actor that it was started by; None: of nobody."""
        ...

    # Messages.

    def send_elsewhere(self, target: ActorAddress | str, message: Any) -> None:
        """Send by name, or to an address that is no cell of ours."""
        ...

    def forward(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send in the name of another: the answer goes to that sender."""
        ...

    def stash(self, message: Any, sender: ActorAddress) -> None:
        """Put a message aside."""
        ...

    def unstash_all(self) -> None:
        """Have all that is put aside handled next."""
        ...

    def unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Take a message that the class declares no handler for."""
        ...

    def turn_away(self, message: Any, sender: ActorAddress, refusal: MessageRefusedError) -> None:
        """Make a dead letter of a message that no handler should see, and tell its sender `Failed`."""
        ...

    def ask(self, target: ActorAddress | str, message: Any, timeout_s: float, then: Then) -> None:
        """Send, and have the one answer, or that none came, arrive as an outcome."""
        ...

    def watch(self, name: str) -> None:
        """Have `Terminated` delivered when the actor of that name is gone."""
        ...

    def entrance(self) -> Callable[[Any], None]:
        """Return a function by which other threads send to the actor, until its next restart."""
        ...

    # Time and work.

    def after(self, seconds: float, message: Any) -> Timer:
        """Deliver the message to the actor later."""
        ...

    def after_in_market(self, seconds: float, message: Any) -> Timer:
        """Deliver it later by the time of the simulated market."""
        ...

    def after_on_machine(self, seconds: float, message: Any) -> Timer:
        """Deliver it later by the machine's clock."""
        ...

    def offload(self, function: Callable[..., Any], arguments: tuple[Any, ...], then: Then, lane: str) -> None:
        """Run what may block on threads of the actor's own."""
        ...

    def when_quiet(self, message: Any, at_ns: int | None) -> None:
        """Deliver the message when nothing else goes on."""
        ...

    def tell_started(self) -> None:
        """Report that the start is complete."""
        ...

    def new_random(self) -> random.Random:
        """Make the randomness of this life."""
        ...

    # Traces and logs.

    def hops(self, correlation_id: str, hops_max: int) -> tuple[Hop, ...]:
        """Return the newest that was recorded of a conversation, or of all."""
        ...

    def begin_trace(self) -> None:
        """Let what is sent from here on be a conversation of its own."""
        ...

    def join_trace(self, correlation_id: str) -> None:
        """Let what is sent from here on belong to the conversation of that name."""
        ...

    def may_log(self) -> bool:
        """Count a line of the bounded log, and say whether there is room for it."""
        ...

    def stalls(self) -> tuple[int, str]:
        """Tell how many turns held the shared loop too long, and whose the newest was."""
        ...

    # Children.

    def start_child(
        self, name: str, actor_class: type[HostedActor], settings: Any, *, supervised: bool
    ) -> ActorAddress:
        """Start an actor under this one."""
        ...

    def control_child(self, child: ActorAddress, message: Control) -> None:
        """Steer a child ahead of its mailbox."""
        ...

    def mailbox_of(self, child: ActorAddress) -> MailboxCounters:
        """Look at a child's mailbox."""
        ...

    def trouble_of(self, child: ActorAddress) -> str:
        """Look at what a child says keeps it from its work."""
        ...


class HostedActor(Protocol):
    """What a host reads of an actor's class, and calls on its instance. All of it is `RuntimeActor`'s."""

    blocking: ClassVar[bool]
    on_loop_in_market: ClassVar[bool]
    system_time: ClassVar[bool]
    background: ClassVar[bool]
    ready_when_told: ClassVar[bool]
    mailbox: ClassVar[MailboxKind | None]
    offload_threads_max: ClassVar[int]
    offloads_max: ClassVar[int]
    stash_max: ClassVar[int]
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
        """Release what `on_start` took."""

    def on_drained(self) -> None:
        """Do what waits for the end of a burst."""

    def is_drained(self) -> bool:
        """Say whether, asked to stop, it waits for no answer any more."""
        ...

    def statistics(self) -> Statistics:
        """Count what matters."""
        ...


class KeepsState(Protocol):
    """An actor that hands its state over to the fresh instance when it is restarted in place.

    In a worker process too; but when the process itself dies, nothing is handed over.
    """

    def snapshot(self) -> Any:
        """Give what the next life needs; called on the failed instance, before `on_stop`."""
        ...

    def restore(self, state: Any) -> None:
        """Take it up; called after `on_start`. If it raises, `on_stop` follows, and the next life starts empty."""
        ...
