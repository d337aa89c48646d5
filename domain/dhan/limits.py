"""How many requests Dhan allows, by kind and date: for those who keep to it, and for an exchange that counts."""

from __future__ import annotations

import functools
import tomllib
from datetime import date
from importlib import resources
from typing import Any

from ..quotas import Allowance, Quota
from ..time import duration_ns


def limits_on(day: date) -> dict[str, Allowance]:
    """Return the limits that hold on a day, by kind: `orders`, `data`, `option_chain`, `quotes`, `others`, `tokens`.

    Raises:
        ValueError: the day is before the first that are known.
    """
    found = {}
    for kind, tables in _tables().items():
        of_the_day = [table for table in tables if table["since"] <= day]
        if not of_the_day:
            raise ValueError(f"a day from {tables[0]['since']} on wanted for limits of {kind}, found {day}")
        found[kind] = _allowance(max(of_the_day, key=lambda table: table["since"]))
    return found


def _allowance(table: dict[str, Any]) -> Allowance:
    each_key = None
    if "modifications" in table:
        each_key = Quota(table["modifications"], None)
    elif "same" in table:
        each_key = _quota(table["same"])
    return Allowance(quotas=tuple(map(_quota, table["windows"])), each_key=each_key, also=table.get("also", ""))


def _quota(window: dict[str, Any]) -> Quota:
    return Quota(window["requests"], duration_ns(window["period"]), window.get("reserved", 0))


@functools.cache
def _tables() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(resources.files(__package__).joinpath("limits.toml").read_text(encoding="utf-8"))
