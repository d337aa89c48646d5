"""How a strategy stands on the node that may run it (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from ...config.sections.strategy import StrategySettings
    from ...domain.nodes.lease import Tenure

Phase: TypeAlias = Literal["elsewhere", "claiming", "running", "stopping"]
"""It does not run here; it was claimed at the broker node; it runs, or begins to; it was told to stop."""

FACTS_MAX: Final = 10_000
"""Facts that may wait until the strategy is there."""


class Hosted:
    """One strategy, its lease, and what its claim has come to."""

    def __init__(self, settings: StrategySettings, tenure: Tenure) -> None:
        """Begin with it elsewhere."""
        self.settings: Final = settings
        self.tenure: Final = tenure
        self.phase: Phase = "elsewhere"
        self.fence = 0
        """Of the claim; 0: there is none."""

        self.asked_ns = 0
        """When it was claimed, or told to stop."""

        self.rests_until_ns = 0
        """It could not begin; until then it is left to others."""

        self.kind = ""
        """`module:Class` that was swapped in at the broker node; empty: that of the settings."""

        self.changes_since_ns = 0
        """When its supervisor was asked to start or change it; 0: that was answered."""

        self.is_swapped = False
        """It was asked for a change of a strategy that runs."""

        self.above = 0
        """A claim needs a fence greater than this."""

        self.early: list[Any] = []
        """Facts that came before it was there."""

        self.trouble = ""

    def claim(self, now_ns: int) -> None:
        """Note that it is claimed under its lease as it is now."""
        self.phase, self.fence, self.asked_ns = "claiming", self.tenure.fence, now_ns
        self.early.clear()

    def close(self) -> None:
        """Hear and say nothing more under its claim."""
        self.fence = 0
        self.early.clear()

    def may_speak(self, now_ns: int) -> bool:
        """Tell whether what it says now may leave: it runs under a claim, and under the lease."""
        return self.phase in {"running", "stopping"} and self.fence > 0 and self.tenure.is_held(now_ns)

    def wait(self, fact: Any) -> bool:
        """Keep a fact until it is there; False: too many wait."""
        self.early.append(fact)
        return len(self.early) <= FACTS_MAX
