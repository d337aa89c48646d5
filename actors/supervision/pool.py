"""A pool: actors of one kind behind one name, supervised, and resized while they work.

    ChildSpec("fetchers", Pool, PoolSettings(actor=Fetcher, settings=…, member="fetcher", size=4, policy=policy))

The problem: work for several equal actors needs one address, fair distribution, and no lost message when a member fails
or the pool shrinks. The idea: the pool is a `Supervisor` whose unhandled messages go to its members, so restarts,
breakers and the tree come for free, and a pure `Router` chooses the member. The trap: a restart of the pool itself must
not forget a resize, nor reuse the number of a member that was removed, since an old message could reach the new member
under an old name; so sizes and numbers are handed over (`PoolHandover`).

Owns    its members, `fetcher-1` and so on, as a supervisor owns its children.
Hears   Resize; every other message is passed on to members.
Sends   each message to one member or to all (see routing.py), with the original sender; `Resized`; `Unavailable` to the
        sender where no member is running.
Fails   as any supervisor. Messages in a member's mailbox wait for that member's restart; a member that is removed
        handles its messages first.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from ...config.sections.supervision import SupervisionSettings
from ...domain.wording import expect_number, expect_word
from ...messages.addresses import JOURNAL
from ...messages.supervision import Failed, Unavailable
from ..runtime import handles, reason_of
from .actor import Supervisor
from .child_spec import ChildSpec, OwnHost
from .handover import Handover
from .routing import ByKey, Router, Routing
from .settings import SupervisorSettings

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome
    from .child import Child

RETRY_AFTER_S = 0.1
"""`retry_after_s` of `Unavailable` where no member is running."""


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a pool.

    Raises:
        ValueError: on construction: `size` below 1, seconds that are none, or an unknown `routing`.
    """

    actor: type[Any]
    """The class of each member."""

    settings: Any = None
    """Given to each member."""

    size: int
    """Members at the start; at least 1."""

    member: str
    """Name of the members, before their number: `fetcher` for `fetcher-1`."""

    policy: SupervisionSettings
    routing: Routing | ByKey = "round_robin"

    answer_timeout_s: float = 5.0
    """With `first_answer`: how long a member may take. With `least_loaded`: how long an unanswered request counts as
    load."""

    host: OwnHost | None = None
    """As in `ChildSpec`, for each member."""

    shutdown_s: float = 10.0
    journal: str = JOURNAL
    """As in `SupervisorSettings`."""

    def __post_init__(self) -> None:
        expect_number("size", self.size, least=1, is_whole=True)
        expect_number("answer_timeout_s", self.answer_timeout_s)
        expect_number("shutdown_s", self.shutdown_s, least=0)
        if not isinstance(self.routing, ByKey):
            expect_word("routing", self.routing, Routing)

    def spec(self, number: int) -> ChildSpec:
        """Return the child spec of a member."""
        return ChildSpec(f"{self.member}-{number}", self.actor, self.settings, host=self.host)


class Resize(msgspec.Struct, frozen=True):
    """To a pool: change the number of members, at least 1. Answered by `Resized`; the newest are removed first."""

    size: int


class Resized(msgspec.Struct, frozen=True):
    """Answer to `Resize`: the number of members now, those included that are starting or restarting."""

    size: int


class PoolHandover(Handover, frozen=True, kw_only=True):
    """As of any supervisor, and the members."""

    numbers: tuple[int, ...]
    """Numbers of the members."""

    made: int
    """Members created so far: the highest number given out."""


class Pool(Supervisor):
    """Supervises members of one kind, and passes each message to one or all of them."""

    settings: PoolSettings

    @classmethod
    def plan(cls, settings: PoolSettings) -> SupervisorSettings:
        """Return the members at the start."""
        return SupervisorSettings(
            children=tuple(settings.spec(number) for number in range(1, settings.size + 1)),
            policy=settings.policy,
            shutdown_s=settings.shutdown_s,
            journal=settings.journal,
        )

    def on_start(self) -> None:
        """Prepare, with the members of the failed instance if there was one; routing starts anew."""
        before: PoolHandover | None = self.inherited
        self._made = self.settings.size if before is None else before.made
        numbers = tuple(range(1, self._made + 1)) if before is None else before.numbers
        self._numbers = {f"{self.settings.member}-{number}": number for number in numbers}
        self._router = Router(self.settings.routing)
        self._unanswered: Counter[str] = Counter()
        super().on_start()

    def snapshot(self) -> Handover:
        """Hand over the members, too."""
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
        """Add or remove members."""
        if request.size < 1:
            self.turn_away(request, sender, f"1 member at least is wanted, found size {request.size}")
            return
        members = self._members()
        for _ in range(request.size - len(members)):
            self._made += 1
            spec = self.settings.spec(self._made)
            self._numbers[spec.name] = self._made
            self._children.add(spec)
        for child in members[request.size :]:
            self._children.remove(child)
            del self._numbers[child.spec.name]
        self.send(sender, Resized(size=request.size))

    def on_unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Pass a message that is not for the pool itself to its members."""
        up = {child.spec.name: child.address for child in self._members() if child.address and _is_up(child)}
        if not up:
            reason = f"no member of {self.name} is up"
            self.send(sender, Unavailable(actor=self.name, reason=reason, retry_after_s=RETRY_AFTER_S))
            return
        try:
            chosen = self._router.choose([(name, self._unanswered[name]) for name in up], message)
        except Exception as fault:  # noqa: BLE001  a user's `key` may raise anything; that is no failure of the pool
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
        return [child for child in self._children if not child.is_gone]

    def _answered(self, name: str, sender: ActorAddress, outcome: Outcome) -> None:
        self._unanswered -= Counter((name,))  # keeps no zero: the member may have left
        if outcome.error is None:  # else the sender has timed out as well
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
    """Tell whether it takes messages: it runs, and was started by this instance of the pool."""
    return child.state == "RUNNING" and bool(child.attempts)


class _Race:
    """Several members answering the same message: the first good answer counts."""

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
