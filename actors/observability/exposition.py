"""Metrics as Prometheus reads them."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from ...messages.health import TIMING_BOUNDS_S, Timing
from .counting import Counters, take

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric as Family

    from .metrics import Kind, Labels, Metric
    from .view import View

PREFIX: Final = "natya_"
_BOUNDS: Final = (*(str(bound_s) for bound_s in TIMING_BOUNDS_S), "+Inf")


def prometheus_text(view: View, counters: Counters, *, commit: str) -> str:
    """Return all metrics in Prometheus' text format; `commit` is that of the code that runs, empty if unknown."""
    registry = CollectorRegistry()
    registry.register(_Collected(take(view, counters), commit))
    ProcessCollector(registry=registry)
    return generate_latest(registry).decode()


class _Collected(Collector):
    def __init__(self, taken: list[tuple[Metric, list[tuple[Labels, float | Timing]]]], commit: str) -> None:
        self._taken, self._commit = taken, commit

    def collect(self) -> Iterable[Family]:
        """Yield each metric that has a value."""
        about = GaugeMetricFamily(f"{PREFIX}build_info", "What runs.", labels=("version", "commit", "python"))
        about.add_metric((version("natya"), self._commit, platform.python_version()), 1)
        yield about
        for metric, samples in self._taken:
            if samples:
                yield _family(metric, samples)


def _family(metric: Metric, samples: list[tuple[Labels, float | Timing]]) -> Family:
    name = f"{PREFIX}{metric.name}"
    kind: Kind = metric.kind
    if kind == "timing":
        timings = HistogramMetricFamily(name, metric.help, labels=metric.labels)
        for labels, value in samples:
            assert isinstance(value, Timing)
            timings.add_metric(labels, _buckets(value), value.sum_s)
        return timings
    make = GaugeMetricFamily if kind == "gauge" else CounterMetricFamily
    family = make(name, metric.help, labels=metric.labels)
    for labels, value in samples:
        assert not isinstance(value, Timing)
        family.add_metric(labels, value)
    return family


def _buckets(value: Timing) -> list[tuple[str, float]]:
    found, below = [], 0
    for bound, count in zip(_BOUNDS, value.counts, strict=True):
        below += count
        found.append((bound, float(below)))
    return found
