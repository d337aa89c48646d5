"""A sweep: a backtest for every choice of parameters, on several processes; the same figures on any number of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from ...actors.strategy import StrategyParametersError, load_strategy, parameters_of, path_of
from ..errors import BacktestFailedError, BacktestRefusedError
from ..figures.report import figures_of
from ..plan import STRATEGY
from ..running.running import play
from .engines import LOCAL, Workers
from .fingerprint import files_of, fingerprint_of, key_of, machinery
from .kept import Kept
from .outcomes import Outcome, best_of, expect_measure, failed_outcome, outcome_of
from .sources import bring_up_to_date, digests_of, sources_of
from .windows import Window, windows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..plan import Plan
    from .grid import Choice

MAIN: Final = "__main__"


class Sweep:
    """Runs tests of one plan with other parameters or times.

    Args:
        plan: what is common to all tests.
        workers: processes; 1 tests in this one, 0 on as many as there are cores.
        engine: loky, dask or ray; all but the first may be many machines, which have the same files at the same places.
        cluster: address of a cluster that runs.
        results: a file in which outcomes are kept: tests that are in it are not made again.
        on_progress: told how many tests are done, and of how many.

    Raises:
        BacktestRefusedError: the strategy is of no file that other processes could load, `results` is none of ours, or
            there is no such engine.
        StrategyNotFoundError, StrategyBrokenError: there is no such strategy.
    """

    def __init__(  # noqa: PLR0913  by name
        self,
        plan: Plan,
        *,
        workers: int = 0,
        engine: str = LOCAL,
        cluster: str = "",
        results: Path | None = None,
        on_progress: Callable[[int, int], object] = lambda _done, _all: None,
    ) -> None:
        path = path_of(plan.strategy)
        strategy = load_strategy(path)
        if strategy.__module__ == MAIN:
            raise BacktestRefusedError("a strategy in a file of its own is wanted, found one of this program")
        self._plan: Final = replace(plan, strategy=path, data_dir=None)
        self._sources: Final = sources_of(path)
        self._digests: Final = digests_of(self._sources)
        bring_up_to_date(self._sources, self._digests)
        self._strategy: Final = load_strategy(path)
        self._data: Final = _looks_of(files_of(self._plan))
        self._fingerprint: Final = fingerprint_of(self._plan, self._digests, machinery())
        self._workers: Final = Workers(engine=engine, count=workers or os.cpu_count() or 1, cluster=cluster)
        self._kept: Final = Kept(results)
        self._on_progress: Final = on_progress
        self._failed = False

    def test(self, wanted: Sequence[tuple[Choice, int, int]], *, may_be_empty: bool) -> list[Outcome]:
        """Return the outcome of each choice in a time (start and end, ns since 1970-01-01 UTC), in their order.

        A choice that the strategy's `Parameters` refuse is not tested, and says so.

        Args:
            wanted: choice, start and end of each, at least one.
            may_be_empty: as `play` has it.

        Raises:
            BacktestRefusedError: the data has nothing of what is wanted.
            StrategyParametersError: all of them are refused.
        """
        plans = [
            replace(self._plan, parameters={**self._plan.parameters, **dict(choice)}, since_ns=since, until_ns=until)
            for choice, since, until in wanted
        ]
        keys = [key_of(self._fingerprint, plan, may_be_empty=may_be_empty) for plan in plans]
        refused = self._refused(keys, plans, [choice for choice, _, _ in wanted])
        missing = {
            key: (plan, choice)
            for key, plan, (choice, _, _) in zip(keys, plans, wanted, strict=True)
            if key not in refused and self._kept.get(key) is None
        }
        done = len(plans) - len(missing)
        self._on_progress(done, len(plans))
        code = Code(list(sys.path), self._sources, self._digests)
        jobs = [(code, key, plan, choice, may_be_empty) for key, (plan, choice) in missing.items()]
        with self._kept.opened():
            for outcome in self._workers.each_of(_test, jobs):
                self._kept.add(outcome, lasts=self._is_as_it_was())
                done += 1
                self._on_progress(done, len(plans))
        found = [refused.get(key) or self._kept.get(key) for key in keys]
        self._failed |= any(outcome.failed for outcome in found if outcome is not None and outcome.key not in refused)
        return [outcome for outcome in found if outcome is not None]

    def _is_as_it_was(self) -> bool:
        """Whether data and modules are still those of the test's key, now that it has ended."""
        return _looks_of(files_of(self._plan)) == self._data and digests_of(self._sources) == self._digests

    def _refused(self, keys: Sequence[str], plans: Sequence[Plan], choices: Sequence[Choice]) -> dict[str, Outcome]:
        """Return the outcomes of choices that the strategy's class refuses, which need no test."""
        found, faults = {}, []
        for key, plan, choice in zip(keys, plans, choices, strict=True):
            try:
                parameters_of(self._strategy, plan.parameters, name=STRATEGY)
            except StrategyParametersError as fault:
                faults.append(fault)
                found[key] = failed_outcome(key, plan, choice, f"{fault}")
        if len(faults) == len(plans):
            raise faults[0]
        return found

    @property
    def resumed(self) -> int:
        """Of the tests so far: how many were kept from an earlier sweep."""
        return self._kept.used

    @property
    def time_ns(self) -> tuple[int, int]:
        """From when to when (exclusive) it was asked for: nanoseconds since 1970-01-01 UTC."""
        return self._plan.since_ns, self._plan.until_ns

    @property
    def failed(self) -> bool:
        """Whether in any test so far the strategy failed; a choice that was refused has not been tested."""
        return self._failed

    @property
    def results(self) -> Path | None:
        """The file of outcomes."""
        return self._kept.path


class Code(NamedTuple):
    """The code that a testing process has to import."""

    path: list[str]
    """`sys.path` of the sweeping process; a testing one has its own."""

    sources: dict[str, Path]
    digests: dict[str, str]


def _looks_of(files: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Return what shows cheaply that a file has changed."""
    return [(str(path), (look := path.stat()).st_size, look.st_mtime_ns) for path in files]


def _test(code: Code, key: str, plan: Plan, choice: Choice, may_be_empty: bool) -> Outcome:  # noqa: FBT001  by engines
    sys.path += [each for each in code.path if each not in sys.path]
    bring_up_to_date(code.sources, code.digests)
    try:
        return outcome_of(key, plan, choice, figures_of(play(plan, may_be_empty=may_be_empty)).report)
    except BacktestFailedError as fault:  # this choice alone is refused: the others are tested
        return failed_outcome(key, plan, choice, f"{fault}")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One window of a walk: the best choice of its training, and that choice's result in the window after it."""

    window: Window
    trained: Outcome
    tested: Outcome


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """A walk forward."""

    by: str
    steps: tuple[Step, ...]
    net_rupees: float
    """Of all windows of testing."""

    total_return: float
    """Of these windows, one after the other."""


def sweep(runner: Sweep, plan: Plan, grid: Sequence[Choice]) -> list[Outcome]:
    """Test every choice on the whole time of the plan.

    Raises:
        BacktestRefusedError: the data has nothing of it.
    """
    return runner.test([(choice, plan.since_ns, plan.until_ns) for choice in grid], may_be_empty=False)


def trainings_of(runner: Sweep, grid: Sequence[Choice], walk: Walk) -> list[Outcome]:
    """Return the outcome of every choice in each window of training."""
    windows = [step.window for step in walk.steps]
    wanted = [(choice, each.train_ns, each.test_ns) for each in windows for choice in grid]
    return runner.test(wanted, may_be_empty=True)


def walk_forward(  # noqa: PLR0913  by name
    runner: Sweep, grid: Sequence[Choice], *, first_ns: int, last_ns: int, train_ns: int, test_ns: int, by: str
) -> Walk:
    """Choose the best by a measure on each time of training, and test it on the time behind, which it has not seen.

    Raises:
        BacktestRefusedError: there is no such measure, or too little data.
    """
    expect_measure(by)
    since_ns, until_ns = runner.time_ns
    windows = windows_of(first_ns, last_ns, train_ns=train_ns, test_ns=test_ns, since_ns=since_ns, until_ns=until_ns)
    wanted = [(choice, each.train_ns, each.test_ns) for each in windows for choice in grid]
    trained = runner.test(wanted, may_be_empty=True)  # a window of holidays is empty
    size = len(grid)
    best = [best_of(trained[place * size : (place + 1) * size], by) for place in range(len(windows))]
    tested = runner.test(
        [
            (tuple(each.parameters.items()), window.test_ns, window.end_ns)
            for each, window in zip(best, windows, strict=True)
        ],
        may_be_empty=True,
    )
    grown = 1.0
    for outcome in tested:
        grown *= outcome.growth
    return Walk(
        by=by,
        steps=tuple(Step(window=w, trained=b, tested=t) for w, b, t in zip(windows, best, tested, strict=True)),
        net_rupees=sum(outcome.net_rupees for outcome in tested),
        total_return=grown - 1.0,
    )
