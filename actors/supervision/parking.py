"""The orders of a strategy that has ended (plain): told once where it is parked, cancelled where its spec says so."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...messages.holdings import HoldingsRead, ReadHoldings
from ...messages.order_listing import CancelOrders, OrdersCancelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..runtime import Outcome
    from ..runtime.offload import Then
    from .child_spec import ChildSpec
    from .deadline import Deadline

CANCEL_AGAIN_S: Final = (2.0, 4.0, 8.0, 16.0)
"""Seconds until the open orders of a parked strategy are cancelled again; then the last of these, until none is open.

An order that was on its way to the journal is open only later, and `orders` may not have answered.
"""

ANSWER_S: Final = 10.0
"""Seconds that `orders` may take to answer."""


class Asker(Protocol):
    """The part of a supervisor that is used here."""

    name: str

    def ask(self, target: str, message: Any, *, timeout_s: float, then: Then) -> None:
        """Send a request; `then` is called later with its outcome."""

    def call_after(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` after so many seconds."""

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event."""


class ParkedOrders:
    """Asks the owner of the orders what parked strategies leave open."""

    def __init__(self, supervisor: Asker, *, orders: str) -> None:
        """Take the name of the actor that owns the orders; empty: there is none, and nothing is asked."""
        self._supervisor: Final = supervisor
        self._orders: Final = orders
        self._looked_for: Final[dict[str, object]] = {}
        """By strategy that has ended: a mark of the rounds in which its open orders are cancelled."""

    def parked(self, spec: ChildSpec) -> None:
        """Log the positions and open orders of a parked strategy: they stay as they are, unless its spec says else."""
        if not self._orders:
            return
        if spec.cancels_orders:
            self.cancel(spec.name)
        then = functools.partial(self._tell_what_is_left, spec.name)
        self._supervisor.ask(self._orders, ReadHoldings(strategy=spec.name), timeout_s=ANSWER_S, then=then)

    def cancel(self, strategy: str) -> None:
        """Have all open orders of a strategy that has ended cancelled, and look again later whether there are any."""
        mark = self._looked_for[strategy] = object()
        self._cancel(strategy, mark, 0)

    def begins(self, strategy: str) -> None:
        """Look for its open orders no more: it begins again, and they are its own."""
        self._looked_for.pop(strategy, None)

    def _cancel(self, strategy: str, mark: object, round_number: int) -> None:
        if self._looked_for.get(strategy) is mark:
            request = CancelOrders(everything=True, strategy=strategy, person=self._supervisor.name)
            then = functools.partial(self._cancel_again, strategy, mark, round_number)
            self._supervisor.ask(self._orders, request, timeout_s=ANSWER_S, then=then)

    def _cancel_again(self, strategy: str, mark: object, round_number: int, outcome: Outcome) -> None:
        answer, log = outcome.value, self._supervisor.log
        is_answered = isinstance(answer, OrdersCancelling) and not answer.problem
        if not is_answered:
            log("child.orders_not_cancelled", level="warning", child=strategy, reason=_said(outcome))
        elif answer.client_order_ids:
            log("child.orders_cancelled", level="warning", child=strategy, orders=answer.client_order_ids)
        elif round_number >= len(CANCEL_AGAIN_S):
            return
        wait_s = CANCEL_AGAIN_S[min(round_number, len(CANCEL_AGAIN_S) - 1)]
        self._supervisor.call_after(wait_s, functools.partial(self._cancel, strategy, mark, round_number + 1))

    def _tell_what_is_left(self, strategy: str, outcome: Outcome) -> None:
        answer, log = outcome.value, self._supervisor.log
        if isinstance(answer, HoldingsRead):
            log("child.left_open", level="warning", child=strategy, orders=sorted(answer.filled), shares=answer.shares)
        else:
            log("child.left_unknown", level="warning", child=strategy, reason=_said(outcome))


def _said(outcome: Outcome) -> str:
    """Return what came instead of the expected answer."""
    return str(outcome.value if outcome.error is None else outcome.error)
