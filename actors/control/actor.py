"""The control actor: takes requests of other processes of the same user.

Owns    the control socket in the data directory, and the connections to it, all bounded by ControlSettings.
Hears   requests through the socket, those of `operations.OPERATIONS` only; ReadHealth, ReadMetrics.
Sends   DescribeTree and Ping to all others, every few seconds and when asked how they are; Health, MetricsRead;
        each request to the actor that it names, and the actor's answer back to the client; AskRefused for a request
        that is not admitted or not answered in time; Abandon to the actor when the client has disconnected before its
        answer.
Fails   when the socket cannot be opened or served; restarted, it opens the socket anew. Open connections are lost, with
        their pending requests; clients see their connection close.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec

from ...messages.codec import encode
from ...messages.database import Abandon
from ...messages.health import MetricsRead, ReadHealth, ReadMetrics
from ...messages.supervision import Failed
from ..observability import Counters, health_of, take
from ..runtime import RuntimeActor, handles, reason_of, trace_of
from .errors import AskRefusedError
from .looking import Handover, Looker
from .operations import admit, arguments_of
from .request import Request
from .server import ControlServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...messages.control import ControlStatistics
    from ..observability import View
    from ..runtime import ActorAddress, Outcome
    from .operations import Operation
    from .settings import ControlActorSettings


LOOK_EVERY_S: Final = 5.0
"""What an actor has counted since the last look is lost to metrics when it is restarted."""


class Arrived(msgspec.Struct, frozen=True):
    """To itself, from the thread that serves the socket: a request."""

    request: Request


class Gone(msgspec.Struct, frozen=True):
    """To itself, from the same thread: the client of this request has disconnected."""

    asker: str


class LookDue(msgspec.Struct, frozen=True):
    """To itself: look at all the others."""


class ControlActor(RuntimeActor):
    """Passes requests on and answers back; decides only which requests are admitted."""

    blocking = True  # encoding a large answer would hold the shared loop for too long
    background = True  # the job that serves the socket never ends: a simulated market would wait for it for ever
    system_time = True  # clients wait in real time

    settings: ControlActorSettings

    def on_start(self) -> None:
        """Open the socket and serve it."""
        arrive = self.entrance()
        self._asked: dict[str, str] = {}
        """The actor of each pending request that can be abandoned, by `asker`."""

        self._server = ControlServer(
            self.settings.data_dir,
            self.settings.limits,
            on_ask=lambda request: arrive(Arrived(request)),
            on_gone=lambda asker: arrive(Gone(asker)),
            monotonic_ns=self.clock.monotonic_ns,
        )
        self._counters = Counters()
        self._looker = Looker(self, self.settings.data_dir, lambda: {"socket": self._server.statistics().refused})
        self.offload(self._server.serve, then=self._served)
        self.after_on_machine(LOOK_EVERY_S, LookDue())
        self.log("control.opened", data_dir=str(self.settings.data_dir))

    def snapshot(self) -> tuple[Counters, Handover]:
        """Hand over what has been counted of all actors."""
        return self._counters, self._looker.handover()

    def restore(self, state: tuple[Counters, Handover]) -> None:
        """Go on counting."""
        self._counters, counted = state
        self._looker.take_over(counted)

    def on_stop(self) -> None:
        """Close the socket."""
        self._server.close()

    def is_drained(self) -> bool:
        """Stop serving the socket, which would not end by itself; waiting clients see their connection close."""
        self._server.close()
        for asker, actor in self._asked.items():
            self.send(actor, Abandon(asker=asker))
        return True

    def statistics(self) -> ControlStatistics:
        """Return the counts of the server."""
        return self._server.statistics()

    @handles(Arrived)
    def pass_on(self, arrived: Arrived, _sender: ActorAddress) -> None:
        """Pass the request to its actor, if it is admitted."""
        request = arrived.request
        try:
            operation, message = admit(request.ask, self.settings.limits)
        except AskRefusedError as refusal:
            request.refuse(refusal.kind, refusal.reason)
            return
        self.join_trace(request.ask.correlation_id)
        if "asker" in message.__struct_fields__:
            message = msgspec.structs.replace(message, asker=request.asker)
            self._asked[request.asker] = request.ask.actor
        if operation.audited:
            self._audit(operation, message, request)
        then = functools.partial(self._pass_back, request, operation)
        self.ask(request.ask.actor, message, timeout_s=request.ask.timeout_s, then=then)

    @handles(Gone)
    def abandon(self, gone: Gone, _sender: ActorAddress) -> None:
        """Tell the actor that its answer is not needed any more."""
        if gone.asker in self._asked:
            self.send(self._asked[gone.asker], Abandon(asker=gone.asker))

    # How all are.

    @handles(ReadHealth)
    def read_health(self, request: ReadHealth, sender: ActorAddress) -> None:
        """Ask all others how they are, and answer."""
        self._looker.look(self._telling(request, sender, health_of))

    @handles(ReadMetrics)
    def read_metrics(self, request: ReadMetrics, sender: ActorAddress) -> None:
        """Ask all others what they count, and answer."""
        from ..observability import exposition  # noqa: PLC0415  80 ms that only who reads metrics has to pay

        def written(view: View) -> MetricsRead:
            return MetricsRead(text=exposition(view, self._counters))

        self._looker.look(self._telling(request, sender, written), with_hops=True)

    @handles(LookDue)
    def look(self, _: LookDue, __: ActorAddress) -> None:
        """Keep what actors have counted, which a restart of one would lose."""
        self._looker.look(self._count)
        self.after_on_machine(LOOK_EVERY_S, LookDue())

    def _telling(
        self, request: msgspec.Struct, sender: ActorAddress, make: Callable[[View], msgspec.Struct]
    ) -> Callable[[View], None]:
        """Return who answers with what is made of a view.

        A fault in that is told, and fails this answer alone: what only looks at the system must not end it.
        """

        def tell(view: View) -> None:
            try:
                answer = make(view)
            except Exception as fault:  # noqa: BLE001  whichever it is
                answer = self._failed_looking(type(request).__name__, fault)
            self.send(sender, answer)

        return tell

    def _count(self, view: View) -> None:
        try:
            take(view, self._counters)
        except Exception as fault:  # noqa: BLE001  whichever it is
            self._failed_looking("LookDue", fault)

    def _failed_looking(self, request: str, fault: Exception) -> Failed:
        error, reason = type(fault).__name__, reason_of(fault)
        self.log_bounded("look.failed", level="error", request=request, error=error, reason=reason, at=trace_of(fault))
        return Failed(actor=self.name, message_type=request, error=error, reason=reason)

    # Helpers.

    def _audit(self, operation: Operation, message: msgspec.Struct, request: Request) -> None:
        """Log who asks for what, before anything is done."""
        peer = request.peer
        self.log(
            "operation.asked",
            operation=operation.name,
            role=operation.role,
            user_id=peer.uid,
            process_id=peer.pid,
            request=request.asker,
            arguments=arguments_of(message),
        )

    def _pass_back(self, request: Request, operation: Operation, outcome: Outcome) -> None:
        if operation.audited:
            came_of_it = type(outcome.value).__name__ if outcome.error is None else type(outcome.error).__name__
            self.log("operation.answered", operation=operation.name, request=request.asker, answer=came_of_it)
        actor = self._asked.pop(request.asker, None)
        if outcome.error is not None:
            if actor is not None:
                self.send(actor, Abandon(asker=request.asker))
            request.refuse("timed_out", f"{request.ask.actor}: {outcome.error}")
            return
        try:
            answer = encode(outcome.value)
        except (TypeError, ValueError, OverflowError) as fault:
            request.refuse("malformed", f"the answer of {request.ask.actor} has no wire form: {fault}")
        else:
            request.answer(answer)

    def _served(self, outcome: Outcome) -> None:
        outcome.unwrap()
