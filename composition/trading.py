"""The whole system: every actor, in the order of starting."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from ..actors.broker import AccessToken
from ..actors.database import DatabaseActor
from ..actors.events import DeliveryActor, DeliverySettings, EventsActor, EventsSettings, SimulatedEventsActor
from ..actors.feed import is_live
from ..actors.instruments import InstrumentsActor, InstrumentsActorSettings
from ..actors.journal import JournalActor
from ..actors.kill_switch import FlattenActor, KillSwitchActor
from ..actors.orders import OrdersActor
from ..actors.runtime import NameTakenError
from ..actors.strategy import StrategySupervisor, checked
from ..actors.supervision import ChildSpec, SupervisorSettings
from ..config.in_force import InForce
from ..config.secrets import Secret
from ..config.urls import is_loopback_url
from ..messages.addresses import (
    DATABASE,
    DELIVERY,
    EVENTS,
    FLATTENER,
    INSTRUMENTS,
    JOURNAL,
    KILL_SWITCH,
    NAMES,
    ORDERS,
    STRATEGIES,
)
from .broker import broker_session, tokens
from .choices import account_of
from .control import control_children, telemetry
from .events import subscriptions, transport
from .exchange import paper_exchange
from .market import feed_of, history
from .nodes import gate
from .orders import checkpoints, flatten_limits, heart, kill_switch, loss_exit, orders_settings, reconciliation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.settings import Settings

WIRE_CLIENT_ID: Final = "1000000001"
"""Of the account at the paper exchange where orders go to it over HTTP."""


def children(
    settings: Settings, actors: Sequence[ChildSpec] = (), *, in_force: InForce | None = None
) -> tuple[ChildSpec, ...]:
    """Return every actor, in the order of starting; they stop in reverse.

    The journal starts first and stops last. The feed starts last, so that every tick finds all the others running, and
    stops first. The control socket starts just before it, when all that may be asked through it is running. The actors
    of a user start before the strategies, which may ask them, and after all that they may ask themselves.

    Args:
        settings: of the whole system.
        actors: of a user.
        in_force: those that may change while it runs; None: they never do.

    Raises:
        NameTakenError: an actor of a user has the name of another.
        StrategyNotFoundError, StrategyBrokenError: a strategy cannot be loaded.
        StrategyParametersError: it cannot work with its parameters.
    """
    _expect_names(settings, actors)
    in_force = in_force or InForce(settings)
    token = settings.broker.access_token
    in_use = AccessToken(token)  # of the real broker, for all who speak to it
    feed, real = feed_of(settings, in_use), settings
    if settings.broker.wire:  # made anew in each process, and not known outside of it
        token = Secret(secrets.token_urlsafe(32))
        settings = msgspec.structs.replace(
            settings, broker=msgspec.structs.replace(settings.broker, client_id=WIRE_CLIENT_ID)
        )
    strategies = SupervisorSettings(
        children=tuple(map(checked, settings.strategies)),
        policy=settings.supervision,
        shutdown_s=settings.system.shutdown_s,
        market_speed=settings.feed.speed,
        orders=ORDERS,
    )
    account = account_of(settings)
    # Where orders are real, a number may have become another's since natya was made.
    are_orders_real = settings.broker.live and not is_loopback_url(settings.broker.base_url)
    instruments = InstrumentsActorSettings(
        limits=settings.instruments, in_force=in_force, may_be_built_in=not are_orders_real
    )
    return (
        ChildSpec(JOURNAL, JournalActor, settings.journal),
        ChildSpec(DATABASE, DatabaseActor, settings.database),
        ChildSpec(
            EVENTS,
            EventsActor if is_live(settings.feed) else SimulatedEventsActor,
            EventsSettings(
                subscriptions=subscriptions(settings),
                exchange=None if settings.feed.exchange == "none" else settings.feed.exchange,
            ),
        ),
        ChildSpec(DELIVERY, DeliveryActor, DeliverySettings()),
        *transport(settings),
        ChildSpec(INSTRUMENTS, InstrumentsActor, instruments),
        *paper_exchange(settings, account=account, token=token),
        broker_session(settings, AccessToken(token) if settings.broker.wire else in_use),
        ChildSpec(
            ORDERS,
            OrdersActor,
            orders_settings(settings, account),
        ),
        *checkpoints(settings, account),
        *reconciliation(settings),
        ChildSpec(KILL_SWITCH, KillSwitchActor, kill_switch(settings)),
        ChildSpec(FLATTENER, FlattenActor, flatten_limits(settings)),
        *loss_exit(settings),
        *heart(settings),
        *tokens(real, in_use),
        *history(real, in_use),
        *actors,
        *gate(settings),
        ChildSpec(STRATEGIES, StrategySupervisor, strategies),
        *control_children(settings, in_force),
        *telemetry(settings),
        feed,
    )


def _expect_names(settings: Settings, actors: Sequence[ChildSpec]) -> None:
    taken = {*NAMES, *(strategy.name for strategy in settings.strategies)}
    for actor in actors:
        if actor.name in taken:
            raise NameTakenError(f"a name that no other actor has is wanted, found {actor.name!r}")
        taken.add(actor.name)
