"""A pool: actors of one kind behind one name, supervised, and resized while they work.

    ChildSpec("fetchers", Pool, PoolSettings(actor=Fetcher, settings=…, member="fetcher", size=4, policy=policy))

Owns    its members, `fetcher-1` and so on, as a supervisor owns its children.
Hears   Resize; whatever else is sent to it goes to its members.
Sends   each message on to one of them or to all (see routing.py), in its sender's name; `Resized`; `Unavailable` to a
        sender where no member is up.
Fails   as any supervisor. What is in a member's mailbox waits for that member's restart; a member that leaves handles
        what it has.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ...config.sections.supervision import SupervisionSettings
from ...messages.addresses import JOURNAL
from ...messages.supervision import Failed, Unavailable
from ..runtime import handles, reason_of
from .actor import Supervisor
from .child_spec import ChildSpec
from .handover import Handover
from .routing import ByKey, Router, Routing
from .settings import SupervisorSettings

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome
    from .child import Child

RETRY_AFTER_S = 0.1
"""What a sender is told where no member is up."""


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool is made of."""

    actor: type[Any]
    """The class of each member."""

    settings: Any = None
    """Given to each member."""

    size: int
    """Members at the start; at least 1."""

    member: str
    """A member is called so, and numbered: `fetcher-1`."""

    policy: SupervisionSettings
    routing: Routing | ByKey = "round_robin"

    answer_timeout_s: float = 5.0
    """With `first_answer`: how long a member may take. With `least_loaded`: how long a request counts that is not
    answered."""

    host: Literal["process"] | None = None
    """As in `ChildSpec`, for each member."""

    shutdown_s: float = 10.0
    journal: str = JOURNAL
    """As in `SupervisorSettings`."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"a pool has 1 member at least, found size {self.size}")

    def spec(self, number: int) -> ChildSpec:
        """Describe the member of that number."""
        return ChildSpec(f"{self.member}-{number}", self.actor, self.settings, host=self.host)


class Resize(msgspec.Struct, frozen=True):
    """To a pool: have so many members, 1 at least. Answered by `Resized`; the newest leave first."""

    size: int


class Resized(msgspec.Struct, frozen=True):
    """Answer to `Resize`: so many members the pool has now, those counted that start or are down for the moment."""

    size: int


class PoolHandover(Handover, frozen=True, kw_only=True):
    """As of any supervisor; besides, who its members are."""

    numbers: tuple[int, ...]
    made: int
    """Members there have been."""


class Pool(Supervisor):
    """Supervises members of one kind, and hands each message that it gets to one or all of them."""

    settings: PoolSettings

    @classmethod
    def plan(cls, settings: PoolSettings) -> SupervisorSettings:
        """Plan the members that there are at the start."""
        return SupervisorSettings(
            children=tuple(settings.spec(number) for number in range(1, settings.size + 1)),
            policy=settings.policy,
            shutdown_s=settings.shutdown_s,
            journal=settings.journal,
        )

    def on_start(self) -> None:
        """Prepare, with the members of the life before if there was one, and with no member's turn taken yet."""
        before: PoolHandover | None = self.inherited
        self._made = self.settings.size if before is None else before.made
        numbers = tuple(range(1, self._made + 1)) if before is None else before.numbers
        self._numbers = {f"{self.settings.member}-{number}": number for number in numbers}
        self._router = Router(self.settings.routing)
        self._unanswered: Counter[str] = Counter()
        super().on_start()

    def snapshot(self) -> Handover:
        """Remember, too, which members there are to be."""
        state = super().snapshot()
        members = [child.spec.name for child in self._members()]
        running = tuple((name, address) for name, address in state.running if name in members)
        return PoolHandover(
            running=running,
            budget=state.budget,
            given_up=state.given_up,
            numbers=tuple(self._numbers[name] for name in members),
            made=self._made,
        )

    @handles(Resize, from_outside=True)
    def resize(self, request: Resize, sender: ActorAddress) -> None:
        """Let members come or go."""
        if request.size < 1:
            self.turn_away(request, sender, f"1 member at least is wanted, found size {request.size}")
            return
        members = self._members()
        for _ in range(request.size - len(members)):
            self._made += 1
            spec = self.settings.spec(self._made)
            self._numbers[spec.name] = self._made
            self._troupe.add(spec)
        for child in members[request.size :]:
            self._troupe.remove(child)
            del self._numbers[child.spec.name], self._unanswered[child.spec.name]
        self.send(sender, Resized(size=request.size))

    def on_unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Hand on what is not for the pool itself."""
        up = {child.spec.name: child.address for child in self._members() if child.address and _is_up(child)}
        if not up:
            reason = f"no member of {self.name} is up"
            self.send(sender, Unavailable(actor=self.name, reason=reason, retry_after_s=RETRY_AFTER_S))
            return
        try:
            chosen = self._router.choose([(name, self._unanswered[name]) for name in up], message)
        except Exception as fault:  # noqa: BLE001  a user's `key` may raise anything, and the members are well
            self.turn_away(message, sender, f"a message whose key can be told is wanted: {reason_of(fault)}")
            return
        match self.settings.routing:
            case "first_answer":
                self._ask_all([up[name] for name in chosen], message, sender)
            case "least_loaded":
                (name,) = chosen
                self._unanswered[name] += 1
                then = functools.partial(self._answered, name, sender)
                self.ask(up[name], message, timeout_s=self.settings.answer_timeout_s, then=then)
            case _:
                for name in chosen:
                    self.forward(up[name], message, sender)

    def _plan_now(self) -> SupervisorSettings:
        specs = tuple(self.settings.spec(number) for number in self._numbers.values())
        return msgspec.structs.replace(super()._plan_now(), children=specs)

    def _members(self) -> list[Child]:
        return [child for child in self._troupe if not child.left]

    def _answered(self, name: str, sender: ActorAddress, outcome: Outcome) -> None:
        if name in self._unanswered:
            self._unanswered[name] -= 1
        if outcome.error is None:  # else nobody waits any more
            self.send(sender, outcome.value)

    def _ask_all(self, members: list[ActorAddress], message: Any, sender: ActorAddress) -> None:
        race = _Race(len(members))
        for address in members:
            then = functools.partial(self._finish, race, sender, message)
            self.ask(address, message, timeout_s=self.settings.answer_timeout_s, then=then)

    def _finish(self, race: _Race, sender: ActorAddress, message: Any, outcome: Outcome) -> None:
        answer = outcome.value
        if outcome.error is not None:
            kind, error = type(message).__name__, type(outcome.error).__name__
            answer = Failed(actor=self.name, message_type=kind, error=error, reason=str(outcome.error))
        if race.is_won_by(answer):
            self.send(sender, answer)


def _is_up(child: Child) -> bool:
    """Tell whether it takes messages: it runs, and was not left by the life before, to be stopped."""
    return child.state == "RUNNING" and bool(child.attempts)


class _Race:
    """Members that answer the same message."""

    def __init__(self, runners: int) -> None:
        self._running = runners
        self._is_over = False

    def is_won_by(self, answer: Any) -> bool:
        """Say whether this answer is the one that counts."""
        self._running -= 1
        if self._is_over or (isinstance(answer, (Failed, Unavailable)) and self._running):
            return False
        self._is_over = True
        return True
