"""Settings as text or JSON: each value with its origin, secrets masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from .keys import KEYS, STRATEGIES
from .secrets import Secret

if TYPE_CHECKING:
    from .loader import LoadedSettings

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""


def as_text(loaded: LoadedSettings) -> str:
    """Return one line for each key: `feed.seed = 7  # default.toml`."""
    lines = {key: f"{key} = {value_text(value)}" for key, value in _values(loaded).items()}
    width = min(max(map(len, lines.values())), 60)
    return "\n".join(f"{line:{width}}  # {loaded.origins[key]}" for key, line in lines.items())


def as_json(loaded: LoadedSettings) -> str:
    """Return one JSON object: `{"schema": 1, "settings": {key: {"value", "origin"}}}`."""
    settings = {key: {"value": value, "origin": loaded.origins[key]} for key, value in _values(loaded).items()}
    return value_text({"schema": SCHEMA, "settings": settings})


def problems_as_json(problems: tuple[str, ...]) -> str:
    """Return one JSON object: `{"schema": 1, "ok", "problems"}`."""
    return value_text({"schema": SCHEMA, "ok": not problems, "problems": problems})


def _values(loaded: LoadedSettings) -> dict[str, Any]:
    values = {}
    for key in KEYS:
        section, _, name = key.partition(".")
        values[key] = getattr(getattr(loaded.settings, section), name)
    return {**values, STRATEGIES: loaded.settings.strategies}


def value_text(value: Any) -> str:
    """Return a value as JSON, a secret masked."""
    return msgspec.json.encode(value, enc_hook=_masked).decode()


def _masked(value: Any) -> str:
    if isinstance(value, Secret):
        return "***" if value else ""
    return str(value)
