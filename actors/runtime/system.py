"""`InProcessSystem`: an in-process system, for programs and tests outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thespian.actors import ActorSystem

from ...messages.supervision import Unavailable
from . import lifecycle
from .base import InProcessSystemBase
from .endpoint import Endpoint
from .errors import NameTakenError, UnknownActorError
from .runtime_cell import RuntimeCell
from .trace import conversation_here

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from thespian.actors import ActorAddress

    from ...messages.system import Statistics
    from ...messages.trace import Hop
    from .actor import RuntimeActor
    from .probe import Probe
    from .trace import Trace


class InProcessSystem:
    """Starts, asks and stops actors; a context manager that shuts everything down at its end."""

    def __init__(self, base: InProcessSystemBase | None = None) -> None:
        self.base = base or InProcessSystemBase()
        self.actor_system = ActorSystem(systemBase=self.base, transientUnique=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    def shutdown(self) -> None:
        """End all actors, waiting at most the base's `shutdown_s`."""
        self.base.shutdown()

    def start(
        self, name: str, actor_class: type[RuntimeActor], settings: Any = None, *, timeout_s: float = 10.0
    ) -> ActorAddress:
        """Start an actor without a supervisor (it restarts by itself when it fails); return when it has started.

        Raises:
            NameTakenError: an actor of that name runs.
            RequestTimedOut: it did not start within `timeout_s` seconds; it may still.
            TypeError: `actor_class` is no class.
            Exception: whatever its `on_start` raised.
        """
        if not isinstance(actor_class, type):
            raise TypeError(f"the class of {name!r} is wanted, found {actor_class!r:.200}")
        reply = self.base.new_reply()
        cell = self.base.start_actor(name, actor_class, settings, starter=reply)
        outcome = reply.wait(timeout_s)
        if isinstance(outcome, lifecycle.StartFailed):
            raise outcome.error
        return cell

    def begin(self, name: str, actor_class: type[RuntimeActor], settings: Any = None) -> Future[Any]:
        """Begin to start an actor, as `start` does; return a future of `lifecycle.Started` or `StartFailed`.

        Raises:
            NameTakenError: an actor of that name runs.
        """
        reply = self.base.new_future_reply()
        self.base.start_actor(name, actor_class, settings, starter=reply)
        return reply.future

    def stop(self, target: ActorAddress | str, *, timeout_s: float = 10.0) -> Statistics | None:
        """Stop an actor after it has handled its queued messages, and return its final statistics.

        Raises:
            UnknownActorError: it does not run.
            RequestTimedOut: it did not stop within `timeout_s` seconds; it may still.
            Exception: whatever its `on_stop` raised.
        """
        cell = self.base.find(target)
        if not isinstance(cell, RuntimeCell):
            raise UnknownActorError(f"a RuntimeActor is wanted (a plain one ends by ActorExitRequest), found {cell}")
        reply = self.base.new_reply()
        cell.control(lifecycle.Stop(), reply)
        stopped: lifecycle.Stopped | Unavailable = reply.wait(timeout_s)
        if isinstance(stopped, Unavailable):
            raise UnknownActorError(f"{target} was told to stop: {stopped.reason}")
        if stopped.error is not None:
            raise stopped.error
        return stopped.statistics

    def tell(self, target: ActorAddress | str, message: Any, *, sender: ActorAddress | None = None) -> None:
        """Send; an answer goes to `sender`, such as a probe, or becomes a dead letter.

        Raises:
            UnknownActorError: no actor of that name runs.
        """
        base = self.base
        found = target if isinstance(target, Endpoint) else base.find(target)
        number = next(base.tracer.numbers)  # `Tracer.join`, written out
        if named := conversation_here():
            trace: Trace = base.tracer.join(named)
        else:
            trace = number if number % base.tracer.every else base.tracer.sampled(number)
        origin = base.outside if sender is None else sender
        if base.market.rules:
            base.quiet.admit(found, message, origin, trace)
        else:  # what `admit` would do then, without its call: a tenth of a tell
            found.deliver(message, origin, trace)

    def request(
        self, target: ActorAddress | str, message: Any, *, timeout_s: float = 5.0, correlation_id: str = ""
    ) -> Any:
        """Send and return the answer, be it `Failed` or `Unavailable`; see `InProcessSystemBase.request`."""
        return self.base.request(target, message, timeout_s, correlation_id=correlation_id)

    def request_future(self, target: ActorAddress | str, message: Any, *, correlation_id: str = "") -> Future[Any]:
        """Send and return a future of the answer."""
        return self.base.request_future(target, message, correlation_id=correlation_id)

    def watch(self, name: str) -> Future[Any]:
        """Return a future of the end of that actor; see `InProcessSystemBase.watch`."""
        return self.base.watch(name)

    async def request_async(
        self, target: ActorAddress | str, message: Any, *, timeout_s: float = 5.0, correlation_id: str = ""
    ) -> Any:
        """Send and await the answer, on any asyncio loop; after a cancel the answer is a dead letter."""
        return await self.base.request_async(target, message, timeout_s, correlation_id=correlation_id)

    def trace(self, correlation_id: str = "") -> tuple[Hop, ...]:
        """Return the recorded hops of a conversation, or the newest of all, in the order they ended."""
        return self.base.tracer.hops(correlation_id)

    def probe(self, name: str) -> Probe:
        """Put a probe where an actor of that name would be.

        Raises:
            NameTakenError: an actor of that name runs.
        """
        probe = self.base.new_probe(name)
        if self.base.names.setdefault(name, probe) is not probe:
            raise NameTakenError(f"an actor named {name!r} runs already")
        return probe
