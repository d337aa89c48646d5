"""`ActorContext` on the in-process base: what an actor may ask of its cell, by the services of the system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...domain.time import SECOND_NS
from ...messages.supervision import Failed
from . import lifecycle
from .conflation import KeepingUp
from .dead_letters import NEVER_ANSWERED
from .endpoint import Endpoint, Quoted
from .errors import StashFullError, reason_of, timed_out
from .market_clock import GUESTS, OURS
from .offload import Job, Outcome, OutcomeArrived
from .requests import ActorAsyncReply, ActorReply
from .thespian.calls import ThespianCalls
from .watching import take_watchers, watch

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from thespian.actors import ActorAddress

    from ...messages.trace import Hop
    from .cell import Queue
    from .context import HostedActor, Request
    from .endpoint import Envelope
    from .errors import MessageRefusedError
    from .market_clock import MarketClock
    from .offload import Offloader, Then
    from .timers import Fire, Timer


class CellContext(ThespianCalls):
    """A cell as its actor sees it: sending, timers, offloaded work, requests and watches, on the actor's own thread."""

    __slots__ = ("_offloader", "_stash", "actor_class", "awaited", "in_market_time", "market", "watchers")

    _offloader: Offloader | None
    _stash: list[Envelope] | None
    actor_class: type[HostedActor]
    awaited: int
    guest: bool
    in_market_time: bool
    market: MarketClock
    watchers: tuple[Endpoint, ...]

    def send_elsewhere(self, target: ActorAddress | str, message: Any) -> None:
        """Send to anything but a `RuntimeCell`: a name, a reply address, a plain Thespian actor."""
        if isinstance(target, str):
            found = self.services.names.get(target)
            if found is None:
                self.dead_letters.undelivered(target, message, self, "no actor of that name runs", self.trace)
                return
            target = found
        self._to(target, message)

    def _to(self, target: Any, message: Any) -> None:
        if isinstance(target, Endpoint):
            target.deliver(message, self, self.trace)
        else:
            self.dead_letters.undelivered(target, message, self, "its address is not of this system", self.trace)

    def tell_watchers(self, report: lifecycle.Stopped) -> None:
        """Send `Terminated` to all watchers."""
        terminated = lifecycle.Terminated(name=self.name, statistics=report.statistics, error=report.error)
        for watcher in take_watchers(self):
            self._to(watcher, terminated)

    def forward(self, target: Any, message: Any, sender: ActorAddress) -> None:
        """Deliver with another sender, one that is trusted no more than this actor."""
        if self.guest and sender is not self and (self.says is not None or not getattr(sender, "guest", True)):
            sender = Quoted(sender, by=self)
        target.deliver(message, sender, self.trace)

    def stash(self, message: Any, sender: ActorAddress) -> None:
        """Put a message aside; up to `stash_max` of the actor's class."""
        stash, most = self._stash or [], self.actor_class.stash_max
        if len(stash) >= most:
            raise StashFullError(f"at most {most} messages are put aside, {type(message).__name__} is one too many")
        trace = self.trace
        stash.append((message, sender, trace if isinstance(trace, int) else trace.stamp()))
        self._stash = stash

    def unstash_all(self) -> None:
        """Put them back before those in the mailbox, in order."""
        stash, self._stash = self._stash, None
        for envelope in reversed(stash or ()):
            self.box.appendleft(envelope)

    def unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Take a message of a type without a handler: a dead letter, unless it needs no answer."""
        if not isinstance(message, NEVER_ANSWERED):
            reason = f"{self.actor_class.__name__} handles no {type(message).__name__}"
            self.dead_letters.undelivered(self, message, sender, reason, self.trace, is_unknown=True)

    def turn_away(self, message: Any, sender: ActorAddress, refusal: MessageRefusedError) -> None:
        """Refuse a message: a dead letter, and `Failed` with the reason to its sender; the actor goes on."""
        self.dead_letters.failed(self.name, message, refusal, self.trace)
        if not isinstance(message, NEVER_ANSWERED):
            kind, error = type(message).__name__, type(refusal).__name__
            self._to(sender, Failed(actor=self.name, message_type=kind, error=error, reason=reason_of(refusal)))

    def after(self, seconds: float, message: Any) -> Timer:
        """Deliver the message to this cell later, unless it is restarted before; it begins a new conversation."""
        timer = self._call_after(int(float(seconds) * SECOND_NS), self._delivery(message))
        if self.worker.asleep:
            self.worker.wake()
        return timer

    def after_in_market(self, seconds: float, message: Any) -> Timer:
        """As `after`, in market time."""
        timer = self.market.after(int(float(seconds) * SECOND_NS), self._delivery(message), self.market_phase)
        if self.services.loop.asleep:
            self.services.loop.wake()
        return timer

    def after_on_machine(self, seconds: float, message: Any) -> Timer:
        """As `after`, in real time."""
        timer = self._call_on_machine(int(float(seconds) * SECOND_NS), self._delivery(message))
        if self.worker.asleep:
            self.worker.wake()
        return timer

    def _delivery(self, message: Any) -> Fire:
        life = self.life

        def fire() -> None:
            if self.life == life and not self.dead:
                self.deliver(message, self, self.services.tracer.begin())

        return fire

    def _call_after(self, delay_ns: int, fire: Fire) -> Timer:
        if self.in_market_time:
            return self.market.after(delay_ns, fire, self.market_phase)
        return self._call_on_machine(delay_ns, fire)

    @property
    def market_phase(self) -> int:
        """Which of the timers of one moment its own are."""
        return GUESTS if self.guest else OURS

    def _call_on_machine(self, delay_ns: int, fire: Fire) -> Timer:
        return self.worker.timers.add(self.services.clock.monotonic_ns() + delay_ns, fire)

    def offload(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], then: Then, lane: str, *, left_at_stop: bool
    ) -> None:
        """Run it on this actor's own threads; the outcome comes back as a message, unless the actor was restarted.

        Of a guest, a simulated market takes it as the answer to a question: its time stands still, and outcomes come in
        the order of the jobs, whichever thread is done first.
        """
        if self._offloader is None:
            kind = self.actor_class
            threads_max = 0 if kind.on_loop_in_market and self.in_market_time else kind.offload_threads_max
            self._offloader = self.services.new_offloader(
                self.name, threads_max=threads_max, jobs_max=kind.offloads_max
            )
        life, quiet, trace, is_awaited = self.life, self.services.quiet, self.trace, not left_at_stop
        holds = self.guest and self.in_market_time and not self.background
        question = quiet.question_begun(self) if holds else None

        def done(outcome: Outcome | None) -> None:
            if question is None:
                deliver(outcome)
                quiet.offload_ended(self)
            else:
                quiet.question_ended(question, lambda: deliver(outcome))

        def deliver(outcome: Outcome | None) -> None:
            if outcome is not None:
                arrived = OutcomeArrived(then=then, outcome=outcome, life=life, is_awaited=is_awaited)
                self.deliver(arrived, self, trace)

        self.awaited += is_awaited
        if question is None:
            quiet.offload_begun(self)
        try:
            self._offloader.submit(Job(function, arguments, done), lane)
        except BaseException:
            self.awaited -= is_awaited
            done(None)
            raise

    def ask(self, target: ActorAddress | str, message: Any, timeout_s: float, then: Then) -> None:
        """Send from a new reply address; the answer, or the timeout, comes back as an outcome of this life.

        A simulated market waits for the answer of a background actor: its time stands still, and the timeout is real.
        """
        life, trace, quiet = self.life, self.trace, self.services.quiet
        timeout_ns = int(float(timeout_s) * SECOND_NS)
        found: Any = self.services.names.get(target) if isinstance(target, str) else target
        holds = self.in_market_time and not self.background and getattr(found, "background", False)
        question = quiet.question_begun(self) if holds else None

        def arrive(outcome: Outcome) -> None:
            if question is not None:
                quiet.question_ended(question, lambda: deliver(outcome))
            else:
                deliver(outcome)

        def deliver(outcome: Outcome) -> None:
            self.deliver(OutcomeArrived(then=heard, outcome=outcome, life=life), self, trace)

        def heard(outcome: Outcome) -> None:
            timer.cancel()
            then(outcome)

        def give_up() -> None:
            if reply.claim():
                arrive(Outcome(error=timed_out(timeout_s, target, message)))

        reply = ActorReply(self, self.dead_letters, lambda answer: arrive(Outcome(value=answer)))
        self.awaited += 1
        timer = (self._call_after if question is None else self._call_on_machine)(timeout_ns, give_up)
        if isinstance(found, Endpoint):
            quiet.admit(found, message, reply, trace)
        else:
            self.dead_letters.undelivered(target, message, reply, "no actor of that name or address runs", trace)

    def watch(self, name: str) -> None:
        """Have `Terminated` delivered to this cell when the actor of that name has ended."""
        found = self.services.names.get(name)
        if found is None:
            self.deliver(lifecycle.Terminated(name=name), self)
        else:
            watch(self, found)

    def entrance(self) -> Callable[[Any], None]:
        """Return a function by which other threads send to this cell; it has no effect after this life."""
        life = self.life

        def enter(message: Any) -> None:
            if self.life == life and not self.dead:
                self.services.quiet.admit(self, message, self, self.services.tracer.begin())

        return enter

    def requester(self) -> Request:
        """Return a coroutine function by which other threads ask actors in the name of this one."""

        async def request(target: ActorAddress | str, message: Any, *, timeout_s: float) -> Any:
            import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

            services, dead_letters = self.services, self.dead_letters
            reply = ActorAsyncReply(self, dead_letters, asyncio.get_running_loop())
            trace = services.tracer.begin()
            found = services.names.get(target) if isinstance(target, str) else target
            if isinstance(found, Endpoint):
                services.quiet.admit(found, message, reply, trace)
            else:
                dead_letters.undelivered(target, message, reply, "no actor of that name or address runs", trace)
            return await reply.wait(timeout_s)

        return request

    def when_quiet(self, message: Any, at_ns: int | None, *, ends: bool = False) -> None:
        """Deliver the message to this cell when nothing else goes on and market time has reached `at_ns`."""
        self.services.quiet.wait(self, message, at_ns, ends=ends)

    def make_mailbox(self) -> Queue:
        """Make a mailbox of the kind that the actor's class declares."""
        kind = self.actor_class.mailbox
        if kind is not None:
            return kind.make(self, self.services.on_actor_thread)
        return KeepingUp() if self.conflates and self.worker is not self.services.loop else super().make_mailbox()

    @property
    def conflates(self) -> bool:
        """Whether its market data is conflated when it is behind."""
        services = self.services
        return self.actor_class.conflates and services.conflates and not services.market.rules

    def may_log(self) -> bool:
        """Say whether another line of the bounded log may be written, and count it."""
        return self.services.failures_logged.spend(self.services.clock.monotonic_ns())

    def stalls(self) -> tuple[int, str]:
        """Return how many turns held the shared loop too long, and which actor's was the newest."""
        watchdog = self.services.watchdog
        if watchdog is None or watchdog.last is None:
            return 0, ""
        return watchdog.stalls, watchdog.last.actor

    def new_random(self) -> random.Random:
        """Make the random generator of this life."""
        return self.services.new_random(self)

    def hops(self, correlation_id: str, hops_max: int) -> tuple[Hop, ...]:
        """Return the newest recorded hops of a conversation, or of all."""
        return self.services.tracer.hops(correlation_id, hops_max)

    def new_hops(self) -> tuple[Hop, ...]:
        """Return the hops recorded since the last call."""
        return self.services.tracer.new_hops()

    def begin_trace(self) -> None:
        """Begin a new conversation for what is sent from here on."""
        self.trace = self.services.tracer.begin()

    def join_trace(self, correlation_id: str) -> None:
        """Make what is sent from here on part of the conversation of that name."""
        self.trace = self.services.tracer.join(correlation_id, self.trace)
