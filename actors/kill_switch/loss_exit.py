"""The loss exit actor: has the broker itself close the account at a loss of the day, beyond ours, as the outermost net.

Owns    nothing of its own: at which loss the broker closes all is kept at the broker, which forgets it with the day.
Hears   LimitsChanged, a fact of the journal, and Subscribed of events; the answers to what it asks: RiskRead of orders,
        LossExitSet of the broker session.
Sends   Subscribe to events when it begins; once an interval, and after each change of limits, ReadRisk to orders for
        the limit that is in force, then SetLossExit to the broker session, which does nothing where it is set already.
Fails   never by a broker that says no or nothing: that is told in the tree and logged, and tried again. Nothing waits
        for it, neither a start nor an order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...config.sections.kill_switch import loss_exit_rupees
from ...messages.addresses import BROKER, EVENTS, LOSS_EXIT, ORDERS
from ...messages.events import Subscribe, Subscribed
from ...messages.kill_switch import LossExitSet, LossExitStatistics, SetLossExit
from ...messages.risk import LimitsChanged, ReadRisk, RiskRead
from ..runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome, Timer

ORDERS_TIMEOUT_S: Final = 5.0
BROKER_TIMEOUT_S: Final = 60.0
"""It is four calls at most, each of which may wait for the limits."""

LOOK_S: Final = 60.0
"""Seconds between two looks whether it is set: the broker's day ends, and so may whatever somebody else sets."""

AGAIN_S: Final = 10.0
"""Seconds until the next try, after one that did not succeed."""

NOT_READ: Final = frozenset({"STARTING", "RECONCILING"})
"""States in which orders may not have read yet which limits a person has changed."""

LIMIT: Final = "day_loss_max_rupees"


class LookDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look whether it is set."""


class LossExitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    times: float
    """The broker's loss is so many times ours (`orders.day_loss_max_rupees`)."""

    with_kill_switch: bool = False
    """Whether the broker then takes no order for the rest of the day."""


class LossExitActor(RuntimeActor):
    """Looks once an interval; a look begins when the one before is over."""

    background = True
    system_time = True  # the broker's day, and its answers, are in real time

    settings: LossExitSettings

    def on_start(self) -> None:
        """Look at once: the day may have begun without it."""
        self._wanted_rupees = 0.0
        self._found_rupees: float | None = None
        self._looks = 0
        self._is_looking = self._has_changed = False
        self._next: Timer | None = None
        # From now on, and no sooner: orders writes its limits down before there is anybody here to tell.
        self.send(EVENTS, Subscribe(subscriber=LOSS_EXIT, topics=("LimitsChanged",)))
        self.after(0.0, LookDue())

    def statistics(self) -> LossExitStatistics:
        """Return how it stands."""
        return LossExitStatistics(wanted_rupees=self._wanted_rupees, loss_rupees=self._found_rupees, looks=self._looks)

    @handles(LookDue)
    def look(self, _message: LookDue, _sender: ActorAddress) -> None:
        """Ask which limit is in force."""
        self._next = None
        self._is_looking = True
        self._looks += 1
        self.ask(ORDERS, ReadRisk(), timeout_s=ORDERS_TIMEOUT_S, then=self._hear_risk)

    @handles(Subscribed)
    def note_subscription(self, _answer: Subscribed, _sender: ActorAddress) -> None:
        """Do nothing: a look is under way."""

    @handles(LimitsChanged)
    def hear_change(self, _fact: LimitsChanged, _sender: ActorAddress) -> None:
        """Look at once, or once more after the look that is under way."""
        if self._is_looking:
            self._has_changed = True
            return
        if self._next is not None:
            self._next.cancel()
        self.look(LookDue(), self.myAddress)

    # Helpers.

    def _hear_risk(self, outcome: Outcome) -> None:
        risk = outcome.value
        limit = None
        if isinstance(risk, RiskRead) and risk.risk_state not in NOT_READ:
            limit = next((each.limit for each in risk.figures if each.limit_name == LIMIT and not each.of), None)
        if limit is None:  # that orders is not there, or still starts, is told where it is
            self._look_after(AGAIN_S)
            return
        self._wanted_rupees = loss_exit_rupees(limit, self.settings.times)
        wanted = SetLossExit(loss_rupees=self._wanted_rupees, with_kill_switch=self.settings.with_kill_switch)
        self.ask(BROKER, wanted, timeout_s=BROKER_TIMEOUT_S, then=self._hear_broker)

    def _hear_broker(self, outcome: Outcome) -> None:
        answer, before = outcome.value, self._found_rupees
        if isinstance(answer, LossExitSet):
            self._found_rupees, problem = answer.loss_rupees, answer.problem
        else:
            self._found_rupees = None
            problem = f"found {getattr(answer, 'reason', '') or outcome.error or answer}"
        self._tell(problem)
        if not problem and self._found_rupees != before:
            self.log("loss_exit.set", level="warning", wanted=self._wanted_rupees, found=self._found_rupees)
        self._look_after(AGAIN_S if problem else LOOK_S)

    def _tell(self, problem: str) -> None:
        """Show what keeps the broker from it, and log it once."""
        wanted = self._wanted_rupees
        what = f"the broker is to close the account at a loss of {wanted:.2f} rupees today, and does not"
        if not wanted:
            what = "the broker is to close the account at no loss any more, and may"
        trouble = f"{what}: {problem}" if problem else ""
        if trouble and trouble != self.trouble:
            self.log("loss_exit.not_set", level="error", wanted=wanted, reason=problem)
        self.trouble = trouble

    def _look_after(self, seconds: float) -> None:
        self._is_looking = False
        self._next = self.after(0.0 if self._has_changed else seconds, LookDue())
        self._has_changed = False
