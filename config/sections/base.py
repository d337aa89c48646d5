"""The base of all sections: frozen, typed, with their defaults in `default.toml`."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from ..errors import SettingsError
from ..secrets import Secret
from ..values import WrongValueError, read_value

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
        """Return the section with the values of `default.toml`, except for `changes`: for tests and use by itself.

        Raises:
            SettingsError: a number is out of its range, or a word is none of those that are known.
        """
        hints = _hints(cls)
        table = _defaults()[cls.TABLE]
        given = {
            name: Secret(value) if hints[name] is Secret else msgspec.convert(value, hints[name])
            for name, value in table.items()
        }
        section = cls(**(given | changes))
        if problems := section.problems():
            raise SettingsError(problems)
        return section

    def problems(self) -> tuple[str, ...]:
        """Say of each number that is out of its range, and of each word that is unknown, what is wanted and found.

        The loader takes no other; a program can make one, and the risk gate does, to hear what each of its rules says.
        """
        found = []
        for name, hint in _bounded(type(self)):
            try:
                read_value(hint, getattr(self, name))
            except WrongValueError as fault:
                found.append(f"{self.TABLE}.{name}: {fault}")
        return tuple(found)


@functools.cache
def _hints(section: type[Section]) -> dict[str, Any]:
    return get_type_hints(section, include_extras=True)


@functools.cache
def _bounded(section: type[Section]) -> list[tuple[str, Any]]:
    """Return the fields that not every value of their type may be in, with their annotations."""
    return [(name, hint) for name, hint in _hints(section).items() if get_origin(hint) in {Annotated, Literal}]


@functools.cache
def _defaults() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files(__package__.rpartition(".")[0]).joinpath(DEFAULTS).read_text(encoding="utf-8"))
