"""Every key of the settings, and the one that a wrong name is nearest to."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final, get_type_hints

from .secrets import Secret
from .sections.base import Section
from .sections.strategy import StrategySettings
from .settings import Settings

if TYPE_CHECKING:
    from .values import Hint

STRATEGIES: Final = "strategies"
"""The only key that is not in a section: an array of tables, replaced as a whole."""

PROFILE: Final = "system.profile"
"""Chosen when the process is started; no layer may set it."""

SECTIONS: Final[dict[str, type[Section]]] = {
    name: section for name, section in get_type_hints(Settings).items() if name != STRATEGIES
}
KEYS: Final[dict[str, Hint]] = {
    f"{section_name}.{name}": hint
    for section_name, section in SECTIONS.items()
    for name, hint in get_type_hints(section, include_extras=True).items()
    if name in section.__struct_fields__
}
STRATEGY_KEYS: Final[dict[str, Hint]] = get_type_hints(StrategySettings, include_extras=True)
SECRET_KEYS: Final = frozenset(key for key, hint in KEYS.items() if hint is Secret)


def near(name: str, names: list[str]) -> str:
    """Return `; did you mean …?` for the nearest of the names, or nothing."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def near_key(key: str) -> str:
    """The same for a dotted key, also where its last part exists in another section; for a section, one of its keys."""
    if key in SECTIONS:
        return f"; a section is set key by key, as {next(known for known in KEYS if known.startswith(f'{key}.'))}"
    for known in KEYS:
        if known.partition(".")[2] == key.partition(".")[2]:
            return f"; did you mean {known}?"
    return near(key, [*KEYS, STRATEGIES])
