"""Leave to trade real money: the limits that matter most have to be written a second time, as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

CONFIRMED: Final = ("quantity_max", "value_max_rupees", "position_max", "orders_in_flight_max")
"""Keys of `[orders]`."""

MADE_UP_MARKETS: Final = frozenset({"synthetic", "replay"})
"""Sources of market data by which no real order may be decided."""


INSTRUMENTS: Final = "instruments"
"""Key of the limits of single instruments, which are confirmed as well where there are some."""


def unconfirmed(
    limits: Mapping[str, Any],
    confirmed: Mapping[str, Any],
    *,
    besides: Iterable[str] = (),
    where: str = " as in [orders]",
) -> list[str]:
    """Return what is wanted and was found for each limit that is not confirmed; empty: all are.

    Args:
        limits: of `[orders]`, by key; others may be among them.
        confirmed: as they were written once more.
        besides: keys that are wanted, too.
        where: the values of the limits are found.
    """
    problems = []
    keys = tuple(dict.fromkeys((*CONFIRMED, *([INSTRUMENTS] if limits.get(INSTRUMENTS) else []), *besides)))
    for key in keys:
        wanted, found = limits[key], confirmed.get(key)
        if isinstance(found, bool) or found != wanted:
            shown = "nothing" if found is None else repr(found)
            problems.append(f"wanted {key} = {_shown(wanted)}{where}, found {shown}")
    problems += [f"wanted only {', '.join(keys)}, found {key!r}" for key in confirmed if key not in keys]
    return problems


def _shown(wanted: Any) -> str:
    return f"{wanted:_}" if isinstance(wanted, int | float) else str(wanted)
