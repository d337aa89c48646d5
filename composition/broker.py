"""The broker session, the owner of its calls, and who keeps the access token."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ..actors.broker import AccessToken, BrokerActor, TokenKeeper, TokenKeeperSettings, UpdatesActor, broker_of
from ..actors.external import ExternalActor, ExternalSettings
from ..actors.feed import is_live
from ..actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from ..config.data_directory import tally_folder
from ..config.halt_file import HaltFile, halt_paths
from ..config.secret_folder import SecretFolder
from ..domain.quotas import Allowance, Quota
from ..domain.time import SECOND_NS
from ..messages.addresses import BROKER, BROKER_GROUP, BROKER_SERVICE, BROKER_TOKENS, BROKER_UPDATES
from .choices import has_exchange, lives_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..actors.broker import TokenSource
    from ..config.settings import Settings

UNLIMITED: Final = Allowance(quotas=(Quota(1_000_000, SECOND_NS),))
"""Of requests in a market that is not played at the speed of the world: no broker counts them."""

LAST_CALLS_S: Final = 1.5
"""Seconds in a stop for each, but orders, who waits for calls to the broker: a start asks anew."""


def broker_session(settings: Settings, in_use: AccessToken) -> ChildSpec:
    """Return the broker session; one that speaks HTTP has a supervisor, with the owner of its calls before it.

    The owner of the socket of order updates is the last: it begins anew with the session, and tells it that it has.
    """
    body, options = broker_of(settings.broker)
    session = ChildSpec(BROKER, BrokerActor, settings.broker, shutdown_s=LAST_CALLS_S, leaves_calls=True)
    service = body.service(settings.broker, options, in_use)
    if service is None:
        return session
    keeper = _keeper(settings, in_use, functools.partial(body.token_source, settings.broker))
    service = tallied(service, settings)
    service = msgspec.structs.replace(service, halted=functools.partial(halted_by, HaltFile(*halt_paths(settings))))
    if settings.broker.wire and not lives_in_real_time(settings):
        service = msgspec.structs.replace(service, allowances=dict.fromkeys(service.allowances, UNLIMITED))
    # Where a replay is faster than the world, updates in the world's time would come long after what they are about.
    updates = body.updates(settings.broker, options, in_use) if lives_in_real_time(settings) else None
    group = SupervisorSettings(
        children=(
            ChildSpec(BROKER_SERVICE, ExternalActor, service, shutdown_s=LAST_CALLS_S, leaves_calls=True),
            session,
            *([] if settings.broker.wire else [keeper]),
            *([ChildSpec(BROKER_UPDATES, UpdatesActor, updates)] if updates is not None else []),
        ),
        policy=settings.supervision,
        strategy="rest_for_one",
        shutdown_s=settings.system.shutdown_s,
        market_speed=settings.feed.speed,
    )
    return ChildSpec(BROKER_GROUP, Supervisor, group)


def tokens(settings: Settings, in_use: AccessToken) -> tuple[ChildSpec, ...]:
    """Return who keeps the access token where a live feed and charts alone need it; else the broker session has one."""
    if not (has_exchange(settings) and is_live(settings.feed)):
        return ()
    from ..actors.broker import DhanTokens  # noqa: PLC0415  a broker's body is loaded where it is chosen

    return (_keeper(settings, in_use, functools.partial(DhanTokens, settings.broker)),)


def _keeper(
    settings: Settings, in_use: AccessToken, new_source: Callable[[Callable[[], int]], TokenSource | None]
) -> ChildSpec:
    stored = SecretFolder(Path(settings.system.data_dir))
    return ChildSpec(
        BROKER_TOKENS, TokenKeeper, TokenKeeperSettings(token=in_use, new_source=new_source, stored=stored)
    )


def tallied(service: ExternalSettings, settings: Settings) -> ExternalSettings:
    """Have the owner of calls keep how many left, for the next process of this data directory."""
    return msgspec.structs.replace(service, tally_folder=tally_folder(settings.system.data_dir))


def halted_by(file: HaltFile) -> str:
    """Say that nothing may leave while the kill switch is on; empty: it is off."""
    return f"the kill switch is on: {file.where()}" if file.is_engaged() else ""
