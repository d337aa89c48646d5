"""A change of one strategy in a running system: the checks before anything is stopped (plain)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from ...config.sections.strategy import StrategySettings
from ...messages.strategies import StrategyChanged, StrategyNotChanged, StrategyShown
from ..supervision import ChildSpec
from .deputy import deputy_of
from .errors import StateUnreadableError, StrategyChangeRefusedError, StrategyError
from .loading import load_strategy
from .parameters import parameters_of
from .state import StateForm

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ...messages.strategies import StartStrategy
    from ...messages.strategy_state import StateRead
    from .actor import StrategyActor
    from .reloading import Reading, Sources


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
        memory_limit_mb=settings.memory_limit_mb,
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

    reading: Reading | None = None
    """What it is loaded of, until it has begun or is refused."""

    modules: tuple[str, ...] = ()
    """Modules whose source has changed."""

    refusal: str = ""
    """Why it was taken back."""

    is_elsewhere: bool = False
    """It runs on another node, and is changed there."""

    starts: bool = False
    is_held: bool = False
    """Whether the router keeps messages for it."""

    answer: StrategyChanged | StrategyNotChanged | None = None
    """The outcome; None: the change is under way."""


class ResumeAgain(msgspec.Struct, frozen=True):
    """To itself: events did not send what it kept for the strategy of this change, which has ended."""

    change: Change


def answer_of(change: Change, spec: ChildSpec) -> StrategyChanged | StrategyNotChanged:
    """Return the answer to the sender, once this strategy has begun or ended."""
    if change.refusal:
        return StrategyNotChanged(name=change.name, reason=f"the one of before runs again: {change.refusal}")
    return StrategyChanged(name=change.name, strategy=spec.settings.strategy, modules=change.modules)


def new_settings(request: StartStrategy) -> StrategySettings:
    """Return the settings of a strategy that is to be started.

    Raises:
        StrategyChangeRefusedError: they are none, of another one, or not for one that the settings do not have.
    """
    name = request.name
    try:
        settings = msgspec.json.decode(request.settings, type=StrategySettings)
    except msgspec.DecodeError as fault:
        raise StrategyChangeRefusedError(f"settings of a strategy wanted: {fault}") from fault
    if settings.name != name:
        raise StrategyChangeRefusedError(f"settings of {name!r} wanted, found those of {settings.name!r}")
    if settings.position_max is not None or settings.orders_in_flight_max is not None:
        raise StrategyChangeRefusedError("limits of its own are in force for strategies of the settings alone")
    return settings


def loaded_of(settings: StrategySettings, sources: Sources, *, all_anew: bool) -> tuple[ChildSpec, Reading]:
    """Load a strategy on a thread: importing a user's module may take as long as it likes.

    Raises:
        StrategyError: it cannot be loaded, or work with its parameters; nothing of it is left.
    """
    reading = sources.read(settings.name, settings.strategy, all_anew=all_anew)
    try:
        return checked(settings, lambda _: reading.loaded), reading
    except StrategyError:
        sources.put_back(reading)
        raise


def settle_sources(change: Change, sources: Sources) -> None:
    """Keep what was imported for a strategy that runs, and put back what was for one that does not."""
    reading, change.reading = change.reading, None
    if reading is None:
        return
    if isinstance(change.answer, StrategyChanged):
        sources.keep(change.name, reading)
    else:
        sources.put_back(reading)


def why_unknown(name: str, wanted: str, *, running: Collection[str], stopped: Collection[str]) -> str:
    """Return why a strategy of this name cannot be changed."""
    known = (*running, *stopped)
    if name in stopped:
        return "it is stopped; start it, and it goes on as its file is now"
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
    return f"a strategy {wanted} is wanted; {hint}"


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
