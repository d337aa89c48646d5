"""What both kinds of nodes do at the server: read what comes, and send what is due.

Owns    the connections to the server, and this life's name.
Hears   its own timers.
Sends   nothing.
Fails   on no expected input: a server that is away, hung or empty is `trouble`, and tried again.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ...domain.time import SECOND_NS
from ...messages.codec import encode
from ...messages.nodes import NodeFrame
from ..external.streams import ServerDownError
from ..runtime import RuntimeActor, handles
from .server import PlayServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..runtime import ActorAddress, Outcome
    from .link_end import LinkEnd
    from .server import Came
    from .settings import PlaySettings

DRAIN_NS: Final = 2 * SECOND_NS
"""How long a node that stops waits until its last words are confirmed."""

TURN_S: Final = 0.1
"""Seconds between two looks whether something has to be sent again."""


class ReadDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: read on."""


class TurnDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: look at what is due."""


class Meeting(RuntimeActor):
    """The part of a node that is about the server."""

    background: ClassVar[bool] = True  # a simulated market does not wait for a network
    system_time: ClassVar[bool] = True
    offload_threads_max: ClassVar[int] = 8
    reads_ticks: ClassVar[bool] = False

    settings: PlaySettings

    def on_start(self) -> None:
        """Take a name, and begin to read."""
        self._life = self.settings.new_life()
        self._server = PlayServer(self.settings, self._life)
        self._again_ns = round(self.settings.again_s * SECOND_NS)
        self._is_up = self._is_posting = self._is_stopping = self._ends = False
        self._drains_until_ns = 0
        self._apart: list[tuple[str, bytes]] = []
        self._read_on()
        self.after_on_machine(TURN_S, TurnDue())

    def is_drained(self) -> bool:
        """Begin nothing more, and wait a little until the others have confirmed the last words."""
        now_ns = self.clock.monotonic_ns()
        if not self._is_stopping:
            self._is_stopping = True
            self._drains_until_ns = now_ns + DRAIN_NS
        self._ends = not any(map(len, self.links())) or now_ns >= self._drains_until_ns
        return self._ends

    def on_stop(self) -> None:
        """Close the connections."""
        self._server.close()

    # For a node to define.

    def came(self, came: Came) -> None:
        """Take what was read."""
        raise NotImplementedError

    def turn(self) -> None:
        """Look at what time has made due."""
        raise NotImplementedError

    def links(self) -> Iterable[LinkEnd]:
        """Return all links that there are."""
        raise NotImplementedError

    # In and out.

    @handles(ReadDue)
    def read_on(self, _due: ReadDue, _sender: ActorAddress) -> None:
        """Read on."""
        self._read_on()

    @handles(TurnDue)
    def turn_due(self, _due: TurnDue, _sender: ActorAddress) -> None:
        """Look at what time has made due."""
        if not self._ends:
            self.turn()
            self.post()
            self.after_on_machine(TURN_S, TurnDue())

    def on_drained(self) -> None:
        """Send what was said in this burst of messages."""
        self.post()

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        then: Callable[[Any], None],
        lane: str,
        always: Callable[[], None] | None = None,
    ) -> None:
        """Ask the server; `then` is called with its answer, not at all where there is none; `always` before that."""

        def heard(outcome: Outcome) -> None:
            if always is not None:
                always()
            if isinstance(outcome.error, ServerDownError):
                self.lost(str(outcome.error))
                return
            answer = outcome.unwrap()
            if not self._is_up:
                self._is_up, self.trouble = True, ""
                self.log("play.connected", life=self._life)
            then(answer)

        self.offload(function, *arguments, then=heard, lane=lane)

    def lost(self, reason: str) -> None:
        """Tell that the server was not reached."""
        self._is_up = False
        self.trouble = f"no way to the other nodes: {reason}"
        self.log_bounded("play.lost", level="warning", reason=reason)

    def _read_on(self) -> None:
        def heard(outcome: Outcome) -> None:
            if isinstance(outcome.error, ServerDownError):
                self.lost(str(outcome.error))
                self.after_on_machine(self.settings.retry_s, ReadDue())
                return
            came: Came = outcome.unwrap()
            if self._ends:
                return
            self._read_on()  # before what came is handled, so that its end cannot be forgotten
            self.came(came)

        if not self._ends:
            self.offload(functools.partial(self._server.take, with_ticks=self.reads_ticks), then=heard, lane="in")

    def post(self) -> None:
        """Send what is due, unless something is being sent."""
        if self._is_posting:
            return
        now_ns = self.clock.monotonic_ns()
        frames, self._apart = self._apart, []
        for link in self.links():
            while (frame := link.due(now_ns)) is not None:
                frames.append((link.peer, frame))
        if not frames:
            return
        self._is_posting = True

        def ended() -> None:
            self._is_posting = False

        def sent(_answer: None) -> None:
            self.post()

        self.call(self._server.post, frames, then=sent, lane="out", always=ended)

    def say_over(self, frame: NodeFrame) -> None:
        """Tell a node that the link of its frame is over."""
        self._apart.append((frame.sender, encode(NodeFrame(sender=self._life, link=frame.link, is_over=True))))
