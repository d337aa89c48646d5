"""Whether a person looks after the system (plain): where nobody has for too long, only orders pass that close.

A sign of life is what a person asks for by control about orders, positions, the kill switch or strategies, or `natya
here`; and limits that were set. It counts once the journal has it, so that a restart neither forgets nor invents one.
Who only looks gives none: pages, monitors and scripts look by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.freshness import Moment, elapsed_ns
from ....domain.time import SECOND_NS, second_text
from ....messages.presence import PresenceNoted
from ....messages.risk import RiskFigure
from ..book.presence import Sign, sign_of

if TYPE_CHECKING:
    from ....messages.control import OperationAsked
    from ...runtime import ActorAddress
    from .context import OrdersContext
    from .risk_keeping import RiskKeeper

OPERATOR: Final = "operator"
"""The sender of this REDUCING."""

LIMIT: Final = "operator_silence_max_s"

WARN_AT: Final = 0.8
"""From this fraction of the limit on a warning says when it is reached."""

JUST_NOW_NS: Final = SECOND_NS
"""A sign no older than this is that of the request itself."""

HOW: Final = "natya here, or anything else that a person changes, is a sign"


class OperatorWatch:
    """The last sign of life. In a simulated market, which has a time of its own, there is no such limit."""

    def __init__(self, context: OrdersContext, risk: RiskKeeper) -> None:
        """Begin with none but the start itself, until the journal is read."""
        self._context: Final = context
        self._risk: Final = risk
        self._sign = Sign(occurred_ns=context.now_ns(), who="", how="the start")
        self._at = self._now()
        self._askers: list[ActorAddress] = []

    def begin(self) -> None:
        """Take the last sign from the journal, and let nothing open a position if it is too old."""
        sign, now = self._context.read_back.sign, self._now()
        if sign is not None:
            since_ns = max(0, now.wall_ns - sign.occurred_ns)
            self._sign, self._at = sign, Moment(sign.occurred_ns, now.monotonic_ns - since_ns)
        self.look()

    def hear(self, fact: OperationAsked) -> None:
        """Take a sign that is durable."""
        sign = sign_of(fact)
        if sign is None:
            return
        self._sign, self._at = sign, self._now()
        self._context.read_back.sign = sign
        if self._context.is_read:
            self.look()
        askers, self._askers = self._askers, []
        for asker in askers:
            self._answer(asker)

    def tell(self, asker: ActorAddress) -> None:
        """Answer a person's report of presence, once it is durable."""
        if self._context.puts_off(asker):
            return
        if self._silent_ns() <= JUST_NOW_NS:
            self._answer(asker)
        else:
            self._askers.append(asker)

    def look(self) -> None:
        """Let only orders pass that close positions while the last sign is too old."""
        limit_s, reason = self._limit_s(), ""
        if limit_s and self._silent_ns() >= limit_s * SECOND_NS:
            wanted = f"a sign of life of a person in {limit_s:g} s wanted, found none since {self._last()}"
            reason = f"{LIMIT}: {wanted}: {HOW}"
        self._risk.limit_by(OPERATOR, reason)

    def warning(self) -> str:
        """Return a warning that the limit is about to be reached; empty: it is far, or reached already."""
        limit_s = self._limit_s()
        if not WARN_AT * limit_s * SECOND_NS <= self._silent_ns() < limit_s * SECOND_NS:
            return ""
        then = second_text(self._at.wall_ns + round(limit_s * SECOND_NS))
        found = f"no sign of life of a person since {self._last()}"
        return f"{LIMIT}: {found}; from {then} on only orders pass that close: {HOW}"

    def figure(self) -> RiskFigure:
        """Return how old the last sign is."""
        found = max(0.0, self._silent_ns() / SECOND_NS)
        formed = f"seconds since the last sign of life of a person, {self._last()}"
        if self._context.market_rules:
            formed += "; off in a simulated market, which has a time of its own"
        return RiskFigure(limit_name=LIMIT, limit=self._limit_s(), found=found, formed=formed)

    def _answer(self, asker: ActorAddress) -> None:
        self._context.send(asker, PresenceNoted(silence_max_s=self._limit_s()))

    def _limit_s(self) -> float:
        """Return the limit in force, in seconds; 0: none."""
        return 0.0 if self._context.market_rules else self._context.settings.operator_silence_max_s

    def _silent_ns(self) -> int:
        return elapsed_ns(self._at, self._now())

    def _last(self) -> str:
        by = f"{self._sign.how} by {self._sign.who}" if self._sign.who else self._sign.how
        return f"{second_text(self._sign.occurred_ns)} ({by})"

    def _now(self) -> Moment:
        """Return this moment; the second clock goes on while the machine sleeps."""
        return Moment(self._context.now_ns(), self._context.elapsed_ns())
