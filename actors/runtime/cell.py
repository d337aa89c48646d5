"""A cell: address, mailbox and turns of one actor in one object, without locks on the fast path.

Sending is `target.put((message, sender, trace))`, then a turn if the cell was idle. `put` is a slot: of a running cell
it is its mailbox's own `append`; of a suspended one it buffers up to a bound; of a rejecting one it answers
`Unavailable`; of a dead one it makes a dead letter. So a sender pays nothing for the check of an actor's state.

The trap is the change of `put`. A sender may still hold the old one, so a message that is put into a queue no longer
read is found later (`rest`, `_drain`). And the first message creates the mailbox, on the sender's thread, while the
cell's own thread may change the state: both change `put` under one lock, which no later message takes.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

from ...messages.supervision import Unavailable
from .dead_letters import NEVER_ANSWERED
from .endpoint import Endpoint, Envelope
from .lifecycle import MailboxCounters
from .trace import NO_CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from thespian.actors import ActorAddress
    from thespian.system.timing import ExpirationTimer

    from .dead_letters import DeadLetters
    from .lifecycle import Reject
    from .mailboxes import Mailbox
    from .trace import Trace
    from .worker import Worker

BATCH = 64
"""Messages in one turn, for which other cells wait at most. 8 to 64 measured equally fast, 1 half as fast."""

Queue: TypeAlias = "Mailbox | deque[Envelope]"

NO_MAILBOX = cast("Queue", ())
"""Mailbox of a cell that never got a message; only its length may be read."""

SUSPENDED_MAX = 100_000
"""Messages that are kept for an actor that is down; more are dead letters."""

_changing_put = threading.Lock()


class Cell(Endpoint):
    """One actor's address, mailbox and turn. `RuntimeCell` and `ThespianCell` define what a turn does."""

    __slots__ = (
        "away", "background", "box", "children", "conflated", "control_box", "dead", "dead_letters", "dropped",
        "failures", "global_name", "handled", "high_water", "idle", "instance", "life", "name", "offloads", "parent",
        "put", "ready", "special", "trace", "wakeups", "worker",
    )  # fmt: skip

    batch: ClassVar[int] = BATCH
    put: Callable[[Envelope], object]  # type: ignore[assignment]  # a slot: it changes with the state
    ready: Callable[[Cell], object]

    def __init__(self, label: str, *, dead_letters: DeadLetters, worker: Worker, parent: Cell | None) -> None:
        super().__init__(label)
        self.dead_letters = dead_letters
        self.worker = worker
        self.parent = parent
        self.children: dict[Cell, None] = {}
        self.name = ""
        self.global_name: str | None = None
        self.background = False
        self.box = NO_MAILBOX
        self.control_box: list[tuple[Any, ActorAddress]] = []
        self.put = self._put_first
        self.ready = worker.ready.append
        self.idle = True
        """Empty and not scheduled: a sender that sees this schedules a turn. Two may; then one turn finds nothing."""

        self.special = False
        """The next turn must look at more than the mailbox: control messages, or a state other than running."""

        self.dead = False
        self.life: int = 0
        """Counts restarts: what belongs to an earlier life (timers, outcomes) is not delivered to a later one."""

        self.offloads = 0
        self.wakeups: list[ExpirationTimer] = []
        """Timers of `wakeupAfter` that are not due yet; for status requests."""

        self.trace: Trace = NO_CONVERSATION
        """Trace of the message being handled, or the last one: messages sent meanwhile belong to its conversation."""

        self.handled = 0
        self.failures = 0
        self.high_water = 0
        self.dropped = 0
        self.conflated = 0
        self.away = 0
        """Messages that wait elsewhere: on their way to a worker process."""

        self.instance: Any = None

    # For senders, on any thread.

    def deliver(self, message: Any, sender: ActorAddress, trace: Trace = NO_CONVERSATION) -> None:
        """Send, from any thread. `RuntimeActor.send` has the same code inlined, for speed."""
        self.put((message, sender, trace if isinstance(trace, int) else trace.stamp()))
        if self.idle:
            self.idle = False
            self.ready(self)
            if self.worker.asleep:
                self.worker.wake()

    def control(self, message: Any, sender: ActorAddress) -> None:
        """Deliver ahead of the mailbox, in whatever state the cell is."""
        self.control_box.append((message, sender))
        self.special = True
        self.ready(self)
        if self.worker.asleep:
            self.worker.wake()

    def counters(self) -> MailboxCounters:
        """Return the counters of its mailbox."""
        depth = len(self.box) + self.away
        dropped = self.dropped + getattr(self.box, "dropped", 0)  # a bare deque counts nothing
        conflated = self.conflated + getattr(self.box, "conflated", 0)
        return MailboxCounters(
            depth=depth,
            high_water=max(depth, self.high_water),
            dropped=dropped,
            conflated=conflated,
            handled=self.handled,
            failures=self.failures,
        )

    # For the worker.

    def turn(self) -> None:
        """Handle waiting messages, at most `BATCH`; on the cell's own thread."""
        raise NotImplementedError

    def turn_failed(self, error: BaseException) -> None:
        """Fail, since `turn` itself raised, which no actor's code should be able to cause; on its own thread."""
        raise NotImplementedError

    def exit(self, sender: ActorAddress) -> None:
        """Request it to end, with its children, before its next message; from any thread."""
        raise NotImplementedError

    def rest(self) -> None:
        """End a turn with an empty mailbox: become idle, then look once more, for a sender that still saw it busy."""
        self.idle = True
        if (self.box or self.control_box) and self.idle:
            self.idle = False
            self.ready(self)

    # Birth and death.

    def make_mailbox(self) -> Queue:
        """Make the mailbox when the first message comes: an empty deque has 760 bytes."""
        return deque()

    def bury(self, why: str) -> Iterable[Envelope]:
        """Become dead: stored and later messages are dead letters. Return the stored ones."""
        self.dead = True
        with _changing_put:
            self.put = self._put_dead
        # A sender may still hold the old `put`: its message is drained when it schedules a turn. Idle before the last
        # look, so that a sender that comes after it does schedule one.
        self.ready = self._drain
        self.idle = True
        stored = self._take_all()
        for message, sender, trace in stored:
            self.dead_letters.undelivered(self, message, sender, why, trace)
        return stored

    def _take_all(self) -> list[Envelope]:
        stored: list[Envelope] = []
        while self.box:
            try:
                stored.append(self.box.popleft())
            except IndexError:  # killed from another thread, while its own was about to take the last one
                break
        return stored

    def _drain(self, _: Cell) -> None:
        self.idle = True
        for message, sender, trace in self._take_all():
            self.dead_letters.undelivered(self, message, sender, "it is gone", trace)
        while self.control_box:
            try:
                _, sender = self.control_box.pop(0)
            except IndexError:  # as above
                break
            if isinstance(sender, Endpoint) and getattr(sender, "wants_answer", False):
                sender.deliver(Unavailable(actor=self.name, reason="it is gone", retry_after_s=0.0), self)

    def _put_dead(self, envelope: Envelope) -> None:
        self.dead_letters.undelivered(self, *envelope[:2], "it is gone", envelope[2])

    # The values of `put`, by state.

    def take_messages(self) -> None:
        """Put messages into the mailbox."""
        with _changing_put:
            self.put = self._put_first if self.box is NO_MAILBOX else self.box.append

    def keep_messages(self) -> None:
        """Buffer messages, up to a bound, for later."""
        with _changing_put:
            self.put = self._put_suspended

    def refuse_messages(self, order: Reject) -> None:
        """Answer messages with `Unavailable`."""
        answer = Unavailable(actor=self.name, reason=order.reason, retry_after_s=order.retry_after_s)

        def refuse(envelope: Envelope) -> None:
            if envelope[1] is not self:
                self.dropped += 1
                if order.for_good and not getattr(envelope[1], "wants_answer", False):
                    return
                if not isinstance(envelope[0], NEVER_ANSWERED) and isinstance(envelope[1], Endpoint):
                    envelope[1].deliver(answer, self, envelope[2])

        with _changing_put:
            self.put = refuse

    def _put_first(self, envelope: Envelope) -> None:
        with _changing_put:
            if self.box is NO_MAILBOX:
                self.box = self.make_mailbox()
            if self.put == self._put_first:
                self.put = self.box.append
        self.put(envelope)

    def _put_suspended(self, envelope: Envelope) -> None:
        if self.box is NO_MAILBOX:
            with _changing_put:
                if self.box is NO_MAILBOX:
                    self.box = self.make_mailbox()
        if len(self.box) < SUSPENDED_MAX:
            self.box.append(envelope)
        else:
            self.dropped += 1
            why = f"it is down, and {SUSPENDED_MAX} messages wait"
            self.dead_letters.undelivered(self, *envelope[:2], why, envelope[2])
