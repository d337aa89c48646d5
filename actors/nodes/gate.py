"""The gate of the broker node: lets the strategies of other machines speak here, each of one machine at a time.

Owns    the connections to the server, the links to other nodes, whose claim to which strategy counts, and the ticks
        that are on their way to the others.
Hears   Tick of the events router; of the deputies DeputyBegan, ClaimAccepted and Told; frames of other nodes.
Sends   ReadJournal and Append to the journal; ClaimStrategy and Said to the deputies, whose names are those of the
        strategies.
Fails   on no expected input: what is no frame, or of a claim that is over, is counted. Restarted it is another life, to
        which the nodes claim their strategies anew; the fences are read back from the journal before it is found.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ...domain.freshness import newest_of_each
from ...domain.nodes.fence import Fence, Fences
from ...domain.time import SECOND_NS
from ...messages.addresses import JOURNAL
from ...messages.codec import UndecodableMessageError, encode
from ...messages.journal import Append, Appended, ReadJournal
from ...messages.market import Tick, Ticks
from ...messages.nodes import (
    ClaimAccepted,
    ClaimRefused,
    ClaimStrategy,
    DeputyBegan,
    NodesStatistics,
    Said,
    StrategyAdmitted,
    Told,
)
from ..runtime import JournalPages, handles
from .link_end import LinkEnd, frame_of
from .meeting import Meeting
from .server import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.journal import JournalRecord
    from ...messages.nodes import NodeFrame
    from ..runtime import ActorAddress, Outcome
    from .server import Came

ANNOUNCE_NS: Final = SECOND_NS
JOURNAL_TIMEOUT_S: Final = 10.0
PAGE_RECORDS: Final = 10_000
GONE_NS: Final = 60 * SECOND_NS
"""A node of which nothing came for so long is forgotten; one that lives says something at each look at its leases."""

TICKS_WAITING_MAX: Final = 10_000
"""Ticks that wait for the server; beyond it the newest of each symbol is kept."""

TICKS_A_BATCH: Final = 1_000


class FencesDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: read on which fences there are."""


class Session(NamedTuple):
    """A strategy that runs on another node."""

    link: LinkEnd
    fence: Fence


class Gate(Meeting):
    """Admits holders of leases, and hears those that were admitted last."""

    def on_start(self) -> None:
        """Read the fences back; nobody is heard before."""
        super().on_start()
        self._strategies = {each.name: each.strategy for each in self.settings.strategies}
        self._fences = Fences()
        self._is_read = False
        self._links: dict[str, LinkEnd] = {}
        self._sessions: dict[str, Session] = {}
        self._ticks: deque[Tick] = deque()
        self._ticks_sent = self._ticks_lost = self._refused = 0
        self._is_spreading = False
        self._announced_ns = 0
        self._earlier = JournalPages(
            self,
            ReadJournal(records_max=PAGE_RECORDS, types=(StrategyAdmitted.__name__,)),
            timeout_s=JOURNAL_TIMEOUT_S,
            take=self._recall,
            done=self._fences_read,
            unanswered=self._fences_not_read,
        )
        self._earlier.read()

    def links(self) -> Iterable[LinkEnd]:
        """Return the links to all nodes."""
        return self._links.values()

    def turn(self) -> None:
        """Say that it is there, and forget nodes that are gone."""
        now_ns = self.clock.monotonic_ns()
        for life, link in list(self._links.items()):
            if now_ns - link.heard_ns > GONE_NS:
                self._end_link(life)
        if self._is_read and now_ns - self._announced_ns >= ANNOUNCE_NS:
            self._announced_ns = now_ns
            self.call(self._server.announce, then=self._announced, lane="announce")

    def _announced(self, before: str) -> None:
        if before not in {"", self._life} and self._sessions:
            self.log_bounded("play.another_broker_node", level="error", found=before, life=self._life)

    # The fences.

    def _recall(self, record: JournalRecord) -> None:
        if isinstance(record.fact, StrategyAdmitted):
            self._fences.recall(record.fact.strategy, Fence(record.fact.fence, record.fact.holder))

    def _fences_read(self) -> None:
        self._is_read = True

    def _fences_not_read(self, outcome: Outcome) -> None:
        self.log_bounded("play.fences_not_read", level="warning", found=str(outcome.value or outcome.error))
        self.after_on_machine(self.settings.retry_s, FencesDue())

    @handles(FencesDue)
    def read_fences_again(self, _due: FencesDue, _sender: ActorAddress) -> None:
        """Read on: the journal did not answer."""
        self._earlier.read()

    def _claim(self, link: LinkEnd, claim: ClaimStrategy) -> None:
        """Admit a holder, if it may follow the one that was admitted last, as soon as that is durable."""
        strategy, fence = claim.strategy, Fence(claim.fence, link.peer)
        if strategy not in self._strategies or strategy not in self.directory:
            self._refuse(link, claim, "a strategy that runs here, with host 'node', is wanted")
        elif self._fences.counts(strategy, fence):
            self._begin(link, strategy, fence)
        elif not self._fences.propose(strategy, fence):
            self._refuse(link, claim, "a newer fence was given")
        else:
            self._admit(link, claim, fence)

    def _admit(self, link: LinkEnd, claim: ClaimStrategy, fence: Fence) -> None:
        def heard(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                self._refuse(link, claim, f"it could not be made durable: {outcome.value or outcome.error}")
            elif self._fences.admit(claim.strategy, fence):
                self.log("strategy.admitted", strategy=claim.strategy, fence=fence.number, holder=fence.holder)
                self._begin(link, claim.strategy, fence)

        fact = StrategyAdmitted(
            strategy=claim.strategy, fence=fence.number, holder=fence.holder, occurred_ns=self.fact_clock.now_ns()
        )
        self.ask(JOURNAL, Append(facts=(fact,)), timeout_s=JOURNAL_TIMEOUT_S, then=heard)

    def _begin(self, link: LinkEnd, strategy: str, fence: Fence) -> None:
        """Have the deputy begin with a holder; what it has to say to the one before is nobody's any more."""
        if self._links.get(link.peer) is link:
            self._sessions[strategy] = Session(link, fence)
            self.send(strategy, ClaimStrategy(strategy=strategy, fence=fence.number))

    def _refuse(self, link: LinkEnd, claim: ClaimStrategy | Said, reason: str) -> None:
        above = self._fences.above(claim.strategy, Fence(claim.fence, link.peer))
        self._say(link, ClaimRefused(strategy=claim.strategy, fence=claim.fence, above=above, reason=reason))

    # From other nodes.

    def came(self, came: Came) -> None:
        """Take the frames of the others; nobody is heard before the fences are known."""
        for written in came.frames:
            frame = frame_of(written)
            if frame is None:
                self.log_bounded("play.no_frame", level="warning", bytes=len(written))
            elif self._is_read and (link := self._link_of(frame)) is not None:
                self._take(link, frame)

    def _link_of(self, frame: NodeFrame) -> LinkEnd | None:
        """Return the link that a frame belongs to; None: it is over, which its node is told."""
        link = self._links.get(frame.sender)
        if link is not None and frame.link <= link.number:
            return link if frame.link == link.number else None
        if frame.first != 1:
            self.say_over(frame)
            return None
        self._end_link(frame.sender)
        link = self._links[frame.sender] = LinkEnd(
            own=self._life,
            peer=frame.sender,
            number=frame.link,
            waiting_max=self.settings.waiting_max,
            again_ns=self._again_ns,
        )
        return link

    def _take(self, link: LinkEnd, frame: NodeFrame) -> None:
        try:
            messages = link.hear(frame, self.clock.monotonic_ns())
        except UndecodableMessageError as fault:
            self.log_bounded("play.letter_refused", level="error", sender=frame.sender, reason=str(fault))
            self._end_link(frame.sender)
            return
        for message in messages:
            if isinstance(message, ClaimStrategy):
                self._claim(link, message)
            elif isinstance(message, Said):
                self._hear(link, message)

    def _hear(self, link: LinkEnd, said: Said) -> None:
        """Have the deputy say it, if it comes from the holder that was admitted last."""
        session = self._sessions.get(said.strategy)
        if (
            session is not None
            and session.link is link
            and said.fence == session.fence.number
            and self._fences.counts(said.strategy, session.fence)
        ):
            self.send(said.strategy, said)
            return
        self._refused += 1
        self.log_bounded("strategy.not_heard", level="warning", strategy=said.strategy, fence=said.fence)
        self._refuse(link, said, "its claim is over")

    def _end_link(self, life: str) -> None:
        link = self._links.pop(life, None)
        for strategy, session in list(self._sessions.items()):
            if session.link is link:
                del self._sessions[strategy]

    # To other nodes.

    @handles(DeputyBegan)
    def end_session(self, began: DeputyBegan, _sender: ActorAddress) -> None:
        """End the claim of a strategy whose deputy knows nothing of it: its node claims it anew."""
        session = self._sessions.pop(began.strategy, None)
        if session is not None:
            claim = ClaimStrategy(strategy=began.strategy, fence=session.fence.number)
            self._refuse(session.link, claim, "its deputy was restarted, or has ended")

    @handles(ClaimAccepted, Told)
    def pass_on(self, message: ClaimAccepted | Told, _sender: ActorAddress) -> None:
        """Tell the node of a strategy."""
        session = self._sessions.get(message.strategy)
        if session is None or session.fence.number != message.fence:
            return
        if isinstance(message, ClaimAccepted) and message.kind == self._strategies[message.strategy]:
            message = msgspec.structs.replace(message, kind="")  # each node has its own path to it in its settings
        self._say(session.link, message)

    def _say(self, link: LinkEnd, message: ClaimAccepted | ClaimRefused | Told) -> None:
        """Say it; a node to which too much waits has missed something, and begins anew."""
        if self._links.get(link.peer) is link and not link.say(message):
            self.log("play.node_too_slow", level="warning", node=link.peer)
            self._end_link(link.peer)

    # Ticks.

    @handles(Tick)
    def hear_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Keep it for the others."""
        self._ticks.append(tick)

    def on_drained(self) -> None:
        """Send what waits."""
        super().on_drained()
        self._spread()

    def _spread(self) -> None:
        if self._is_spreading or not self._ticks:
            return
        if len(self._ticks) > TICKS_WAITING_MAX:
            newest = newest_of_each(self._ticks)
            self._ticks_lost += len(self._ticks) - len(newest)
            self._ticks = deque(newest.values())
        ticks = tuple(self._ticks.popleft() for _ in range(min(len(self._ticks), TICKS_A_BATCH)))
        batch = Batch(self._life, self._ticks_sent + 1, encode(Ticks(ticks=ticks)))
        self._ticks_sent += len(ticks)
        self._is_spreading = True

        def sent(outcome: Outcome) -> None:
            self._is_spreading = False
            if outcome.error is not None:  # whoever reads on finds that they are missing
                self.lost(str(outcome.error))
            else:
                self._spread()

        self.offload(self._server.spread, batch, then=sent, lane="ticks")

    def _holder_of(self, strategy: str) -> str:
        session = self._sessions.get(strategy)
        return "" if session is None else session.fence.holder

    def statistics(self) -> NodesStatistics:
        """Return the counts."""
        links = self._links.values()
        return NodesStatistics(
            node=self._life,
            is_connected=self._is_up,
            links=len(links),
            strategies={name: self._holder_of(name) for name in sorted(self._strategies)},
            sent=sum(link.sent for link in links),
            repeats=sum(link.repeats for link in links),
            received=sum(link.received for link in links),
            refused=self._refused,
            ticks=self._ticks_sent,
            ticks_lost=self._ticks_lost,
            reason=self.trouble,
        )
