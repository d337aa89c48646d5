"""The page of a sweep, or of a walk forward: maps of two parameters, and the results of the tests (pure)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec.structs import replace

from ...domain.wording import counted
from ..figures.shown import percent_text, rupees_text
from ..sweeping.outcomes import best_of
from ..sweeping.shown import (
    OUTCOME_HEAD,
    measure_text,
    outcome_shown,
    parameters_text,
    steps_shown,
    told_of_sweep,
    told_of_walk,
)
from .asked import asked
from .document import UPLOT, document, escaped
from .heat import beside, best_place, heat_maps, level, medians, varied
from .parts import assumed, card, named_list, notes, quiet, scrolled, table
from .result import MS_NS, differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..plan import Plan
    from ..sweeping.outcomes import Outcome
    from ..sweeping.sweep import Walk
    from .heat import HeatMap, Valued

MAPS_MAX: Final = 12
OUTCOMES_MAX: Final = 500
"""Results in the table: the best."""

NEUTRAL: Final = {"profit_factor": 1.0}
"""The value that is neither gain nor loss, for measures where it is not 0."""


def page_of_sweep(plan: Plan, outcomes: Sequence[Outcome], by: str, resumed: Sequence[str] = ()) -> str:
    """Return the page of a sweep; `resumed` are further notes."""
    best = best_of(outcomes, by)
    ranked = sorted(outcomes, key=lambda outcome: -outcome.by(by))
    valued: list[Valued] = [(outcome.parameters, outcome.figure(by)) for outcome in outcomes]
    named = [
        ("tests", f"{len(outcomes):,}"),
        ("chosen by", by),
        (f"best {by}", measure_text(by, best.figure(by))),
        ("half of all below", measure_text(by, _median(valued))),
        ("with a gain", f"{sum(outcome.net_rupees > 0 and not outcome.failed for outcome in outcomes):,}"),
    ]
    cards = [
        *notes([*told_of_sweep(outcomes, by, resumed)]),
        card("Figures", [named_list(named), quiet(f"Best: {parameters_text(best.parameters)}")], kind="wide figures"),
        *_maps(valued, by, by),
        card("Tests", _ranked(ranked), kind="wide"),
        *_asked(plan, outcomes),
    ]
    return _page(f"{plan_name(plan)}: sweep of {counted(len(outcomes), 'test')}", cards)


def page_of_walk(plan: Plan, walk: Walk, trainings: Sequence[Outcome], resumed: Sequence[str] = ()) -> str:
    """Return the page of a walk forward.

    Args:
        plan: what all tests had in common.
        walk: its steps.
        trainings: the result of every choice in every window of training.
        resumed: further notes.
    """
    chosen = Counter(tuple(step.trained.parameters.items()) for step in walk.steps)
    choices = dict.fromkeys(tuple(outcome.parameters.items()) for outcome in trainings)
    counts: list[Valued] = [(dict(choice), float(chosen[choice])) for choice in choices]
    named = [
        ("net of all tests", rupees_text(walk.net_rupees)),
        ("return of all tests", percent_text(walk.total_return)),
        ("times of testing", f"{len(walk.steps):,}"),
        ("with a gain", f"{sum(step.tested.net_rupees > 0 and not step.tested.failed for step in walk.steps):,}"),
        ("chosen by", walk.by),
        ("choices", f"{len(choices):,}"),
    ]
    cards = [
        *notes([*told_of_walk(walk, trainings, resumed)]),
        card("Figures", [named_list(named)], kind="wide figures"),
        card("Equity", _way(), kind="wide"),
        card(
            "Steps",
            [scrolled("Steps", table(("from", "parameters", *OUTCOME_HEAD), steps_shown(walk), numbers_from=2))],
            kind="wide",
        ),
        *_maps(counts, "times chosen", ""),
        *_maps(medians(trainings, walk.by), f"median {walk.by} in training", walk.by),
        *_asked(plan, trainings),
    ]
    worth, curve = plan.capital_rupees, [plan.capital_rupees]
    for step in walk.steps:
        worth *= step.tested.growth
        curve.append(round(worth, 2))
    ends_ns = [walk.steps[0].window.test_ns, *(step.window.end_ns for step in walk.steps)]
    data = {"curve": {"milliseconds": differences(np.array(ends_ns, np.int64) // MS_NS), "equity": curve}}
    return _page(f"{plan_name(plan)}: walk forward", cards, data)


def plan_name(plan: Plan) -> str:
    """Return what was tested."""
    return next(value for name, value in asked(plan) if name == "strategy")


def _page(title: str, cards: Sequence[str], data: dict[str, Any] | None = None) -> str:
    body = "\n".join([f"<header><h1>{escaped(title)}</h1></header>", "<main>", *cards, "</main>"])
    return document(title=title, body=body, data=data, libraries=() if data is None else (UPLOT,))


def _maps(valued: Sequence[Valued], title: str, measure: str) -> Iterator[str]:
    """Yield a part for each map; `measure` says how a value is written, empty: as a count."""
    maps = heat_maps(valued) if measure else heat_maps(valued, join=sum)
    known = [value for one in maps for line in one.cells for value in line if value is not None]
    neutral = NEUTRAL.get(measure, 0.0)
    spread = max((abs(value - neutral) for value in known), default=0.0)
    for one in maps[:MAPS_MAX]:
        others = f", {parameters_text(one.others)}" if one.others else ""
        names = f"{one.across} across" + (f", {one.down} down" if one.down else "")
        told = f"{title}: {names}{others}"
        inner = [scrolled(told, _heat(one, measure, neutral=neutral, spread=spread)), *_said(one, measure)]
        yield card(told, inner, kind="wide")
    if len(maps) > MAPS_MAX:
        yield card(title, [quiet(f"{len(maps) - MAPS_MAX:,} maps of other choices are left out.")], kind="wide")


def _heat(one: HeatMap, measure: str, *, neutral: float, spread: float) -> str:
    best = best_place(one)
    lines = ["<tr><td></td>" + "".join(f'<th scope="col">{escaped(each)}</th>' for each in one.columns) + "</tr>"]
    for row, (label, line) in enumerate(zip(one.rows, one.cells, strict=True)):
        cells = []
        for column, value in enumerate(line):
            colour = "x" if value is None else f"{level(value, neutral=neutral, spread=spread)}"
            text = measure_text(measure, value) if measure or value is None else f"{value:,.0f}"
            cells.append(f'<td class="h{colour}{" best" if (row, column) == best else ""}">{escaped(text)}</td>')
        lines.append(f'<tr><th scope="row">{escaped(label)}</th>{"".join(cells)}</tr>')
    return f'<table class="heat">{"".join(lines)}</table>'


def _said(one: HeatMap, measure: str) -> Iterator[str]:
    if measure and (best := best_place(one)) is not None and (near := beside(one, best)) is not None:
        found = one.cells[best[0]][best[1]]
        yield quiet(
            f"The best cell has {measure_text(measure, found)}, half of those beside it have "
            f"{measure_text(measure, near)} or more: where they differ much the best was most likely luck."
        )
    if one.is_joined:
        yield quiet(f"Several values share a cell, which has the {'median' if measure else 'sum'} of theirs.")


def _ranked(ranked: Sequence[Outcome]) -> Iterator[str]:
    if len(ranked) > OUTCOMES_MAX:
        yield quiet(f"The best {OUTCOMES_MAX:,} of {len(ranked):,}; all of them: --json, or --results FILE.")
    rows = map(outcome_shown, ranked[:OUTCOMES_MAX])
    yield scrolled("Tests", table(("parameters", *OUTCOME_HEAD), rows, numbers_from=1))


def _asked(plan: Plan, outcomes: Sequence[Outcome]) -> Iterator[str]:
    names = varied(outcome.parameters for outcome in outcomes)
    plan = replace(plan, parameters={**plan.parameters, **outcomes[0].parameters})
    rows = [*asked(plan, varied=names), *((f"tried {name}", ", ".join(map(str, each))) for name, each in names.items())]
    yield card("Settings", [table(("setting", "value"), rows)])
    yield assumed()


def _way() -> Iterator[str]:
    yield '<div id="equity" class="curve" role="img" aria-label="The account behind each time of testing"></div>'
    yield quiet("The account behind each time of testing, one after the other, in rupees after charges.")


def _median(valued: Sequence[Valued]) -> float | None:
    known = [value for _, value in valued if value is not None]
    return float(np.median(known)) if known else None
