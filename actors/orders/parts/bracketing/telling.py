"""What is held of brackets without the exit that it should have (plain): logged, told, and held against new risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.brackets.at_market import must_leave
from .....domain.brackets.exits import BRACKET, may_trade, was_taken_back
from .....domain.brackets.guarding import (
    doubts_its_stop,
    guarded_alone,
    has_no_target,
    lost_its_stop,
    unguarded,
    was_left,
)
from .....domain.brackets.overnight import leaves_again

if TYPE_CHECKING:
    from .....domain.brackets.bracket import Bracket
    from ..context import OrdersContext
    from ..risk_keeping import RiskKeeper

NOT_TAKEN: Final = "the broker took none"
"""Cause of REDUCING: the broker has taken none of the orders that were to close a bracket."""


class Telling:
    """Says it of each bracket once, and again when it is otherwise.

    What nothing closes although it should be closed at once lets only orders pass that reduce: a person should know.
    """

    def __init__(self, context: OrdersContext, risk: RiskKeeper) -> None:
        """Begin with nothing told."""
        self._context: Final = context
        self._risk: Final = risk
        self._unguarded: dict[str, str] = {}
        """By the entry's client order id: what should be closed at once, and no order closes."""

        self._without_stop: dict[str, str] = {}
        """By the same, what is held without the stop that it was to have, or may be."""

        self._without_target: dict[str, str] = {}
        """By the same, what is held without the target that it was to have."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The client order ids of the entries of which something is told."""
        return tuple(self._unguarded | self._without_stop | self._without_target)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """Say of which shares no order closes them, although one should, or that it may be so."""
        return (*self._unguarded.values(), *self._without_stop.values())

    @property
    def without_target(self) -> tuple[str, ...]:
        """Say of which shares no target closes them, although one should."""
        return tuple(self._without_target.values())

    def look(self, bracket: Bracket, *, is_at_rest: bool) -> None:
        """Log what no order closes, and forget it once an order closes it again.

        Args:
            bracket: as it stands.
            is_at_rest: nothing is to be done for it.
        """
        entry, shares = bracket.entry, unguarded(bracket)
        name = f"bracket {entry.client_order_id}"
        found = f"{name}: no order closes {shares} {entry.symbol}, {NOT_TAKEN}" if shares else ""
        bare_of_stop = bare_of_target = ""
        if is_at_rest and (held := lost_its_stop(bracket)) and not was_taken_back(bracket.stop):
            why = "their stop is gone"
            if was_left(bracket):
                follows = "; another follows when its next session has begun" if leaves_again(bracket) else ""
                why = f"the order that was to close them at the market has ended{follows}"
            bare_of_stop = f"{name}: {held} {entry.symbol} held, and {why}"
        elif doubts_its_stop(bracket):
            bare_of_stop = (
                f"{name}: {bracket.exposed} {entry.symbol} held, and it is not known whether the broker has their stop"
            )
        elif (guarded := guarded_alone(bracket)) is not None:
            bare_of_stop = f"{name}: {bracket.closable} {entry.symbol} held, and their stop is for {guarded} of them"
        elif has_no_target(bracket) and not must_leave(bracket):
            follows = f": all is closed when it is at {entry.target_price:.2f}" if may_trade(bracket.stop) else ""
            bare_of_target = f"{name}: its target never came into the market{follows}"
        for of, told in (
            (self._unguarded, found),
            (self._without_stop, bare_of_stop),
            (self._without_target, bare_of_target),
        ):
            if told and of.get(entry.client_order_id) != told:
                self._context.log("bracket.unguarded", level="error", reason=told)
            of.pop(entry.client_order_id, None)
            if told:
                of[entry.client_order_id] = told
        self._limit()

    def forget(self, entry: str) -> None:
        """Say nothing more of the bracket of this entry: nothing of it is held any more."""
        if entry in self.entries:
            for of in (self._unguarded, self._without_stop, self._without_target):
                of.pop(entry, None)
            self._limit()

    def _limit(self) -> None:
        self._risk.limit_by(BRACKET, "; ".join(self._unguarded.values()))
