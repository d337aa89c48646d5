"""The settings in force: one object, shared by all that use settings which may change while the system runs.

The trap: a restarted actor gets the arguments of its first start, so that settings handed out as values would bring
back those from before a change. Whoever uses what may change is given this object instead, and reads it each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ..messages.settings import SettingChange
from .keys import KEYS, PROFILE, SECRET_KEYS, SECTIONS, STRATEGIES
from .show import value_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .loader import LoadedSettings
    from .settings import Settings

RELOADABLE: Final = frozenset(f"{name}.{key}" for name, section in SECTIONS.items() for key in section.RELOADABLE)
"""Keys that can change while a system runs."""

KEPT_BY_COMMAND: Final = "secret "
"""Beginning of the origin of a secret that `natya secrets` keeps."""

LOOKED_FOR: Final = frozenset(key for key in SECRET_KEYS if key.startswith("broker."))
"""Secrets whose owner itself looks for changes."""

_HINTS: Final = {
    "orders": "limits are journaled and, for real orders, confirmed at a start",
    "strategies": "a strategy begins with its parameters",
    "broker": "orders may be on their way by what is in force",
}
_ROTATE_HINT: Final = "natya secrets rotate {} takes another one into use"


class InForce:
    """Holds the settings in force; many threads read it, one replaces them."""

    def __init__(self, settings: Settings, read_again: Callable[[], LoadedSettings] | None = None) -> None:
        """Begin with the settings of the start.

        Args:
            settings: of the start.
            read_again: reads them from where they came from; it blocks, and raises `SettingsError`. None: they came
                from a program, which alone could.
        """
        self._settings = settings
        self.read_again: Final = read_again

    @property
    def settings(self) -> Settings:
        """The settings in force now."""
        return self._settings

    def replace(self, settings: Settings) -> None:
        """Replace all settings at once."""
        self._settings = settings


def changes_between(before: Settings, after: LoadedSettings) -> tuple[SettingChange, ...]:
    """Return what differs, in the order of the keys, without the secrets whose owner itself looks for changes."""
    found = []
    for key in (*KEYS, STRATEGIES):
        if key in LOOKED_FOR and after.origins[key].startswith(KEPT_BY_COMMAND):
            continue
        old, new = _value(before, key), _value(after.settings, key)
        if old != new:
            found.append(SettingChange(key=key, before=value_text(old), after=value_text(new)))
    return tuple(found)


def with_changes(before: Settings, after: Settings, changes: tuple[SettingChange, ...]) -> Settings:
    """Return the settings with these changes and no others."""
    settings = before
    for change in changes:
        section, _, name = change.key.partition(".")
        replaced = msgspec.structs.replace(getattr(settings, section), **{name: _value(after, change.key)})
        settings = msgspec.structs.replace(settings, **{section: replaced})
    return settings


def problems_of(changes: tuple[SettingChange, ...]) -> tuple[str, ...]:
    """Return a line for each change that needs a restart."""
    return tuple(_problem(change) for change in changes if change.key not in RELOADABLE)


def _problem(change: SettingChange) -> str:
    hint = _HINTS.get(change.key.partition(".")[0], "")
    if change.key in LOOKED_FOR:
        hint = _ROTATE_HINT.format(change.key)
    because = f" ({hint})" if hint else ""
    return f"{change.key}: only a start takes another value{because}: in force {change.before}, found {change.after}"


def _value(settings: Settings, key: str) -> object:
    if key == STRATEGIES:
        return settings.strategies
    if key == PROFILE:
        return settings.system.profile
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)
