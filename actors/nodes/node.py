"""The keeper of a strategy node: runs here the strategies whose leases this node has.

Owns    the connections to the server, the link to the broker node, the leases, and which questions wait for an answer.
Hears   Outbound of the doors; StrategyChanged and StrategyNotChanged of the strategies' supervisor; frames and ticks of
        the broker node.
Sends   Ticks, and by DeliverRecord facts, to the events router; StartStrategy, StopStrategy, and what the broker node
        wants changed, SwapStrategy and ReloadStrategy, to the strategies' supervisor; answers to the strategies;
        Unavailable to one whose words cannot leave.
Fails   on no expected input. Restarted it is another life: all strategies are stopped, and the old leases run out.

A strategy begins when this node holds its lease and the broker node has made that a fact; it is stopped when the lease
was not renewed in time, when the broker node is another life, or ends the claim. After its lease nothing of it leaves.
One that is being changed is stopped as soon as that has ended: until then its supervisor has the say.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ...domain.nodes.lease import RENEWALS_A_LEASE, Tenure
from ...domain.time import SECOND_NS
from ...messages.addresses import EVENTS, STRATEGIES
from ...messages.codec import UndecodableMessageError, decode, encode
from ...messages.events import DeliverRecord
from ...messages.journal import JournalRecord
from ...messages.market import Ticks
from ...messages.nodes import ClaimAccepted, ClaimRefused, ClaimStrategy, NodesStatistics, NothingSaid, Said, Told
from ...messages.strategies import (
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategyChanged,
    StrategyNotChanged,
    SwapStrategy,
)
from ...messages.supervision import Unavailable
from ..runtime import handles
from .door import Outbound
from .hosted import Hosted
from .incoming import IncomingTicks
from .link_end import LinkEnd, frame_of
from .meeting import Meeting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...domain.nodes.lease import Lease, Seen
    from ..runtime import ActorAddress
    from .server import Batch, Board, Came

ASKERS_MAX: Final = 10_000
"""Questions that wait for an answer; the oldest is forgotten first."""

CHANGE_NS: Final = 60 * SECOND_NS
"""How long the answer to a start or a change is waited for, before a stop is asked for."""

RETRY_AFTER_S: Final = 1.0
REST_LEASES: Final = 3
"""Leases for which a strategy that could not begin here is left to others."""


class Keeper(Meeting):
    """Keeps leases, and runs what they are of."""

    reads_ticks: ClassVar[bool] = True

    def on_start(self) -> None:
        """Hold nothing, and watch."""
        super().on_start()
        lease_s = self.settings.limits.lease_s
        self._lease_ns = round(lease_s * SECOND_NS)
        self._hosted = {
            each.name: Hosted(each, Tenure(self._life, lease_s=lease_s)) for each in self.settings.strategies
        }
        self._link: LinkEnd | None = None
        self._link_number = itertools.count(1)
        self._numbers = itertools.count(1)
        self._askers: dict[int, Outbound] = {}
        """What waits for an answer of the broker node, by its number."""

        self._looked_ns = 0
        self._is_looking = False
        self._ticks = IncomingTicks()
        self._sent = self._repeats = self._received = 0
        for name in self._hosted:
            if name in self.directory:  # of the life before
                self._stop(self._hosted[name])

    def links(self) -> Iterable[LinkEnd]:
        """Return the link to the broker node."""
        return () if self._link is None else (self._link,)

    def turn(self) -> None:
        """Look at the leases when that is due, and stop what has lost its own."""
        now_ns = self.clock.monotonic_ns()
        if not self._is_looking and now_ns - self._looked_ns >= self._lease_ns // RENEWALS_A_LEASE:
            self._look(now_ns)
        for hosted in self._hosted.values():
            self._steer(hosted, now_ns)

    # The leases.

    def _look(self, now_ns: int) -> None:
        self._looked_ns, self._is_looking = now_ns, True

        if self._link is not None:
            self._link.greet()

        def ended() -> None:
            self._is_looking = False

        then = functools.partial(self._take_board, now_ns)
        self.call(self._server.look, tuple(self._hosted), then=then, lane="leases", always=ended)

    def _take_board(self, asked_ns: int, board: Board) -> None:
        now_ns = self.clock.monotonic_ns()
        self._meet(board.broker)
        for name, seen in board.leases.items():
            hosted = self._hosted[name]
            lease = None
            if now_ns >= hosted.rests_until_ns or hosted.tenure.is_held(now_ns):
                lease = hosted.tenure.read(seen, asked_ns=asked_ns, now_ns=now_ns)
            if lease is not None:
                self._write(hosted, seen, lease)
            self._steer(hosted, now_ns)

    def _write(self, hosted: Hosted, seen: Seen, lease: Lease) -> None:
        def written(is_written: bool) -> None:  # noqa: FBT001  an answer
            if is_written:
                hosted.tenure.wrote(lease)
                self._steer(hosted, self.clock.monotonic_ns())

        self.call(self._server.swap, hosted.settings.name, seen, lease, then=written, lane="leases")

    # The broker node.

    def _meet(self, broker: str) -> None:
        """Speak with the broker node that there is; with another life of it everything begins anew."""
        if not broker or (self._link is not None and self._link.peer == broker):
            return
        self._end_link("the broker node is another life")
        self._link = LinkEnd(
            own=self._life,
            peer=broker,
            number=next(self._link_number),
            waiting_max=self.settings.waiting_max,
            again_ns=self._again_ns,
        )
        self._link.say(NothingSaid())
        self.log("play.broker_node_found", broker=broker)

    def _end_link(self, reason: str) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        self._sent += link.sent
        self._repeats += link.repeats
        self._received += link.received
        self._answer_none(self._askers, reason)
        self.log("play.link_ended", level="warning", reason=reason, broker=link.peer)
        for hosted in self._hosted.values():
            self._end_claim(hosted, reason)

    def came(self, came: Came) -> None:
        """Take what the broker node has sent."""
        for written in came.frames:
            frame, link = frame_of(written), self._link
            if frame is None or link is None or frame.sender != link.peer or frame.link != link.number:
                continue
            if frame.is_over:
                self._end_link("the broker node knows nothing of it")
                continue
            try:
                messages = link.hear(frame, self.clock.monotonic_ns())
            except UndecodableMessageError as fault:
                self._end_link(f"a letter of the broker node cannot be read: {fault}")
                continue
            for message in messages:
                self._hear(message)
        if came.batches:
            self._take_ticks(came.batches)

    def _hear(self, message: Any) -> None:
        hosted = self._hosted.get(getattr(message, "strategy", ""))
        if hosted is None or message.fence != hosted.fence:
            return
        match message:
            case Told():
                self._tell(hosted, message)
            case ClaimAccepted() if hosted.phase == "claiming":
                hosted.kind = message.kind
                self._start(hosted)
            case ClaimRefused():
                hosted.tenure.outbid(message.above)
                hosted.above = max(hosted.above, message.above)
                self._end_claim(hosted, message.reason)
            case _:
                return

    # A strategy.

    def _steer(self, hosted: Hosted, now_ns: int) -> None:
        """Do what its lease wants: claim it, stop it, or have it say nothing more."""
        if not hosted.tenure.should_run(now_ns):
            self._end_claim(hosted, "its lease was not renewed in time", closes=False)
        if hosted.fence and not hosted.tenure.is_held(now_ns):
            self._close(hosted)
        if hosted.phase == "claiming" and now_ns - hosted.asked_ns > self._lease_ns:
            hosted.phase = "elsewhere"
        if hosted.phase == "stopping" and now_ns - hosted.asked_ns > self._again_ns:
            self._stop(hosted)
        if (
            hosted.phase == "elsewhere"
            and now_ns >= hosted.rests_until_ns
            and hosted.tenure.should_run(now_ns)
            and hosted.tenure.fence > hosted.above
            and self._link is not None
            and not self._is_stopping
        ):
            hosted.claim(now_ns)
            self._link.say(ClaimStrategy(strategy=hosted.settings.name, fence=hosted.fence))

    def _end_claim(self, hosted: Hosted, reason: str, *, closes: bool = True) -> None:
        """Stop what runs under a claim, if anything does; its last words only where the claim itself has not ended."""
        if closes:
            self._close(hosted)
        if hosted.phase == "running":
            self.log("strategy.moves_on", level="warning", strategy=hosted.settings.name, reason=reason)
            self._stop(hosted)
        elif hosted.phase == "claiming":
            hosted.phase = "elsewhere"
            hosted.trouble = reason
            hosted.rests_until_ns = self.clock.monotonic_ns() + self._lease_ns // RENEWALS_A_LEASE

    def _close(self, hosted: Hosted) -> None:
        hosted.close()
        name = hosted.settings.name
        if self._link is not None:
            self._link.withdraw(name)
        of_it = [number for number, each in self._askers.items() if _strategy_of(each) == name]
        self._answer_none(of_it, "its claim has ended")  # one that stops would wait for each as long as it may

    def _answer_none(self, numbers: Iterable[int], reason: str) -> None:
        for number in tuple(numbers):
            self._not_said(self._askers.pop(number), reason)

    def _start(self, hosted: Hosted) -> None:
        settings = msgspec.structs.replace(
            hosted.settings,
            strategy=hosted.kind or hosted.settings.strategy,
            host="loop",
            position_max=None,
            orders_in_flight_max=None,
        )  # its limits are in force at the gate of orders, on the broker node
        hosted.phase, hosted.trouble = "running", ""
        hosted.changes_since_ns = self.clock.monotonic_ns()
        self.send(STRATEGIES, StartStrategy(name=settings.name, settings=msgspec.json.encode(settings).decode()))

    def _change(self, hosted: Hosted, request: SwapStrategy | ReloadStrategy) -> None:
        """Have it changed here; one that is not simply running is not."""
        if hosted.phase != "running" or hosted.changes_since_ns:
            reason = "it is being started, stopped or changed where it runs"
            self._report(hosted, StrategyNotChanged(name=request.name, reason=reason, is_busy=True))
            return
        hosted.changes_since_ns, hosted.is_swapped = self.clock.monotonic_ns(), True
        self.send(STRATEGIES, request)

    def _report(self, hosted: Hosted, answer: StrategyChanged | StrategyNotChanged) -> None:
        """Tell its deputy, as long as this node speaks for it: else the claim says it."""
        if self._link is not None and hosted.may_speak(self.clock.monotonic_ns()):
            name, fence = hosted.settings.name, hosted.fence
            self._link.say(Said(strategy=name, fence=fence, actor=STRATEGIES, message=encode(answer)))

    def _stop(self, hosted: Hosted) -> None:
        """Have it stopped; one that is just being started or changed, as soon as that is done."""
        now_ns = self.clock.monotonic_ns()
        hosted.phase, hosted.asked_ns = "stopping", now_ns
        if not hosted.changes_since_ns or now_ns - hosted.changes_since_ns > CHANGE_NS:
            hosted.changes_since_ns, hosted.is_swapped = 0, False
            self.send(STRATEGIES, StopStrategy(name=hosted.settings.name))

    @handles(StrategyChanged, StrategyNotChanged)
    def hear_of_change(self, answer: StrategyChanged | StrategyNotChanged, _sender: ActorAddress) -> None:
        """Go on with a strategy that was started, changed, or stopped, or was not."""
        hosted = self._hosted.get(answer.name)
        if hosted is None:
            return
        name, reason = answer.name, getattr(answer, "reason", "")
        if hosted.changes_since_ns:
            was_swapped = hosted.is_swapped
            hosted.changes_since_ns, hosted.is_swapped = 0, False
            if was_swapped:
                self.log("strategy.changed_here", strategy=name, fence=hosted.fence, refusal=reason)
                self._report(hosted, answer)
            elif not reason:
                self.log("strategy.runs_here", strategy=name, fence=hosted.fence)
            elif hosted.phase == "running":  # else it lost its claim while it began
                self._not_begun(hosted, reason)
            if hosted.phase == "stopping":
                self._stop(hosted)
        elif hosted.phase == "stopping" and name not in self.directory and not getattr(answer, "is_busy", False):
            self._close(hosted)
            hosted.phase = "elsewhere"
            self.log("strategy.stopped_here", strategy=name)

    def _not_begun(self, hosted: Hosted, reason: str) -> None:
        """Leave one that cannot begin here to others for a while."""
        self._report(hosted, StrategyNotChanged(name=hosted.settings.name, reason=reason))
        hosted.trouble = f"it could not begin here: {reason}"
        hosted.rests_until_ns = self.clock.monotonic_ns() + REST_LEASES * self._lease_ns
        self.log("strategy.not_begun", level="error", strategy=hosted.settings.name, reason=reason)
        hosted.tenure.let_go()
        self._close(hosted)
        hosted.phase = "stopping"

    @handles(Outbound)
    def let_out(self, outbound: Outbound, _sender: ActorAddress) -> None:
        """Send what a strategy says, if it may speak."""
        message, sender, strategy = outbound.message, outbound.sender, _strategy_of(outbound)
        hosted = self._hosted.get(strategy)
        if hosted is None or self._link is None or not hosted.may_speak(self.clock.monotonic_ns()):
            self._not_said(outbound, "this node does not speak for it, or does not reach the broker node")
            return
        self._hand_early(hosted)
        number = next(self._numbers) if getattr(sender, "wants_answer", False) else 0
        said = Said(strategy=strategy, fence=hosted.fence, actor=outbound.actor, message=encode(message), number=number)
        if not self._link.say(said):
            self._not_said(outbound, "too much waits for the broker node")
            return
        if number:
            self._askers[number] = outbound
            if len(self._askers) > ASKERS_MAX:
                self._answer_none([next(iter(self._askers))], "too much waits for an answer")

    def _not_said(self, outbound: Outbound, reason: str) -> None:
        self.log_bounded("strategy.not_said", level="warning", actor=outbound.actor, reason=reason)
        self.send(outbound.sender, Unavailable(actor=outbound.actor, reason=reason, retry_after_s=RETRY_AFTER_S))

    def _tell(self, hosted: Hosted, told: Told) -> None:
        """Hand an answer to who asked, and anything else to the strategy, in order."""
        try:
            message = decode(told.message)
        except UndecodableMessageError as fault:
            self._end_link(f"the broker node says what cannot be read: {fault}")
            return
        if isinstance(message, SwapStrategy | ReloadStrategy):
            self._change(hosted, message)
        elif told.number:
            asker = self._askers.pop(told.number, None)
            if asker is not None:
                self.send(asker.sender, message)
        elif hosted.phase == "claiming":
            return  # of before its claim: it begins with what is known then
        elif not hosted.wait(message):
            self._end_claim(hosted, "too many facts wait for it")
        else:
            self._hand_early(hosted)

    def _hand_early(self, hosted: Hosted) -> None:
        name = hosted.settings.name
        if name in self.directory:
            for fact in hosted.early:
                if isinstance(fact, JournalRecord):
                    self.send(EVENTS, DeliverRecord(subscriber=name, record=fact))
                else:
                    self.send(name, fact)
            hosted.early.clear()

    # Ticks.

    def _take_ticks(self, batches: list[Batch]) -> None:
        """Hand on what is new."""
        fresh, faults = self._ticks.take(batches)
        for fault in faults:
            self.log_bounded("play.ticks_refused", level="warning", reason=fault)
        if fresh:
            self.send(EVENTS, Ticks(ticks=tuple(fresh)))

    def statistics(self) -> NodesStatistics:
        """Return the counts."""
        link = self._link
        return NodesStatistics(
            node=self._life,
            is_connected=self._is_up,
            links=len(list(self.links())),
            strategies={
                name: hosted.phase + (f": {hosted.trouble}" if hosted.trouble else "")
                for name, hosted in self._hosted.items()
            },
            sent=self._sent + (0 if link is None else link.sent),
            repeats=self._repeats + (0 if link is None else link.repeats),
            received=self._received + (0 if link is None else link.received),
            ticks=self._ticks.count,
            ticks_lost=self._ticks.lost,
            reason=self.trouble,
        )


def _strategy_of(outbound: Outbound) -> str:
    """Return whose words these are: the strategy's own, or those of who asks for it."""
    sender = outbound.sender
    return sender.name if getattr(sender, "says", None) is not None else getattr(outbound.message, "strategy", "")
