"""The base of all sections: frozen, typed, with their defaults in `default.toml`."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Annotated, Any, ClassVar, Final, Self, TypeAlias, get_type_hints

import msgspec
from msgspec import Meta

from ..secrets import Secret

Positive: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 53)]
PositiveSeconds: TypeAlias = Annotated[float, Meta(gt=0, le=86_400 * 366)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=86_400 * 366)]

DEFAULTS: Final = "default.toml"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the settings."""

    TABLE: ClassVar[str]
    """Name of the section."""

    RELOADABLE: ClassVar[frozenset[str]] = frozenset()
    """Keys that a running system takes when the settings are read anew; all others are of a start."""

    @classmethod
    def default(cls, **changes: Any) -> Self:
        """Return the section with the values of `default.toml`, except for `changes`: for tests and use by itself."""
        hints = _hints(cls)
        table = _defaults()[cls.TABLE]
        given = {
            name: Secret(value) if hints[name] is Secret else msgspec.convert(value, hints[name])
            for name, value in table.items()
        }
        return cls(**(given | changes))


@functools.cache
def _hints(section: type[Section]) -> dict[str, Any]:
    return get_type_hints(section, include_extras=True)


@functools.cache
def _defaults() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files(__package__.rpartition(".")[0]).joinpath(DEFAULTS).read_text(encoding="utf-8"))
