"""A strategy's typed parameters: from the plain data of the settings to the Struct that its class declares (pure)."""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from .errors import StrategyParametersError

if TYPE_CHECKING:
    from collections.abc import Mapping


def parameters_of(strategy: type, given: Mapping[str, Any], *, name: str) -> Any:
    """Return the `Parameters` of a strategy's class with these values; of a class without it, the values as they are.

    Args:
        strategy: the class.
        given: plain data: numbers, texts, lists and tables.
        name: of the strategy, for errors.

    Raises:
        StrategyParametersError: with everything that is wrong, a line each.
    """
    kind = getattr(strategy, "Parameters", None)
    if kind is None:
        return MappingProxyType(dict(given))
    problems = [*_problems_of(kind, given)]
    if not problems:
        try:
            return msgspec.convert(dict(given), kind)
        except msgspec.ValidationError as fault:  # of its __post_init__
            problems = [str(fault)]
    raise StrategyParametersError("\n".join(f"parameters of {name!r}: {problem}" for problem in problems))


def _problems_of(kind: type[msgspec.Struct], given: Mapping[str, Any]) -> list[str]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    hints = get_type_hints(kind, include_extras=True)
    problems = []
    for key, value in given.items():
        if key not in fields:
            near = get_close_matches(key, fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields) or 'none'}"
            problems.append(f"unknown {key}; {hint}")
            continue
        try:
            msgspec.convert(value, hints[fields[key].name])
        except msgspec.ValidationError as fault:
            problems.append(f"{key}: {fault}, found {value!r:.60}")
    missing = [key for key, field in fields.items() if field.required and key not in given]
    return problems + [f"{key}: a value wanted, found none" for key in missing]
