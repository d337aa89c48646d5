"""A change of one strategy in a running system: what is looked at before anything is stopped (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...config.sections.strategy import StrategySettings
from ...messages.strategies import StrategyChanged, StrategyNotChanged, StrategyShown
from ..supervision import ChildSpec
from .deputy import deputy_of
from .errors import StateUnreadableError
from .loading import load_strategy
from .parameters import parameters_of
from .state import StateForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...messages.strategy_state import StateRead
    from .actor import StrategyActor


def spec_of(settings: StrategySettings, loaded: type[StrategyActor]) -> ChildSpec:
    """Return how a strategy is started."""
    return ChildSpec(
        settings.name,
        deputy_of(loaded) if settings.host == "node" else loaded,
        settings,
        host="process" if settings.host == "process" else None,
        when_exhausted="park",
        cancels_orders=loaded.cancel_on_failure,
        turn_limit_s=settings.turn_limit_s,
    )


def checked(settings: StrategySettings, load: Callable[[str], type[StrategyActor]] = load_strategy) -> ChildSpec:
    """Load a strategy, and have its parameters looked at before anything is started.

    Raises:
        StrategyNotFoundError, StrategyBrokenError: it cannot be loaded.
        StrategyParametersError: it cannot work with its parameters.
    """
    loaded = load(settings.strategy)
    parameters_of(loaded, settings.parameters, name=settings.name)
    return spec_of(settings, loaded)


class Change(msgspec.Struct, kw_only=True):
    """A change of one strategy that is under way."""

    name: str
    asker: Any
    spec: ChildSpec | None
    """What is to run; None: nothing."""

    before: ChildSpec | None = None
    """What ran before."""

    modules: tuple[str, ...] = ()
    refusal: str = ""
    """Why it was taken back."""

    starts: bool = False
    is_held: bool = False
    """Events keeps what comes for it."""

    answer: StrategyChanged | StrategyNotChanged | None = None
    """What came of it; None: it is under way."""


class ResumeAgain(msgspec.Struct, frozen=True, gc=False):
    """To itself: events did not send what it kept for this strategy."""

    name: str


def answer_of(change: Change, spec: ChildSpec) -> StrategyChanged | StrategyNotChanged:
    """Return what who asked is told, when this strategy has begun or ended."""
    if change.refusal:
        return StrategyNotChanged(name=change.name, reason=f"the one of before runs again: {change.refusal}")
    return StrategyChanged(name=change.name, strategy=spec.settings.strategy, modules=change.modules)


def loaded_of(settings: StrategySettings, load: Callable[[str], Any]) -> tuple[ChildSpec, tuple[str, ...]]:
    """Load a strategy on a thread: importing a user's module may take as long as it likes."""
    modules: tuple[str, ...] = ()

    def loaded(strategy: str) -> type[StrategyActor]:
        nonlocal modules
        found = load(strategy)
        if isinstance(found, tuple):
            found, modules = found
        return found  # type: ignore[no-any-return]  # by both

    return checked(settings, loaded), modules


def expect_readable(spec: ChildSpec, answer: StateRead) -> None:
    """Check that a class can go on with the state that there is.

    Raises:
        StateUnreadableError: it cannot.
    """
    if answer.saved is None:
        return
    if spec.actor.State is None:
        kind = spec.settings.strategy
        raise StateUnreadableError(f"a class with a State wanted, since one is saved of {spec.name}, found {kind}")
    StateForm(spec.actor.State).decode(answer.saved.state, name=spec.name)


def shown(spec: ChildSpec, state: str, *, restarts: int = 0, error: str = "") -> StrategyShown:
    """Return a strategy as it is listed."""
    return StrategyShown(
        name=spec.name,
        strategy=spec.settings.strategy,
        state=state,
        host=spec.runs_on,
        restarts=restarts,
        has_state=spec.actor.State is not None,
        error=error,
    )
