"""The cell of a `RuntimeActor`: it runs turns by table dispatch, and fails once.

A turn is control messages first, then up to a batch of the mailbox, on the cell's own thread. Any exception of an actor
ends there: the message is a dead letter, its sender is answered `Failed`, and `life`, a pure state machine, decides
what follows. `LivingCell` performs that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...messages.supervision import Failed
from . import lifecycle
from .cell import BATCH, Cell
from .conflation import BEHIND, NEVER, UNTIMED, behind_at, conflate, share_of
from .dead_letters import NEVER_ANSWERED
from .door import is_ours
from .endpoint import sayable
from .errors import StashFullError, reason_of
from .life import GO_ON, NEW, RUNNING, STOPPING, Life
from .living_cell import LivingCell

if TYPE_CHECKING:
    from collections import deque

    from thespian.actors import ActorAddress

    from .context import HostedActor
    from .endpoint import Envelope
    from .thespian.services import ThespianServices
    from .trace import Stamp
    from .worker import Worker


class Ended(BaseException):
    """Raised by the handler of an exit request."""


class FailedElsewhere(BaseException):
    """Raised by a stand-in: its actor in a worker process failed; the message is a dead letter and answered already."""

    def __init__(self, error: BaseException, *, at_start: bool, got_past: bool | None = None) -> None:
        super().__init__(reason_of(error))
        self.error = error
        self.at_start = at_start
        self.got_past = got_past


class RuntimeCell(LivingCell):
    """Runs one `RuntimeActor`."""

    __slots__ = (
        "_behind_at", "_looks_at", "_share", "_takes_ahead", "drains", "guest", "says",
    )  # fmt: skip

    def __init__(
        self,
        label: str,
        actor_class: type[HostedActor],
        *,
        services: ThespianServices,
        worker: Worker,
        parent: Cell | None,
    ) -> None:
        super().__init__(label, services=services, worker=worker, parent=parent)
        self.actor_class = actor_class
        self.market = services.market
        self.in_market_time = services.market.rules and not actor_class.system_time
        self.be_a(actor_class)
        self.special = True
        self.awaited = 0
        """Outcomes of this life that have not been handled yet."""

        self.watchers = ()
        self.ends_with_life = False
        self._offloader = None
        self._stash = None
        self._stop_askers = ()
        self._life = Life()
        self._has_ended = False
        self._use(actor_class.front_table)
        self._proof = None
        is_swept = self.conflates and actor_class.mailbox is None and worker is services.loop
        self._behind_at = BEHIND if is_swept else NEVER
        """So many waiting messages are too many, and conflated."""

        self._looks_at = 0
        """Waiting messages above which there is work: the most that ever waited, or those of a timed turn."""

        self._share = BATCH
        """Messages of one turn, when it is behind: fewer, when they take long."""

        self.drains = actor_class.overrides_on_drained
        self._takes_ahead = actor_class.takes_ahead

    def be_a(self, actor_class: type[HostedActor]) -> None:
        """Identify itself to others as an actor of this class, for a stand-in."""
        self.background = actor_class.background
        self.says = sayable(actor_class.says, self.parent)
        self.guest = self.says is not None or not is_ours(actor_class)

    # A turn.

    def turn(self) -> None:
        """Control messages first, then up to a batch of the mailbox."""
        if self.special and not self._attend():
            return
        box, instance, handlers = self.box, self.instance, self._handlers
        depth = len(box)
        if depth > self._looks_at:
            count, began_ns = self._look_at(depth)
        else:
            count = depth if depth < 2 else min(depth, self.batch)  # noqa: PLR2004  a call: 60 ns, of 400 for a hop
            began_ns = -1
        message, done = None, 0
        sender: ActorAddress = self
        try:
            for done in range(count):
                try:
                    message, sender, trace = box.popleft()
                except IndexError:  # killed from another thread, which has taken what was left
                    self.handled += done
                    self._end_of_killed()
                    return
                self.trace = trace
                if trace.__class__ is int or not self.services.tracer.records:
                    handlers[message.__class__](instance, message, sender)
                else:
                    self._handle_recorded(message, sender, trace)  # type: ignore[arg-type]  # a call of `cast` is one
            message, done = None, count
            if self.drains and count and not box:
                instance.on_drained()
        except BaseException as error:  # noqa: BLE001  fails once: nothing an actor raises may reach the loop
            self.handled += done
            self.on_error(error, message, sender)
            return
        self.handled += count
        if began_ns >= 0:
            self._end_share(began_ns, count)
        if box:
            self.ready(self)
        else:
            self.rest()

    def _look_at(self, depth: int) -> tuple[int, int]:
        """Note how many messages wait; if they are too many, conflate them.

        Return how many to handle in this turn, and when it began if it is to be timed, else -1.
        """
        self._looks_at = self.high_water = max(depth, self.high_water)
        if self._behind_at == NEVER:
            return min(depth, self.batch), -1
        self._looks_at = min(self.high_water, UNTIMED)
        if depth > self._behind_at:
            try:
                self.conflated += conflate(cast("deque[Envelope]", self.box))
            except IndexError:  # killed from another thread, which takes what is left; the turn finds that out
                self._drain(self)
            depth = len(self.box)
            self._behind_at = behind_at(depth)
        return min(depth, self.batch, self._share), self.services.clock.monotonic_ns()

    def _end_share(self, began_ns: int, count: int) -> None:
        """Measure how many messages its turns may have while more wait."""
        self._share = share_of(self.services.clock.monotonic_ns() - began_ns, count)
        if not self.box:
            self._behind_at = BEHIND

    def _handle_recorded(self, message: Any, sender: ActorAddress, stamp: Stamp) -> None:
        tracer, failed = self.services.tracer, True
        self.trace = span = tracer.receive(stamp)
        try:
            self._handlers[message.__class__](self.instance, message, sender)
            failed = False
        finally:
            tracer.record(span, self.name, message, failed=failed)

    def _attend(self) -> bool:
        """Handle control messages and states other than running; return whether to go on with the mailbox."""
        while self.control_box and not self.dead:
            message, sender = self.control_box.pop(0)
            self._obey(message, sender)
        if self.dead:
            self._end_of_killed()
            return False
        life = self._life
        if life.state is NEW:
            self._start_by_first_message()
        if life.state is STOPPING:
            self._stopping_turn()
        runs = life.state is RUNNING and not self.dead
        self.special = not runs or self._takes_ahead
        if self.control_box:  # checked last: `control` first fills it, and then sets `special`
            self.special = True
        if self._takes_ahead and runs:
            self.instance.on_turn()
        return runs

    def _start_by_first_message(self) -> None:
        # Made by plain `createActor`: as on every other base, `Start` may come first; if not, there are no settings.
        if not self.box:
            self.rest()
            return
        first, sender, trace = self.box.popleft()
        if isinstance(first, lifecycle.Start):
            self._obey(first, sender)
        else:
            self.box.appendleft((first, sender, trace))
            self._obey(lifecycle.Start(name=str(self)), sender)

    def _stopping_turn(self) -> None:
        """Handle one message at a time, and ask `is_drained` after each."""
        life = self._life
        for _ in range(BATCH):
            box, message = self.box, None
            sender: ActorAddress = self
            try:
                if life.to_handle <= 0 and self.instance.is_drained() and self.awaited == 0:
                    self._take(life.end(requested=True))
                    return
                if not box:
                    self.rest()
                    return
                try:
                    message, sender, self.trace = box.popleft()
                except IndexError:  # as in `turn`
                    self._end_of_killed()
                    return
                life.to_handle -= 1
                if isinstance(self.trace, int) or not self.services.tracer.records:
                    self._handlers[message.__class__](self.instance, message, sender)
                else:
                    self._handle_recorded(message, sender, self.trace)
                self.handled += 1
                if not box:
                    message = None
                    self.instance.on_drained()
            except BaseException as error:  # noqa: BLE001  as in `turn`
                self.on_error(error, message, sender)
                if (
                    self.dead or life.state is not STOPPING
                ):  # dead, or its restart failed: its supervisor says what follows
                    return
        self.ready(self)

    # Failing.

    def on_error(self, error: BaseException, message: Any, sender: ActorAddress) -> None:
        """Take what a handler raised at this message, None: at none; on its own thread, in its turn."""
        self.worker.leave_if_forked(error)
        if isinstance(error, Ended):
            self._take(self._life.end(requested=False))
            return
        # A restart would put the whole stash back into the mailbox, to overflow again.
        goes_on = isinstance(error, StashFullError)
        if isinstance(error, FailedElsewhere):
            if error.at_start:
                self._take(self._life.start_failed(error.error))
                return
            got_past, error, message = error.got_past, error.error, None
        else:
            got_past = None if message is None or goes_on else self._got_past(message)
        self.failures += 1
        self._log_failure("handler.failed", error)
        if message is not None:
            self.dead_letters.failed(self.name, message, error, self.trace)
            if sender is not self and not isinstance(message, NEVER_ANSWERED):
                kind, reason = type(message).__name__, reason_of(error)
                self._to(sender, Failed(actor=self.name, message_type=kind, error=type(error).__name__, reason=reason))
        if self.dead:
            self._end_of_killed()
        elif goes_on:
            self._take((GO_ON,))
        else:
            self._take(self._life.failed(error), message, got_past=got_past)

    def turn_failed(self, error: BaseException) -> None:
        """Fail as if a handler had raised it."""
        self.on_error(error, None, self)
