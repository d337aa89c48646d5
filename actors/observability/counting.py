"""What metrics say of a view; counts go on where the actor that counts begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ...messages.health import Timing
from .metrics import METRICS

if TYPE_CHECKING:
    from .metrics import Labels, Metric
    from .view import View

Key: TypeAlias = "tuple[str, Labels]"
"""Name of a metric, or of a part of one, and the values of its labels."""


class Counters:
    """Counts that only grow, whatever becomes of who counts.

    An actor that is restarted counts from 0 again: what it had counted when it was looked at last is kept. A lasting
    count is read back by its actor, and while that goes on the highest one holds.
    """

    def __init__(self) -> None:
        self._kept: dict[Key, float] = {}
        self._last: dict[Key, float] = {}

    def count(self, key: Key, value: float, *, lasting: bool) -> float:
        """Take a count and return it, with all that was counted before."""
        before = self._last.get(key, 0.0)
        if lasting:
            self._last[key] = max(before, value)
            return self._last[key]
        if value < before:
            self._kept[key] = self._kept.get(key, 0.0) + before
        self._last[key] = value
        return self._kept.get(key, 0.0) + value

    def timing(self, key: Key, value: Timing) -> Timing:
        """Do the same with each class of durations."""
        name, labels = key
        # The sum decides: a fresh actor's classes may each have as many as before, but hardly all of them.
        is_fresh = sum(value.counts) < self._last.get((f"{name} n", labels), 0)
        self._last[f"{name} n", labels] = sum(value.counts)
        counts = tuple(
            int(self._add((f"{name} {place}", labels), count, is_fresh=is_fresh))
            for place, count in enumerate(value.counts)
        )
        return Timing(counts=counts, sum_s=self._add((f"{name} s", labels), value.sum_s, is_fresh=is_fresh))

    def _add(self, key: Key, value: float, *, is_fresh: bool) -> float:
        if is_fresh:
            self._kept[key] = self._kept.get(key, 0.0) + self._last.get(key, 0.0)
        self._last[key] = value
        return self._kept.get(key, 0.0) + value


def take(view: View, counters: Counters) -> list[tuple[Metric, list[tuple[Labels, float | Timing]]]]:
    """Read every metric of a view."""
    taken = []
    for metric in METRICS:
        samples: list[tuple[Labels, float | Timing]] = []
        for labels, value in metric.read(view):
            if isinstance(value, Timing):
                samples.append((labels, counters.timing((metric.name, labels), value)))
            elif metric.kind == "gauge":
                samples.append((labels, value))
            else:
                lasting = metric.kind == "lasting"
                samples.append((labels, counters.count((metric.name, labels), value, lasting=lasting)))
        taken.append((metric, samples))
    return taken
