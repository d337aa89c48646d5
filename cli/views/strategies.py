"""The strategies of a running system as a table and JSON, and the outcome of a change. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..terminal import plain
from .columns import lined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from ...messages.strategies import StrategyChanged, StrategyShown

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""


def strategies_json(listed: Sequence[StrategyShown]) -> dict[str, Any]:
    """Return all of it."""
    return {"schema": SCHEMA, "strategies": [msgspec.structs.asdict(each) for each in listed]}


def strategies_table(listed: Sequence[StrategyShown]) -> Table:
    """Return a line a strategy."""
    headings = "name", "strategy", "state", "host", "restarts", "keeps a state", "last error"
    table = lined(*headings, numbers=("restarts",))
    for each in listed:
        keeps = "yes" if each.has_state else "no"
        cells = (each.name, each.strategy, each.state, each.host, str(each.restarts), keeps, each.error)
        table.add_row(*map(plain, cells))
    return table


def changed_json(changed: StrategyChanged) -> dict[str, Any]:
    """Return the outcome of a change."""
    return {"schema": SCHEMA, **msgspec.structs.asdict(changed)}
