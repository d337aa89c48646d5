"""What a benchmark found: each figure beside a floor that was measured in the same run.

Absolute times move threefold from one machine to the next, and by a half from one hour to the next; the ratio to a bare
piece of Python, a lock, a file or an engine that does the least that could be done moves far less. So targets are
ratios wherever there is such a floor.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

RESULTS = "BENCH_RESULTS"
"""Environment variable: the file that figures are added to, one JSON object a line."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    value: float
    """Median, in `unit`."""

    unit: str
    floor: float | None = None
    """What was measured beside it, in the same unit; None: the target is one of the value itself."""

    floor_name: str = ""
    target: float
    """Of value / floor, or of the value."""

    at_least: bool = False
    """Whether more is better."""

    @property
    def measured(self) -> float:
        """What the target is of."""
        return self.value if self.floor is None else self.value / self.floor

    @property
    def met(self) -> bool:
        """Whether the target is."""
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    def cells(self) -> tuple[str, ...]:
        """Write it as a row of the table."""
        sign = ">=" if self.at_least else "<="
        beside = "" if self.floor is None else f"{digits(self.floor)} {self.unit} {self.floor_name}".strip()
        ratio = "" if self.floor is None else f"{self.measured:.2f}"
        return (
            self.name,
            f"{digits(self.value)} {self.unit}",
            beside,
            ratio,
            f"{sign} {self.target:,.10g}",
            "met" if self.met else "MISSED",
        )


THREE_DIGITS = 100
HEAD = ("figure", "measured", "floor, in the same run", "ratio", "target", "")


def digits(value: float) -> str:
    """Write three digits that say something, and no more."""
    return f"{value:,.0f}" if abs(value) >= THREE_DIGITS else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Write them below one another."""
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(figures: Iterable[Figure]) -> str:
    """Write them as a table of Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(figure.cells() for figure in figures)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def report(figures: Sequence[Figure]) -> int:
    """Print them, and add them to the file that the environment names; 0 when every target is met."""
    print(table(figures))
    if results := os.environ.get(RESULTS):
        with Path(results).open("ab") as file:
            file.writelines(msgspec.json.encode(figure) + b"\n" for figure in figures)
    return int(not all(figure.met for figure in figures))


def seconds(work: Callable[[], object]) -> float:
    """Run it once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(*works: Callable[[], object], rounds: int) -> list[float]:
    """Run all of them in turns, so that all meet the same hour of the machine; the median of each in seconds."""
    taken = [[seconds(work) for work in works] for _ in range(rounds)]
    return [statistics.median(times) for times in zip(*taken, strict=True)]
