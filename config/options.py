"""The options of a body, such as a broker's or a market's: the section carries them as data, the body knows its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import msgspec

from .errors import SettingsError
from .keys import near
from .values import WrongValueError, read_value

if TYPE_CHECKING:
    from collections.abc import Mapping

OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)


class NoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Of a body that has none."""


def choose_body(bodies: Mapping[str, Any], name: str, *, key: str, origins: Mapping[str, str]) -> Any:
    """Return the body that the setting `key` names.

    Raises:
        SettingsError: there is none of that name.
    """
    if name in bodies:
        return bodies[name]
    names = list(bodies)
    problem = f"wanted one of {', '.join(names)}, found {name!r}{near(name, names)}"
    raise SettingsError((f"{_place(key, origins)}: {problem}",))


def decode_options(
    kind: type[OptionsT], options: Mapping[str, Any], *, key: str, origins: Mapping[str, str]
) -> OptionsT:
    """Check the options of a body, each by the type of its field, and return them as its own Struct.

    Args:
        kind: Struct of the body; a field without a default must be given.
        options: as the settings carry them: plain data of TOML, no secrets.
        key: of the options in the settings, such as `broker.options`.
        origins: where the values of the settings came from, by key; may lack some.

    Raises:
        SettingsError: with everything that is wrong, a line each, by the full name of its key.
    """
    place, hints = _place(key, origins), get_type_hints(kind, include_extras=True)
    problems, values = [], {}
    for name, value in options.items():
        if name not in kind.__struct_fields__:
            problems.append(f"{place}.{name}: unknown key{near(name, list(kind.__struct_fields__))}")
            continue
        try:
            values[name] = read_value(hints[name], value)
        except WrongValueError as fault:
            problems.append(f"{place}.{name}: {fault}")
    problems.extend(
        f"{place}.{field.name}: wanted a value, found none"
        for field in msgspec.structs.fields(kind)
        if field.required and field.name not in options
    )
    if problems:
        raise SettingsError(tuple(problems))
    return kind(**values)


def _place(key: str, origins: Mapping[str, str]) -> str:
    return f"{origins[key]}: {key}" if key in origins else key
