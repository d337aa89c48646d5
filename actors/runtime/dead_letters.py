"""Dead letters: messages that no actor handled. Counted exactly, published and logged at a bounded rate.

Our own actors' dead letters go to the actor "events" as `DeadLetter`; Thespian's handler (`handleDeadLetters`) gets a
`DeadEnvelope`. A request to a dead actor is answered `Unavailable` at once instead of timing out.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
from thespian.actors import ActorSystemMessage, ChildActorExited, DeadEnvelope

from ...domain.rate_limit import RateLimit
from ...messages.addresses import EVENTS
from ...messages.codec import MESSAGE_SIZE_MAX_BYTES, encode
from ...messages.market import TicksRecorded
from ...messages.supervision import DeadLetter, Failed, SupervisionTree, Unavailable
from ...messages.system import Pong
from . import lifecycle
from .endpoint import Endpoint
from .errors import reason_of, trace_of
from .offload import OutcomeArrived
from .trace import NO_CONVERSATION, correlation_of

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .clock import Clock
    from .endpoint import Envelope
    from .trace import Trace


TOLD_A_SECOND_MAX = 100
"""Dead letters a second that are published; more are only counted: a million of them must not cause a million more."""

LAST_MAX = 100


NEVER_BURIED = (
    DeadEnvelope,
    ChildActorExited,
    OutcomeArrived,
    lifecycle.Started,
    lifecycle.StartFailed,
    lifecycle.ChildHandlerFailed,
    lifecycle.Stopped,
    lifecycle.InternalMessage,
    TicksRecorded,
    Pong,
    SupervisionTree,
)
"""Reports for an actor that is gone, and answers about health that come too late: not dead letters, since nothing is
lost."""


NEVER_ANSWERED = (ActorSystemMessage, DeadLetter, Failed, Unavailable, lifecycle.Started, lifecycle.StartFailed,
                  lifecycle.ChildHandlerFailed, lifecycle.Stopped, OutcomeArrived)  # fmt: skip
"""Never answered `Failed`: their senders do not wait for it, or the answers would go back and forth for ever."""


class Outside(Endpoint):
    """The sender of what comes from no actor. What is sent to it is a dead letter."""

    __slots__ = ("_dead_letters",)

    wants_answer = False
    idle = False

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__("outside")
        self._dead_letters = dead_letters

    def put(self, envelope: Envelope) -> None:
        """Record a dead letter; except `Failed`, whose message is one already."""
        message, sender, trace = envelope
        if not isinstance(message, Failed):
            self._dead_letters.undelivered(self, message, sender, "it was told from outside, not asked", trace)


class DeadLetters:
    """Counts and publishes dead letters."""

    def __init__(self, *, names: dict[str, Endpoint], clock: Clock, logged: RateLimit) -> None:
        self._names = names
        self._logged = logged
        self._clock = clock
        self._undelivered_limit = RateLimit(TOLD_A_SECOND_MAX)
        self._failed_limit = RateLimit(TOLD_A_SECOND_MAX)
        self.count = 0
        self.last: deque[DeadLetter] = deque(maxlen=LAST_MAX)
        self.thespian_handler: Endpoint | None = None
        self.outside = Outside(self)
        """The sender of dead letters, and of all messages that no actor sends."""

    def undelivered(  # noqa: PLR0913  what is known of it
        self,
        target: ActorAddress | str,
        message: Any,
        sender: Any,
        why: str,
        trace: Trace = NO_CONVERSATION,
        *,
        is_unknown: bool = False,
    ) -> None:
        """Record a message that reached no actor, or none that knows it (`is_unknown`)."""
        if isinstance(message, NEVER_BURIED):
            return
        self.count += 1
        actor = target if isinstance(target, str) else getattr(target, "name", "") or str(target)
        if getattr(sender, "wants_answer", False) and sender is not target:
            answer = Unavailable(
                actor=actor, reason=why, retry_after_s=0.0, is_unknown=is_unknown or isinstance(target, str)
            )
            sender.deliver(answer, self.outside)
        if self.thespian_handler is not None and not isinstance(target, str):
            self.thespian_handler.deliver(DeadEnvelope(target, message), self.outside)
        if self._undelivered_limit.spend(self._clock.monotonic_ns()):
            self._tell(actor, message, trace, "NoRecipient", why, "")

    def failed(self, actor: str, message: Any, error: BaseException, trace: Trace, *, kind: str = "") -> None:
        """Record a message whose handler raised; `kind` names the type of one that could not be decoded."""
        self.count += 1
        # Formatting a traceback takes 100 us: at 10,000 failures a second it would be all that the process does.
        if self._failed_limit.spend(self._clock.monotonic_ns()):
            self._tell(actor, message, trace, type(error).__name__, reason_of(error), trace_of(error), kind=kind)

    def _tell(  # noqa: PLR0913, PLR0917  the fields of a dead letter
        self, actor: str, message: Any, trace: Trace, error: str, reason: str, text: str, *, kind: str = ""
    ) -> None:
        letter = DeadLetter(
            actor=actor,
            message_type=kind or type(message).__name__,
            payload=_payload(message),
            error=error,
            reason=reason,
            traceback=text,
            died_ns=self._clock.now_ns(),
            correlation_id=correlation_of(trace),
        )
        self.last.append(letter)
        if self._logged.spend(self._clock.monotonic_ns()):
            fields = {"message_type": letter.message_type, "error": error, "reason": reason}
            extra = {"actor": actor, "correlation_id": letter.correlation_id, "fields": fields}
            _log.warning("message.died", extra=extra)
        router = self._names.get(EVENTS)
        if router is not None and actor != EVENTS and not isinstance(message, DeadLetter):
            router.deliver(letter, self.outside, trace)


def _payload(message: Any) -> bytes:
    if not isinstance(message, msgspec.Struct):
        return b""
    try:
        payload = encode(message)
    except Exception:  # noqa: BLE001  not of the vocabulary, what no wire takes, or code of a field's own that raises
        return b""
    return payload if len(payload) <= MESSAGE_SIZE_MAX_BYTES else b""


_log = logging.getLogger("natya")
