"""What failed while a system ran, each told once: a storm of one failure is one traceback. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..messages.addresses import STRATEGIES

if TYPE_CHECKING:
    from ..messages.supervision import ChildStatus, SupervisionTree
    from ..system import SystemView

TOLD_MAX: Final = 10
"""Different failures that are told with their tracebacks; all of them are in the log."""

STALL_TOLD_S: Final = 3.0
"""An event loop that is held for longer is told of; a shorter time is in the log, and counted."""


class Failures:
    """Remembers which failures of a tree have been told. The same error at the same place is the same failure."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str, str]] = set()

    def fresh(self, tree: SupervisionTree | None) -> list[str]:
        """Put into words what has not been told yet, a user's with its traceback; at most `TOLD_MAX` in all."""
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
    """Remembers for how long somebody holds the event loop; nothing else of the system goes on meanwhile."""

    def __init__(self) -> None:
        self._number = 0
        self._since_s = 0.0
        self._is_told = False

    def fresh(self, view: SystemView) -> list[str]:
        """Say who does, and where, once for each time that it lasts longer than `STALL_TOLD_S`."""
        if view.stalls != self._number:
            self._number, self._since_s, self._is_told = view.stalls, view.running_s, False
        held_s = view.running_s - self._since_s
        if not view.held_by or self._is_told or held_s < STALL_TOLD_S:
            return []
        self._is_told = True
        return [f"the event loop has been held for {held_s:.0f} s, and nothing goes on: {view.held_by}"]


def has_nobody_left(tree: SupervisionTree | None) -> bool:
    """Tell whether every strategy is parked: nobody trades any more, and nobody will."""
    states = [child.state for child in tree.children if _is_strategy(child)] if tree is not None else []
    return bool(states) and all(state == "PARKED" for state in states)


def failed_strategies(tree: SupervisionTree | None) -> tuple[str, ...]:
    """Name each strategy that was begun anew: what it dealt with when it failed, it has not dealt with."""
    children = tree.children if tree is not None else ()
    return tuple(
        f"{name_of(child)} failed, and was begun anew {child.restarts:,} times"
        for child in children
        if _is_strategy(child) and child.restarts
    )


def trouble_of(child: ChildStatus) -> str:
    """Say in a line why it does not do its work, or not all of it; nothing if it does."""
    name = name_of(child)
    if child.state in {"PARKED", "UNAVAILABLE"}:
        at = f" at {child.raised_at}" if child.raised_at else ""
        return f"{name} {child.state.lower()}: {child.last_error}{at}"
    return f"{name} {child.trouble}" if child.trouble else ""


def name_of(child: ChildStatus) -> str:
    """Give the name under which others know it."""
    return child.path.rpartition("/")[2]


def _is_strategy(child: ChildStatus) -> bool:
    return child.path.split("/")[-2:-1] == [STRATEGIES]


def _told(child: ChildStatus) -> str:
    told = f"{name_of(child)} failed: {child.last_error}"
    if not child.raised_at:  # it is no user's: the way to it is in the log
        return told
    return f"{told} at {child.raised_at}\n{child.last_traceback}".rstrip()
