"""The control room: where other processes of the same user ask this one.

Owns    the control socket in the data directory, and the connections to it; each number is bounded in ControlSettings.
Hears   what comes through the socket, and of that only what `admission.ADMITTED` lists.
Sends   each request to the actor it names, and the actor's answer back to the process that asked; a request that may
        not be made, or that is not answered in time, gets an AskRefused; Abandon to that actor when the process that
        asked is gone before its answer.
Fails   when the socket cannot be opened or served; restarted, it opens it anew. Connections are lost, with what they
        had in flight; clients are told by their end of the connection.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from ...messages.codec import encode
from ...messages.database import Abandon
from ..runtime import RuntimeActor, handles
from .admission import admit
from .errors import AskRefusedError
from .request import Request
from .server import ControlServer

if TYPE_CHECKING:
    from ...messages.control import ControlStatistics
    from ..runtime import ActorAddress, Outcome
    from .settings import ControlActorSettings


class Arrived(msgspec.Struct, frozen=True):
    """To itself, from the thread that serves the socket."""

    request: Request


class Gone(msgspec.Struct, frozen=True):
    """To itself, from the same thread: nobody waits for the answer to this question any more."""

    asker: str


class ControlActor(RuntimeActor):
    """Passes requests on and answers back; decides only what may be asked."""

    blocking = True  # writing out a large answer takes longer than the shared loop has
    background = True  # the job that serves never ends: a simulated market would wait for it for ever
    system_time = True  # whoever asks waits by the machine's clock

    settings: ControlActorSettings

    def on_start(self) -> None:
        """Open the socket and serve it."""
        arrive = self.entrance()
        self._asked: dict[str, str] = {}
        """The actor of each question that may be abandoned, by asker."""

        self._server = ControlServer(
            self.settings.data_dir,
            self.settings.limits,
            on_ask=lambda request: arrive(Arrived(request)),
            on_gone=lambda asker: arrive(Gone(asker)),
            monotonic_ns=self.clock.monotonic_ns,
        )
        self.offload(self._server.serve, then=self._served)
        self.log("control.opened", data_dir=str(self.settings.data_dir))

    def on_stop(self) -> None:
        """Take the socket away."""
        self._server.close()

    def is_drained(self) -> bool:
        """Stop serving, which would have no end of its own. Who waits for an answer sees his connection end."""
        self._server.close()
        for asker, actor in self._asked.items():
            self.send(actor, Abandon(asker=asker))
        return True

    def statistics(self) -> ControlStatistics:
        """Count."""
        return self._server.statistics()

    @handles(Arrived)
    def pass_on(self, arrived: Arrived, _sender: ActorAddress) -> None:
        """Put the request to its actor, if it may be made."""
        request = arrived.request
        try:
            message = admit(request.ask, self.settings.limits)
        except AskRefusedError as refusal:
            request.refuse(refusal.kind, refusal.reason)
            return
        self.join_trace(request.ask.correlation_id)
        if "asker" in message.__struct_fields__:
            message = msgspec.structs.replace(message, asker=request.asker)
            self._asked[request.asker] = request.ask.actor
        then = functools.partial(self._pass_back, request)
        self.ask(request.ask.actor, message, timeout_s=request.ask.timeout_s, then=then)

    @handles(Gone)
    def abandon(self, gone: Gone, _sender: ActorAddress) -> None:
        """Tell the actor that its answer is not wanted any more."""
        if gone.asker in self._asked:
            self.send(self._asked[gone.asker], Abandon(asker=gone.asker))

    def _pass_back(self, request: Request, outcome: Outcome) -> None:
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
