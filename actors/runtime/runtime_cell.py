"""The cell of a `RuntimeActor`: table dispatch, and failing once. Its life is in `living_cell`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...messages.supervision import Failed
from . import lifecycle
from .cell import BATCH, Cell
from .dead_letters import NEVER_ANSWERED
from .errors import reason_of
from .living_cell import LivingCell, State
from .proof import Proof, ProvingHandlers

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .context import HostedActor
    from .proof import Handlers
    from .thespian.services import ThespianServices
    from .trace import Stamp
    from .worker import Worker


class Ended(BaseException):
    """Raised by the handler of an exit request."""


class FailedElsewhere(BaseException):
    """Raised by what stands for an actor of another process: that one failed; its message is dead, its asker knows."""

    def __init__(self, error: BaseException, *, at_start: bool, got_past: bool | None = None) -> None:
        super().__init__(reason_of(error))
        self.error = error
        self.at_start = at_start
        self.got_past = got_past


class RuntimeCell(LivingCell):
    """Runs one `RuntimeActor`: a turn is control messages, then up to a batch of the mailbox."""

    __slots__ = ("_drains", "_handlers", "_proof", "_table", "_takes_ahead", "failures")

    def __init__(
        self,
        label: str,
        actor_class: type[HostedActor],
        *,
        services: ThespianServices,
        worker: Worker,
        parent: Cell | None,
    ) -> None:
        super().__init__(label, actor_class, services=services, worker=worker, parent=parent)
        self.failures = 0
        self._use(actor_class.front_table)
        self._proof: Proof | None = None
        """That it gets past what it failed at last; None where it never failed at a message."""

        self._drains = actor_class.overrides_on_drained
        self._takes_ahead = hasattr(actor_class, "on_turn")

    # A turn.

    def turn(self) -> None:
        """Control messages first, then up to a batch of the mailbox."""
        if self.special and not self._attend():
            return
        box, instance, handlers = self.box, self.instance, self._handlers
        depth = len(box)
        if depth > self.high_water:  # noqa: PLR1730  `max` and `min` are calls: 60 ns each, of 400 for a hop
            self.high_water = depth
        count = depth if depth < 2 else min(depth, self.batch)  # noqa: PLR2004  the same, for the usual depths
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
                if trace.__class__ is int:
                    handlers[message.__class__](instance, message, sender)
                else:
                    self._handle_recorded(message, sender, cast("Stamp", trace))
            message, done = None, count
            if self._drains and count and not box:
                instance.on_drained()
        except BaseException as error:  # noqa: BLE001  fails once: nothing an actor raises may reach the loop
            self.handled += done
            self._on_error(error, message, sender)
            return
        self.handled += count
        if box:
            self.ready(self)
        else:
            self.rest()

    def _handle_recorded(self, message: Any, sender: ActorAddress, stamp: Stamp) -> None:
        tracer, failed = self.services.tracer, True
        self.trace = span = tracer.receive(stamp)
        try:
            self._handlers[message.__class__](self.instance, message, sender)
            failed = False
        finally:
            tracer.record(span, self.name, message, failed=failed)

    def _attend(self) -> bool:
        """See to what is special; say whether messages may be handled as usual."""
        while self.control_box and not self.dead:
            message, sender = self.control_box.pop(0)
            self._obey(message, sender)
        if self.dead:
            self._end_of_killed()
            return False
        if self._state is State.NEW:
            self._start_by_first_message()
        if self._state is State.STOPPING:
            self._stopping_turn()
        self.special = self._state is not State.RUNNING or bool(self.control_box) or self._takes_ahead
        if self._takes_ahead and self._state is State.RUNNING:
            self.instance.on_turn()
        return self._state is State.RUNNING

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
        """One message at a time, and the question whether it is done after each."""
        for _ in range(BATCH):
            box, message = self.box, None
            sender: ActorAddress = self
            try:
                if self._to_handle <= 0 and self.instance.is_drained() and self.awaited == 0:
                    self._end(requested=True, error=None)
                    return
                if not box:
                    self.rest()
                    return
                try:
                    message, sender, self.trace = box.popleft()
                except IndexError:  # as in `turn`
                    self._end_of_killed()
                    return
                self._to_handle -= 1
                if isinstance(self.trace, int):
                    self._handlers[message.__class__](self.instance, message, sender)
                else:
                    self._handle_recorded(message, sender, self.trace)
                self.handled += 1
                if self._drains and not box:
                    message = None
                    self.instance.on_drained()
            except BaseException as error:  # noqa: BLE001  as in `turn`
                self._on_error(error, message, sender)
                if self._state is not State.STOPPING:  # dead, or its restart failed: its supervisor says what follows
                    return
        self.ready(self)

    # Failing.

    def _use(self, table: Handlers) -> None:
        self._table: Handlers = table
        self._handlers: Handlers = table

    def tell_started(self) -> None:
        """Look from now on, too, whether it gets past what it failed at; before, it may only put messages by."""
        if self._proof is not None:
            self._handlers = ProvingHandlers(self._table, self._proof, self._forget_proving)
        super().tell_started()

    def _forget_proving(self) -> None:
        self._handlers = self._table

    def _got_past(self, message: Any) -> bool | None:
        """Tell whether this life got past what the one before failed at, and note what it failed at itself."""
        got_past = None if self._proof is None else self._proof.is_given
        self._proof = Proof(type(message))
        self._forget_proving()
        return got_past

    def _on_error(self, error: BaseException, message: Any, sender: ActorAddress) -> None:
        if isinstance(error, Ended):
            self._end(requested=False, error=None)
            return
        if isinstance(error, FailedElsewhere):
            if error.at_start:
                self._start_failed(error.error)
                return
            got_past, error, message = error.got_past, error.error, None
        else:
            got_past = None if message is None else self._got_past(message)
        self.failures += 1
        self._log_failure("handler.failed", error)
        if message is not None:
            self.dead_letters.failed(self.name, message, error, self.trace)
            if sender is not self and not isinstance(message, NEVER_ANSWERED):
                kind, reason = type(message).__name__, reason_of(error)
                self._to(sender, Failed(actor=self.name, message_type=kind, error=type(error).__name__, reason=reason))
        if isinstance(error, SystemExit):
            self._end(requested=False, error=error)
        else:
            self._after_failure(error, message, got_past=got_past)

    def turn_failed(self, error: BaseException) -> None:
        """Fail as if a handler had raised it."""
        self._on_error(error, None, self)

    def _after_failure(self, error: BaseException, message: Any, *, got_past: bool | None) -> None:
        if self.dead:
            self._end_of_killed()
        elif self._starter is not None and self._state is State.RUNNING:  # before it said `ready`: a start that failed
            self._start_failed(error)
        elif self._state is State.STOPPING and not self._afresh:
            self._end(requested=True, error=None)
        elif self._state is State.STOPPING and self._to_handle <= 0:
            self._end(requested=True, error=error)  # a fresh instance would have nothing to do but to fail again
        elif self._state is State.STOPPING or self._supervisor is None:
            self._restart()
        else:
            self._suspend()
            report = lifecycle.ChildHandlerFailed(
                name=self.name, address=self, error=error, message=message, got_past=got_past
            )
            self._to(self._supervisor, report)

    # Its children.

    def start_child(
        self, name: str, actor_class: type[HostedActor], settings: Any, *, supervised: bool
    ) -> ActorAddress:
        """Start an actor under this one."""
        return self.services.start_actor(name, actor_class, settings, parent=self, supervised=supervised)

    def control_child(self, child: ActorAddress, message: lifecycle.Control) -> None:
        """Steer a child ahead of its mailbox; of one that is gone nothing happens."""
        cell = _child(child)
        if cell.parent is not self:
            raise TypeError(f"a child that was started here is wanted, found {child}")
        if isinstance(message, lifecycle.Kill):
            cell.kill(self)
        else:
            cell.control(message, self)

    def mailbox_of(self, child: ActorAddress) -> lifecycle.MailboxCounters:
        """Look at a child's mailbox."""
        return _child(child).counters()

    def trouble_of(self, child: ActorAddress) -> str:
        """Look at what a child says keeps it from its work; empty when it is well, or down."""
        instance = child.instance if isinstance(child, RuntimeCell) else None
        return "" if instance is None else str(instance.trouble)


def _child(child: ActorAddress) -> RuntimeCell:
    if not isinstance(child, RuntimeCell):
        raise TypeError(f"a child that was started here is wanted, found {child}")
    return child
