"""Orders, and all that watches over them: checkpoints, reconciliation, the kill switch and what belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..actors.broker import broker_of
from ..actors.kill_switch import HeartActor, HeartSettings, KillSwitchActorSettings, LossExitActor, LossExitSettings
from ..actors.orders import CheckpointActor, CheckpointSettings, OrdersActorSettings
from ..actors.reconciliation import ReconciliationActor, ReconciliationSettings
from ..actors.supervision import ChildSpec
from ..config.halt_file import halt_paths
from ..domain.flattening import Limits
from ..messages.addresses import CHECKPOINTS, HEART, LOSS_EXIT, RECONCILIATION
from .broker import LAST_CALLS_S
from .choices import has_exchange, lives_in_real_time, mode_of, watched_symbols

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..messages.accounts import AccountChoice


def orders_settings(settings: Settings, account: AccountChoice) -> OrdersActorSettings:
    """Return the limits of a run; at a broker without products everything counts as intraday."""
    _, options = broker_of(settings.broker)
    limits = OrdersActorSettings.of(
        settings.orders,
        account=account,
        strategies=settings.strategies,
        halt_paths=halt_paths(settings),
        audited=settings.broker.live,
    )
    return msgspec.structs.replace(
        limits,
        product=getattr(options, "product", limits.product),
        keeps_stops=settings.kill_switch.keeps_stops,
        is_compared=bool(reconciliation(settings)),
    )


def checkpoints(settings: Settings, account: AccountChoice) -> tuple[ChildSpec, ...]:
    """Return who keeps checkpoints while the system runs; in an account of its own a run is read once more at most."""
    if not settings.orders.checkpoint_facts or account != "session":
        return ()
    facts = CheckpointSettings(facts=settings.orders.checkpoint_facts)
    return (ChildSpec(CHECKPOINTS, CheckpointActor, facts, when_exhausted="park"),)


def reconciliation(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who compares the account with our books, where it is asked over HTTP, in the world's time.

    The exchange in this process is nobody else's.
    """
    interval_s = settings.broker.compare_interval_s
    is_by_message = has_exchange(settings) and not settings.broker.wire
    if not interval_s or is_by_message or not lives_in_real_time(settings):
        return ()
    wanted = ReconciliationSettings(interval_s=interval_s, symbols=watched_symbols(settings))
    return (ChildSpec(RECONCILIATION, ReconciliationActor, wanted, shutdown_s=LAST_CALLS_S, leaves_calls=True),)


def kill_switch(settings: Settings) -> KillSwitchActorSettings:
    """Return what the owner of the kill switch is given."""
    of = settings.kill_switch
    return KillSwitchActorSettings(
        paths=halt_paths(settings), look_interval_s=of.look_interval_s, at_broker=of.at_broker
    )


def flatten_limits(settings: Settings) -> Limits:
    """Return what an order that closes a position may be."""
    of = settings.orders
    return Limits(
        quantity_max=of.quantity_max, value_max_rupees=of.value_max_rupees, price_age_max_s=of.price_age_max_s
    )


def loss_exit(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who has the broker close the account at a loss of the day, where orders leave; parked at the worst."""
    of = settings.kill_switch
    if not of.loss_exit_times or mode_of(settings) != "live":
        return ()
    wanted = LossExitSettings(times=of.loss_exit_times, with_kill_switch=of.at_broker)
    return (
        ChildSpec(LOSS_EXIT, LossExitActor, wanted, when_exhausted="park", shutdown_s=LAST_CALLS_S, leaves_calls=True),
    )


def heart(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who proves that orders and the journal work, where that is wanted."""
    interval_s = settings.kill_switch.heartbeat_interval_s
    if not interval_s:
        return ()
    beating = HeartSettings(
        data_dir=Path(settings.system.data_dir), journal_dir=Path(settings.journal.path), interval_s=interval_s
    )
    return (ChildSpec(HEART, HeartActor, beating),)
