"""The broker's own switch, which comes last: it can be set only when nothing is held and nothing open (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ...messages.addresses import BROKER, ORDERS
from ...messages.kill_switch import StopTrading, TradingStopped
from ...messages.order_listing import OrdersStatistics
from ...messages.system import Ping, Pong

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..runtime import Outcome, Timer

ORDERS_TIMEOUT_S: Final = 2.0
BROKER_TIMEOUT_S: Final = 30.0

LOOK_S: Final = 1.0
"""Seconds between two looks whether everything is closed."""

AGAIN_S: Final = 30.0
"""Seconds until the broker is asked again, after it did not do so."""

WAITING: Final = "it follows when nothing is held and nothing open"
DONE: Final = "the broker takes no order today"


class StopDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look whether the broker's own switch can be set."""


class Host(Protocol):
    """The part of an actor that is needed here."""

    def ask(self, target: str, message: Any, *, timeout_s: float, then: Callable[[Outcome], None]) -> None:
        """Send a request."""

    def after(self, seconds: float, message: Any) -> Timer:
        """Send the message to this actor itself after so many seconds."""

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event."""


class BrokerSwitch:
    """Waits until the account is flat, and has the broker end its day."""

    def __init__(self, actor: Host) -> None:
        """Begin with a switch that is not wanted."""
        self._actor: Final = actor
        self._is_wanted = self._is_asking = False
        self._timer: Timer | None = None
        self.told = ""
        """What became of it, in words; empty while it is not wanted."""

    def want(self) -> None:
        """Have it set as soon as that is possible; a repeat changes nothing."""
        if not self._is_wanted:
            self._is_wanted, self.told = True, WAITING
            self.look()

    def leave(self) -> None:
        """Want it no more. One that is set stays set: only the broker's next day ends it."""
        self._is_wanted, self.told = False, ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Look whether everything is closed."""
        self._timer = None
        if self._is_wanted and not self._is_asking:  # what was asked before it was left is still to be answered
            self._is_asking = True
            self._actor.ask(ORDERS, Ping(), timeout_s=ORDERS_TIMEOUT_S, then=self._take_look)

    def _take_look(self, outcome: Outcome) -> None:
        self._is_asking = False
        if not self._is_wanted:
            return
        answer = outcome.value
        counts = answer.statistics if isinstance(answer, Pong) else None
        is_flat = (
            isinstance(counts, OrdersStatistics)
            and not counts.open_orders
            and all(not position.quantity for position in counts.positions)
        )
        if is_flat:
            self._is_asking = True
            self._actor.ask(BROKER, StopTrading(), timeout_s=BROKER_TIMEOUT_S, then=self._take_answer)
        else:
            self._look_after(LOOK_S)

    def _take_answer(self, outcome: Outcome) -> None:
        self._is_asking = False
        if not self._is_wanted:
            return
        answer = outcome.value
        problem = answer.problem if isinstance(answer, TradingStopped) else f"found {answer or outcome.error}"
        if problem:
            self.told = f"the broker has not stopped: {problem}"
            self._actor.log("kill_switch.not_at_broker", level="error", reason=problem)
            self._look_after(AGAIN_S)
        else:
            self.told = DONE
            self._actor.log("kill_switch.at_broker", level="error")

    def _look_after(self, seconds: float) -> None:
        self._timer = self._actor.after(seconds, StopDue())
