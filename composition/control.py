"""Those that may be asked from outside, and what tells of the system: parked at the worst."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..actors.alarms.actor import AlarmsActor
from ..actors.alarms.settings import AlarmsSettings
from ..actors.control import ControlActor, ControlActorSettings
from ..actors.settings.actor import SettingsActor, SettingsActorSettings
from ..actors.supervision import ChildSpec
from ..config.container import OF_THIS_PROCESS
from ..config.in_force import InForce
from ..messages.addresses import ALARMS, CONTROL, CONTROL_WEB, SETTINGS, TELEMETRY
from .choices import mode_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config.settings import Settings


def control_children(settings: Settings, in_force: InForce) -> tuple[ChildSpec, ...]:
    """Return who may be asked from outside; parked at the worst, since who only looks must not end the system."""
    if not settings.control.enabled:
        return ()
    socket = control_socket(settings)
    alarms = ChildSpec(
        ALARMS,
        AlarmsActor,
        AlarmsSettings(limits=settings.notifications, in_force=in_force, instance=settings.system.profile),
        when_exhausted="park",
    )
    reloading = ChildSpec(SETTINGS, SettingsActor, SettingsActorSettings(in_force=in_force), when_exhausted="park")
    if not settings.control.http:
        return (reloading, socket, alarms)
    from ..actors.web import WebActor  # noqa: PLC0415  loaded where something is served

    bounds = msgspec.structs.replace(settings.web, port=settings.control.http_port)
    return (ChildSpec(CONTROL_WEB, WebActor, bounds, when_exhausted="park"), reloading, socket, alarms)


def telemetry(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who posts spans, where a collector is named; parked at the worst."""
    if not settings.telemetry.endpoint:
        return ()
    from ..actors.telemetry.actor import TelemetryActor, TelemetryActorSettings  # noqa: PLC0415  loaded where it is wanted

    instance = f"{settings.system.profile} {settings.system.data_dir}"
    wanted = TelemetryActorSettings(telemetry=settings.telemetry, instance=instance)
    return (ChildSpec(TELEMETRY, TelemetryActor, wanted, when_exhausted="park"),)


def control_socket(settings: Settings, *, looks_at: frozenset[str] | None = None) -> ChildSpec:
    """Return the control socket; one that only looks at some actors is that of a machine that runs strategies."""
    control = ControlActorSettings(
        data_dir=Path(settings.system.data_dir),
        journal_dir=Path(settings.journal.path),
        log_path=settings.log.path,
        limits=settings.control,
        mode=mode_of(settings) if looks_at is None else "node",
        looks_at=looks_at,
        pings=_pings_of_services,
    )
    return ChildSpec(CONTROL, ControlActor, control, when_exhausted="park")


def _pings_of_services() -> Mapping[str, Callable[[], object]]:
    """Return those of what a strategy, or a program that holds the system, has put into the container."""
    return OF_THIS_PROCESS.pings()
