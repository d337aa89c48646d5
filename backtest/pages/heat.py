"""Maps of two parameters: how good each pair of values was (pure).

Where more than two were varied there is a map for each choice of the others. Where a parameter has more values than a
page has room for, neighbours share a cell, which shows their median: their best would flatter.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..sweeping.outcomes import Outcome

AXIS_MAX: Final = 40
"""Cells along one side of a map."""

LEVELS: Final = 9
"""Of colour, the middle one for what is neither gain nor loss."""

Valued: TypeAlias = "tuple[Mapping[str, Any], float | None]"
"""A choice of parameters, and a value; None: it has none."""

Place: TypeAlias = tuple[int, int]
"""Row and column of a cell."""


class HeatMap(msgspec.Struct, frozen=True, kw_only=True):
    """Values by two parameters; the first lies from left to right, the second, if there is one, from top to bottom."""

    across: str
    down: str
    columns: tuple[str, ...]
    """Labels: a value, or the first and the last of those that share a column."""

    rows: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]
    others: dict[str, Any]
    """The values of all other varied parameters, the same in the whole map."""

    is_joined: bool
    """Whether several values share a cell."""


class _Axis:
    """The values of one parameter, in the order in which they were tried, and the cell of each."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.name: Final = name
        size = -(-len(values) // AXIS_MAX)
        parts = [values[begin : begin + size] for begin in range(0, len(values), size)]
        self.labels: Final = tuple(str(part[0]) if len(part) == 1 else f"{part[0]} … {part[-1]}" for part in parts)
        self.place: Final = {value: place for place, part in enumerate(parts) for value in part}
        self.is_joined: Final = size > 1


def varied(choices: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the parameters that have several values, with these, both in the order of their first use."""
    found: dict[str, dict[Any, None]] = {}
    for choice in choices:
        for name, value in choice.items():
            found.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in found.items() if len(values) > 1}


def heat_maps(valued: Sequence[Valued], *, join: Callable[[list[float]], float] = statistics.median) -> list[HeatMap]:
    """Return the maps, that of the best choice first, then in the order of the choices; none of a single choice.

    The sides are the two parameters with the most values. `join` makes one value of those that share a cell.
    """
    values = varied(choice for choice, _ in valued)
    sides = sorted(values, key=lambda name: -len(values[name]))[:2]
    if not sides:
        return []
    across, *down = (_Axis(name, values[name]) for name in values if name in sides)
    others = [name for name in values if name not in sides]
    parts: dict[tuple[Any, ...], list[Valued]] = {}
    for choice, value in valued:
        parts.setdefault(tuple(choice.get(name) for name in others), []).append((choice, value))
    maps = [
        _map(part, across, down[0] if down else None, others=dict(zip(others, chosen, strict=True)), join=join)
        for chosen, part in parts.items()
    ]
    best = max(valued, key=lambda each: float("-inf") if each[1] is None else each[1])[0]
    return sorted(maps, key=lambda each: any(best.get(name) != value for name, value in each.others.items()))


def _map(
    part: Sequence[Valued],
    across: _Axis,
    down: _Axis | None,
    *,
    others: dict[str, Any],
    join: Callable[[list[float]], float],
) -> HeatMap:
    gathered: dict[Place, list[float]] = {}
    for choice, value in part:
        place = 0 if down is None else down.place[choice[down.name]], across.place[choice[across.name]]
        if value is not None:
            gathered.setdefault(place, []).append(value)
    rows = ("",) if down is None else down.labels
    return HeatMap(
        across=across.name,
        down="" if down is None else down.name,
        columns=across.labels,
        rows=rows,
        cells=tuple(
            tuple(
                join(found) if (found := gathered.get((row, column))) else None for column in range(len(across.labels))
            )
            for row in range(len(rows))
        ),
        others=others,
        is_joined=across.is_joined or (down is not None and down.is_joined),
    )


def best_place(one: HeatMap) -> Place | None:
    """Return the cell of the greatest value, the first of equal ones; None: there is no value."""
    known = [(-value, place) for place, value in _known(one)]
    return min(known)[1] if known else None


def beside(one: HeatMap, place: Place) -> float | None:
    """Return the median of the cells that touch a cell: the result of a slightly different choice."""
    row, column = place
    near = [value for (down, right), value in _known(one) if max(abs(down - row), abs(right - column)) == 1]
    return statistics.median(near) if near else None


def _known(one: HeatMap) -> Iterator[tuple[Place, float]]:
    for row, line in enumerate(one.cells):
        for column, value in enumerate(line):
            if value is not None:
                yield (row, column), value


def level(value: float, *, neutral: float, spread: float) -> int:
    """Return the colour of a value: 0 is `spread` or more below what is neutral, the last is as much above."""
    middle = LEVELS // 2
    part = 0.0 if not spread else max(-1.0, min(1.0, (value - neutral) / spread))
    return middle + round(part * middle)


def medians(outcomes: Iterable[Outcome], measure: str) -> list[Valued]:
    """Return each choice once, with the median of its results in several windows."""
    found: dict[tuple[tuple[str, Any], ...], list[float]] = {}
    for outcome in outcomes:
        values = found.setdefault(tuple(outcome.parameters.items()), [])
        value = outcome.figure(measure)
        if value is not None:
            values.append(value)
    return [(dict(choice), statistics.median(values) if values else None) for choice, values in found.items()]
