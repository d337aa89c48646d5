"""`ActorContext` on Thespian's `simpleSystemBase`: what a `RuntimeActor` may ask of its host there.

There is no supervision: a failed actor restarts at once, by clearing its attributes. `offload` runs inline,
`when_quiet` is a message to itself, and names are those given in its `Start`.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from thespian.actors import Actor, ActorAddress, ActorExitRequest, ActorSystemMessage, WakeupMessage

from ....domain.rate_limit import RateLimit
from ....messages.supervision import Failed
from .. import lifecycle
from ..clock import SystemClock
from ..errors import UnknownActorError, UnsupportedBaseError, reason_of, timed_out
from ..market_clock import MarketClock
from ..offload import Job, Outcome, OutcomeArrived
from ..timers import Timer, TimerHeap
from ..trace import NO_CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....messages.trace import Hop
    from ..context import HostedActor, Request
    from ..lifecycle import Control, MailboxCounters
    from ..offload import Then
    from ..trace import Trace

LOGGED_A_SECOND_MAX: Final = 100
"""Lines of the bounded log."""

_log = logging.getLogger("natya")


class _Due(msgspec.Struct, frozen=True):
    """Payload of the wake-up message of a timer."""

    timer: Timer


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """To an inquirer: send this request, and return the answer."""

    target: ActorAddress
    message: Any
    timeout_s: float
    then: Any
    life: int


class _Inquirer(Actor):
    """Sends one request with its own address, so that whatever it receives is the answer; then it exits."""

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:  # noqa: N802  Thespian's name
        """Send the request, or pass on the answer."""
        match message:
            case _Question():
                self._question, self._asker = message, sender
                Actor.wakeupAfter(self, dt.timedelta(seconds=message.timeout_s))
                Actor.send(self, message.target, message.message)
            case WakeupMessage():
                question = self._question
                self._bring(Outcome(error=timed_out(question.timeout_s, question.target, question.message)))
            case ActorExitRequest():
                return
            case _:
                self._bring(Outcome(value=message))

    def _bring(self, outcome: Outcome) -> None:
        question = self._question
        Actor.send(self, self._asker, OutcomeArrived(then=question.then, outcome=outcome, life=question.life))
        Actor.send(self, self.myAddress, ActorExitRequest())


class ForeignContext:
    """Hosts one actor on Thespian's `simpleSystemBase`.

    Raises:
        UnsupportedBaseError: it is another base: those listen on the network and unpickle whatever arrives.
    """

    def __init__(self, actor: HostedActor) -> None:
        self._actor = actor
        self._plain = cast("Actor", actor)
        """The same one, for Thespian's own calls."""

        self._given = dict(vars(actor))
        base = type(self._given["_myRef"]).__module__
        if base != "thespian.system.simpleSystemBase":
            raise UnsupportedBaseError(
                f"natya runs on its own system base or on simpleSystemBase, found {base}: the multiprocess bases "
                "listen on all interfaces and unpickle what anyone sends there, which lets strangers run code"
            )
        self._start = lifecycle.Start(name=str(actor.myAddress))
        self._heap = TimerHeap()
        self.market = MarketClock(SystemClock(), None)
        self._started = False
        self.handled = 0
        self.failures = 0
        self.life = 0
        self.awaited = 0
        self.trace: Trace = NO_CONVERSATION
        self.parent: Any = None
        self._logged = RateLimit(LOGGED_A_SECOND_MAX)

    def receive(self, message: Any, sender: ActorAddress) -> None:
        """Handle one message, failing once."""
        if isinstance(message, lifecycle.Start):
            self._start = message
        if not self._started:
            self._begin()
        try:
            self._dispatch(message, sender)
            self.handled += 1
            if self._started:
                self._actor.on_drained()
        except Exception as error:  # noqa: BLE001  fails once, whatever a handler raises
            self.failures += 1
            _log.exception("handler.failed", extra={"actor": self._actor.name, "fields": {}})
            self._answer_failed(message, sender, error)
            self._actor.on_stop()
            self._begin()

    def _dispatch(self, message: Any, sender: ActorAddress) -> None:
        match message:
            case lifecycle.Start():
                if self._start.starter is not None:
                    self.send_elsewhere(
                        self._start.starter, lifecycle.Started(name=self._actor.name, address=self._actor.myAddress)
                    )
            case ActorExitRequest():
                self._started = False
                self._actor.on_stop()
            case WakeupMessage(payload=_Due(timer=timer)):
                timer.fire()
            case _:
                self._actor.handler_table[type(message)](self._actor, message, sender)

    def _begin(self) -> None:
        actor = self._actor
        vars(actor).clear()
        vars(actor).update(self._given, host=self)
        self.life += 1
        self._started = False
        actor.__init__()  # type: ignore[misc]  # the instance is the address here: it cannot be replaced
        given = {"name": self._start.name, "settings": self._start.settings, "clock": SystemClock()}
        vars(actor).update(given, directory={})
        actor.on_start()
        self._started = True

    def _answer_failed(self, message: Any, sender: ActorAddress, error: Exception) -> None:
        if not isinstance(message, (ActorSystemMessage, Failed)):
            kind, reason = type(message).__name__, reason_of(error)
            answer = Failed(actor=self._actor.name, message_type=kind, error=type(error).__name__, reason=reason)
            self.send_elsewhere(sender, answer)

    def send_elsewhere(self, target: ActorAddress | str, message: Any) -> None:
        """Send as Thespian does."""
        found = self._start.names.get(target) if isinstance(target, str) else target
        if isinstance(found, ActorAddress):
            Actor.send(self._plain, found, message)
        else:
            fields = {"target": target, "message_type": type(message).__name__}
            _log.warning("message.died", extra={"actor": self._actor.name, "fields": fields})

    def forward(self, target: ActorAddress, _message: Any, _sender: ActorAddress) -> None:
        """Refuse: Thespian has no way to send with another sender."""
        raise UnsupportedBaseError(f"forwarding to {target} needs natya's own system base")

    def stash(self, message: Any, _sender: ActorAddress) -> None:
        """Refuse: a message cannot be put back into Thespian's mailboxes."""
        raise UnsupportedBaseError(f"putting {type(message).__name__} aside needs natya's own system base")

    def unstash_all(self) -> None:
        """Do nothing: nothing can be stashed here."""

    def turn_away(self, message: Any, sender: ActorAddress, refusal: Exception) -> None:
        """Refuse a message: `Failed` to its sender."""
        self._answer_failed(message, sender, refusal)

    def unhandled(self, message: Any, _: ActorAddress) -> None:
        """Log a message of a type without a handler."""
        if not isinstance(message, ActorSystemMessage):
            fields = {"message_type": type(message).__name__}
            _log.warning("message.died", extra={"actor": self._actor.name, "fields": fields})

    def after(self, seconds: float, message: Any) -> Timer:
        """Deliver the message later, by Thespian's wake-up."""
        life, address = self.life, self._actor.myAddress

        def fire() -> None:
            if self.life == life:
                self._actor.handler_table[type(message)](self._actor, message, address)

        timer = Timer(self._heap, fire)
        Actor.wakeupAfter(self._plain, dt.timedelta(seconds=seconds), payload=_Due(timer))
        return timer

    def offload(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], then: Then, lane: str, *, left_at_stop: bool
    ) -> None:
        """Run it inline; its outcome still comes as a message."""
        del lane, left_at_stop
        outcome = Job(function, arguments, lambda _: None).run()
        self.when_quiet(OutcomeArrived(then=then, outcome=outcome, life=self.life))

    def ask(self, target: ActorAddress | str, message: Any, timeout_s: float, then: Then) -> None:
        """Send it from a helper actor, since this base cannot tell an answer from another message."""
        found = self._start.names.get(target) if isinstance(target, str) else target
        if found is None:
            error = UnknownActorError(f"no actor named {target!r} was told of")
            self.when_quiet(OutcomeArrived(then=then, outcome=Outcome(error=error), life=self.life))
            return
        question = _Question(target=found, message=message, timeout_s=timeout_s, then=then, life=self.life)
        Actor.send(self._plain, Actor.createActor(self._plain, _Inquirer), question)

    def begin_trace(self) -> None:
        """Do nothing: this base carries no traces."""

    def join_trace(self, correlation_id: str) -> None:
        """Do nothing, for the same reason."""

    def hops(self, correlation_id: str, hops_max: int) -> tuple[Hop, ...]:
        """Return none."""
        del correlation_id, hops_max
        return ()

    def new_hops(self) -> tuple[Hop, ...]:
        """Return none."""
        return ()

    def watch(self, name: str) -> None:
        """Refuse: on this base only the parent is told of an actor's end."""
        raise UnsupportedBaseError(f"watching {name!r} needs natya's own system base")

    def entrance(self) -> Callable[[Any], None]:
        """Refuse: this base has one thread."""
        raise UnsupportedBaseError("an entrance for other threads needs natya's own system base")

    def requester(self) -> Request:
        """Refuse: this base has one thread."""
        raise UnsupportedBaseError("requests of other threads need natya's own system base")

    def after_in_market(self, seconds: float, message: Any) -> Timer:
        """As `after`: there is no simulated market."""
        return self.after(seconds, message)

    def after_on_machine(self, seconds: float, message: Any) -> Timer:
        """As `after`: all actors use real time."""
        return self.after(seconds, message)

    def when_quiet(self, message: Any, at_ns: int | None = None, *, ends: bool = False) -> None:
        """Send it to itself: messages that wait already are handled first."""
        del at_ns, ends
        Actor.send(self._plain, self._actor.myAddress, message)

    def tell_started(self) -> None:
        """Do nothing: nothing waits for it here."""

    def new_random(self) -> random.Random:
        """Make the random generator of this life."""
        return random.Random()  # noqa: S311  for back-off and the like, no secrets

    def may_log(self) -> bool:
        """Say whether another line of the bounded log may be written, and count it."""
        return self._logged.spend(SystemClock.monotonic_ns())

    def stalls(self) -> tuple[int, str]:
        """Return none: there is no watchdog."""
        return 0, ""

    def start_child(
        self, name: str, actor_class: type[HostedActor], settings: Any, *, supervised: bool
    ) -> ActorAddress:
        """Refuse: this base has no supervision."""
        del actor_class, settings, supervised
        raise UnsupportedBaseError(f"starting {name!r} under another needs natya's own system base")

    def control_child(self, child: ActorAddress, message: Control) -> None:
        """Refuse: there are no such children."""
        raise UnsupportedBaseError(f"{type(message).__name__} to {child} needs natya's own system base")

    def mailbox_of(self, child: ActorAddress) -> MailboxCounters:
        """Refuse: there are no such children."""
        raise UnsupportedBaseError(f"the mailbox of {child} is known on natya's own system base alone")

    def trouble_of(self, child: ActorAddress) -> str:
        """Refuse: there are no such children."""
        raise UnsupportedBaseError(f"the trouble of {child} is known on natya's own system base alone")
