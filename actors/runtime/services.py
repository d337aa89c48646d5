"""What a cell may use of its system, as a protocol.

The base makes the cells, and the cells need the base: its clock, names and dead letters. The cells know it as this
protocol only, so that neither imports the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import random

    from thespian.actors import ActorAddress

    from ...domain.rate_limit import RateLimit
    from .cell import Cell
    from .clock import Clock
    from .context import HostedActor
    from .dead_letters import DeadLetters
    from .endpoint import Endpoint
    from .market_clock import MarketClock
    from .offload import Offloader
    from .quiet import Quiescence
    from .trace import Tracer
    from .watchdog import Watchdog
    from .worker import Worker


class Services(Protocol):
    """What all cells of one system share."""

    clock: Clock
    """The machine's time, or that of a simulation."""

    market: MarketClock
    """The time of a simulated market, if there is one (`rules`)."""

    tracer: Tracer
    names: dict[str, Endpoint]
    dead_letters: DeadLetters

    outside: Endpoint
    """The sender of messages that come from no actor."""

    failures_logged: RateLimit
    quiet: Quiescence

    seed: int | None
    """Of every actor's `random`; None: different each time."""

    loop: Worker
    """The shared thread of all actors that do not block."""

    watchdog: Watchdog | None

    conflates: bool
    """Whether market data of receivers that are behind is conflated, where the market is live."""

    # What a simulation overrides.

    def new_random(self, cell: Cell) -> random.Random:
        """Make the random generator of one life of an actor."""
        ...

    def new_offloader(self, name: str, *, threads_max: int, jobs_max: int) -> Offloader:
        """Make the threads for the blocking work of one actor."""
        ...

    # What changes the system.

    def start_actor(  # noqa: PLR0913  all but three have one value for outsiders, another for supervisors
        self,
        name: str,
        actor_class: type[HostedActor],
        settings: Any,
        *,
        parent: Cell | None = None,
        supervised: bool = False,
        starter: ActorAddress | None = None,
        supervisor: ActorAddress | None = None,
    ) -> Cell:
        """Make a cell of that name and start it; arguments as in `InProcessSystemBase.start_actor`.

        Raises:
            NameTakenError: an actor of that name runs.
        """
        ...

    def forget(self, cell: Cell) -> None:
        """Free the name and the thread of a dead cell."""
        ...

    def keep_in_hand(self, cell: Cell) -> None:
        """Note that a cell ends while its handler runs: what the instance owns is released when that returns."""
        ...

    def out_of_hand(self, cell: Cell) -> None:
        """Note that such a handler returned, and its instance was released."""
        ...

    def on_actor_thread(self) -> bool:
        """Whether the calling thread runs actors of this system."""
        ...
