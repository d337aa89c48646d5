"""`simulate`: a user's strategies and actors in a simulation, and the outcome."""

from __future__ import annotations

import contextlib
import logging
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ..actors.journal import PowerCutError
from ..actors.runtime.simulation import Faults, SimulatedCrashError, VirtualClock
from ..config.loader import load_settings
from ..domain.market_messages import time_of
from ..domain.positions import Positions
from ..domain.time import SECOND_NS
from ..messages.orders import OrderFilled, OrderIntended, OrderRefused
from .market import in_order, lasting_s
from .scenario import scenario_of
from .world import NotSettledError, World

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from ..actors.strategy import StrategyActor
    from ..actors.supervision import ChildSpec
    from ..config.settings import Settings
    from ..messages.holdings import Position
    from ..messages.market import MarketMessage

Invariant: TypeAlias = "Callable[[Simulated], Iterable[str]]"
"""Gives a sentence for each promise that was broken."""

NO_FAULTS: Final = Faults()
"""Nothing goes wrong; only the order of things is the seed's."""

SYMBOLS: Final = ("RELIANCE",)
BEFORE_NS: Final = 5 * SECOND_NS
"""Nanoseconds before the first message of a given market at which the system is started."""

OURS: Final = f"{__name__.partition('.')[0]}."


class InvariantViolatedError(AssertionError):
    """Something happened in a simulation that must not happen."""

    def __init__(self, simulated: Simulated) -> None:
        told = "".join(f"\n  {violation}" for violation in simulated.violations)
        super().__init__(f"seed {simulated.seed}, which plays it again, broke {len(simulated.violations)}:{told}")
        self.simulated = simulated
        self.violations = simulated.violations


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a simulation."""

    seed: int
    facts: tuple[Any, ...]
    """Everything in the journal, in order."""

    failures: tuple[str, ...]
    """What code of the caller's raised by itself, such as `crossover: ZeroDivisionError: division by zero`."""

    injected: Counter[str]
    """How often each kind of fault happened."""

    lives: int
    """Processes it took: one more than there were power cuts."""

    last_prices: dict[str, float]
    """Rupees."""

    digest: str
    """SHA-256 of the journal: equal for two runs that were the same."""

    violations: tuple[str, ...] = ()
    """Promises that were broken: natya's own, and those of the caller's `invariants`."""

    def of_type(self, fact_type: type[Any]) -> list[Any]:
        """List the facts of a type."""
        return [fact for fact in self.facts if isinstance(fact, fact_type)]

    @property
    def orders(self) -> list[OrderIntended]:
        """Orders that passed the risk gate."""
        return self.of_type(OrderIntended)

    @property
    def refused(self) -> list[OrderRefused]:
        """Orders that did not."""
        return self.of_type(OrderRefused)

    @property
    def fills(self) -> list[OrderFilled]:
        """Trades, each once, as it was told first and in its place then."""
        found: dict[tuple[str, str], OrderFilled] = {}
        for fill in self.of_type(OrderFilled):
            found.setdefault((fill.client_order_id, fill.trade_id), fill)
        return list(found.values())

    @property
    def positions(self) -> dict[str, Position]:
        """What is held in the end, by symbol."""
        positions = Positions()
        for fill in self.fills:
            positions.apply(fill)
        return {position.symbol: position for position in positions.all()}

    def held(self, symbol: str, strategy: str = "") -> list[int]:
        """List the shares held of a symbol after each fill, below 0: short; of one strategy, or of all together."""
        total, found = 0, []
        for fill in self.fills:
            if fill.symbol != symbol or strategy not in {"", fill.strategy}:
                continue
            total += fill.quantity if fill.side == "BUY" else -fill.quantity
            found.append(total)
        return found


def simulate(  # noqa: PLR0913  each is a property of the world
    *strategies: type[StrategyActor] | str,
    seed: int = 0,
    symbols: Sequence[str] = SYMBOLS,
    parameters: Mapping[str, Any] | None = None,
    market: Sequence[MarketMessage] | None = None,
    seconds: float = 10.0,
    ticks_per_s: float = 10.0,
    faults: Faults | None = None,
    actors: Sequence[ChildSpec] = (),
    settings: Mapping[str, Any] | None = None,
    invariants: Sequence[Invariant] = (),
    may_fail: bool = False,
) -> Simulated:
    """Play strategies in virtual time, in an order that the seed decides, while the world goes wrong.

    The system is the real one: its supervisors, journal, database, risk gate and paper exchange; only the clock, the
    disk and the order of messages are simulated. One seed gives one run, to the last byte of the journal. At the end
    faults stop, and everything must come to rest.

    Args:
        strategies: classes, or `module:Class`; each is named after its class, in lower case.
        seed: of everything that is not given.
        symbols: of the market, and of each strategy.
        parameters: of each strategy.
        market: ticks and candles to play instead of a random walk; a power cut misses what happens meanwhile.
        seconds: how long the random walk lasts.
        ticks_per_s: of each of its symbols.
        faults: only these happen, and no power cut; None: the seed decides what goes wrong, power cuts included.
        actors: of a user's own, supervised beside ours.
        settings: by their full names, as `{"orders.position_max": 10}`.
        invariants: functions that are given what came of it, and give a sentence for each promise that was broken.
        may_fail: whether a strategy may raise by itself; else that is a violation.

    Raises:
        InvariantViolatedError: natya or one of the invariants was broken, a strategy raised, or the system did not
            come to rest.
        SettingsError, StrategyBrokenError, StrategyNotFoundError: it cannot be played.
    """
    given = None if market is None else in_order(market)
    loaded = _settings(
        strategies, symbols, parameters, seed=seed, seconds=seconds, ticks_per_s=ticks_per_s, more=settings
    )
    if given is None:
        scenario = scenario_of(seed, loaded, faults=faults)
    else:  # it ends by itself; how long it lasts says only when the power may go
        scenario = scenario_of(seed, _with_duration(loaded, lasting_s(given)), faults=faults)
        scenario = msgspec.structs.replace(scenario, settings=_with_duration(scenario.settings, 0.0))
    clock = VirtualClock(time_of(given[0]) - BEFORE_NS) if given else None
    world = World(seed, scenario, market=given, actors=actors, clock=clock)
    own = {strategy.name for strategy in loaded.strategies} | {spec.name for spec in actors}
    with _failures(own) as failures:
        try:
            world.run()
        except NotSettledError as fault:
            found = _simulated(world, failures)
            violations = (f"it did not come to rest: {fault}", *found.failures)
            raise InvariantViolatedError(msgspec.structs.replace(found, violations=violations)) from fault
    found = _simulated(world, failures)
    violations = (
        *world.violations(),
        *(() if may_fail else found.failures),
        *(violation for invariant in invariants for violation in invariant(found)),
    )
    found = msgspec.structs.replace(found, violations=violations)
    if violations:
        raise InvariantViolatedError(found)
    return found


def _settings(  # noqa: PLR0913  as `simulate`
    strategies: Sequence[type[StrategyActor] | str],
    symbols: Sequence[str],
    parameters: Mapping[str, Any] | None,
    *,
    seed: int,
    seconds: float,
    ticks_per_s: float,
    more: Mapping[str, Any] | None,
) -> Settings:
    entries = [
        {
            "name": (each.rpartition(":")[2] if isinstance(each, str) else each.__name__).lower(),
            "strategy": each,
            "symbols": list(symbols),
            "parameters": dict(parameters or {}),
        }
        for each in strategies
    ]
    overrides = {
        "control.enabled": False,
        "strategies": entries,
        "feed.symbols": list(symbols),
        "feed.ticks_per_s": ticks_per_s,
        "feed.duration_s": seconds,
        "feed.seed": seed,
    }
    return load_settings("paper", environment={}, overrides=overrides | dict(more or {}))


def _with_duration(settings: Settings, duration_s: float) -> Settings:
    feed = msgspec.structs.replace(settings.feed, duration_s=duration_s)
    return msgspec.structs.replace(settings, feed=feed)


def _simulated(world: World, failures: Sequence[str]) -> Simulated:
    feed = world.statistics.get("feed")
    return Simulated(
        seed=world.seed,
        facts=tuple(record.fact for record in world.records()),
        failures=tuple(failures),
        injected=world.injected,
        lives=world.lives,
        last_prices={} if feed is None else feed.last_prices,
        digest=world.digest(),
    )


class _Listening(logging.Handler):
    """Keeps what some actors raised by themselves."""

    def __init__(self, actors: Collection[str]) -> None:
        super().__init__(logging.ERROR)
        self._actors: Final = actors
        self.failures: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, unless the simulation raised it."""
        fault = record.exc_info[1] if record.exc_info else None
        actor = getattr(record, "actor", "")
        if fault is None or actor not in self._actors or isinstance(fault, SimulatedCrashError | PowerCutError):
            return
        places = (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(fault.__traceback__))
        if all(place.startswith(OURS) for place in places):
            return  # a strategy that cannot start while `orders` is down is no failure of its code
        self.failures.append(f"{actor}: {type(fault).__name__}: {fault}")


@contextlib.contextmanager
def _failures(actors: Collection[str]) -> Iterator[list[str]]:
    """Listen to what these log; nothing that anybody logs is written anywhere."""
    logger, listening = logging.getLogger("natya"), _Listening(actors)
    propagates, level = logger.propagate, logger.level
    logger.addHandler(listening)
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    try:
        yield listening.failures
    finally:
        logger.removeHandler(listening)
        logger.propagate = propagates
        logger.setLevel(level)
