"""The outcomes of a sweep as text for people, on a terminal and on a page (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ...domain.wording import counted
from ..figures.measures import sharpe_of_chance
from ..figures.shown import NONE, day_text, number_text, percent_text, rupees_text
from .outcomes import best_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .outcomes import Outcome
    from .sweep import Sweep, Walk

FAILED: Final = "failed"
FAILED_MAX: Final = 3
"""Failed tests that are told one by one."""

OUTCOME_HEAD: Final = "trades", "win rate", "net", "return", "drawdown", "Sharpe", "profit factor"

HINDSIGHT: Final = "chosen with hindsight: --train and --test show if it holds"
ONLY_TESTS: Final = (
    "each begins flat, and knows of before what warm_up asks for; only the tests count: trainings were chosen by result"
)

_NUMBER: Final = re.compile(r"[+-]?\d[\d,.]*")
_FRACTIONS: Final = frozenset({"total_return", "cagr"})
_AMOUNTS: Final = frozenset({"net_rupees", "expectancy_rupees"})


def parameters_text(parameters: Mapping[str, Any]) -> str:
    """Return a choice."""
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def outcome_shown(outcome: Outcome) -> tuple[str, ...]:
    """Return the choice of a test, and the columns of `OUTCOME_HEAD`; a test that failed shows no figures."""
    if outcome.failed:
        return (parameters_text(outcome.parameters), FAILED, *([NONE] * (len(OUTCOME_HEAD) - 1)))
    return (
        parameters_text(outcome.parameters),
        f"{outcome.trades:,}",
        percent_text(outcome.win_rate),
        rupees_text(outcome.net_rupees),
        percent_text(outcome.total_return),
        percent_text(outcome.max_drawdown),
        number_text(outcome.sharpe),
        number_text(outcome.profit_factor),
    )


def steps_shown(walk: Walk) -> Iterator[tuple[str, ...]]:
    """Yield for each step of a walk the best choice in training, and its result in the window after it."""
    for step in walk.steps:
        yield f"{day_text(step.window.train_ns)} train", *outcome_shown(step.trained)
        yield f"{day_text(step.window.test_ns)} test", *outcome_shown(step.tested)


def measure_text(measure: str, value: float | None) -> str:
    """Return a value of a measure, short enough for a map."""
    if value is None:
        return NONE
    if measure in _FRACTIONS:
        return percent_text(value)
    return f"{value:+,.0f}" if measure in _AMOUNTS else number_text(value)


def told_of_sweep(outcomes: Sequence[Outcome], by: str, more: Iterable[str] = ()) -> Iterator[str]:
    """Yield notes on a sweep; `more` are further ones."""
    best = best_of(outcomes, by)
    yield f"best of {len(outcomes):,} by {by}, {HINDSIGHT}"
    sharpes = [found for each in outcomes if (found := each.figure("sharpe")) is not None]
    if (chance := sharpe_of_chance(sharpes)) is not None and by == "sharpe":
        yield (
            f"the best of {len(sharpes):,} choices without any skill that scatter as these do would have a Sharpe of "
            f"{number_text(chance)}, this one has {number_text(max(sharpes))}"
        )
    yield from failed_shown(outcomes)
    yield from (f"of the best: {note}" for note in best.notes if not best.failed)
    yield from more


def told_of_walk(walk: Walk, trainings: Sequence[Outcome] = (), more: Iterable[str] = ()) -> Iterator[str]:
    """Yield notes on a walk; `trainings` are the outcomes of all choices.

    Notes of several tests that differ in their numbers alone are told once, with those of the first.
    """
    yield ONLY_TESTS
    yield from failed_shown([*(trainings or [step.trained for step in walk.steps]), *(s.tested for s in walk.steps)])
    alike: dict[str, list[tuple[str, str]]] = {}
    for step in walk.steps:
        for note in () if step.tested.failed else step.tested.notes:
            told = day_text(step.tested.since_ns), note
            alike.setdefault(_NUMBER.sub("#", note), []).append(told)
    for tests in alike.values():
        (first, note), begun = tests[0], [day for day, _ in tests]
        if any(other != note for _, other in tests):
            yield f"test from {first}: {note}; and so in {len(tests) - 1:,} more, with other numbers"
        else:
            yield note if len(begun) == len(walk.steps) else f"test from {', '.join(begun)}: {note}"
    yield from more


def failed_shown(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield in which tests the strategy failed, if in any."""
    failed = [outcome for outcome in outcomes if outcome.failed]
    if not failed:
        return
    told = "; ".join(f"{parameters_text(each.parameters)}: {each.failed}" for each in failed[:FAILED_MAX])
    left = f"; and {len(failed) - FAILED_MAX:,} more" if len(failed) > FAILED_MAX else ""
    yield f"{len(failed):,} of {counted(len(outcomes), 'test')} failed, and are never the best: {told}{left}"


def resumed_shown(runner: Sweep) -> Iterator[str]:
    """Yield how many tests were not made again, if any."""
    if runner.resumed:
        yield f"{counted(runner.resumed, 'test')} of an earlier sweep: not made again ({runner.results})"
