"""The services of this process by name: `get_container`, `ServiceLocator`, `inject`, and what is registered at first.

    repository = natya.get_container().resolve("MarketDataRepository")

    @natya.inject(natya.ServiceLocator)
    def report(service_locator):
        return service_locator.get_market_data_repository().symbols().data

At first the repositories are those of the database that the settings name (`DATABASE_PATH`), opened when one of them is
first asked for. To read through a system that runs in this process: `register_instance("Database", system)`.

Events go through the service `Events`: at first the system that runs in the data directory of the settings, or one of
events alone, started in this process. With one of your own: `register_instance("Events", system)`.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .actors.database import (
    EventRepository,
    FillRepository,
    MarketDataRepositoryImpl,
    OrderRepository,
    PositionRepository,
    open_database,
    release,
)
from .actors.events import EventPublisher, EventSubscriber
from .config.container import OF_THIS_PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .actors.database import BaseRepository
    from .config.container import DependencyContainer, Key

T = TypeVar("T")

REPOSITORIES: Final[dict[str, type[BaseRepository[Any]]]] = {
    "MarketDataRepository": MarketDataRepositoryImpl,
    "OrderRepository": OrderRepository,
    "FillRepository": FillRepository,
    "PositionRepository": PositionRepository,
    "EventRepository": EventRepository,
}
"""Each is constructed with the service `Database`."""


def register_services(container: DependencyContainer) -> None:
    """Register natya's own services; nothing is opened yet."""
    container.register_factory("Database", open_database, closing=release)
    container.register_factory("Events", _open_events)
    container.register_factory("EventPublisher", lambda container: EventPublisher(container.resolve("Events")))
    container.register_factory("EventSubscriber", _over_events)
    for name, repository in REPOSITORIES.items():
        container.register_factory(name, functools.partial(_over_database, repository))


def get_container() -> DependencyContainer:
    """Return the container of this process; it is the same one for every caller and thread."""
    return OF_THIS_PROCESS


class ServiceLocator:
    """Typed access to the registered services, one method each.

    Args:
        container: where they are registered; None for that of the process.

    Each method raises what `DependencyContainer.resolve` does.
    """

    def __init__(self, container: DependencyContainer | None = None) -> None:
        self._container: Final = container or get_container()

    def get(self, key: Key) -> Any:
        """Get whatever is registered under a name or a class."""
        return self._container.resolve(key)

    def get_market_data_repository(self) -> MarketDataRepositoryImpl:
        """Get the repository of ticks and candles."""
        repository: MarketDataRepositoryImpl = self.get("MarketDataRepository")
        return repository

    def get_order_repository(self) -> OrderRepository:
        """Get the repository of orders."""
        repository: OrderRepository = self.get("OrderRepository")
        return repository

    def get_fill_repository(self) -> FillRepository:
        """Get the repository of fills."""
        repository: FillRepository = self.get("FillRepository")
        return repository

    def get_position_repository(self) -> PositionRepository:
        """Get the repository of positions."""
        repository: PositionRepository = self.get("PositionRepository")
        return repository

    def get_event_publisher(self) -> EventPublisher:
        """Get the publisher of domain events."""
        publisher: EventPublisher = self.get("EventPublisher")
        return publisher

    def get_event_subscriber(self) -> EventSubscriber:
        """Get the subscriber to domain events."""
        subscriber: EventSubscriber = self.get("EventSubscriber")
        return subscriber

    def get_event_repository(self) -> EventRepository:
        """Get the repository of journaled facts."""
        repository: EventRepository = self.get("EventRepository")
        return repository


def inject(*dependencies: Key) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Fill a function's first arguments, after `self` or `cls`, with what is registered under these names or classes.

    They are resolved at each call, from the container of the process; `ServiceLocator` needs no registration. A caller
    may pass any of them by keyword instead, as a test does with a fake.

    Raises:
        TypeError: the function has too few parameters for the dependencies.
    """

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        names = list(inspect.signature(function).parameters)
        before = 1 if names[:1] in (["self"], ["cls"]) else 0
        filled = names[before : before + len(dependencies)]
        if len(filled) < len(dependencies):
            wanted = ", ".join(key if isinstance(key, str) else key.__qualname__ for key in dependencies)
            raise TypeError(f"{function.__qualname__} has no parameters for all of {wanted}")

        def complete(arguments: tuple[Any, ...], by_name: dict[str, Any]) -> tuple[Any, ...]:
            given = [
                by_name.pop(name) if name in by_name else _resolve(key)
                for name, key in zip(filled, dependencies, strict=True)
            ]
            return (*arguments[:before], *given, *arguments[before:])

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*arguments: Any, **by_name: Any) -> Any:
                return await function(*complete(arguments, by_name), **by_name)

            return call_async  # type: ignore[return-value]  # what the coroutine function itself would return

        @functools.wraps(function)
        def call(*arguments: Any, **by_name: Any) -> T:
            return function(*complete(arguments, by_name), **by_name)

        return call

    return decorate


def _resolve(key: Key) -> Any:
    container = get_container()
    if key is ServiceLocator and key not in container:
        return ServiceLocator(container)
    return container.resolve(key)


def _open_events() -> Any:
    from .events_system import open_events  # noqa: PLC0415  the actors are loaded where they are wanted

    return open_events()


def _over_events(container: DependencyContainer) -> EventSubscriber:
    events = container.resolve("Events")
    if not hasattr(events, "runtime"):
        raise RuntimeError(
            "a system of this process wanted, found one that is asked by its socket: handlers run where the system "
            'does; if that is here, get_container().register_instance("Events", system)'
        )
    return EventSubscriber(events.runtime)


def _over_database(repository: type[T], container: DependencyContainer) -> T:
    return repository(container.resolve("Database"))  # type: ignore[call-arg]  # all of them take one


register_services(OF_THIS_PROCESS)
