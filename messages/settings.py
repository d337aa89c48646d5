"""Settings that change while the system runs: who may ask for it, and what came of it. No message holds a secret."""

from typing import TypeAlias

import msgspec

from .units import Nanoseconds


class SettingChange(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SettingChange"):
    """One setting that has changed."""

    key: str
    """`section.name`."""

    before: str
    """In JSON; of a secret `"***"`, or `""` for none."""

    after: str


class ReloadSettings(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReloadSettings"):
    """To settings: read the settings anew, and use those that have changed.

    All or none: answered by `SettingsReloaded`, or by `ReloadRefused` where they are wrong, or one of them is taken by
    a start only.
    """

    check_only: bool = False
    """Tell what would change, and change nothing."""


class SettingsReloaded(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SettingsReloaded"):
    """Answer to `ReloadSettings`: what has changed, or would; empty: nothing."""

    changes: tuple[SettingChange, ...]


class ReloadRefused(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ReloadRefused"):
    """Answer to `ReloadSettings`: nothing has changed."""

    problems: tuple[str, ...]


class SettingsChanged(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SettingsChanged"):
    """Fact: settings of the running system change now; from settings, before they are in force."""

    changes: tuple[SettingChange, ...]
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class TakeSettings(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="TakeSettings"):
    """From settings to who uses them: these are others now; they are read where they always are."""

    keys: tuple[str, ...]


SettingsFact: TypeAlias = SettingsChanged
