"""When commodities trade, from dated data (`commodities.toml`): until midnight or nearly, by the clock of New York.

Where shares have a holiday, commodities mostly trade in the evening alone.
"""

from __future__ import annotations

import functools
import tomllib
from datetime import date, time
from importlib import resources
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

Commodity: TypeAlias = Literal["COMMODITY", "WORLD_AGRI", "AGRI"]
"""Metals and energy; farm products whose prices follow those of the world; all other farm products."""

COMMODITIES: Final[frozenset[str]] = frozenset(get_args(Commodity))

_SUNDAY: Final = 6


class Hours(msgspec.Struct, frozen=True):
    """Of one day."""

    start: time
    end: time
    known: bool
    """False where they are assumed."""


def hours_on(day: date, market: Commodity, *, is_holiday: bool) -> Hours | None:
    """Return the trading hours of a weekday; None: the market is closed.

    Args:
        day: no Saturday or Sunday.
        market: of what.
        is_holiday: whether shares do not trade.
    """
    data = _data()
    if day in data["closed"]:
        return None
    start = max((each for each in data["opening"] if each["since"] <= day), key=lambda each: each["since"])["at"]
    end = data["close"][market]["summer" if is_summer_in_new_york(day) else "winter"]
    evening = data["evening"]
    if is_holiday:
        start = evening
    if day in data["morning"]:
        end = min(end, evening)
    return Hours(start, end, known=day.year in data["known_years"]) if start < end else None


def special_hours(day: date) -> Hours | None:
    """Return the hours of a day that has none else, for all commodities; None: it is no such day."""
    found = _data()["special"].get(day)
    return None if found is None else Hours(found["start"], found["end"], known=True)


def market_of(underlying: str) -> Commodity:
    """Return the group of commodities whose hours the contracts of an underlying have."""
    of: dict[str, Commodity] = _data()["of_underlying"]
    return of.get(underlying.upper(), "COMMODITY")


def is_summer_in_new_york(day: date) -> bool:
    """Tell whether New York has summer time on a day: since 2007 (Energy Policy Act of 2005)."""
    return _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)


def _sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first.replace(day=1 + (_SUNDAY - first.weekday()) % 7 + (number - 1) * 7)


@functools.cache
def _data() -> dict[str, Any]:
    data = tomllib.loads(resources.files(__package__).joinpath("commodities.toml").read_text(encoding="utf-8"))
    data["closed"], data["morning"] = frozenset(data["closed"]), frozenset(data["morning"])
    data["special"] = {each["day"]: each for each in data["special"]}
    data["of_underlying"] = {name: market for market, names in data["underlyings"].items() for name in names}
    return data
