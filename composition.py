"""Who is a child of whom, in which order they start, and who hears what from the start.

`children` decides it; docs/architecture.md draws it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from .actors.broker import BrokerActor
from .actors.control import ControlActor, ControlActorSettings
from .actors.database import DatabaseActor
from .actors.events import JOURNAL_TOPIC, EventsActor, EventsSettings
from .actors.exchange import ExchangeActor, ExchangeActorSettings
from .actors.feed import FeedActor
from .actors.journal import JournalActor
from .actors.orders import OrdersActor, OrdersActorSettings
from .actors.runtime import NameTakenError
from .actors.strategy import load_strategy
from .actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from .messages.addresses import (
    BROKER,
    CONTROL,
    DATABASE,
    EVENTS,
    EXCHANGE,
    FEED,
    JOURNAL,
    NAMES,
    ORDERS,
    STRATEGIES,
)
from .messages.events import Subscribe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config.settings import Settings
    from .messages.accounts import AccountChoice

PAPER: Final = "paper"
"""The broker whose orders go to the exchange of this process."""


def subscriptions(settings: Settings) -> tuple[Subscribe, ...]:
    """Who hears what from the first message on; the exchange sees each tick before any strategy does."""
    return (
        *([Subscribe(subscriber=EXCHANGE, topics=("Tick",))] if has_exchange(settings) else []),
        Subscribe(subscriber=DATABASE, topics=("Tick", "Candle", JOURNAL_TOPIC)),
    )


def has_exchange(settings: Settings) -> bool:
    """Tell whether orders go to the paper exchange: only there is one, whatever the market data comes from."""
    return settings.broker.name == PAPER


def account_of(settings: Settings) -> AccountChoice:
    """Tell which account a run trades on: each replay on one of its own, unless the settings say otherwise."""
    if settings.orders.account != "auto":
        return settings.orders.account
    return "new" if settings.feed.source == "replay" else "session"


def children(settings: Settings, actors: Sequence[ChildSpec] = ()) -> tuple[ChildSpec, ...]:
    """Every actor, in the order it starts; they stop in reverse.

    The journal is the first up and the last down. The feed is the last up, so that every tick finds all the others, and
    the first down. Before it comes the control socket: all that may be asked through it is up by then. The actors of a
    user start before the strategies, which may ask them, and after all that they may ask themselves.

    Raises:
        NameTakenError: an actor of a user has the name of another.
    """
    _expect_names(settings, actors)
    strategies = SupervisorSettings(
        children=tuple(
            ChildSpec(
                strategy.name,
                load_strategy(strategy.strategy),
                strategy,
                host="process" if strategy.host == "process" else None,
                when_exhausted="park",
                turn_limit_s=strategy.turn_limit_s,
            )
            for strategy in settings.strategies
        ),
        policy=settings.supervision,
        shutdown_s=settings.system.shutdown_s,
        market_speed=settings.feed.speed,
        orders=ORDERS,
    )
    account = account_of(settings)
    exchange = ExchangeActorSettings(limits=settings.exchange, account=account)
    control = ControlActorSettings(data_dir=Path(settings.system.data_dir), limits=settings.control)
    return (
        ChildSpec(JOURNAL, JournalActor, settings.journal),
        ChildSpec(DATABASE, DatabaseActor, settings.database),
        ChildSpec(EVENTS, EventsActor, EventsSettings(subscriptions=subscriptions(settings))),
        *([ChildSpec(EXCHANGE, ExchangeActor, exchange)] if has_exchange(settings) else []),
        ChildSpec(BROKER, BrokerActor, settings.broker),
        ChildSpec(
            ORDERS,
            OrdersActor,
            OrdersActorSettings.of(settings.orders, account=account, strategies=settings.strategies),
        ),
        *actors,
        ChildSpec(STRATEGIES, Supervisor, strategies),
        *([ChildSpec(CONTROL, ControlActor, control)] if settings.control.enabled else []),
        ChildSpec(FEED, FeedActor, settings.feed),
    )


def _expect_names(settings: Settings, actors: Sequence[ChildSpec]) -> None:
    taken = {*NAMES, *(strategy.name for strategy in settings.strategies)}
    for actor in actors:
        if actor.name in taken:
            raise NameTakenError(f"a name that no other actor has is wanted, found {actor.name!r}")
        taken.add(actor.name)
