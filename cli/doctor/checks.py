"""All checks, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from . import installation, machine, network
from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config.settings import Settings

Check: TypeAlias = "Callable[[Settings], Iterator[Finding]]"
CheckOfMachine: TypeAlias = "Callable[[object], Iterator[Finding]]"

WITHOUT_SETTINGS: Final[tuple[CheckOfMachine, ...]] = (
    machine.python,
    machine.libraries,
    machine.environment,
    machine.open_files,
    machine.clock,
    machine.calendar,
)
"""Checks that need no settings: the only ones that are made where the settings are refused."""

LOCAL: Final[tuple[Check, ...]] = (
    *WITHOUT_SETTINGS,
    machine.disk,
    installation.data_directory,
    installation.running,
    installation.ports,
    installation.credentials,
)
OVER_THE_NETWORK: Final[tuple[Check, ...]] = (network.broker, network.egress)


def refused(problems: Sequence[str]) -> Iterator[Finding]:
    """Yield the findings where the settings are refused: the refusal, and the checks without settings."""
    for check in WITHOUT_SETTINGS:
        yield from check(None)
    for problem in problems:
        yield Finding("settings", "fault", problem, "correct it there; natya config check says what is wrong still")


def examine(settings: Settings, checks: tuple[Check, ...]) -> Iterator[Finding]:
    """Make the checks; one that raises is a finding itself, and the others go on."""
    for check in checks:
        try:
            yield from check(settings)
        except Exception as fault:  # noqa: BLE001  whichever it is, it is told
            name = check.__name__.replace("_", " ")
            yield Finding(name, "fault", f"cannot be checked: {type(fault).__name__}: {fault}", "report this, please")
