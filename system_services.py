"""What a program gets of a system in its process by one name: part of `TradingSystem`.

with natya.TradingSystem.start("paper") as trading:
    trading.market_data.symbols().data
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

from .config.loader import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .actors.broker import RunningBroker
    from .actors.database import MarketDataRepositoryImpl, OrderRepository
    from .actors.events import EventPublisher
    from .config.settings import Settings
    from .messages.supervision import SupervisionTree


class Startable(Protocol):
    """A system that is made of settings."""

    def __init__(self, settings: Settings) -> None: ...

    def begin(self) -> None:
        """Start every actor."""


S = TypeVar("S", bound=Startable)


class Start:
    """`start` of a system starts it; `start` of the class makes one of a profile, and starts it."""

    @overload
    def __get__(self, system: None, kind: type[S]) -> Callable[..., S]: ...

    @overload
    def __get__(self, system: S, kind: type[S]) -> Callable[..., None]: ...

    def __get__(self, system: S | None, kind: type[S]) -> Callable[..., S] | Callable[..., None]:
        """Return what is called."""
        if system is not None:
            return system.begin

        def start(
            profile: str = "paper",
            *,
            config: str | Path | None = None,
            overrides: Mapping[str, Any] | None = None,
        ) -> S:
            """Start a system of a profile, of your own file of settings, and of settings by dotted key."""
            made = kind(load_settings(profile, config=config, overrides=overrides))
            made.begin()
            return made

        return start


class SystemServices:
    """The services of a system that runs, each made when it is asked for; they end with it."""

    def supervision_tree(self) -> SupervisionTree:
        """Describe every actor."""
        raise NotImplementedError

    @property
    def market_data(self) -> MarketDataRepositoryImpl:
        """What it has recorded of the market."""
        from .actors.database import MarketDataRepositoryImpl  # noqa: PLC0415  as the others: numpy, for who wants it

        return MarketDataRepositoryImpl(cast("Any", self))

    @property
    def orders(self) -> OrderRepository:
        """The orders of all its days, as its read model has them."""
        from .actors.database import OrderRepository  # noqa: PLC0415

        return OrderRepository(cast("Any", self))

    @property
    def broker(self) -> RunningBroker:
        """The account as the broker has it, and the state of the session; it only reads, and places nothing."""
        from .actors.broker import RunningBroker  # noqa: PLC0415

        system = cast("Any", self)
        return RunningBroker(system, system.settings.broker)

    @property
    def events(self) -> EventPublisher:
        """Publishes events of the program's own through it."""
        from .actors.events import EventPublisher  # noqa: PLC0415

        return EventPublisher(cast("Any", self))

    @property
    def tree(self) -> SupervisionTree:
        """Every actor: state, host, restarts, breaker, mailbox depth, last error."""
        return self.supervision_tree()
