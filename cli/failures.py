"""Failures of a running system, each reported once: a thousand repeats of one failure are one traceback. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..domain.wording import counted
from ..messages.addresses import BROKER_TOKENS, ORDERS, STRATEGIES
from ..messages.order_listing import OrdersStatistics

if TYPE_CHECKING:
    from ..messages.supervision import ChildStatus, SupervisionTree
    from ..system import SystemView

TOLD_MAX: Final = 10
"""Different failures that are printed with their tracebacks; all of them are in the log."""

STALL_TOLD_S: Final = 3.0
"""A stall of the event loop is printed when it lasts longer; shorter ones are in the log, and counted."""


class Failures:
    """Remembers which failures of a tree have been reported. The same error at the same line is the same failure."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str, str]] = set()

    def fresh(self, tree: SupervisionTree | None) -> list[str]:
        """Return texts of failures not reported yet, with traceback if in a user's code; at most `TOLD_MAX` in all."""
        if tree is None:
            return []
        texts = []
        for child in tree.children:
            failure = (child.path, child.last_error.partition(":")[0], child.raised_at or child.last_error)
            if child.last_error and failure not in self._known:
                self._known.add(failure)
                if len(self._known) <= TOLD_MAX:
                    texts.append(_told(child))
                elif len(self._known) == TOLD_MAX + 1:
                    texts.append("there are more failures of other kinds: the log has them all")
        return texts


class Stalls:
    """Tells of a stall of the event loop, during which nothing else in the system runs."""

    def __init__(self) -> None:
        self._told = 0
        """Number of the stall that was reported last."""

    def fresh(self, view: SystemView) -> list[str]:
        """Return which actor holds the loop, and at which line, once for each stall longer than `STALL_TOLD_S`."""
        if not view.held_by or view.stalls == self._told or view.held_s < STALL_TOLD_S:
            return []
        self._told = view.stalls
        return [f"the event loop has been held for {view.held_s:.0f} s, and nothing goes on: {view.held_by}"]


def has_nobody_left(tree: SupervisionTree | None) -> bool:
    """Whether every strategy is parked, so that there will be no more orders."""
    states = [child.state for child in tree.children if _is_strategy(child)] if tree is not None else []
    return bool(states) and all(state == "PARKED" for state in states)


def failed_strategies(tree: SupervisionTree | None) -> tuple[str, ...]:
    """Return a sentence for each strategy that was restarted: it has not handled the messages at which it failed."""
    children = tree.children if tree is not None else ()
    return tuple(
        f"{name_of(child)} failed, and was begun anew {counted(child.restarts, 'time')}"
        for child in children
        if _is_strategy(child) and child.restarts
    )


def lost_broker(tree: SupervisionTree | None) -> str:
    """Return why the broker accepts nothing any more, such as a dead access token; empty if it does."""
    children = tree.children if tree is not None else ()
    return next((child.trouble for child in children if name_of(child) == BROKER_TOKENS and child.trouble), "")


def standing_of(view: SystemView) -> str:
    """Return in one line whether orders may leave, and why not."""
    orders = view.statistics.get(ORDERS)
    if not isinstance(orders, OrdersStatistics):
        return "orders does not answer"
    cause = f", {orders.risk_cause}" if orders.risk_cause and orders.risk_state != "NORMAL" else ""
    return f"{orders.risk_state}{cause}"


def trouble_of(child: ChildStatus) -> str:
    """Return in one line why an actor cannot do its work, or part of it; empty if it can."""
    name = name_of(child)
    if child.state in {"PARKED", "UNAVAILABLE"}:
        at = f" at {child.raised_at}" if child.raised_at else ""
        return f"{name} {child.state.lower()}: {child.last_error}{at}"
    return f"{name} {child.trouble}" if child.trouble else ""


def name_of(child: ChildStatus) -> str:
    """Return the name of the actor."""
    return child.path.rpartition("/")[2]


def _is_strategy(child: ChildStatus) -> bool:
    return child.path.split("/")[-2:-1] == [STRATEGIES]


def _told(child: ChildStatus) -> str:
    told = f"{name_of(child)} failed: {child.last_error}"
    if not child.raised_at:  # no user's code is involved: the traceback is in the log
        return told
    return f"{told} at {child.raised_at}\n{child.last_traceback}".rstrip()
